import { formatDuration } from '../lib/duration.ts';
import { visibleLine } from '../report/visible.ts';
import type { VDiffAdvance } from '../workflow/vdiff/run.ts';
import { canAnimate } from './progress.ts';
import type { Invocation } from './spec.ts';

/** How often the bar is drawn anew, at most. */
const EVERY_MS = 80;
/** Shorter diffs are over before anybody wonders. */
const AFTER_MS = 250;
const WIDTH = 24;

/** A bar on a terminal that tells how far a diff is. Whoever prints clears it first. */
export class VDiffBar {
  readonly #inv: Invocation;
  readonly #active: boolean;
  readonly #started: number;
  #drawn = Number.NEGATIVE_INFINITY;
  #visible = false;

  constructor(inv: Invocation, options: { json: boolean }) {
    this.#inv = inv;
    this.#active = !inv.flags.bool('quiet') && canAnimate(inv.io, options);
    this.#started = inv.io.now();
  }

  /** Draws it if it is time. */
  show(advance: VDiffAdvance): void {
    const now = this.#inv.io.now();
    if (!this.#active || now - this.#started < AFTER_MS || now - this.#drawn < EVERY_MS) return;
    this.#drawn = now;
    this.clear();
    // The last column stays free: a terminal would begin a new line, which clearing does not take away.
    const line = barLine(advance, now - this.#started);
    this.#inv.io.stderr.write([...line].slice(0, this.#inv.io.stderr.columns - 1).join(''));
    this.#visible = true;
  }

  clear(): void {
    if (this.#visible) this.#inv.io.stderr.write('\r\u001b[2K');
    this.#visible = false;
  }
}

/** `[#####...................] 20% of shard -80 (1 of 2), table corder: 20,000 rows, 3s left` */
export function barLine({ shard, table, compared, rows, place, shards }: VDiffAdvance, ranMs: number): string {
  const own = rows === 0 ? 0 : Math.min(1, compared / rows);
  const share = (place + own) / shards;
  const filled = Math.floor(share * WIDTH);
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${Math.floor(share * 100)}%`;
  const left = share < 0.01 ? '' : `, ${formatDuration(Math.ceil((ranMs * (1 - share)) / share / 1000) * 1000)} left`;
  const at = shards === 1 ? '' : ` (${place + 1} of ${shards})`;
  return `${bar} ${visibleLine(`shard ${shard}${at}, table ${table}`)}: ${compared.toLocaleString('en-US')} rows${left}`;
}
