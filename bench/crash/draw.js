// Draws the instant of a kill.
/** Either side of a commit, in nanoseconds. */
const SIDE = 500_000;

/**
 * An instant, uniform over the commits of a run and then over the time from half a millisecond before the commit to as much after it.
 * `profile` is that of a run without a kill: an instant before a commit is counted from the end of the one before it, for nobody can
 * count back from what has not happened. The first commit has nothing before it that could be lost.
 */
export function drawKill(random, profile) {
  const commit = 1 + random.below(profile.length);
  const { gap, took } = profile[commit - 1];
  const offset = Math.round(random.next() * (2 * SIDE + took)) - SIDE;
  if (offset >= 0 || gap === undefined) return { commit, fromBegin: Math.max(offset, 0) };
  return { commit, fromPrevious: Math.max(gap + offset, 0) };
}
