import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { hasStreams } from '../../tablet/vreplication/streams.ts';
import { stoppedCells } from '../../topo/cells.ts';
import { keyspaceNames } from '../../topo/keyspaces.ts';
import { gatherIntents, type IntentFacts } from './intents.ts';
import { gatherLocks, isAbout, type LockFacts } from './locks.ts';
import { gatherRouting } from './routing.ts';
import { type Refused, refusedAt, type ServedFacts, type ServedTable, servedTables } from './serving.ts';
import { gatherShards, type ShardFacts } from './shard.ts';
import { findStranded } from './stranded.ts';
import type { Picture, Stranded } from './stranded/found.ts';
import type { WorkflowFacts } from './workflow.ts';
import { loading } from '../../lib/loading.ts';

/** The verdict on a keyspace: what an operator wants to know first. */
export interface Verdict {
  /** `refused`: queries are turned away now. `warning`: something was left behind that turns none away. */
  level: 'ok' | 'warning' | 'refused';
  /** Tables whose writes it answers. */
  serves: string[];
  /** Tables of which it answers some reads, and another keyspace the writes. */
  servesReadsOf: string[];
  /** Its tables whose writes go to another keyspace ('' for nowhere), and those of which only some reads do. */
  writesElsewhere: Elsewhere[];
  readsElsewhere: Elsewhere[];
  /** Single shards of its tables that another keyspace has, and single shards of others' tables that it has. */
  shardsElsewhere: ShardsOf[];
  servesShardsOf: ShardsOf[];
  refused: Refused[];
}

/** Shards whose rows, and all traffic with them, are in another keyspace than that of their table. */
export interface ShardsOf {
  /** The other keyspace. */
  keyspace: string;
  shards: string[];
  tables: string[];
}

/** Tables that another keyspace answers for. */
export interface Elsewhere {
  keyspace: string;
  tables: string[];
  /** It does not answer: they are turned away there. */
  refused: boolean;
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
  const shards = await gatherShards(ctx, cluster);
  return {
    keyspaces: await keyspaceNames(ctx, cluster.topo),
    shards,
    routing: await gatherRouting(ctx, cluster),
    locks: gatherLocks(cluster),
    workflows: await workflowsOf(ctx, cluster, shards),
    intents: await gatherIntents(ctx, cluster),
    stoppedCells: await stoppedCells(ctx, cluster.topo),
  };
}

/** Loaded where there are any: it needs most of what workflows need. */
async function workflowsOf(ctx: Context, cluster: Cluster, shards: readonly ShardFacts[]): Promise<WorkflowFacts[]> {
  if (!shards.some(({ keyspace, shard }) => hasStreams(cluster.shards.open(keyspace, shard)))) return [];
  const { gatherWorkflows } = await loading(import('./workflow.ts'));
  return gatherWorkflows(ctx, cluster);
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
  const verdict: Verdict = {
    level: refused.length > 0 ? 'refused' : stranded.length > 0 ? 'warning' : 'ok',
    serves: [],
    servesReadsOf: [],
    writesElsewhere: [],
    readsElsewhere: [],
    shardsElsewhere: [],
    servesShardsOf: [],
    refused,
  };
  for (const { table, types } of tables) {
    const { PRIMARY: writes, REPLICA, RDONLY } = types;
    const reads = [REPLICA, RDONLY];
    if (writes.keyspace === keyspace) {
      verdict.serves.push(table);
      for (const { keyspace: other, shards } of writes.moved) addShards(verdict.shardsElsewhere, other, shards, table);
      const away = reads.find((served) => served.keyspace !== keyspace);
      if (away !== undefined) addElsewhere(verdict.readsElsewhere, away, table);
    } else {
      addElsewhere(verdict.writesElsewhere, writes, table);
      const own = writes.moved.find((moved) => moved.keyspace === keyspace);
      if (own !== undefined) addShards(verdict.servesShardsOf, writes.keyspace, own.shards, table);
      if (reads.some((served) => served.keyspace === keyspace)) verdict.servesReadsOf.push(table);
    }
  }
  return verdict;
}

function addElsewhere(list: Elsewhere[], { keyspace, refusedOn }: ServedFacts, table: string): void {
  const refused = refusedOn.length > 0;
  const there = list.find((entry) => entry.keyspace === keyspace && entry.refused === refused);
  if (there === undefined) list.push({ keyspace, tables: [table], refused });
  else there.tables.push(table);
}

function addShards(list: ShardsOf[], keyspace: string, shards: string[], table: string): void {
  const there = list.find((entry) => entry.keyspace === keyspace && entry.shards.join() === shards.join());
  if (there === undefined) list.push({ keyspace, shards, tables: [table] });
  else there.tables.push(table);
}
