import type { Row, Value } from '../../sql/value.ts';
import type { SqlValue } from '../../store/database.ts';
import type { TableDef } from '../../sql/schema.ts';
import type { BinlogSource } from '../../topo/proto/types-workflow.ts';
import type { ShardDb } from '../shard-db.ts';
import { sqliteName } from '../../sql/storage.ts';
import { type Cluster, epochSeconds } from '../cluster.ts';
import { narrowInteger, parseValues, stringifyValues } from '../value-json.ts';
import { Applier, keyColumns, keyOf } from './apply.ts';
import { applyTransactions, type Copied } from './catch-up.ts';
import type { TableFilter } from './filter.ts';
import { type PumpResult, reached } from './progress.ts';
import { hasCopyState, logStream, readCopyState, readStream, type StreamRow, updateStream } from './streams.ts';

/** Rows that one chunk copies: some 10 ms, the wait for the disk included. */
const ROWS_PER_CHUNK = 2000;
const EVENTS_PER_CHUNK = 500;
/** Tables that one chunk may finish: each has statements of its own to prepare. */
const TABLES_PER_CHUNK = 50;

/**
 * Begins the copy: one copy_state row per table, in the transaction that sets the state.
 * Vitess: go/vt/vttablet/tabletmanager/vreplication/vcopier.go initTablesForCopy.
 */
export async function startCopy(
  cluster: Cluster,
  from: ShardDb,
  target: ShardDb,
  row: StreamRow,
  filters: readonly TableFilter[],
): Promise<PumpResult> {
  const tables = filters.map((filter) => filter.table).filter((table) => from.findTable(table) !== undefined);
  const at = epochSeconds(cluster);
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
  filters: readonly TableFilter[],
): Promise<PumpResult> {
  try {
    return await copyTables(cluster, from, target, row, source, filters, TABLES_PER_CHUNK);
  } catch {
    // One table's trouble must not keep back those before it: alone, each is copied or says what is wrong with it.
    return copyTables(cluster, from, target, row, source, filters, 1);
  }
}

