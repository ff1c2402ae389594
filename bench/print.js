// The results for people, and as one document.
import { availableParallelism, cpus } from 'node:os';

/** What the figures depend on. */
export function machine() {
  return { cpus: availableParallelism(), cpu: cpus()[0]?.model.trim() ?? 'unknown', node: process.version, platform: `${process.platform} ${process.arch}` };
}

/** One line per result, in aligned columns, numbers to the right. */
export function table(results) {
  const rows = [
    ['what', 'ours', 'baseline', 'ratio', 'runs'],
    ...results.map((one) => [
      one.what,
      `${number(one.ours)} ${one.unit}`,
      one.baseline === undefined ? '' : `${number(one.baseline)} ${one.unit} (${one.of})`,
      one.ratio === undefined ? '' : one.ratio.toFixed(2),
      String(one.runs),
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ').trimEnd());
}

/** Three digits that mean something. */
function number(value) {
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toPrecision(3);
}
