/** The streams of a workflow while a diff holds them, and how they are let go. */
import { vtError } from '../../lib/errors.ts';
import { type Cluster, epochSeconds } from '../cluster.ts';
import type { ShardDb } from '../shard-db.ts';
import { FROZEN, readStream, readStreams, type StreamRow, updateStream } from '../vreplication/streams.ts';
import { deadHolders, noteHeld } from './claim.ts';

/** Messages of a stream that a diff holds. */
const STOPPED = 'for vdiff';
const SYNCHRONIZING = 'synchronizing for vdiff';

/** A stream as it was before. */
interface HeldStream {
  id: number;
  state: StreamRow['state'];
  message: string | null;
  stop_pos: string | null;
}

/**
 * Stops a workflow's streams for a diff and notes how they were. On `hardened` they must all run: a diff is no reason to start
 * what somebody has stopped, or a switch has frozen. Run it in a transaction. Throws FAILED_PRECONDITION.
 */
export function holdStreams(cluster: Cluster, shard: ShardDb, id: number, keyspace: string, workflow: string): void {
  const rows = readStreams(shard, workflow);
  if (cluster.release.behaviours.vdiffRestart === 'as they were' && rows.some((row) => row.state !== 'Running' || row.message === FROZEN)) {
    throw vtError('FAILED_PRECONDITION', `not all streams are running in workflow ${keyspace}.${workflow}`);
  }
  noteHeld(shard, id, JSON.stringify(rows.map(({ id: stream, state, message, stop_pos }): HeldStream => ({ id: stream, state, message, stop_pos }))));
  for (const row of rows) updateStream(shard, row.id, { state: 'Stopped', message: STOPPED }, epochSeconds(cluster));
}

/** Lets a held stream run up to a position. */
export function runUpTo(cluster: Cluster, shard: ShardDb, stream: number, position: string): void {
  updateStream(shard, stream, { state: 'Running', stop_pos: position, message: SYNCHRONIZING }, epochSeconds(cluster));
}

/**
 * Lets the streams go on. A release sets all of the workflow running, whatever they were; on `hardened` each is as it was, unless
 * somebody else has changed it meanwhile. Run it in a transaction.
 */
export function letGo(cluster: Cluster, shard: ShardDb, id: number, workflow: string, held: string): void {
  const at = epochSeconds(cluster);
  if (cluster.release.behaviours.vdiffRestart === 'all run') {
    for (const row of readStreams(shard, workflow)) updateStream(shard, row.id, { state: 'Running', message: '', stop_pos: '' }, at);
  } else {
    for (const before of JSON.parse(held) as HeldStream[]) {
      const now = readStream(shard, before.id);
      if (now === undefined || !isHeld(now)) continue;
      updateStream(shard, before.id, { state: before.state, message: before.message ?? '', stop_pos: before.stop_pos }, at);
    }
  }
  noteHeld(shard, id, null);
}

/** Stopped for a diff, or running up to the position that a diff wants, or stopped there. */
function isHeld(row: StreamRow): boolean {
  return row.message === STOPPED || row.message === SYNCHRONIZING || (row.stop_pos ?? '') !== '';
}

/** Lets go what diffs hold whose process has died, as the engine does that starts when a tablet comes back. */
export async function letGoOfTheDead(cluster: Cluster, shard: ShardDb): Promise<void> {
  await shard.db.write(cluster.world.clock, () => {
    for (const { id, held } of deadHolders(shard, cluster.world)) {
      for (const workflow of workflowsOf(shard, JSON.parse(held) as HeldStream[])) letGo(cluster, shard, id, workflow, held);
      noteHeld(shard, id, null);
    }
  });
}

function workflowsOf(shard: ShardDb, held: readonly HeldStream[]): Set<string> {
  return new Set(held.flatMap(({ id }) => readStream(shard, id)?.workflow ?? []));
}
