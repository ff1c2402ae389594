import type { Fields } from '../../fields.ts';
import { ANSWER, readFailure, succeeds } from './expect-answer.ts';
import { readNamed, STATE } from './expect-state.ts';
import type { Stage, StageStep } from './stage.ts';

/**
 * Reads what a mapping expects of a cluster after commands, except the fields named. A field that nobody knows stays unread, and
 * skips the case. Where it says nothing of an
 * error, `untold` looks at the answers: none is expected, unless said.
 */
export function readThen(then: Fields, except: readonly string[] = [], untold: StageStep = succeeds): (stage: Stage) => Promise<void> {
  const failure = readFailure(then);
  const steps: StageStep[] = [failure ?? untold];
  for (const name of then.names) {
    if (except.includes(name)) continue;
    const read = ANSWER[name] ?? STATE[name];
    const step = read === undefined ? readNamed(then, name) : read(then, name);
    if (step !== undefined) steps.push(step);
  }
  return async (stage) => {
    for (const step of steps) await step(stage);
  };
}
