import type { Behaviours } from '../../../lib/behaviours.ts';
import { freeCommands, recoveryCommands, reshardRecoveryCommands, serveCommands } from '../../recovery.ts';
import { type Refused, refusedAt } from '../serving.ts';
import type { WorkflowFacts } from '../workflow.ts';
import { type Found, lockName, type Picture, unique } from './found.ts';
import { complete, intentAt } from './intent.ts';
import { copiesOf, stoppedOthers } from './others.ts';

const WHAT = { PRIMARY: 'writes of', REPLICA: 'replica reads of', RDONLY: 'rdonly reads of' } as const;

/** Queries that are routed to a keyspace and turned away there. */
export function refused(picture: Picture, keyspace: string, behaviours: Behaviours): Found[] {
  const entries = refusedAt(keyspace, picture.routing, picture.shards).filter((entry) => !isToCome(picture, keyspace, entry));
  return entries.map((entry) => ({
    kind: isKeptApart(picture, keyspace, entry) ? 'denied-left-over' : 'refused',
    object: entry.on.join(', '),
    ...concerned(picture, keyspace, entry),
    text: `${WHAT[entry.type]} ${entry.tables.join(', ')} are routed to ${keyspace} and refused there: ${entry.why} ${entry.on.join(', ')}`,
    next: freeing(picture, keyspace, entry, behaviours),
  }));
}

/** Tables that were kept when their workflow ended: only who names the keyspace gets there (K43). */
function isKeptApart({ workflows, routing }: Picture, keyspace: string, { type, tables, why }: Refused): boolean {
  const elsewhere = (table: string): boolean => {
    const route = routing.routes.find((one) => one.from === table && one.type === type);
    return route !== undefined && !route.global.startsWith(`${keyspace}.`);
  };
  return why === 'denied on' && tables.every((table) => elsewhere(table) && !workflows.some((one) => one.tables.includes(table)));
}

/** Tables of a workflow without routing rules, before its switch: who names the target is turned away there on purpose. */
function isToCome({ workflows, routing }: Picture, keyspace: string, { type, tables, why }: Refused): boolean {
  const leadsHere = (table: string): boolean => routing.routes.some((one) => one.type === type && one.from !== `${keyspace}.${table}` && one.global === `${keyspace}.${table}`);
  const awaits = (one: WorkflowFacts, table: string): boolean =>
    one.keyspace === keyspace && one.kind === 'tables' && !one.frozen && one.journal.on.length === 0 && !one.workflow.endsWith('_reverse') && one.tables.includes(table);
  return why === 'denied on' && tables.every((table) => !leadsHere(table) && workflows.some((one) => awaits(one, table)));
}

/** The keyspaces between which the tables move, and the workflows that move them: whoever frees them has to keep those away. */
function concerned({ workflows }: Picture, keyspace: string, { tables }: Refused): Pick<Found, 'keyspaces' | 'workflows'> {
  const movers = workflows.filter(
    (one) => (one.keyspace === keyspace || one.sourceKeyspace === keyspace) && (one.kind === 'shards' || tables.some((table) => one.tables.includes(table))),
  );
  return { keyspaces: unique([keyspace, ...movers.flatMap((one) => [one.sourceKeyspace, one.keyspace])]), workflows: movers.map(lockName) };
}

/** What lets the queries through again. */
function freeing(picture: Picture, keyspace: string, entry: Refused, behaviours: Behaviours): string[] {
  if (entry.why === 'still denied by the tablets of' || entry.why === 'tablets not started on') return entry.on.map((shard) => `RefreshStateByShard ${shard}`);
  if (entry.why === 'tablets stopped on') {
    const down = picture.shards.filter((shard) => entry.on.includes(`${shard.keyspace}/${shard.shard}`)).flatMap((shard) => shard.tablets);
    return down.filter(({ state }) => state === 'stopped').map(({ alias }) => `tablet start ${alias}`);
  }
  const shards = entry.on.map((text) => ({ keyspace, name: text.slice(keyspace.length + 1) }));
  if (entry.why === 'query service off on') return serving(picture, keyspace, entry, shards, behaviours);
  if (entry.why !== 'denied on') return [];
  if (entry.type !== 'PRIMARY') return shards.flatMap((shard) => freeCommands(shard, entry.tables, entry.type.toLowerCase()));
  const concerns = (workflow: WorkflowFacts): boolean => entry.tables.some((table) => workflow.tables.includes(table));
  const intent = intentAt(picture, [keyspace]);
  if (intent !== undefined) return [intent.line];
  // The way back of a tenant reads from the tables that all share: it has nothing to do with who may write to them.
  const workflow = picture.workflows.find((one) => one.sourceKeyspace === keyspace && concerns(one) && !one.frozen && !isTenantsWayBack(one));
  const arriving = picture.workflows.find((one) => one.keyspace === keyspace && concerns(one) && one.journal.on.length > 0);
  const half = [workflow, arriving].find((one) => one !== undefined && one.journal.on.length > 0 && !one.frozen);
  if (half !== undefined) return complete(half, behaviours);
  // What was written since is on the target only: to free the source would lose it.
  if (picture.workflows.some((one) => one.sourceKeyspace === keyspace && one.frozen && concerns(one))) return ['doctor'];
  if (workflow === undefined) return [...shards.flatMap((shard) => freeCommands(shard, entry.tables)), 'RebuildVSchemaGraph'];
  const targets = workflow.targets.map((text) => ({ keyspace: workflow.keyspace, name: text.slice(workflow.keyspace.length + 1) }));
  return recoveryCommands(
    { targetKeyspace: workflow.keyspace, workflow: workflow.workflow, tables: entry.tables, kind: workflow.kind, sources: shards, targets },
    behaviours,
  );
}

function isTenantsWayBack({ kind, workflow }: WorkflowFacts): boolean {
  return kind === 'multi-tenant' && workflow.endsWith('_reverse');
}

/** Shards whose query service is off: a Reshard that broke off, or somebody's SetShardTabletControl. */
function serving(
  picture: Picture,
  keyspace: string,
  entry: Refused,
  shards: readonly { keyspace: string; name: string }[],
  behaviours: Behaviours,
): string[] {
  const intent = intentAt(picture, [keyspace]);
  if (intent !== undefined) return [intent.line];
  const reshard = picture.workflows.find((one) => one.kind === 'shards' && !one.frozen && one.sources.some((source) => entry.on.includes(source)));
  if (reshard === undefined || entry.type !== 'PRIMARY') return shards.flatMap((shard) => serveCommands(shard, entry.type.toLowerCase()));
  if (reshard.journal.on.length > 0) return complete(reshard, behaviours);
  return reshardRecoveryCommands({
    keyspace,
    workflow: reshard.workflow,
    sources: shards,
    stopped: stoppedOthers(picture, reshard).map(({ workflow, stream }) => ({ workflow, ...stream })),
    copies: copiesOf(picture, reshard).map(({ workflow, stream }) => ({ workflow, tablet: stream.tablet })),
  });
}
