import { formatDuration } from '../../lib/duration.ts';
import { UserError } from '../../lib/errors.ts';

/** How a gate buffers. Times are milliseconds. Vitess: go/vt/vtgate/buffer/flags.go. */
export interface BufferConfig {
  /** How long one statement is held at most. */
  windowMs: number;
  /** How many statements are held at once, over all shards. */
  size: number;
  /** After this long a shard's buffer is given up and drained. */
  maxFailoverMs: number;
  /** A shard that was buffered for is not buffered for again within this time. */
  minBetweenMs: number;
}

/** What vtgate does with `--enable-buffer` and no other flag. */
export const DEFAULT_BUFFER: BufferConfig = { windowMs: 10_000, size: 1000, maxFailoverMs: 20_000, minBetweenMs: 60_000 };

/** The least of what is one second in vtgate. */
const LEAST_MS = 1000;

/**
 * Refuses what vtgate refuses to start with, in its words. Releases with `doubleBufferingWindow` take any time between
 * failovers. Throws UserError (usage).
 */
export function checkBuffer(config: BufferConfig, anyMinimum: boolean): void {
  const { windowMs, size, maxFailoverMs, minBetweenMs } = config;
  if (windowMs < LEAST_MS) throw wrong(`--buffer-window must be >= 1s (specified value: ${formatDuration(windowMs)})`);
  if (windowMs > maxFailoverMs) {
    const values = `${formatDuration(windowMs)} vs. ${formatDuration(maxFailoverMs)}`;
    throw wrong(`--buffer-window must be <= --buffer-max-failover-duration: ${values}`);
  }
  if (size < 1) throw wrong(`--buffer-size must be >= 1 (specified value: ${size})`);
  if (minBetweenMs < LEAST_MS && !anyMinimum) {
    throw wrong(`--buffer-min-time-between-failovers must be >= 1s (specified value: ${formatDuration(minBetweenMs)})`);
  }
}

function wrong(text: string): UserError {
  return new UserError(text, { exit: 2 });
}
