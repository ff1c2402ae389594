import type { Clock } from '../runtime/clock.ts';
import type { Context } from '../runtime/context.ts';
import type { Random } from '../runtime/random.ts';
import { isStale, type LedgerRow, nextVersion, record, type Version } from './ledger.ts';
import type { Load, TableLoad } from './load.ts';

/** When a client sends: epoch milliseconds of its first statement, and what lies between two. */
export interface Pace {
  first: number;
  everyMs: number;
  /** No statement is begun from here on. */
  until: number;
}

/** Stale reads that are kept one by one. */
const KEPT_STALE = 10;
/** Of ten writes so many are inserts, and so many more are updates. */
const INSERTS = 5;
const UPDATES = 3;
/** A writer that has fewer rows does not delete, so that readers have something to read. */
const LEAST_ROWS = 4;

/** Where a writer is with its rows. */
interface Own {
  table: TableLoad;
  row: LedgerRow;
}

/** Inserts rows, updates and deletes its own, until it is stopped. `ctx` ends statements that are under way. */
export async function runWriter(ctx: Context, stop: Context, load: Load, client: number, pace: Pace): Promise<void> {
  const random = load.random(client);
  let own: Own[] = [];
  await atPace(load.clock, stop, pace, async () => {
    own = own.filter(({ row }) => !row.over);
    const drawn = random.below(10);
    if (drawn < INSERTS || own.length === 0) return insert(ctx, load, random, own);
    const chosen = own[random.below(own.length)]!;
    const remove = drawn >= INSERTS + UPDATES && own.length > LEAST_ROWS;
    await change(ctx, load, chosen, remove);
  });
}

async function insert(ctx: Context, load: Load, random: Random, own: Own[]): Promise<void> {
  const table = load.tables[random.below(load.tables.length)]!;
  const row = load.newRow(table);
  const done = await write(ctx, load, { table, row }, 1, table.statements.insert(row.key, 1));
  if (!done) return;
  load.kinds.inserts++;
  own.push({ table, row });
}

async function change(ctx: Context, load: Load, chosen: Own, remove: boolean): Promise<void> {
  const { statements } = chosen.table;
  const version = remove ? 0 : nextVersion(chosen.row, statements.table.version.counts);
  const sql = remove ? statements.delete(chosen.row.key) : statements.update(chosen.row.key, version);
  if (await write(ctx, load, chosen, version, sql)) load.kinds[remove ? 'deletes' : 'updates']++;
}

async function write(ctx: Context, load: Load, { row }: Own, version: Version, sql: string): Promise<boolean> {
  row.pending = version;
  const { outcome } = await load.send(ctx, load.writes, sql);
  record(row, version, outcome);
  return outcome === 'acknowledged';
}

/** Reads rows that were acknowledged once, from primaries and replicas in turn, until it is stopped. */
export async function runReader(ctx: Context, stop: Context, load: Load, client: number, pace: Pace): Promise<void> {
  const random = load.random(client);
  let replica = false;
  await atPace(load.clock, stop, pace, async () => {
    const table = load.tables[random.below(load.tables.length)]!;
    const row = table.rows[random.below(table.rows.length)];
    if (row?.everAcknowledged !== true) return;
    replica = !replica;
    await read(ctx, load, table, row, replica);
  });
}

async function read(ctx: Context, load: Load, table: TableLoad, row: LedgerRow, replica: boolean): Promise<void> {
  const before = row.acknowledged;
  const { result } = await load.send(ctx, load.reads, table.statements.read(row.key), replica ? '@replica' : undefined);
  if (replica) load.replicaReads++;
  // A replica may be behind, or be served by the other side of a switch.
  if (result === undefined || replica) return;
  const [found] = result.rows;
  const seen = found === undefined ? 0 : (table.statements.parse(found).version ?? 0);
  if (!isStale(before, row, seen)) return;
  load.staleCount++;
  if (load.stale.length >= KEPT_STALE) return;
  load.stale.push({ table: row.table, key: row.key, at: load.clock.now(), acknowledged: before, seen });
}

/** Calls `one` at its pace. A client that had to wait does not send what it missed. */
async function atPace(clock: Clock, stop: Context, { first, everyMs, until }: Pace, one: () => Promise<void>): Promise<void> {
  for (let next = first; ; next = Math.max(next + everyMs, clock.now())) {
    const end = Math.min(next, until);
    if (end > clock.now()) await clock.sleep(end - clock.now(), stop);
    else await clock.turn();
    if (stop.err() !== undefined || clock.now() >= until) return;
    await one();
  }
}
