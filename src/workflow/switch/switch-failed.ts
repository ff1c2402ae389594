import { errorText } from '../../lib/errors.ts';
import type { SwitchRun } from './run.ts';
import type { SwitchEnd } from './runner.ts';

/** Thrown when a switch failed: the error of the step, and everything a report needs. */
export class SwitchFailed extends Error {
  readonly end: SwitchEnd;
  readonly run: SwitchRun;

  constructor(end: SwitchEnd, run: SwitchRun) {
    super(errorText(end.error), { cause: end.error });
    this.name = 'SwitchFailed';
    this.end = end;
    this.run = run;
  }
}
