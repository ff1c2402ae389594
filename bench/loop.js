// The longest stretch in which the event loop did not turn.
import { performance } from 'node:perf_hooks';

/** Starts to watch. `longest()` answers in milliseconds, of the time since it was asked last; `end()` lets the process end. */
export function watchLoop() {
  let last = performance.now();
  let blocked = 0;
  const turned = () => {
    const now = performance.now();
    blocked = Math.max(blocked, now - last);
    last = now;
  };
  // A timer would fire once in 5 ms at best; an immediate runs at every turn, so that the gap between two is one block.
  let watching = true;
  const watch = () => {
    turned();
    if (watching) setImmediate(watch);
  };
  setImmediate(watch);
  return {
    longest: () => {
      turned();
      const answer = blocked;
      blocked = 0;
      return answer;
    },
    end: () => (watching = false),
  };
}
