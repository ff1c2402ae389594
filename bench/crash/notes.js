// Reads what hook.js wrote down about a process.
import { readFileSync } from 'node:fs';

/**
 * The commits of a process in order, each with the place it belongs to; what the process had begun when it ended. A place is a step, or
 * what lies between its end and the next one (`after` it); before the first it is `START`.
 */
export function readNotes(file) {
  const commits = [];
  const steps = [];
  let place = { step: START, after: false };
  let open;
  let killed;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [kind, first, second] = line.split(' ');
    if (kind === 'B') open = { n: Number(first), began: BigInt(second), ...place };
    else if (kind === 'X') open = undefined;
    else if (kind === 'A') {
      commits.push({ ...open, ended: BigInt(second) });
      open = undefined;
    } else if (kind === 'K') killed = BigInt(first);
    // A step that works shard by shard says so at each of them.
    else if (kind === 'I') {
      if (place.step !== first || place.after) steps.push(first);
      place = { step: first, after: false };
    } else if (kind === 'O') place = { step: first, after: true };
  }
  return { commits, steps, place, open, killed };
}

/** Before the first step: the streams are caught up, the workflow is read. */
export const START = '(before the first step)';

/** Nanoseconds between the end of a commit and the beginning of the next, by the number of the latter; and how long each took. */
export function profileOf({ commits }) {
  return commits.map(({ began, ended, step, after }, index) => ({
    gap: index === 0 ? undefined : Number(began - commits[index - 1].ended),
    took: Number(ended - began),
    step,
    after,
  }));
}

/**
 * Where a kill came relative to the commit that it was meant for, and how far from its beginning, in milliseconds. `inside` is between
 * the call that commits and its return: whether it is on disk is for SQLite to say. `committing`: it came inside of this one or another.
 */
export function whereKilled({ commits, open, killed }, wanted) {
  const done = commits.length;
  const meant = commits[wanted - 1] ?? (open?.n === wanted ? open : undefined);
  const where = done >= wanted ? 'after' : open?.n === wanted ? 'inside' : 'before';
  return { where, done, committing: open !== undefined, offset: meant === undefined || killed === undefined ? undefined : Number(killed - meant.began) / 1e6 };
}
