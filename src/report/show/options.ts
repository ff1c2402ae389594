import type { Paint } from '../paint.ts';

/** What a renderer is told besides the facts. */
export interface ShowOptions {
  paint: Paint;
  /** How a printed command begins: the program, and the flags that point it at this cluster. */
  program: string;
  /** Epoch milliseconds, on the cluster's clock. */
  now: number;
}
