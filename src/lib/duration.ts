/**
 * Go durations as text. Everywhere else in this program a duration is a number of milliseconds.
 *
 * Go: time.ParseDuration and time.Duration.String. The accepted range is Go's: a signed 64-bit count of
 * nanoseconds, about 292 years either way.
 */
import { InvariantError, plainError } from './errors.ts';

const MAX_NANOS = (1n << 63n) - 1n;
const NANOS_PER_MS = 1_000_000n;

const UNIT_NANOS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  'µs': 1_000n, // U+00B5, micro sign
  'μs': 1_000n, // U+03BC, Greek mu
  ms: NANOS_PER_MS,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** One number with its unit; the unit runs up to the next digit or dot, as Go reads it. */
const TERM = /(\d*)(?:\.(\d*))?([^\d.]*)/y;

/**
 * Reads a Go duration such as `1h30m`, `500ms` or `0`.
 *
 * @returns milliseconds; exact for whole milliseconds, and to the nanosecond while it fits a double
 * @throws VtError (plain) with Go's text: `time: invalid duration "abc"`, `time: missing unit in duration "30"`,
 *   `time: unknown unit "x" in duration "5x"`; a value beyond 64 bits of nanoseconds is `invalid duration`
 */
export function parseDuration(text: string): number {
  const negative = text.startsWith('-');
  const body = negative || text.startsWith('+') ? text.slice(1) : text;
  if (body === '0') return 0;
  if (body === '') throw invalid(text);
  let nanos = 0n;
  TERM.lastIndex = 0;
  while (TERM.lastIndex < body.length) {
    nanos += readTerm(body, text);
    // The most negative duration has no positive counterpart.
    if (nanos > MAX_NANOS + (negative ? 1n : 0n)) throw invalid(text);
  }
  const ms = nanosToMs(nanos);
  return negative && ms !== 0 ? -ms : ms;
}

function readTerm(body: string, whole: string): bigint {
  const [, digits = '', fraction = '', unit = ''] = TERM.exec(body) ?? [];
  if (digits === '' && fraction === '') throw invalid(whole);
  // Go finds this while it reads the digits, before it looks at the unit.
  if (BigInt(digits) > MAX_NANOS + 1n) throw invalid(whole);
  if (unit === '') throw plainError(`time: missing unit in duration ${quote(whole)}`);
  const scale = Object.hasOwn(UNIT_NANOS, unit) ? UNIT_NANOS[unit] : undefined;
  if (scale === undefined) throw plainError(`time: unknown unit ${quote(unit)} in duration ${quote(whole)}`);
  return BigInt(digits) * scale + fractionNanos(fraction, scale);
}

/** Whole nanoseconds in `0.<fraction>` units, cut off rather than rounded. */
function fractionNanos(fraction: string, scale: bigint): bigint {
  // No unit is longer than 10^13 nanoseconds, so later digits cannot matter.
  const digits = fraction.slice(0, 18);
  return digits === '' ? 0n : (BigInt(digits) * scale) / 10n ** BigInt(digits.length);
}

function nanosToMs(nanos: bigint): number {
  return Number(nanos / NANOS_PER_MS) + Number(nanos % NANOS_PER_MS) / 1e6;
}

function invalid(text: string): Error {
  return plainError(`time: invalid duration ${quote(text)}`);
}

/** Package time has a quoting of its own: every byte outside printable ASCII as `\xNN`. */
function quote(text: string): string {
  let out = '"';
  for (const byte of new TextEncoder().encode(text)) {
    if (byte === 0x22 || byte === 0x5c) out += `\\${String.fromCharCode(byte)}`;
    else if (byte < 0x20 || byte >= 0x80) out += `\\x${byte.toString(16).padStart(2, '0')}`;
    else out += String.fromCharCode(byte);
  }
  return `${out}"`;
}

/**
 * Prints a duration as Go does: `1m30s`, `1.5s`, `100ms`, `0s`, `1h0m0s`.
 *
 * @param ms milliseconds, rounded to the nanosecond and held to Go's range
 * @throws InvariantError when `ms` is NaN
 */
export function formatDuration(ms: number): string {
  if (Number.isNaN(ms)) throw new InvariantError('a duration must be a number');
  const nanos = msToNanos(Math.abs(ms));
  const sign = ms < 0 && nanos > 0n ? '-' : '';
  if (nanos < 1_000_000_000n) return sign + formatBelowSecond(nanos);
  const minutes = nanos / 60_000_000_000n;
  const seconds = `${decimal(nanos % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return sign + seconds;
  if (minutes < 60n) return `${sign}${minutes}m${seconds}`;
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function msToNanos(ms: number): bigint {
  if (ms >= Number(MAX_NANOS) / 1e6) return MAX_NANOS;
  const whole = Math.trunc(ms);
  return BigInt(whole) * NANOS_PER_MS + BigInt(Math.round((ms - whole) * 1e6));
}

function formatBelowSecond(nanos: bigint): string {
  if (nanos === 0n) return '0s';
  if (nanos < 1_000n) return `${nanos}ns`;
  if (nanos < NANOS_PER_MS) return `${decimal(nanos, 3)}µs`;
  return `${decimal(nanos, 6)}ms`;
}

/** `value / 10^places` without trailing zeros. */
function decimal(value: bigint, places: number): string {
  const scale = 10n ** BigInt(places);
  const fraction = (value % scale).toString().padStart(places, '0').replace(/0+$/, '');
  return fraction === '' ? `${value / scale}` : `${value / scale}.${fraction}`;
}
