import { visibleLine } from '../report/visible.ts';
import type { Io } from './io.ts';
import { canAnimate, type ProgressOptions } from './progress.ts';

/** How often the line is drawn anew, at most. */
const EVERY_MS = 80;
/** Shorter runs are over before anybody wonders. */
const AFTER_MS = 400;

/**
 * One line on a terminal that tells how far a run is. It is drawn where events happen, not by a timer: a scenario keeps
 * the loop busy. Whoever prints clears it first.
 */
export class RunProgress {
  readonly #io: Io;
  readonly #active: boolean;
  #total = 0;
  #done = 0;
  #bad = 0;
  #title = '';
  #started = 0;
  #drawn = -Infinity;
  #visible = false;

  constructor(io: Io, options: ProgressOptions) {
    this.#io = io;
    this.#active = options.quiet !== true && canAnimate(io, options);
  }

  start(total: number): void {
    this.#total = total;
    this.#started = this.#io.now();
  }

  /** This scenario begins. */
  at(title: string): void {
    this.#title = visibleLine(title);
    this.#draw();
  }

  ended(good: boolean): void {
    this.#done++;
    if (!good) this.#bad++;
    this.#draw();
  }

  clear(): void {
    if (this.#visible) this.#io.stderr.write('\r\u001b[2K');
    this.#visible = false;
  }

  end(): void {
    this.clear();
  }

  #draw(): void {
    const now = this.#io.now();
    if (!this.#active || now - this.#started < AFTER_MS || now - this.#drawn < EVERY_MS) return;
    this.#drawn = now;
    const bad = this.#bad > 0 ? `, ${this.#bad} did not pass` : '';
    const line = `${this.#done} of ${this.#total} done${bad} ${this.#title}`;
    // The last column stays free: a terminal would begin a new line, which clearing does not take away.
    this.clear();
    this.#io.stderr.write([...line].slice(0, this.#io.stderr.columns - 1).join(''));
    this.#visible = true;
  }
}
