/**
 * A second look at rows that were extra on one side: where the sides are sorted otherwise, or a reference table has as many copies
 * as shards, they are on both. Vitess: go/vt/vttablet/tabletmanager/vdiff/workflow_differ.go.
 */
import { plainError } from '../../lib/errors.ts';
import { stringifyValues } from '../value-json.ts';
import type { StoredRow } from './order.ts';
import type { DiffReport, RowDiff } from './report.ts';

/** How a release does it: see the behaviour `vdiffSecondLook`. */
export type SecondLook = 'all-or-nothing' | 'miscounts' | 'counts' | 'exact';

export interface SecondLookOptions {
  how: SecondLook;
  mostExtra: number;
  /** 0 keeps all. */
  mostSamples: number;
  /** The table is a reference table in the VSchema of this side. */
  isReference: { source: boolean; target: boolean };
}

/** What a sample leaves out of a row: two rows are not the same because their keys are. */
const contents = new WeakMap<RowDiff, string>();

/** Remembers the whole row that a sample shows. */
export function noteContents(diff: RowDiff, row: StoredRow): void {
  contents.set(diff, stringifyValues(row));
}

/** Corrects a report's counts and cuts its samples. Throws where the release's vttablet would crash. */
export function reconcile(report: DiffReport, options: SecondLookOptions): void {
  if (report.ExtraRowsSource === 0 && report.ExtraRowsTarget === 0) return;
  reconcileReference(report, options.isReference);
  if (options.how === 'all-or-nothing') {
    matchInOrder(report, options.mostExtra);
    cutSamples(report, options.mostSamples, 1);
  } else if (options.how === 'exact') {
    match(report, Number.POSITIVE_INFINITY, textOf);
    cutSamples(report, options.mostSamples, 0);
  } else if (report.ExtraRowsSource > 0 && report.ExtraRowsTarget > 0) {
    const most = Math.min(report.ExtraRowsSource, options.mostExtra);
    if (options.how === 'miscounts') matchMiscounting(report, most);
    else match(report, most, shownText);
    cutSamples(report, options.mostSamples, 1);
  }
}

/** Each shard of one side has a copy of the whole table: as many rows again and again are not extra. */
function reconcileReference(report: DiffReport, isReference: SecondLookOptions['isReference']): void {
  if (report.MismatchedRows > 0 || report.MatchingRows === 0) return;
  if (isReference.source && report.ExtraRowsSource > 0 && report.ExtraRowsSource % report.MatchingRows === 0) {
    report.ExtraRowsSource = 0;
    delete report.ExtraRowsSourceSample;
  }
  if (isReference.target && report.ExtraRowsTarget > 0 && report.ExtraRowsTarget % report.MatchingRows === 0) {
    report.ExtraRowsTarget = 0;
    delete report.ExtraRowsTargetSample;
  }
}

function shownText(diff: RowDiff): string {
  return JSON.stringify([diff.Row, diff.Query]);
}

function textOf(diff: RowDiff): string {
  return contents.get(diff) ?? shownText(diff);
}

interface Matched {
  count: number;
  source: RowDiff[];
  target: RowDiff[];
}

/** Takes away what stands in both lists, each as often as it stands in both. */
function withoutMatches(report: DiffReport, text: (diff: RowDiff) => string): Matched {
  const waiting = new Map<string, number>();
  const targets = report.ExtraRowsTargetSample ?? [];
  for (const diff of targets) waiting.set(text(diff), (waiting.get(text(diff)) ?? 0) + 1);
  const taken = new Map<string, number>();
  const source = (report.ExtraRowsSourceSample ?? []).filter((diff) => {
    const key = text(diff);
    const left = waiting.get(key) ?? 0;
    if (left === 0) return true;
    waiting.set(key, left - 1);
    taken.set(key, (taken.get(key) ?? 0) + 1);
    return false;
  });
  const target = targets.filter((diff) => {
    const left = taken.get(text(diff)) ?? 0;
    if (left > 0) taken.set(text(diff), left - 1);
    return left === 0;
  });
  return { count: targets.length - target.length, source, target };
}

