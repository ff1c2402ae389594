/**
 * An instant (milliseconds since the epoch, UTC) in the layouts that Vitess prints. Go: package time.
 */

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Go's RFC822: `27 Mar 26 23:29 UTC`. Used in the headings of dry runs. */
export function formatRfc822(epochMs: number): string {
  const at = new Date(epochMs);
  const year = two(at.getUTCFullYear() % 100);
  return `${two(at.getUTCDate())} ${monthName(at)} ${year} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())} UTC`;
}

/** Go's RFC3339, to the second: `2026-03-27T19:29:27Z`. */
export function formatRfc3339(epochMs: number): string {
  return `${dateTime(new Date(epochMs))}Z`;
}

/** MySQL's datetime in UTC, which is also how VDiff writes times: `2026-03-27 19:29:27`. */
export function formatDateTime(epochMs: number): string {
  return dateTime(new Date(epochMs)).replace('T', ' ');
}

/** The instant of such a text, in milliseconds; NaN for any other. */
export function parseDateTime(text: string): number {
  return /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text) ? Date.parse(`${text.replace(' ', 'T')}Z`) : Number.NaN;
}

/**
 * Go's RFC3339Nano: as RFC3339, with the fraction of the second down to nanoseconds where there is one, without
 * trailing zeros: `2026-03-27T19:29:27.5Z`.
 */
export function formatRfc3339Nano(epochMs: number): string {
  const wholeMs = Math.floor(epochMs);
  const nanos = Math.min(Math.round((epochMs - wholeMs) * 1e6), 999_999);
  const at = new Date(wholeMs);
  const digits = String(at.getUTCMilliseconds()).padStart(3, '0') + String(nanos).padStart(6, '0');
  const fraction = digits.replace(/0+$/, '');
  return `${dateTime(at)}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** Go's ANSIC, the day padded with a space: `Thu Oct 30 13:05:02 2025`, `Mon Jun  1 00:00:00 2026`. */
export function formatAnsic(epochMs: number): string {
  const at = new Date(epochMs);
  const day = String(at.getUTCDate()).padStart(2, ' ');
  return `${DAYS[at.getUTCDay()] ?? ''} ${monthName(at)} ${day} ${clock(at)} ${four(at.getUTCFullYear())}`;
}

/** The instant as the number `yyyymmddhhmmss`, which is what MySQL's `now()+0` gives: 20260327192927. */
export function compactTimestamp(epochMs: number): number {
  return Number(dateTime(new Date(epochMs)).replace(/\D/g, ''));
}

/** How Vitess's log lines begin, behind the letter of their level: `0327 19:29:27.012000`, to the microsecond. */
export function formatLogTime(epochMs: number): string {
  const at = new Date(epochMs);
  const micros = Math.floor((epochMs - Math.floor(epochMs)) * 1000);
  const fraction = String(at.getUTCMilliseconds()).padStart(3, '0') + String(micros).padStart(3, '0');
  return `${two(at.getUTCMonth() + 1)}${two(at.getUTCDate())} ${clock(at)}.${fraction}`;
}

function dateTime(at: Date): string {
  return `${four(at.getUTCFullYear())}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}T${clock(at)}`;
}

function clock(at: Date): string {
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
}

function monthName(at: Date): string {
  return MONTHS[at.getUTCMonth()] ?? '';
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function four(value: number): string {
  return String(value).padStart(4, '0');
}
