import type { Clock } from '../../runtime/clock.ts';

/** Rows between two looks at the time. */
const ROWS_PER_LOOK = 128;
/** On a clock that stands still meanwhile, rows between two turns. */
const ROWS_PER_TURN = 2048;

/** Lets the loop turn often enough between rows, and asks whether to go on. */
export class Pacer {
  readonly #clock: Clock;
  readonly #check: () => void;
  #rows = 0;

  /** `check` throws what the work is to be broken off with. */
  constructor(clock: Clock, check: () => void) {
    this.#clock = clock;
    this.#check = check;
  }

  /** True if it is time for `turn`. Call it for each row. */
  due(): boolean {
    this.#rows++;
    return this.#rows % ROWS_PER_LOOK === 0 && (this.#rows >= ROWS_PER_TURN || this.#clock.due());
  }

  async turn(): Promise<void> {
    this.#rows = 0;
    await this.#clock.turn();
  }

  check(): void {
    this.#check();
  }
}
