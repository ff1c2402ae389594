import { formatRfc3339 } from '../lib/go-time.ts';
import type { Clock } from '../runtime/clock.ts';

/** The clock's time as MySQL prints `now()`: `2026-03-27 12:00:00`. */
export function mysqlNow(clock: Clock): string {
  return formatRfc3339(clock.now()).slice(0, 19).replace('T', ' ');
}
