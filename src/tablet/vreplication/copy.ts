import type { BinlogSource } from '../../topo/proto/types-workflow.ts';
import type { ShardDb, ShardView } from '../shard-db.ts';
import { type Cluster, epochSeconds } from '../cluster.ts';
import { Applier } from './apply.ts';
import { applyTransactions } from './catch-up.ts';
import { copiedSoFar } from './copied-so-far.ts';
import { ChunkTimer, CopyLog, RowMover } from './copy-rows.ts';
import { type StreamFilters, wholeTable } from './filter.ts';
import { type PumpResult, reached } from './progress.ts';
import { type CopyState, hasCopyState, logStream, readCopyState, readStream, type StreamRow, updateStream } from './streams.ts';

/** What catching up applies before a chunk, well under 20 ms; `EVENTS_PER_CHUNK` is passed only by a single transaction. */
const TRANSACTIONS_PER_CHUNK = 500;
const EVENTS_PER_CHUNK = 2000;
/** Tables that one chunk may finish: each has statements of its own to prepare. */
const TABLES_PER_CHUNK = 50;
/** The source's file, attached to the target's connection. */
const ATTACHED = '_source';

/**
 * Begins the copy: one copy_state row per table, in the transaction that sets the state.
 * Vitess: go/vt/vttablet/tabletmanager/vreplication/vcopier.go initTablesForCopy.
 */
export async function startCopy(
  cluster: Cluster,
  from: ShardDb,
  target: ShardDb,
  row: StreamRow,
  filters: StreamFilters,
): Promise<PumpResult> {
  const tables = filters.all.filter((filter) => from.findTable(filter.table) !== undefined).map((filter) => filter.target);
  const at = epochSeconds(cluster);
  await from.expectReader(cluster.world.clock);
  return target.db.write(cluster.world.clock, () => {
    const now = readStream(target, row.id);
    if (now === undefined || now.pos !== '' || hasCopyState(target, row.id)) return 'worked';
    if (tables.length === 0) {
      updateStream(target, row.id, { state: 'Stopped', message: 'There is nothing to replicate' }, at);
      return 'stopped';
    }
    for (const table of tables) {
      target.db.run('INSERT INTO "_vt.copy_state" (vrepl_id, table_name) VALUES (?, ?)', row.id, table);
    }
    const text = `Copy phase started for ${tables.length} table(s)`;
    updateStream(target, row.id, { pos: from.positionText(), state: 'Copying', message: '', time_updated: at }, at);
    logStream(target, row.id, 'Started Copy Phase', 'Copying', text, at);
    return 'worked';
  });
}

/** A stream that copies, and what it takes from where. */
interface Copying {
  cluster: Cluster;
  from: ShardDb;
  target: ShardDb;
  row: StreamRow;
  filters: StreamFilters;
}

/**
 * Copies the next rows of the tables left, each in the order of its key; small tables share a chunk. Before them comes what
 * the binlog holds for rows already copied, read in the same snapshot, so that rows and position always agree.
 */
export async function copyChunk(
  cluster: Cluster,
  from: ShardDb,
  target: ShardDb,
  row: StreamRow,
  source: BinlogSource,
  filters: StreamFilters,
): Promise<PumpResult> {
  const copying = { cluster, from, target, row, filters };
  const next = readCopyState(target, row.id, TABLES_PER_CHUNK);
  if (next.length === 0) return finishCopy(cluster, target, row, source);
  const { clock } = cluster.world;
  try {
    if (from === target || !from.db.isFile || !target.db.isFile) return await copyPlainly(copying, next);
    const view = { db: target.db, schema: ATTACHED };
    const file = { path: from.db.path, name: ATTACHED, table: '_meta' };
    return await target.db.writeBeside(clock, file, () => copyTables(copying, view, next));
  } catch {
    // One table's trouble must not keep back those before it: alone, each is copied or says what is wrong with it.
    return copyPlainly(copying, next.slice(0, 1));
  }
}

/** Copies through this program, as databases in memory must: nobody else can open them. */
function copyPlainly(copying: Copying, next: readonly CopyState[]): Promise<PumpResult> {
  const { cluster, from, target } = copying;
  return target.db.write(cluster.world.clock, () => from.db.read(() => copyTables(copying, from.view, next)));
}

/** One chunk, in the target's transaction, with the source's file in one consistent view. */
function copyTables({ cluster, from, target, row, filters }: Copying, view: ShardView, next: readonly CopyState[]): PumpResult {
  const { clock } = cluster.world;
  const started = clock.monotonic();
  const now = readStream(target, row.id);
  if (now === undefined || now.pos !== row.pos || now.state !== 'Copying') return 'worked';
  const [first] = readCopyState(target, row.id, 1);
  if (first?.table !== next[0]!.table || first.lastpk !== next[0]!.lastpk) return 'worked';

  const applier = new Applier(target, cluster.world);
  const behind = from.transactionsAfter(reached(row, from), TRANSACTIONS_PER_CHUNK, EVENTS_PER_CHUNK, view);
  if (behind.length > 0) {
    const bothImages = cluster.release.behaviours.filteredUpdates === 'both images';
    const copied = copiedSoFar(readCopyState(target, row.id), (table) => from.findTable(filters.into(table)?.table ?? table, view));
    applyTransactions(target, applier, behind, filters, { copied, positionAt: (sequence) => from.positionAt(sequence), bothImages });
  }
  const last = behind.at(-1)?.sequence;
  const caughtUp = last === undefined || !from.hasTransactionsAfter(last, view);
  const log = new CopyLog(target, clock.now(), applier.events);
  let count = 0;
  if (caughtUp) {
    const mover = new RowMover(from, view, target, applier, log);
    const timer = new ChunkTimer(clock, started);
    for (const { table, lastpk } of next) {
      const done = mover.move(filters.into(table) ?? wholeTable(table), lastpk, timer);
      advance(target, row.id, table, done.lastpk);
      count += done.count;
      if (done.lastpk !== undefined || timer.spent()) break;
    }
  }
  log.flush();
  const at = epochSeconds(cluster);
  const position = from.positionAt(caughtUp ? from.sequence(view) : last);
  const changes = { pos: String(position), time_updated: at, rows_copied: now.rows_copied + count, message: '' };
  updateStream(target, row.id, changes, at);
  return 'worked';
}

async function finishCopy(cluster: Cluster, target: ShardDb, row: StreamRow, source: BinlogSource): Promise<PumpResult> {
  const at = epochSeconds(cluster);
  const stop = source.stop_after_copy === true;
  await target.db.write(cluster.world.clock, () => {
    logStream(target, row.id, 'Ended Copy Phase', 'Running', `Copy phase completed at gtid ${row.pos}`, at);
    const changes = stop
      ? { state: 'Stopped' as const, message: 'Stopped after copy.' }
      : { state: 'Running' as const, message: '' };
    updateStream(target, row.id, { ...changes, time_updated: at }, at);
  });
  return stop ? 'stopped' : 'worked';
}

/** Notes how far the copy of a table has come; without a key it is complete. */
function advance(target: ShardDb, id: number, table: string, lastpk: string | undefined): void {
  if (lastpk === undefined) {
    target.db.run('DELETE FROM "_vt.copy_state" WHERE vrepl_id = ? AND table_name = ?', id, table);
    return;
  }
  target.db.run('UPDATE "_vt.copy_state" SET lastpk = ? WHERE vrepl_id = ? AND table_name = ?', lastpk, id, table);
}
