import { errorText } from '../../lib/errors.ts';
import { parsePosition, positionAtLeast, type Position } from '../../lib/gtid.ts';
import type { Context } from '../../runtime/context.ts';
import type { OnDDLAction } from '../../topo/proto/types-workflow.ts';
import type { BinlogEvent } from '../binlog.ts';
import { isPrimaryUp } from '../process.ts';
import type { BinlogTransaction, ShardDb } from '../shard-db.ts';
import { type Cluster, epochSeconds } from '../cluster.ts';
import { Applier, BlockedError, isUnrecoverable } from './apply.ts';
import { applyTransactions, isMatched } from './catch-up.ts';
import { copyChunk, startCopy } from './copy.ts';
import { compileFilters, StreamFilters } from './filter.ts';
import { type PumpResult, reached } from './progress.ts';
import { hasSourceTablet, SOURCE_GONE } from './source-tablet.ts';
import { sourceOf } from './stream-source.ts';
import { hasCopyState, readStream, type StreamRow, updateStream } from './streams.ts';
import { loading } from '../../lib/loading.ts';

/** The `workflow_sub_type` of a workflow that copies all tables from one snapshot. */
const ATOMIC_COPY = 2;

/** How many transactions one chunk applies: well under 50 ms, so that the loop turns in between. */
const TRANSACTIONS_PER_CHUNK = 500;

/**
 * Runs one stream for one chunk: starts its copy, copies rows, or applies what the source's binlog holds.
 * There is no stream process: whoever needs a stream to have gone on calls this, in any process at once, since
 * position and rows change in one transaction that first looks at the position.
 */
export async function pumpStream(ctx: Context, cluster: Cluster, target: ShardDb, id: number): Promise<PumpResult> {
  const row = readStream(target, id);
  if (row === undefined || (row.state !== 'Running' && row.state !== 'Copying')) return 'stopped';
  // Streams run in the primary of their shard.
  if (!isPrimaryUp(target)) return 'blocked';
  try {
    const source = sourceOf(target, row);
    const from = cluster.shards.open(source.keyspace, source.shard);
    if (!hasSourceTablet(from, target, row)) return await waitForSource(cluster, target, row);
    const filters = (): Promise<StreamFilters> => compileFilters(ctx, cluster.topo, source, from, target);
    if (row.pos === '' && !hasCopyState(target, id)) {
      return await startCopy(cluster, from, target, row, await filters());
    }
    if (row.state === 'Copying') return await copyChunk(cluster, from, target, row, source, await filters());
    return await applyChunk(cluster, from, target, row, filters, source.on_ddl ?? 'IGNORE');
  } catch (error) {
    return fail(cluster, target, row, error);
  }
}

/** One that has begun says what became of its source; one that looks for its first says nothing. */
async function waitForSource(cluster: Cluster, target: ShardDb, row: StreamRow): Promise<PumpResult> {
  if (row.pos !== '' && row.message !== SOURCE_GONE) {
    await target.db.write(cluster.world.clock, () => updateStream(target, row.id, { message: SOURCE_GONE }, epochSeconds(cluster)));
  }
  return 'blocked';
}

/** Records why a stream cannot go on: for ever in state Error, or until the next try. */
async function fail(cluster: Cluster, target: ShardDb, row: StreamRow, error: unknown): Promise<PumpResult> {
  if (error instanceof BlockedError) return 'blocked';
  // What an atomic copy has is one snapshot: it cannot go on with another.
  const terminal = isUnrecoverable(error) || (row.workflow_sub_type === ATOMIC_COPY && hasCopyState(target, row.id));
  const message = terminal ? `terminal error: ${errorText(error)}` : errorText(error);
  await target.db.write(cluster.world.clock, () => {
    updateStream(target, row.id, terminal ? { state: 'Error', message } : { message }, epochSeconds(cluster));
  });
  return terminal ? 'stopped' : 'blocked';
}

const NO_FILTERS = new StreamFilters([]);

