// The figures: how many kills each step had, and where they came.
import { findRelease } from '../../dist/lib/releases.js';
import { everyPoint } from '../../dist/workflow/points.js';
import { START } from './notes.js';

/** Every step of the plans, in the order of its first appearance, then those that only a recovery has; each with its commits and its kills. */
export function histogram(plans, trials) {
  const rows = new Map();
  const row = (step) => {
    if (!rows.has(step)) rows.set(step, { step, own: 0, commits: 0, recovering: 0, recoveringOwn: 0, command: 0, recovery: 0, before: 0, inside: 0, after: 0 });
    return rows.get(step);
  };
  row(START);
  for (const plan of plans) {
    for (const step of plan.steps) row(step);
    for (const { step, after } of plan.profile) {
      row(step).commits++;
      if (!after) row(step).own++;
    }
  }
  for (const { step, after } of trials.flatMap(({ recoveries }) => recoveries).flat()) {
    const one = row(step);
    one.recovering++;
    if (!after) one.recoveringOwn++;
  }
  for (const kill of trials.flatMap(({ kills }) => kills)) {
    const one = row(kill.step);
    one[kill.of === 'command' ? 'command' : 'recovery']++;
    one[kill.where]++;
  }
  return [...rows.values()];
}

/** Steps that no kill came upon, though there is a commit in or after them. */
export function emptySteps(rows) {
  return rows.filter(({ command, recovery, commits, recovering }) => command + recovery === 0 && commits + recovering > 0).map(({ step }) => step);
}

/** One line per step, numbers to the right. */
export function histogramLines(rows) {
  const head = ['step', 'commits', 'of its own', 'in recoveries', 'kills', 'of recoveries', 'before', 'inside', 'after'];
  const cells = rows.map(({ step, commits, own, recovering, command, recovery, before, inside, after }) => [step, commits, own, recovering, command + recovery, recovery, before, inside, after].map(String));
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column].length)));
  return [head, ...cells].map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '));
}

/** Steps that the product knows and that no plan nor any recovery came to: nothing is said of them. Calls that steps make are none. */
export function unvisited(rows) {
  const visited = new Set(rows.map(({ step }) => step));
  return everyPoint(findRelease('hardened').behaviours).filter(({ name, call }) => call === undefined && !visited.has(name)).map(({ name }) => name);
}
