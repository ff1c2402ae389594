import { UserError } from '../lib/errors.ts';
import { background, type Context, withCancel } from '../runtime/context.ts';
import { isDeniedTable } from '../gate/buffer/failover.ts';
import { Gate } from '../gate/gate.ts';
import { allKnownTables, findKnownTable, type KnownTable } from '../gate/known-tables.ts';
import { runQuery } from '../gate/query.ts';
import type { Cluster } from '../tablet/cluster.ts';
import type { Mirrored } from '../tablet/mirrored.ts';
import type { BufferWindow } from '../topo/gate-records.ts';
import { type CheckReport, checkRows } from './check.ts';
import { type Pace, runReader, runWriter } from './clients.ts';
import type { ErrorGroup, Tally, Times } from './counts.ts';
import { type Kinds, Load, type StaleRead, type TableLoad } from './load.ts';
import { type LoadTable, loadTable, Statements } from './load-table.ts';
import { checkSpec, type WorkloadSpec } from './spec.ts';

/** How a workload went. Times are epoch milliseconds. */
export interface WorkloadReport {
  spec: { writers: number; readers: number; rate: number; readRate: number; seed: number };
  tables: string[];
  startedAt: number;
  endedAt: number;
  writes: Tally & Times & Kinds;
  reads: Tally & { replica: number; stale: number; staleReads: StaleRead[] };
  /** Writes that were refused, one after the other, when the workload ended. */
  refusedAtEnd: boolean;
  errors: { writes: ErrorGroup[]; reads: ErrorGroup[] };
  /** When its gate held statements. */
  buffered: BufferWindow[];
  /** Reads that its gate sent to a mirror too. */
  mirrored: Mirrored;
  check: CheckReport;
}

