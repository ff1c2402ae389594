import { DEFAULT_BUFFER } from '../gate/buffer/config.ts';
import type { WorkloadGiven } from '../report/scenario-file/schema.ts';
import { cellNames } from '../topo/cells.ts';
import { parseRate, parseValues } from '../workload/spec.ts';
import { isGood, type RunningWorkload, startWorkload, type WorkloadReport } from '../workload/workload.ts';
import type { Rig } from './rig.ts';

/** An application that writes and reads while a scenario runs, as a process of its own. */
export class ScenarioWorkload {
  readonly #running: RunningWorkload;
  readonly #leave: () => Promise<void>;
  #report: WorkloadReport | undefined;

  private constructor(running: RunningWorkload, leave: () => Promise<void>) {
    this.#running = running;
    this.#leave = leave;
  }

  /** Starts it. Throws UserError for a table that it cannot write to. */
  static async start(rig: Rig, given: WorkloadGiven, seed: number): Promise<ScenarioWorkload> {
    const { ctx, cluster, leave } = await rig.attach();
    try {
      const [cell = ''] = await cellNames(ctx, cluster.topo);
      const buffer = given['enable-buffer'] === true ? { buffer: DEFAULT_BUFFER } : {};
      const tables = given.table === undefined ? {} : { tables: [given.table].flat() };
      const values = parseValues(Object.entries(given.values ?? {}).map(([column, value]) => `${column}=${value}`));
      const writers = given.writers ?? (given.readers === undefined ? 1 : 0);
      const spec = { writers, readers: given.readers ?? 0, rate: parseRate(given.rate ?? '20/s'), ...tables, values, seed, gate: { cell, ...buffer } };
      return new ScenarioWorkload(await startWorkload(ctx, cluster, spec), leave);
    } catch (error) {
      await leave();
      throw error;
    }
  }

  /** Ends it and looks for every row, once. */
  async stop(): Promise<WorkloadReport> {
    if (this.#report === undefined) {
      this.#report = await this.#running.stop();
      await this.#leave();
    }
    return this.#report;
  }
}

/** A report as scenarios name its parts. */
export function workloadView(report: WorkloadReport): Record<string, unknown> {
  const { writes, reads, check, errors, refusedAtEnd } = report;
  return {
    acknowledged: writes.acknowledged,
    refused: writes.refused,
    ambiguous: writes.ambiguous,
    lost: check.lost,
    doubled: check.doubled,
    phantom: check.phantom,
    stale: reads.stale,
    buffered: report.buffered.reduce((sum, window) => sum + window.statements, 0),
    mirrored: report.mirrored.sent,
    longestGapMs: writes.longestGapMs,
    refusedAtEnd,
    reads,
    errors,
    check,
  };
}

/** What is wrong with the rows that a workload wrote, as lines; none if nothing is. */
export function rowProblems(report: WorkloadReport): string[] {
  if (isGood(report)) return [];
  const { check, reads } = report;
  return [
    `${check.lost} lost, ${check.doubled} doubled, ${check.phantom} there although refused, ${reads.stale} stale reads, of ${check.rows} rows`,
    ...check.findings.map(({ flaw, table, key }) => `${flaw}: ${table} ${key}`),
    ...check.unread.map(({ table, error }) => `${table} cannot be read: ${error}`),
  ];
}