async function copyTables(
  cluster: Cluster,
  from: ShardDb,
  target: ShardDb,
  row: StreamRow,
  source: BinlogSource,
  filters: readonly TableFilter[],
  most: number,
): Promise<PumpResult> {
  const next = readCopyState(target, row.id, most);
  if (next.length === 0) return finishCopy(cluster, target, row, source);
  const snapshot = from.db.read(() => {
    const behind = from.transactionsAfter(reached(row, from), EVENTS_PER_CHUNK);
    const caughtUp = behind.length < EVENTS_PER_CHUNK;
    return {
      behind,
      batches: caughtUp ? readBatches(from, next) : [],
      position: caughtUp ? from.position() : from.positionAt(behind.at(-1)!.sequence),
    };
  });
  const copied = snapshot.behind.length === 0 ? undefined : copiedSoFar(readCopyState(target, row.id), from);
  const at = epochSeconds(cluster);
  return target.db.write(cluster.world.clock, () => {
    const now = readStream(target, row.id);
    if (now === undefined || now.pos !== row.pos || now.state !== 'Copying') return 'worked';
    const [first] = readCopyState(target, row.id, 1);
    if (first?.table !== next[0]!.table || first.lastpk !== next[0]!.lastpk) return 'worked';
    const applier = new Applier(target, cluster.world);
    if (copied !== undefined) applyTransactions(target, applier, snapshot.behind, filters, { copied });
    let count = 0;
    for (const batch of snapshot.batches) {
      const filter = filters.find((candidate) => candidate.table === batch.table);
      count += writeBatch(target, applier, batch, filter);
      advance(target, row.id, batch);
    }
    if (applier.events.length > 0) target.log(cluster.world.clock.now(), applier.events);
    updateStream(
      target,
      row.id,
      { pos: String(snapshot.position), time_updated: at, rows_copied: now.rows_copied + count, message: '' },
      at,
    );
    return 'worked';
  });
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

/** The next rows of one table, as SQLite keeps them: they go to a column of the same kind, so nothing is decoded on the way. */
interface Batch {
  table: string;
  columns: readonly string[];
  stored: SqlValue[][];
  /** The key of the last row, as copy_state keeps it; undefined after the table's last. */
  lastpk: string | undefined;
}

/** Rows of as many of these tables as fit into one chunk. */
function readBatches(from: ShardDb, tables: readonly { table: string; lastpk: string | null }[]): Batch[] {
  const batches: Batch[] = [];
  let room = ROWS_PER_CHUNK;
  for (const { table, lastpk } of tables) {
    const batch = readBatch(from, from.table(table), lastpk, room);
    batches.push(batch);
    room -= batch.stored.length;
    if (room <= 0) break;
  }
  return batches;
}

function readBatch(from: ShardDb, def: TableDef, lastpk: string | null, limit: number): Batch {
  const columns = def.columns.map((column) => column.name);
  const keys = keyColumns(def);
  const order = keys.map(sqliteName).join(', ');
  const last = lastpk === null ? [] : parseValues<Value[]>(lastpk);
  const where = lastpk === null ? '' : `WHERE (${order}) > (${keys.map(() => '?').join(', ')})`;
  const sql = `SELECT ${columns.map(sqliteName).join(', ')} FROM ${sqliteName(def.name)} ${where} ORDER BY ${order} LIMIT ?`;
  // Without a key there is no place to go on from that neither skips a row nor takes one twice: such a table is one batch.
  const whole = def.primaryKey.length === 0;
  const stored = from.db.allStored(sql, ...last, whole ? -1 : limit);
  const end = whole || stored.length < limit ? undefined : stored.at(-1);
  return {
    table: def.name,
    columns,
    stored,
    lastpk: end === undefined ? undefined : stringifyValues(keyOf(def, toRow(columns, end))),
  };
}

function toRow(columns: readonly string[], stored: readonly SqlValue[]): Row {
  const row: Row = {};
  for (let i = 0; i < columns.length; i++) row[columns[i]!] = narrowInteger(stored[i] ?? null);
  return row;
}

function writeBatch(target: ShardDb, applier: Applier, batch: Batch, filter: TableFilter | undefined): number {
  const def = target.table(batch.table);
  const accepts = filter?.accepts;
  const rows = batch.stored.map((stored) => ({ stored, row: toRow(batch.columns, stored) }));
  const taken = accepts === undefined ? rows : rows.filter(({ row }) => accepts(row));
  applier.insertStored(def, batch.columns, taken);
  return taken.length;
}

/** Notes how far the copy of a table has come; a short batch was its last. */
function advance(target: ShardDb, id: number, { table, lastpk }: Batch): void {
  if (lastpk === undefined) {
    target.db.run('DELETE FROM "_vt.copy_state" WHERE vrepl_id = ? AND table_name = ?', id, table);
    return;
  }
  target.db.run('UPDATE "_vt.copy_state" SET lastpk = ? WHERE vrepl_id = ? AND table_name = ?', lastpk, id, table);
}

function copiedSoFar(state: readonly { table: string; lastpk: string | null }[], from: ShardDb): Copied {
  const left = new Map(state.map((entry) => [entry.table, entry.lastpk]));
  return (table, row) => {
    const lastpk = left.get(table);
    if (lastpk === undefined) return true;
    const def = from.findTable(table);
    if (lastpk === null || def === undefined) return false;
    return compareKeys(keyOf(def, row), parseValues<Value[]>(lastpk)) <= 0;
  };
}

/** Keys in the order that SQLite gives them: numbers by value, text by its bytes without case. */
function compareKeys(a: readonly Value[], b: readonly Value[]): number {
  for (let i = 0; i < a.length; i++) {
    const order = compareValues(a[i] ?? null, b[i] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') {
    const [x, y] = [a.toLowerCase(), b.toLowerCase()];
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if ((typeof a === 'number' || typeof a === 'bigint') && (typeof b === 'number' || typeof b === 'bigint')) {
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  const rank = (value: Value): number =>
    value === null ? 0 : typeof value === 'string' ? 2 : value instanceof Uint8Array ? 3 : 1;
  return rank(a) - rank(b);
}

