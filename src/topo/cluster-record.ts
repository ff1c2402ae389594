import type { Context } from '../runtime/context.ts';
import type { Conn } from './conn/conn.ts';
import { paths } from './paths.ts';
import { encodeRecord, findRecord, listNames, readRecord } from './server.ts';

/** What is known of the cluster as a whole. Ours, not Vitess's. */
export interface ClusterRecord {
  vitess_version: string;
  /** The topology server whose locks it has, as `--topo-implementation` names it: etcd2 where it is missing. Not on `hardened`. */
  topo_implementation?: string;
  /** Name of the example or file it was made from. */
  made_from: string;
  /** Epoch milliseconds. */
  made_at: number;
  /** The folder of the shards' files beside the topology's; `shards` where it is missing. */
  shard_folder?: string;
}

/** The cluster's record, or undefined where none was made. */
export async function readCluster(ctx: Context, conn: Conn): Promise<ClusterRecord | undefined> {
  return (await findRecord<ClusterRecord>(ctx, conn, paths.cluster))?.record;
}

export async function writeCluster(ctx: Context, conn: Conn, record: ClusterRecord): Promise<void> {
  await conn.update(ctx, paths.cluster, encodeRecord(record), null);
}

/** One command that was run on the cluster. */
export interface HistoryEntry {
  at: number;
  took_ms: number;
  command: string;
  vitess_version: string;
  exit: number;
  pid: number;
  error?: string;
  /** What clients felt of a switch. */
  outage?: string[];
  steps: string[];
  faults: string[];
  log: string[];
}

/** Adds a command to the history. Names sort by time. */
export async function writeHistory(ctx: Context, conn: Conn, entry: HistoryEntry): Promise<void> {
  const count = (await listNames(ctx, conn, paths.history)).length;
  const name = `${String(entry.at).padStart(15, '0')}-${String(count).padStart(6, '0')}-${entry.pid}`;
  await conn.update(ctx, `${paths.history}/${name}`, encodeRecord(entry), null);
}

/** The history, oldest first. */
export async function readHistory(ctx: Context, conn: Conn): Promise<HistoryEntry[]> {
  const names = await listNames(ctx, conn, paths.history);
  return Promise.all(names.map(async (name) => (await readRecord<HistoryEntry>(ctx, conn, `${paths.history}/${name}`)).record));
}
