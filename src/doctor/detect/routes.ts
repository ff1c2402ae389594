import type { RoutedType } from '../../workflow/facts/routing.ts';
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

/** The workflows that move tables, each pair of ways once. */
export function movers(picture: DoctorPicture): WorkflowFacts[] {
  return picture.workflows.filter((workflow) => movesTables(workflow) && workflow.problem === undefined && workflow.sourceKeyspace !== workflow.keyspace && !isWayBack(workflow, picture));
}

/** Where the three names of each table lead, by the saved rules, or by what a cell serves. */
export function leads({ routing }: DoctorPicture, { sourceKeyspace, keyspace, tables }: WorkflowFacts, type: RoutedType, cell?: string): Lead[] {
  return tables.flatMap((table) =>
    [table, `${sourceKeyspace}.${table}`, `${keyspace}.${table}`].flatMap((from) => {
      const route = routing.routes.find((one) => one.from === from && one.type === type);
      if (route === undefined) return [];
      const to = cell === undefined ? route.global : (route.cells[cell] ?? '');
      return [{ from, table, to: to.slice(0, Math.max(0, to.indexOf('.'))) }];
    }),
  );
}

/** True if some rule is about the workflow's tables: without any, whoever made it wants none. */
export function hasRules({ records }: DoctorPicture, { sourceKeyspace, keyspace, tables }: WorkflowFacts): boolean {
  const names = new Set(tables.flatMap((table) => [table, `${sourceKeyspace}.${table}`, `${keyspace}.${table}`]));
  return (records.rules.rules ?? []).some((rule) => names.has(rule.from_table.replace(/@.*$/, '')));
}

/** True if the switch of the writes has been made, by the workflow's own mark. */
export function isSwitched(workflow: WorkflowFacts): boolean {
  return workflow.frozen || (workflow.journal.on.length > 0 && !isOldJournal(workflow));
}
