import type { Row, Value } from '../../sql/value.ts';
import type { TableDef } from '../../sql/schema.ts';
import type { BinlogSource } from '../../topo/proto/types-workflow.ts';
import type { ShardDb } from '../shard-db.ts';
import { sqliteName } from '../../sql/storage.ts';
import { type Cluster, epochSeconds } from '../cluster.ts';
import { narrowIntegers, parseValues, stringifyValues } from '../value-json.ts';
import { Applier, keyColumns, keyOf } from './apply.ts';
import { applyTransactions, type Copied } from './catch-up.ts';
import type { TableFilter } from './filter.ts';
import { type PumpResult, reached } from './progress.ts';
import { hasCopyState, logStream, nextCopyState, readCopyState, readStream, type StreamRow, updateStream } from './streams.ts';

/** Rows that one chunk copies: some 10 ms. */
const ROWS_PER_CHUNK = 1000;
const EVENTS_PER_CHUNK = 500;

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
 * Copies the next rows of the first table left, in the order of its key. Before them comes what the binlog holds
 * for rows already copied, read in the same snapshot, so that rows and position always agree.
 */
export async function copyChunk(
  cluster: Cluster,
  from: ShardDb,
  target: ShardDb,
  row: StreamRow,
  source: BinlogSource,
  filters: readonly TableFilter[],
): Promise<PumpResult> {
  const next = nextCopyState(target, row.id);
  if (next === undefined) return finishCopy(cluster, target, row, source);
  const filter = filters.find((candidate) => candidate.table === next.table);
  const snapshot = from.db.read(() => {
    const behind = from.transactionsAfter(reached(row, from), EVENTS_PER_CHUNK);
    const caughtUp = behind.length < EVENTS_PER_CHUNK;
    const def = from.table(next.table);
    return {
      def,
      behind,
      rows: caughtUp ? readRows(from, def, next.lastpk) : undefined,
      position: caughtUp ? from.position() : from.positionAt(behind.at(-1)!.sequence),
    };
  });
  const copied = snapshot.behind.length === 0 ? undefined : copiedSoFar(readCopyState(target, row.id), from);
  const at = epochSeconds(cluster);
  return target.db.write(cluster.world.clock, () => {
    const now = readStream(target, row.id);
    if (now === undefined || now.pos !== row.pos || now.state !== 'Copying') return 'worked';
    if (nextCopyState(target, row.id)?.lastpk !== next.lastpk) return 'worked';
    const applier = new Applier(target, cluster.world);
    if (copied !== undefined) applyTransactions(target, applier, snapshot.behind, filters, { copied });
    let count = 0;
    if (snapshot.rows !== undefined) {
      count = writeRows(target, applier, next.table, snapshot.rows, filter);
      advance(target, row.id, next.table, snapshot.def, snapshot.rows);
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

function readRows(from: ShardDb, def: TableDef, lastpk: string | null): Row[] {
  const keys = keyColumns(def).map(sqliteName);
  const table = sqliteName(def.name);
  const order = keys.join(', ');
  if (lastpk === null) return from.db.allBig<Row>(`SELECT * FROM ${table} ORDER BY ${order} LIMIT ${ROWS_PER_CHUNK}`).map(narrowIntegers);
  const last = parseValues<Value[]>(lastpk);
  const sql = `SELECT * FROM ${table} WHERE (${order}) > (${keys.map(() => '?').join(', ')}) ORDER BY ${order} LIMIT ${ROWS_PER_CHUNK}`;
  return from.db.allBig<Row>(sql, ...last).map(narrowIntegers);
}

function writeRows(target: ShardDb, applier: Applier, table: string, rows: readonly Row[], filter: TableFilter | undefined): number {
  const def = target.table(table);
  let count = 0;
  for (const row of rows) {
    if (filter?.accepts !== undefined && !filter.accepts(row)) continue;
    applier.insert(def, row);
    count++;
  }
  return count;
}

/** Notes how far the copy of a table has come; a short chunk was its last. */
function advance(target: ShardDb, id: number, table: string, def: TableDef, rows: readonly Row[]): void {
  if (rows.length < ROWS_PER_CHUNK) {
    target.db.run('DELETE FROM "_vt.copy_state" WHERE vrepl_id = ? AND table_name = ?', id, table);
    return;
  }
  const lastpk = stringifyValues(keyOf(def, rows.at(-1)!));
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

