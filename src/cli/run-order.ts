import type { Outcome, RunSettings } from './scenario-runner.ts';

/** An order to a thread of `run`: a scenario by its file and its place among those of the file. */
export interface Order {
  id: number;
  settings: RunSettings;
  file: string;
  ordinal: number;
  slug: string;
  alone: boolean;
  asked: string | undefined;
}

/** The answer to an order. */
export interface Answer {
  id: number;
  /** A text: the file cannot be read any more. */
  outcome: Outcome | string;
}