/** A workload under way. */
export interface RunningWorkload {
  /** How many statements have ended how, so far. */
  counters(): { writes: Tally; reads: Tally };
  /** Ends it (statements under way may finish), looks for every row, reports. Further calls give the same report. */
  stop(): Promise<WorkloadReport>;
  /** The report, once the workload's time is over or it was stopped. */
  finished: Promise<WorkloadReport>;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** How long statements under way may take once it is to end; their outcome is not known then. */
const GRACE_MS = 1000;

/**
 * Starts writers and readers against a cluster, through one gate. Without `spec.forMs` it runs until `stop`. The context
 * is for the start alone. Throws UserError for a bad spec or a table that cannot be written to.
 */
export async function startWorkload(ctx: Context, cluster: Cluster, spec: WorkloadSpec): Promise<RunningWorkload> {
  checkSpec(spec);
  const { clock } = cluster.world;
  const { cell } = spec.gate;
  const gate = new Gate(cluster, spec.gate);
  const tables = await tableLoads(ctx, cluster, spec);
  const load = new Load(gate, clock, tables, { seed: spec.seed, timeoutMs: spec.timeoutMs ?? DEFAULT_TIMEOUT_MS });
  const life = withCancel(background());
  const stopping = withCancel(background());
  const startedAt = clock.now();
  const clients = startClients(life.ctx, stopping.ctx, load, spec, startedAt);

  const finish = async (): Promise<WorkloadReport> => {
    await Promise.race([clients, spec.forMs === undefined ? ended(stopping.ctx) : clock.sleep(spec.forMs, stopping.ctx)]);
    const grace = withCancel(background());
    await Promise.race([clients, clock.sleep(GRACE_MS, grace.ctx)]);
    grace.end();
    life.end();
    await clients;
    stopping.end();
    const endedAt = clock.now();
    load.writes.end(endedAt);
    await gate.close();
    const check = await checkRows(background(), cluster, cell, tables);
    return reportOf(spec, load, { startedAt, endedAt }, check);
  };
  const finished = finish();
  // Whoever waits gets the error; nobody may be waiting yet.
  finished.catch(() => {});
  return {
    counters: () => ({ writes: { ...load.writes.tally }, reads: { ...load.reads.tally } }),
    stop: () => {
      stopping.end();
      return finished;
    },
    finished,
  };
}

function ended(ctx: Context): Promise<void> {
  return new Promise((resolve) => void ctx.onDone(() => resolve()));
}

/** Every client has a pace of its own; together they come to the rate, evenly spread. */
async function startClients(ctx: Context, stop: Context, load: Load, spec: WorkloadSpec, start: number): Promise<void> {
  const { writers, readers, rate, readRate = rate, forMs = Number.POSITIVE_INFINITY } = spec;
  const pace = (index: number, count: number, perSecond: number): Pace => ({
    first: start + (index * 1000) / perSecond,
    everyMs: (count * 1000) / perSecond,
    until: start + forMs,
  });
  await Promise.all([
    ...Array.from({ length: writers }, (_, index) => runWriter(ctx, stop, load, index, pace(index, writers, rate))),
    ...Array.from({ length: readers }, (_, index) => runReader(ctx, stop, load, writers + index, pace(index, readers, readRate))),
  ]);
}

async function tableLoads(ctx: Context, cluster: Cluster, spec: WorkloadSpec): Promise<TableLoad[]> {
  const found = await writable(ctx, cluster, spec);
  const loads: TableLoad[] = [];
  for (const table of found) {
    const top = await topKey(ctx, cluster, spec.gate.cell, table);
    const statements = new Statements(table, top.toString(36));
    loads.push({ statements, rows: [], top });
  }
  return loads;
}

async function writable(ctx: Context, cluster: Cluster, spec: WorkloadSpec): Promise<LoadTable[]> {
  const { cell } = spec.gate;
  const named = [...new Set(spec.tables ?? [])];
  if (named.length === 0) {
    const all = (await allKnownTables(ctx, cluster, cell)).map((table) => loadTable(table, spec.values));
    const good = all.filter((table) => typeof table !== 'string');
    if (good.length > 0) return good;
    throw new UserError('no table can be written to by a workload: one is needed whose key is an INT or BIGINT column', { exit: 2 });
  }
  const tables: LoadTable[] = [];
  for (const name of named) {
    const known: KnownTable | undefined = await findKnownTable(ctx, cluster, cell, name);
    const table = known === undefined ? 'it does not exist' : loadTable(known, spec.values);
    if (typeof table === 'string') throw new UserError(`a workload cannot write to table ${name}: ${table}`, { exit: 2 });
    tables.push(table);
  }
  return tables;
}

/** Keys that a workload may use up. */
const ROOM = 1_000_000;

/**
 * The key that a workload starts from, downwards: far above those there are, and not where another workload that starts
 * now would begin.
 */
async function topKey(ctx: Context, cluster: Cluster, cell: string, table: LoadTable): Promise<number> {
  const sql = new Statements(table, '').highestKey();
  const ask = (target?: string): Promise<number> =>
    runQuery(ctx, cluster, { sql, cell, ...(target === undefined ? {} : { target }) }).then(({ rows }) => Number(rows[0]?.[0] ?? 0));
  const highest = await ask().catch((error: unknown) => {
    if (!isDeniedTable(error)) throw error;
    return ask('@replica');
  });
  const { random } = cluster.world;
  const steps = table.highestKey > 2 ** 40 ? ROOM * (1 + random.below(1000)) : ROOM + 100_000 * random.below(100);
  const top = Math.ceil((Math.max(0, highest) + 1) / ROOM) * ROOM + steps;
  if (top <= table.highestKey) return top;
  throw new UserError(`table ${table.name} has no keys left above ${highest} for a workload`, { exit: 2 });
}

function reportOf(spec: WorkloadSpec, load: Load, times: { startedAt: number; endedAt: number }, check: CheckReport): WorkloadReport {
  const { writers, readers, rate, readRate = rate, seed } = spec;
  const { writes, reads } = load;
  const { lastAcknowledged = 0, lastRefused = 0 } = writes.times;
  return {
    spec: { writers, readers, rate, readRate, seed },
    tables: load.tables.map(({ statements }) => statements.table.name),
    ...times,
    writes: { ...writes.tally, ...writes.times, ...load.kinds },
    reads: { ...reads.tally, replica: load.replicaReads, stale: load.staleCount, staleReads: load.stale },
    refusedAtEnd: lastRefused > lastAcknowledged,
    errors: { writes: writes.errors, reads: reads.errors },
    buffered: [...load.gate.windows],
    mirrored: { ...load.gate.mirrored },
    check,
  };
}

/** True if nothing that was acknowledged is missing, and nothing is there that must not be, as far as could be seen. */
export function isGood({ check, reads }: WorkloadReport): boolean {
  return check.lost + check.doubled + check.phantom + reads.stale === 0 && check.unread.length === 0;
}