function match(report: DiffReport, most: number, text: (diff: RowDiff) => string): void {
  const matched = withoutMatches(report, text);
  if (matched.count === 0) return;
  keepSamples(report, matched, most);
  report.ExtraRowsSource -= matched.count;
  report.ExtraRowsTarget -= matched.count;
  report.MatchingRows += matched.count;
}

/**
 * Until #18585: counts what is left of the samples, takes matches off the rows that differ, and reads past the end of the samples
 * where there are more rows than those.
 */
function matchMiscounting(report: DiffReport, most: number): void {
  const [sources, targets] = [report.ExtraRowsSourceSample ?? [], report.ExtraRowsTargetSample ?? []];
  const isMatched = { source: new Set<number>(), target: new Set<number>() };
  for (let i = 0; i < most; i++) {
    for (let j = 0; j < report.ExtraRowsTarget; j++) {
      if (isMatched.target.has(j) || shownText(at(sources, i)) !== shownText(at(targets, j))) continue;
      isMatched.source.add(i);
      isMatched.target.add(j);
      break;
    }
  }
  const count = isMatched.source.size;
  if (count === 0) return;
  const left = (list: readonly RowDiff[], total: number, taken: Set<number>): RowDiff[] => {
    const kept: RowDiff[] = [];
    for (let i = 0; i < total && kept.length < most; i++) if (!taken.has(i)) kept.push(at(list, i));
    return kept;
  };
  const [source, target] = [left(sources, report.ExtraRowsSource, isMatched.source), left(targets, report.ExtraRowsTarget, isMatched.target)];
  keepSamples(report, { source, target }, most);
  report.ExtraRowsSource = source.length;
  report.ExtraRowsTarget = target.length;
  report.MatchingRows += count;
  report.MismatchedRows -= count;
  report.ProcessedRows += count;
}

/** What Go does with a place beyond the end. */
function at(list: readonly RowDiff[], index: number): RowDiff {
  const found = list[index];
  if (found === undefined) throw plainError(`runtime error: index out of range [${index}] with length ${list.length}`);
  return found;
}

/** Until #17950: only with as many on either side, and only as far as the first that has no match. */
function matchInOrder(report: DiffReport, mostExtra: number): void {
  if (report.ExtraRowsSource !== report.ExtraRowsTarget || report.ExtraRowsSource > mostExtra) return;
  const [sources, targets] = [report.ExtraRowsSourceSample ?? [], report.ExtraRowsTargetSample ?? []];
  while (sources.length > 0) {
    const at = targets.findIndex((diff) => shownText(diff) === shownText(sources[0]!));
    if (at < 0) break;
    sources.shift();
    targets.splice(at, 1);
    report.ExtraRowsSource--;
    report.ExtraRowsTarget--;
    report.ProcessedRows--;
    report.MatchingRows++;
  }
  keepSamples(report, { source: sources, target: targets }, Number.POSITIVE_INFINITY);
}

function keepSamples(report: DiffReport, { source, target }: Pick<Matched, 'source' | 'target'>, most: number): void {
  setSamples(report, 'ExtraRowsSourceSample', source.slice(0, most));
  setSamples(report, 'ExtraRowsTargetSample', target.slice(0, most));
}

/** Vitess cuts to one less than it says. */
function cutSamples(report: DiffReport, most: number, less: number): void {
  if (most === 0) return;
  for (const name of ['ExtraRowsSourceSample', 'ExtraRowsTargetSample'] as const) {
    const samples = report[name] ?? [];
    if (samples.length > most) setSamples(report, name, samples.slice(0, most - less));
  }
}

/** Go's JSON leaves an empty list out. */
function setSamples(report: DiffReport, name: 'ExtraRowsSourceSample' | 'ExtraRowsTargetSample', samples: RowDiff[]): void {
  if (samples.length === 0) delete report[name];
  else report[name] = samples;
}
