import { background } from '../../runtime/context.ts';
import { refusals } from '../../tablet/refusals.ts';
import { type BufferWindow, readGateRecords } from '../../topo/gate-records.ts';
import { shardText } from '../../topo/keyspaces.ts';
import type { SwitchRun } from './run.ts';

/** What clients felt of a switch. Times are milliseconds of the cluster's clock. */
export interface Outage {
  tables: readonly string[];
  /** From the first refusal of the tables' writes on, until they were served again or, if they are not, until now. */
  forMs: number;
  /** Nobody serves them yet. */
  still: boolean;
  /** Statements about the tables that tablets of the source refused in that time. */
  refused: number;
  /** What gates held meanwhile; undefined where none that buffers was beside. */
  buffered: { forMs: number; statements: number } | undefined;
}

/** How long a gate gets to notice that the switch has ended, so that what it held can be told. */
const SETTLE_MS = 300;
const SETTLE_STEP_MS = 20;

/** Notes that writes of the tables are refused from now on. */
export function writesStop(run: SwitchRun): void {
  if (run.writesStopped !== undefined) return;
  run.writesStopped = run.cluster.world.clock.now();
  run.refusedBefore = countRefused(run);
  emit(run, 'refused', run.sw.sourceKeyspace);
}

/** Notes that writes of the tables are served again, by `keyspace`. */
export function writesServe(run: SwitchRun, keyspace: string): void {
  if (run.writesServed !== undefined) return;
  run.writesServed = run.cluster.world.clock.now();
  emit(run, 'served', keyspace);
}

/** What clients felt; undefined for a switch that stopped no writes. */
export async function measureOutage(run: SwitchRun): Promise<Outage | undefined> {
  const { writesStopped, writesServed } = run;
  if (writesStopped === undefined) return undefined;
  const windows = await bufferWindows(run, writesStopped);
  const now = run.cluster.world.clock.now();
  const longest = Math.max(0, ...windows.map(({ from, to = now }) => to - from));
  return {
    tables: subjects(run),
    forMs: Math.round((writesServed ?? now) - writesStopped),
    still: writesServed === undefined,
    refused: Math.max(0, countRefused(run) - run.refusedBefore),
    buffered:
      windows.length === 0
        ? undefined
        : { forMs: Math.round(longest), statements: windows.reduce((sum, window) => sum + window.statements, 0) },
  };
}

/** How many statements about what is switched the source's tablets have refused so far. */
export function countRefused({ sw }: Pick<SwitchRun, 'sw'>): number {
  // The query service of a shard refuses whatever comes: its statements have no table to be counted by.
  return sw.sources.reduce((sum, source) => sum + refusals(source.db, sw.kind === 'shards' ? [''] : sw.tables), 0);
}

/** The windows of gates that held statements for the source since `from`. One that is about to close is waited for. */
async function bufferWindows(run: SwitchRun, from: number): Promise<BufferWindow[]> {
  const { topo, world } = run.cluster;
  const sources = new Set(run.sw.sources.map((source) => shardText(source.info)));
  for (let waited = 0; ; waited += SETTLE_STEP_MS) {
    const records = await readGateRecords(background(), topo.conn, world.processes);
    const windows = records
      .flatMap((record) => record.windows)
      .filter((window) => sources.has(`${window.keyspace}/${window.shard}`) && (window.to ?? Number.POSITIVE_INFINITY) >= from);
    const open = windows.some((window) => window.to === undefined);
    if (!open || run.writesServed === undefined || waited >= SETTLE_MS) return windows;
    await world.clock.sleep(SETTLE_STEP_MS);
  }
}

/** What writes were about: tables, or shards of a Reshard. */
function subjects({ sw }: SwitchRun): readonly string[] {
  return sw.kind === 'shards' ? sw.sources.map((source) => shardText(source.info)) : sw.tables;
}

function emit(run: SwitchRun, state: 'refused' | 'served', keyspace: string): void {
  run.cluster.world.events.emit({ kind: 'writes', state, keyspace, tables: subjects(run) });
}
