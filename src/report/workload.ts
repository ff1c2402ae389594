import { formatDuration } from '../lib/duration.ts';
import { formatRfc3339 } from '../lib/go-time.ts';
import { isGood, type WorkloadReport } from '../workload/workload.ts';
import type { CheckReport, Finding } from '../workload/check.ts';
import type { ErrorGroup, Tally } from '../workload/counts.ts';
import type { StaleRead } from '../workload/load.ts';
import type { Paint } from './paint.ts';

/** Error texts of each kind that are shown. */
const SHOWN_ERRORS = 5;

/** How a workload went, for people. */
export function renderWorkload(report: WorkloadReport, paint: Paint): string[] {
  const { writes, reads, check, spec, mirrored } = report;
  const of = report.tables.join(', ');
  const lasted = duration(report.endedAt - report.startedAt);
  return [
    `${plural(spec.writers, 'writer')} at ${rateText(spec.rate)} and ${plural(spec.readers, 'reader')} at ${rateText(spec.readRate)} on ${of} for ${lasted} from ${formatRfc3339(report.startedAt)}, seed ${spec.seed}`,
    `writes: ${tallyText(writes)} (${plural(writes.inserts, 'insert')}, ${plural(writes.updates, 'update')}, ${plural(writes.deletes, 'delete')})`,
    ...gapLines(report, paint),
    ...report.errors.writes.slice(0, SHOWN_ERRORS).map((group) => errorLine(group)),
    ...(spec.readers === 0 ? [] : [`reads: ${tallyText(reads, 'answered')}, ${reads.replica} sent to replicas`]),
    ...report.errors.reads.slice(0, SHOWN_ERRORS).map((group) => errorLine(group)),
    ...reads.staleReads.map((read) => paint.red(`  stale: ${staleText(read)}`)),
    ...report.buffered.map(
      (window) =>
        `buffered for ${window.keyspace}/${window.shard}: ${window.to === undefined ? 'to the end' : duration(window.to - window.from)}, ${plural(window.statements, 'statement')}, the longest held for ${duration(window.longest_ms)}`,
    ),
    ...(mirrored.sent === 0 ? [] : [`mirrored: ${plural(mirrored.sent, 'read')}, ${mirrored.failed} failed there`]),
    ...checkLines(check, isGood(report), reads.stale, paint),
  ];
}

/** What a running workload says once a second. `before` is what was said last. */
export function progressLine(seconds: number, now: Tally, before: Tally, reads: number): string {
  const refused = now.refused - before.refused;
  const ambiguous = now.ambiguous - before.ambiguous;
  const more = [...(refused > 0 ? [`${refused} refused`] : []), ...(ambiguous > 0 ? [`${ambiguous} ambiguous`] : [])];
  return [`${String(seconds).padStart(4)}s`, `${now.acknowledged - before.acknowledged} acknowledged`, ...more, `${reads} read`].join('  ');
}

function gapLines({ writes, refusedAtEnd, endedAt }: WorkloadReport, paint: Paint): string[] {
  const lines: string[] = [];
  if (writes.longestGapFrom !== undefined) {
    lines.push(`  longest without an acknowledged write: ${duration(writes.longestGapMs)}, from ${timeOfDay(writes.longestGapFrom)}`);
  }
  if (refusedAtEnd) {
    const since = writes.lastAcknowledged;
    const so = since === undefined ? 'no write was ever acknowledged' : `none has been acknowledged for ${duration(endedAt - since)}`;
    lines.push(paint.red(`  writes are still refused: ${so}`));
  }
  return lines;
}

function checkLines(check: CheckReport, good: boolean, stale: number, paint: Paint): string[] {
  const { rows, lost, doubled, phantom } = check;
  const counts = `${plural(rows, 'row')} looked for: ${lost} lost, ${doubled} doubled, ${phantom} there although refused${stale > 0 ? `, ${plural(stale, 'stale read')}` : ''}`;
  return [
    good ? paint.green(`check: ${counts}`) : paint.red(`check: ${counts}`),
    ...check.findings.map((finding) => paint.red(`  ${finding.flaw}: ${findingText(finding)}`)),
    ...check.fromReplicas.map((table) => `  ${table} was read from replicas: its primary refuses reads`),
    ...check.unread.map(({ table, error }) => paint.red(`  ${table} could not be looked at: ${error}`)),
  ];
}

function findingText({ table, key, acknowledged, found }: Finding): string {
  const seen = found.length === 0 ? 'not there' : `found ${found.map((version) => `version ${version}`).join(' and ')}`;
  return `${table} ${key}: ${acknowledged === 0 ? 'should not be there' : `acknowledged version ${acknowledged}`}, ${seen}`;
}

function staleText({ table, key, at, acknowledged, seen }: StaleRead): string {
  const there = acknowledged === 0 ? 'was deleted' : `was at version ${acknowledged}`;
  return `${table} ${key} ${there}, and a read saw ${seen === 0 ? 'no row' : `version ${seen}`} at ${timeOfDay(at)}`;
}

function errorLine({ text, outcome, count, first, last }: ErrorGroup): string {
  const when = first === last ? `at ${timeOfDay(first)}` : `from ${timeOfDay(first)} to ${timeOfDay(last)}`;
  return `  ${count} ${outcome} ${when}: ${text}`;
}

function tallyText({ acknowledged, refused, ambiguous }: Tally, done = 'acknowledged'): string {
  return `${acknowledged} ${done}, ${refused} refused, ${ambiguous} ambiguous`;
}

/** `12:00:02.340Z`. */
function timeOfDay(at: number): string {
  return new Date(at).toISOString().slice('2026-03-27T'.length);
}

function rateText(perSecond: number): string {
  return `${Number(perSecond.toFixed(3))}/s`;
}

function duration(ms: number): string {
  return formatDuration(Math.round(ms));
}

function plural(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}
