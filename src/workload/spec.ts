import { formatDuration } from '../lib/duration.ts';
import { UserError } from '../lib/errors.ts';
import { quoteString } from '../sql/format-expr.ts';
import type { GateOptions } from '../gate/gate.ts';

/** What a workload does. Rates are statements per second. */
export interface WorkloadSpec {
  writers: number;
  readers: number;
  /** Of all writers together, and again of all readers together. */
  rate: number;
  /** Of all readers together, where it is not `rate`. */
  readRate?: number;
  /** It ends by itself after this many milliseconds; without it when `stop` is called. */
  forMs?: number;
  /** Tables to write to, as an application names them; every one that can be, when there are none. */
  tables?: readonly string[];
  /** What every row has in some columns, as SQL literals by column: the id of a tenant. */
  values?: Readonly<Record<string, string>>;
  /** What is drawn: operations, rows. Two runs in equal worlds with equal seeds are equal. */
  seed: number;
  /** How long a client waits for its statement, in milliseconds; 30 seconds unless given. */
  timeoutMs?: number;
  gate: GateOptions;
}

const MOST_CLIENTS = 1000;
const HIGHEST_RATE = 100_000;

/** Reads `column=value` pairs: a number stays one, anything else is a text. Throws UserError (usage). */
export function parseValues(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw usage(`bad value "${pair}": it is a column and what it holds, as in tenant_id=1`);
      const value = pair.slice(at + 1);
      return [pair.slice(0, at), /^-?\d+(?:\.\d+)?$/.test(value) ? value : quoteString(value)];
    }),
  );
}

/** Throws UserError (usage) for a workload that makes no sense. */
export function checkSpec(spec: WorkloadSpec): void {
  const { writers, readers, rate, readRate = rate, forMs, timeoutMs } = spec;
  checkCount('--writers', writers);
  checkCount('--readers', readers);
  if (writers + readers === 0) throw usage('a workload needs a writer or a reader', 'switchtraffic workload --writers 4 --rate 50/s');
  for (const one of [rate, readRate]) {
    if (!(one > 0 && one <= HIGHEST_RATE)) throw usage(`a rate must be above 0 and at most ${HIGHEST_RATE}/s`);
  }
  if (forMs !== undefined && !(forMs > 0)) throw usage(`--for ${formatDuration(forMs)} leaves no time`);
  if (timeoutMs !== undefined && !(timeoutMs > 0)) throw usage(`--timeout ${formatDuration(timeoutMs)} leaves no time`);
}

function checkCount(flag: string, count: number): void {
  if (Number.isInteger(count) && count >= 0 && count <= MOST_CLIENTS) return;
  throw usage(`${flag} must be a number from 0 to ${MOST_CLIENTS}`);
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Reads a rate: `50/s`, `3000/m`, `0.5/s`; statements per second. Throws UserError (usage). */
export function parseRate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\/([smh])$/.exec(text.trim());
  const rate = Number(match?.[1]) / (UNITS[match?.[2] ?? ''] ?? Number.NaN);
  if (Number.isFinite(rate)) return rate;
  throw usage(`bad rate "${text}": it is a number of statements per second, minute or hour, as in 50/s or 3000/m`);
}

function usage(text: string, next?: string): UserError {
  return new UserError(text, { exit: 2, ...(next === undefined ? {} : { next }) });
}