async function applyChunk(
  cluster: Cluster,
  from: ShardDb,
  target: ShardDb,
  row: StreamRow,
  compile: () => Promise<StreamFilters>,
  onDdl: OnDDLAction,
): Promise<PumpResult> {
  // In one view: a row written between the two would be part of the position, and of no transaction that was read.
  const { transactions, executed } = from.db.read(() => ({
    transactions: from.transactionsAfter(reached(row, from), TRANSACTIONS_PER_CHUNK),
    executed: from.position(),
  }));
  // Most streams have nothing to do, and every command pumps: what rules need is loaded when there are events to look at.
  const filters = transactions.length === 0 ? NO_FILTERS : await compile();
  const stop = row.stop_pos === null || row.stop_pos === '' ? undefined : parsePosition(row.stop_pos);
  const runsDdl = (onDdl === 'EXEC' || onDdl === 'EXEC_IGNORE') && transactions.some((transaction) => ddlOf(transaction, filters) !== undefined);
  // Loaded when there is one: nearly no chunk has, and every command pumps.
  const journals = transactions.some(hasJournal) ? await loading(import('./journal.ts')) : undefined;
  // Loaded when there is some to run: it needs the whole of `sql`.
  const ddl = runsDdl ? await loading(import('./apply-ddl.ts')) : undefined;
  return target.db.write(cluster.world.clock, () => {
    const now = readStream(target, row.id);
    // Somebody else went on, stopped or deleted the stream since it was read.
    if (now === undefined || now.pos !== row.pos || now.state !== row.state) return 'worked';
    if (transactions.length === 0) return beat(cluster, target, now, executed, stop);
    const met = journals?.findJournal(transactions, filters, target, now, cluster.release.vitess ? 'follow' : 'pass over');
    if (met?.index === 0) {
      journals?.followJournal(target, now, met.journal, filters, epochSeconds(cluster));
      return 'idle';
    }
    const allowed = until(met === undefined ? transactions : transactions.slice(0, met.index), stop, from);
    const halt = onDdl === 'STOP' ? allowed.findIndex((transaction) => ddlOf(transaction, filters) !== undefined) : -1;
    const wanted = halt < 0 ? allowed : allowed.slice(0, halt + 1);
    const applier = new Applier(target, cluster.world);
    const bothImages = cluster.release.behaviours.filteredUpdates === 'both images';
    const applyDdl = ddl?.ddlApplier(cluster, target, applier, onDdl);
    const events = from === target ? wanted.map((transaction) => ownInserts(transaction, filters)) : wanted;
    applyTransactions(target, applier, events, filters, { applyDdl, positionAt: (sequence) => from.positionAt(sequence), bothImages });
    if (applier.events.length > 0) target.log(cluster.world.clock.now(), applier.events);
    const last = wanted.at(-1)!;
    const position = from.positionAt(last.sequence);
    const at = epochSeconds(cluster);
    updateStream(
      target,
      row.id,
      { pos: String(position), time_updated: at, transaction_timestamp: Math.floor(last.at / 1000), message: '' },
      at,
    );
    stopAt(cluster, target, row.id, position, stop);
    if (halt >= 0) updateStream(target, row.id, { state: 'Stopped', message: `Stopped at DDL ${ddlOf(last, filters)}` }, at);
    return 'worked';
  });
}

/** A stream that writes a table of its own shard into itself changes nothing by what it updates or deletes once more; an insert breaks it. */
function ownInserts(transaction: BinlogTransaction, filters: StreamFilters): BinlogTransaction {
  const idle = (event: BinlogEvent): boolean => (event.kind === 'update' || event.kind === 'delete') && filters.of(event.table)?.target === event.table;
  return { ...transaction, events: transaction.events.filter((event) => !idle(event)) };
}

function hasJournal({ events }: BinlogTransaction): boolean {
  return events.some((event) => event.kind === 'journal');
}

/** The first DDL of a transaction that concerns one of the stream's tables. */
function ddlOf(transaction: BinlogTransaction, filters: StreamFilters): string | undefined {
  for (const event of transaction.events) {
    if (event.kind === 'ddl' && isMatched(event.table, filters)) return event.sql;
  }
  return undefined;
}

function until(transactions: BinlogTransaction[], stop: Position | undefined, from: ShardDb): BinlogTransaction[] {
  if (stop === undefined) return transactions;
  const end = reached({ pos: String(stop) }, from);
  const wanted = transactions.filter((transaction) => transaction.sequence <= end);
  return wanted.length > 0 ? wanted : transactions.slice(0, 1);
}

/** Nothing to apply: a heartbeat says so, and positions without rows (purged, filtered) are taken over. */
function beat(
  cluster: Cluster,
  target: ShardDb,
  row: StreamRow,
  executed: Position,
  stop: Position | undefined,
): PumpResult {
  const at = epochSeconds(cluster);
  const pos = String(executed);
  if (row.time_heartbeat === at && row.pos === pos && (row.message ?? '') === '') return 'idle';
  updateStream(target, row.id, { pos, time_updated: at, time_heartbeat: at, message: '' }, at);
  stopAt(cluster, target, row.id, executed, stop);
  return 'idle';
}

function stopAt(cluster: Cluster, target: ShardDb, id: number, position: Position, stop: Position | undefined): void {
  if (stop === undefined || !positionAtLeast(position, stop)) return;
  updateStream(target, id, { state: 'Stopped', message: `Stopped at position ${position}` }, epochSeconds(cluster));
}

/** The most chunks that catching up at the start of a command may take: a stream under constant writes never ends. */
const MOST_CHUNKS = 100_000;

/** Runs one stream until it has nothing to do or cannot go on. */
export async function pumpUntilIdle(ctx: Context, cluster: Cluster, target: ShardDb, id: number): Promise<PumpResult> {
  let result: PumpResult = 'worked';
  for (let chunk = 0; result === 'worked' && chunk < MOST_CHUNKS && ctx.err() === undefined; chunk++) {
    result = await pumpStream(ctx, cluster, target, id);
    await cluster.world.clock.turn();
  }
  return result;
}
