import type { Outcome, RunSettings } from './scenario-runner.ts';

/** What a process of `run --jobs` says first: an order sent before somebody listens could be lost. */
export const READY = 'ready';

/** The parent's order: a scenario by its file and its place among those of the file. */
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
