import type { ShowOptions } from '../show/options.ts';

/** What a renderer of the doctor is told besides the facts. */
export interface DoctorOptions extends ShowOptions {
  /** A command line as it is typed: Vitess's own begin with `vtctldclient`, so that they can be taken to a real cluster. */
  typed(line: string): string;
}
