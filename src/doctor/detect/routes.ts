import type { RoutedType, RouteFacts, RoutingFacts } from '../../workflow/facts/routing.ts';
import type { ShardFacts } from '../../workflow/facts/shard.ts';
import { isOldJournal } from '../../workflow/facts/stranded/workflow.ts';
import type { WorkflowFacts } from '../../workflow/facts/workflow.ts';
import type { DoctorPicture } from '../picture.ts';

/** A name of a workflow's table, and where some tablet type of it leads. */
export interface Lead {
  from: string;
  table: string;
  /** The keyspace; '' for nowhere. */
  to: string;
}

/** True for what MoveTables makes: its traffic is switched by rules, and its tables are denied on one side. */
export function movesTables({ type, kind }: WorkflowFacts): boolean {
  return type === 'MoveTables' && kind !== 'shards';
}

/** True for the way back of a workflow that is there too: what is to be said of the two is said of the other. */
export function isWayBack(workflow: WorkflowFacts, { workflows }: DoctorPicture): boolean {
  return workflow.workflow.endsWith('_reverse') && workflows.some((one) => one.reverse?.keyspace === workflow.keyspace && one.reverse.workflow === workflow.workflow);
}

/** True for a way back whose original is gone. */
export function isAlone({ type, kind, workflow, reverse, problem }: WorkflowFacts): boolean {
  return type === 'MoveTables' && kind !== 'shards' && kind !== 'multi-tenant' && workflow.endsWith('_reverse') && reverse === undefined && problem === undefined;
}

/**
 * The workflows that move tables, each pair of ways once. One that has turned on itself has but one side, and a way back that is alone
 * does not say which of its two sides serves: there nothing is to be denied on their account.
 */
export function movers(picture: DoctorPicture): WorkflowFacts[] {
  return picture.workflows.filter((workflow) => movesTables(workflow) && workflow.keyspace !== workflow.sourceKeyspace && workflow.problem === undefined && !isWayBack(workflow, picture) && !isAlone(workflow));
}

/** Where the three names of each table lead, by the saved rules, or by what a cell serves. */
export function leads({ routing }: DoctorPicture, { sourceKeyspace, keyspace, tables }: WorkflowFacts, type: RoutedType, cell?: string): Lead[] {
  const known = routesByName(routing);
  return tables.flatMap((table) =>
    [table, `${sourceKeyspace}.${table}`, `${keyspace}.${table}`].flatMap((from) => {
      const route = known.get(`${type} ${from}`);
      if (route === undefined) return [];
      const to = cell === undefined ? route.global : (route.cells[cell] ?? '');
      return [{ from, table, to: to.slice(0, Math.max(0, to.indexOf('.'))) }];
    }),
  );
}

/** Thousands of tables have three names each, and three types. */
function routesByName(routing: RoutingFacts): ReadonlyMap<string, RouteFacts> {
  let known = BY_NAME.get(routing);
  if (known === undefined) {
    known = new Map(routing.routes.map((route) => [`${route.type} ${route.from}`, route]));
    BY_NAME.set(routing, known);
  }
  return known;
}

const BY_NAME = new WeakMap<RoutingFacts, ReadonlyMap<string, RouteFacts>>();

/** The tables that a shard has, as a set. */
export function tablesOf(shard: ShardFacts): ReadonlySet<string> {
  let tables = TABLES.get(shard);
  if (tables === undefined) {
    tables = new Set(shard.tables);
    TABLES.set(shard, tables);
  }
  return tables;
}

const TABLES = new WeakMap<ShardFacts, ReadonlySet<string>>();

/** True if some rule is about the workflow's tables: without any, whoever made it wants none. */
export function hasRules({ records }: DoctorPicture, { sourceKeyspace, keyspace, tables }: WorkflowFacts): boolean {
  const names = new Set(tables.flatMap((table) => [table, `${sourceKeyspace}.${table}`, `${keyspace}.${table}`]));
  return (records.rules.rules ?? []).some((rule) => names.has(rule.from_table.replace(/@.*$/, '')));
}

/** True if the switch of the writes has been made, by the workflow's own mark. */
export function isSwitched(workflow: WorkflowFacts): boolean {
  return workflow.frozen || (workflow.journal.on.length > 0 && !isOldJournal(workflow));
}
