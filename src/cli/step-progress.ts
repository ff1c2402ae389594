import type { CommandScope } from './scope.ts';
import { createProgress } from './progress.ts';
import type { Invocation } from './spec.ts';

/** Shows the steps of a switch as they run: a spinner where one works, a line per step with --verbose. */
export async function watchSteps(inv: Invocation, scope: CommandScope, json: boolean): Promise<{ done(): void; fail(): void }> {
  const { io, flags } = inv;
  const animated = io.stderr.isTTY && io.stderr.columns > 0;
  const quiet = flags.bool('quiet') || json || (!animated && !flags.bool('verbose'));
  const progress = await createProgress(io, { quiet, json });
  const { events } = scope.cluster.world;
  const stop = events.listen((event) => {
    if (event.kind === 'step' && event.state === 'begin') progress.step(event.step);
    if (event.kind === 'step' && event.state === 'done') progress.done();
    if (event.kind === 'step' && event.state === 'failed') progress.fail();
    if (event.kind === 'log' && flags.bool('verbose')) io.stderr.write(`${event.level === 'info' ? '' : `${event.level}: `}${event.text}\n`);
  });
  return {
    done: () => {
      stop();
      progress.done();
    },
    fail: () => {
      stop();
      progress.fail();
    },
  };
}
