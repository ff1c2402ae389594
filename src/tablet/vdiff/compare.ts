/** The comparison itself: two sides in the order of one key, merged. Vitess: go/vt/vttablet/tabletmanager/vdiff/table_differ.go diff. */
import type { StoredRow } from './order.ts';
import type { Pacer } from './pacer.ts';
import type { TablePlan } from './plan.ts';
import { noteContents } from './reconcile.ts';
import type { DiffReport, RowDiff } from './report.ts';
import { keyText, type Rows } from './rows.ts';
import { rowDiff, type SampleOptions } from './sample.ts';

/** Progress is written down after so many rows. */
const ROWS_PER_SAVE = 10_000;

/** What is compared, and how much of it is shown. */
export interface Comparison {
  plan: TablePlan;
  source: Rows;
  target: Rows;
  /** Counts go on from here. */
  report: DiffReport;
  /** Rows to compare before it ends. */
  limit: number;
  /** Extra rows of each side that are kept, to be looked at once more. */
  mostExtra: number;
  /** Rows that differ that are kept; 0 keeps all. */
  mostSamples: number;
  samples: SampleOptions;
  /** Keep rows also when the other side has ended (#20602). */
  keepDrained: boolean;
  pacer: Pacer;
  /** Called with each part of the work done: `key` is that up to which both sides are behind. */
  save: (key: string | undefined) => Promise<void>;
}

/**
 * Compares until both sides end or the limit is reached. The report is right and `save` was called also when it is broken off:
 * then the pacer's error is thrown.
 */
export async function compareRows(comparison: Comparison): Promise<void> {
  const run = new Run(comparison);
  try {
    await run.all();
  } finally {
    await comparison.save(run.key());
  }
}

class Run {
  readonly #c: Comparison;
  /** The last row of which both sides are past. */
  #last: StoredRow | undefined;
  /** Some rows have been compared since progress was written down. */
  #saved = 0;

  constructor(comparison: Comparison) {
    this.#c = comparison;
  }

  /** The key to go on from, undefined before the first. */
  key(): string | undefined {
    return this.#last === undefined ? undefined : keyText(this.#last, this.#c.plan);
  }

  async all(): Promise<void> {
    const { source, target, report, plan, pacer } = this.#c;
    for (let left = this.#c.limit; left > 0; left--) {
      if (pacer.due() && this.#isBetweenKeys()) await this.#pause();
      const [a, b] = [source.row, target.row];
      if (a === undefined && b === undefined) return;
      if (a === undefined || b === undefined) return await this.#drain(a === undefined ? 'target' : 'source');
      report.ProcessedRows++;
      const order = plan.order(a, b);
      this.#last = order > 0 ? b : a;
      if (order < 0) {
        this.#extra('source', a);
        if (!source.step()) await source.load();
      } else if (order > 0) {
        this.#extra('target', b);
        if (!target.step()) await target.load();
      } else {
        this.#pair(a, b);
        if (!source.step()) await source.load();
        if (!target.step()) await target.load();
      }
    }
  }

  async #pause(): Promise<void> {
    const { report, save, pacer } = this.#c;
    if (report.ProcessedRows - this.#saved >= ROWS_PER_SAVE) {
      this.#saved = report.ProcessedRows;
      await save(this.key());
    }
    await pacer.turn();
    pacer.check();
  }

  /** Without a unique key, rows that are alike stand in a row: to go on in the midst of them would skip the others. */
  #isBetweenKeys(): boolean {
    const { source, target, plan } = this.#c;
    const last = this.#last;
    if (last === undefined) return true;
    return [source.row, target.row].every((row) => row === undefined || plan.order(row, last) !== 0);
  }

  #pair(a: StoredRow, b: StoredRow): void {
    const { plan, report, mostSamples } = this.#c;
    if (plan.same(a, b)) {
      report.MatchingRows++;
      return;
    }
    if (mostSamples === 0 || report.MismatchedRows < mostSamples) {
      (report.MismatchedRowsSample ??= []).push({ Source: this.#shown(a, plan.table), Target: this.#shown(b, plan.table) });
    }
    report.MismatchedRows++;
  }

  #extra(side: 'source' | 'target', row: StoredRow): void {
    const { report, mostExtra } = this.#c;
    if ((side === 'source' ? report.ExtraRowsSource : report.ExtraRowsTarget) < mostExtra) this.#keep(side, row);
    if (side === 'source') report.ExtraRowsSource++;
    else report.ExtraRowsTarget++;
  }

  #keep(side: 'source' | 'target', row: StoredRow): void {
    const { report, plan } = this.#c;
    const list = side === 'source' ? (report.ExtraRowsSourceSample ??= []) : (report.ExtraRowsTargetSample ??= []);
    list.push(this.#shown(row, side === 'source' ? plan.sourceTable : plan.table));
  }

  #shown(row: StoredRow, table: string): RowDiff {
    const diff = rowDiff(row, this.#c.plan, table, this.#c.samples);
    noteContents(diff, row);
    return diff;
  }

  /** One side has ended: the rest of the other is extra. Vitess keeps the first of them and only counts the others. */
  async #drain(side: 'source' | 'target'): Promise<void> {
    const { report, pacer, keepDrained } = this.#c;
    const rows = this.#c[side];
    let isFirst = true;
    while (rows.row !== undefined) {
      if (pacer.due() && this.#isBetweenKeys()) await this.#pause();
      const { row } = rows;
      report.ProcessedRows++;
      if (keepDrained) {
        this.#extra(side, row);
      } else {
        if (isFirst) this.#keep(side, row);
        if (side === 'source') report.ExtraRowsSource++;
        else report.ExtraRowsTarget++;
      }
      isFirst = false;
      this.#last = row;
      if (!rows.step()) await rows.load();
    }
  }
}
