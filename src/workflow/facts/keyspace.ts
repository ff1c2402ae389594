import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { keyspaceNames } from '../../topo/keyspaces.ts';
import { gatherIntents, type IntentFacts } from './intents.ts';
import { gatherLocks, isAbout, type LockFacts } from './locks.ts';
import { gatherRouting } from './routing.ts';
import { type Refused, refusedAt, type ServedTable, servedTables } from './serving.ts';
import { gatherShards, type ShardFacts } from './shard.ts';
import { findStranded, type Picture, type Stranded } from './stranded.ts';
import { gatherWorkflows, type WorkflowFacts } from './workflow.ts';

/** The verdict on a keyspace: what an operator wants to know first. */
export interface Verdict {
  /** `refused`: queries are turned away now. `warning`: something was left behind that turns none away. */
  level: 'ok' | 'warning' | 'refused';
  /** Tables that it has or that are routed to it, and for which it answers writes; reads; neither. */
  serves: string[];
  servesReadsOf: string[];
  servedElsewhere: { keyspace: string; tables: string[] }[];
  refused: Refused[];
}

/** Everything about one keyspace. */
export interface KeyspaceFacts {
  keyspace: string;
  verdict: Verdict;
  shards: ShardFacts[];
  tables: ServedTable[];
  /** Locks of the keyspace and of its workflows. */
  locks: LockFacts[];
  /** Workflows that read from it or write to it. */
  workflows: WorkflowFacts[];
  intents: IntentFacts[];
  stranded: Stranded[];
}

/** All of the cluster's state that a cutover touches. Takes no lock and changes nothing. */
export async function gatherPicture(ctx: Context, cluster: Cluster): Promise<Picture> {
  return {
    keyspaces: await keyspaceNames(ctx, cluster.topo),
    shards: await gatherShards(ctx, cluster),
    routing: await gatherRouting(ctx, cluster),
    locks: gatherLocks(cluster),
    workflows: await gatherWorkflows(ctx, cluster),
    intents: await gatherIntents(ctx, cluster),
  };
}

/** Every keyspace, by name. */
export async function gatherKeyspaces(ctx: Context, cluster: Cluster): Promise<KeyspaceFacts[]> {
  const picture = await gatherPicture(ctx, cluster);
  const stranded = findStranded(picture, cluster.release.behaviours);
  return picture.keyspaces.map((keyspace) => keyspaceFacts(keyspace, picture, stranded));
}

function keyspaceFacts(keyspace: string, picture: Picture, stranded: readonly Stranded[]): KeyspaceFacts {
  const tables = servedTables(keyspace, picture.routing, picture.shards);
  const own = stranded.filter((entry) => entry.keyspaces.includes(keyspace));
  const touches = (one: { keyspace: string; sourceKeyspace: string }): boolean => one.keyspace === keyspace || one.sourceKeyspace === keyspace;
  const workflows = picture.workflows.filter(touches);
  return {
    keyspace,
    verdict: verdictOf(keyspace, tables, refusedAt(keyspace, picture.routing, picture.shards), own),
    shards: picture.shards.filter((shard) => shard.keyspace === keyspace),
    tables,
    locks: picture.locks.filter((lock) => isAbout(lock, keyspace) || workflows.some((one) => lock.name === `${one.keyspace}/${one.workflow}`)),
    workflows,
    intents: picture.intents.filter(touches),
    stranded: own,
  };
}

function verdictOf(keyspace: string, tables: readonly ServedTable[], refused: Refused[], stranded: readonly Stranded[]): Verdict {
  const elsewhere = new Map<string, string[]>();
  const serves: string[] = [];
  const servesReadsOf: string[] = [];
  for (const { table, types } of tables) {
    const here = Object.values(types).filter((served) => served.keyspace === keyspace).length;
    const writer = types.PRIMARY.keyspace;
    if (writer === keyspace) serves.push(table);
    else {
      if (here > 0) servesReadsOf.push(table);
      elsewhere.set(writer, [...(elsewhere.get(writer) ?? []), table]);
    }
  }
  const level = refused.length > 0 ? 'refused' : stranded.length > 0 ? 'warning' : 'ok';
  const servedElsewhere = [...elsewhere].map(([name, names]) => ({ keyspace: name, tables: names }));
  return { level, serves, servesReadsOf, servedElsewhere, refused };
}
