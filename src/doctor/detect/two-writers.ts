import type { Repair } from '../../report/doctor/diagnosis.ts';
import { refusals } from '../../workflow/facts/serving.ts';
import { lockName, unique } from '../../workflow/facts/stranded/found.ts';
import type { WorkflowFacts } from '../../workflow/facts/workflow.ts';
import { freeCommands } from '../../workflow/recovery.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';
import { undoOf } from '../undo.ts';
import { hasRules, isSwitched, leads, movers } from './routes.ts';
import { applyRules, routeTables } from './rule-lines.ts';

/** Tables that take writes in both keyspaces of a workflow, by one name or in one cell here, by another there. */
export function twoWriters(picture: DoctorPicture): Finding[] {
  return movers(picture)
    // Whoever wants no rules (--no-routing-rules) says by the name that is used where a write goes.
    .filter((workflow) => workflow.kind === 'tables' && (isSwitched(workflow) || hasRules(picture, workflow)))
    .flatMap((workflow) => {
      const tables = writtenTwice(picture, workflow);
      return tables.length === 0 ? [] : [twice(picture, workflow, tables)];
    });
}

function writtenTwice(picture: DoctorPicture, workflow: WorkflowFacts): string[] {
  const { keyspace, sourceKeyspace } = workflow;
  const led = new Map<string, Set<string>>();
  for (const cell of picture.routing.cells) {
    for (const { table, to } of leads(picture, workflow, 'PRIMARY', cell)) led.set(table, (led.get(table) ?? new Set()).add(to));
  }
  const takes = (side: string, table: string): boolean => hasShards(picture, side) && refusals(picture.shards, side, table, 'PRIMARY').length === 0;
  return workflow.tables.filter((table) => {
    const to = led.get(table);
    return to?.has(keyspace) === true && to.has(sourceKeyspace) && takes(keyspace, table) && takes(sourceKeyspace, table);
  });
}

function hasShards({ shards }: DoctorPicture, keyspace: string): boolean {
  return shards.some((shard) => shard.keyspace === keyspace && shard.routed.includes('PRIMARY'));
}

function twice(picture: DoctorPicture, workflow: WorkflowFacts, tables: readonly string[]): Finding {
  const { keyspace, workflow: name, sourceKeyspace } = workflow;
  const evidence = picture.routing.cells.flatMap((cell) =>
    leads(picture, workflow, 'PRIMARY', cell)
      .filter(({ table, to }) => tables.includes(table) && [keyspace, sourceKeyspace].includes(to))
      .map(({ from, to }) => `cell ${cell}: writes of ${from} go to ${to}, which takes them`),
  );
  const switched = isSwitched(workflow);
  const repairs = switched ? [keepTarget(picture, workflow)] : [keepSource(picture, workflow), keepTarget(picture, workflow)];
  return {
    kind: 'two-writers',
    object: `${keyspace}.${name}`,
    keyspaces: unique([sourceKeyspace, keyspace]),
    workflows: [lockName(workflow)],
    text: `${tables.join(', ')}: both ${sourceKeyspace} and ${keyspace} take writes`,
    next: [],
    evidence,
    impact: [`writes of ${tables.join(', ')} land in ${sourceKeyspace} or in ${keyspace}, by the name that a query uses or the cell of its gate; neither has all rows`],
    repairs,
    note: `whichever is kept, rows that only the other one took have to be looked for: VDiff --workflow ${name} --target-keyspace ${keyspace} create`,
  };
}

/** Its streams bring what the source has; what the target took by itself stays there alone. */
function keepSource(picture: DoctorPicture, workflow: WorkflowFacts): Repair {
  const { sourceKeyspace, keyspace, targets } = workflow;
  return keep(picture, workflow, 'source', targets, `only ${sourceKeyspace} takes writes; rows that ${keyspace} took by itself are in no copy of it`);
}

function keepTarget(picture: DoctorPicture, workflow: WorkflowFacts): Repair {
  const { sourceKeyspace, keyspace, sources } = workflow;
  return keep(picture, workflow, 'target', sources, `only ${keyspace} takes writes; rows that ${sourceKeyspace} took after its streams stopped are not there`);
}

function keep(picture: DoctorPicture, workflow: WorkflowFacts, side: 'source' | 'target', denied: readonly string[], consequence: string): Repair {
  const { command, undo } = applyRules(picture.records.rules, routeTables(workflow, side, ['']));
  const deny = denied.flatMap((shard) => denyCommands(shard, workflow.tables));
  return { title: `let only the ${side} take writes`, consequence, commands: [...deny, command], undo: [undo, ...undoOf(deny)] };
}

/** Puts tables on a shard's deny list, and has its tablets notice. */
export function denyCommands(shard: string, tables: readonly string[]): string[] {
  return [`SetShardTabletControl --denied-tables=${tables.join(',')} ${shard} primary`, `RefreshStateByShard ${shard}`];
}

/** Takes them off again; `shard` is `keyspace/name`. */
export function freeShard(shard: string, tables: readonly string[], type = 'primary'): string[] {
  const slash = shard.indexOf('/');
  return freeCommands({ keyspace: shard.slice(0, slash), name: shard.slice(slash + 1) }, tables, type);
}
