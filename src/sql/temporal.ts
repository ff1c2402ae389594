/** Dates and times as text in MySQL's own form, which also sorts as they do (negative and three-digit times apart). */

/** A point in time without zone; `micros` within the second. */
interface Moment {
  year: number;
  month: number;
  day: number;
  seconds: number;
  micros: number;
}

const DELIMITED =
  /^\s*(\d{1,4})[-/.:,](\d{1,2})[-/.:,](\d{1,2})(?:(?:\s+|T)(\d{1,2})(?:[:.-](\d{1,2}))?(?:[:.-](\d{1,2}))?(?:\.(\d*))?)?\s*$/;
const PACKED = /^\s*(\d{2}|\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})(?:\.(\d*))?)?\s*$/;

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
}

/** Two-digit years are 1970 to 2069. */
function fullYear(text: string): number {
  const year = Number(text);
  return text.length > 2 ? year : year + (year < 70 ? 2000 : 1900);
}

/** Microseconds of the digits behind the point, the seventh rounded. */
function microsOf(fraction: string | undefined): number {
  return fraction === undefined || fraction === '' ? 0 : Math.round(Number(`0.${fraction}`) * 1e6);
}

/** A date with or without time; undefined when it is no valid one (a zero date is not, as in strict mode). */
function parseMoment(text: string): Moment | undefined {
  const found = DELIMITED.exec(text) ?? PACKED.exec(text);
  if (found === null) return undefined;
  const [, y = '', mo = '', d = '', h = '0', mi = '0', s = '0', fraction] = found;
  const [year, month, day] = [fullYear(y), Number(mo), Number(d)];
  const [hour, minute, second] = [Number(h), Number(mi), Number(s)];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  return { year, month, day, seconds: hour * 3600 + minute * 60 + second, micros: microsOf(fraction) };
}

const two = (value: number): string => String(value).padStart(2, '0');

function clockText(seconds: number, micros: number, digits: number): string {
  const time = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return digits === 0 ? time : `${time}.${String(micros).padStart(6, '0').slice(0, digits)}`;
}

function dateText(moment: Moment): string {
  return `${String(moment.year).padStart(4, '0')}-${two(moment.month)}-${two(moment.day)}`;
}

/** Microseconds rounded to so many digits; may reach a full second. */
function roundMicros(micros: number, digits: number): number {
  const unit = 10 ** (6 - digits);
  return Math.round(micros / unit) * unit;
}

/** The moment with its microseconds rounded, carried into the date where needed. */
function rounded(moment: Moment, digits: number): Moment {
  const micros = roundMicros(moment.micros, digits);
  if (micros < 1e6) return { ...moment, micros };
  const seconds = moment.seconds + 1;
  if (seconds < 86400) return { ...moment, seconds, micros: 0 };
  const next = new Date(Date.UTC(2000 + (moment.year % 400), moment.month - 1, moment.day + 1));
  const year = moment.year + next.getUTCFullYear() - 2000 - (moment.year % 400);
  return { year, month: next.getUTCMonth() + 1, day: next.getUTCDate(), seconds: 0, micros: 0 };
}

/** `YYYY-MM-DD` of a text MySQL takes as a date (a time behind it is cut off); undefined when it is none. */
export function normalDate(text: string): string | undefined {
  const moment = parseMoment(text);
  return moment === undefined ? undefined : dateText(moment);
}

/** `YYYY-MM-DD HH:MM:SS[.f]` with so many fractional digits, rounded; undefined when it is no datetime. */
export function normalDatetime(text: string, digits: number): string | undefined {
  const moment = parseMoment(text);
  if (moment === undefined) return undefined;
  const exact = rounded(moment, digits);
  return `${dateText(exact)} ${clockText(exact.seconds, exact.micros, digits)}`;
}

/** `[-]HH:MM:SS[.f]`; `out-of-range` beyond ±838:59:59; undefined when it is no time. */
export function normalTime(text: string, digits: number): string | 'out-of-range' | undefined {
  const moment = parseMoment(text);
  if (moment !== undefined && /[-/]|\d{14}/.test(text.trim().slice(1))) {
    const exact = rounded(moment, digits);
    return clockText(exact.seconds, exact.micros, digits);
  }
  const parts = timeParts(text.trim());
  if (parts === undefined) return undefined;
  const micros = roundMicros(parts.micros, digits);
  const seconds = parts.seconds + (micros >= 1e6 ? 1 : 0);
  if (seconds > 838 * 3600 + 59 * 60 + 59) return 'out-of-range';
  return (parts.negative ? '-' : '') + clockText(seconds, micros % 1e6, digits);
}

function timeParts(text: string): { negative: boolean; seconds: number; micros: number } | undefined {
  const colons = /^(-?)(?:(\d{1,2}) )?(\d{1,3}):(\d{1,2})(?::(\d{1,2})(?:\.(\d*))?)?$/.exec(text);
  const packed = /^(-?)()(\d{0,3}?)(\d{0,2}?)(\d{1,2})(?:\.(\d*))?$/.exec(text);
  const found = colons ?? packed;
  if (found === null) return undefined;
  const [, sign, days, hours, minutes, seconds, fraction] = found;
  const [minute, second] = [Number(minutes ?? 0), Number(seconds ?? 0)];
  if (minute > 59 || second > 59) return undefined;
  const total = (Number(days ?? 0) * 24 + Number(hours ?? 0)) * 3600 + minute * 60 + second;
  return { negative: sign === '-', seconds: total, micros: microsOf(fraction) };
}

/** A moment given as `now`, cut (not rounded) to so many fractional digits. */
export function cutDatetime(now: string, digits: number): string {
  const [whole = '', fraction = ''] = now.split('.');
  return digits === 0 ? whole : `${whole}.${fraction.padEnd(6, '0').slice(0, digits)}`;
}

const WHOLE = /^(\d{4})-(\d{2})-(\d{2})(?: (\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?)?$/;

/**
 * A date with a month or day of zero, in the form a column of this type keeps it: what MySQL takes without the modes
 * NO_ZERO_DATE and NO_ZERO_IN_DATE. Undefined for other text, and for a TIMESTAMP that is not zero throughout.
 */
export function zeroMoment(text: string, type: string, digits: number): string | undefined {
  const found = /^(?:date|datetime|timestamp)$/.test(type) ? WHOLE.exec(text) : null;
  if (found === null) return undefined;
  const [, year = '', month = '', day = '', h = '00', m = '00', s = '00', fraction = ''] = found;
  const zero = (month === '00' || day === '00') && month <= '12' && day <= '31' && h < '24' && m < '60' && s < '60';
  if (!zero) return undefined;
  if (type === 'timestamp' && /[1-9]/.test(text)) return undefined;
  const date = `${year}-${month}-${day}`;
  if (type === 'date') return date;
  return `${date} ${h}:${m}:${s}${digits === 0 ? '' : `.${fraction.padEnd(6, '0').slice(0, digits)}`}`;
}

const CODES = { zero: 0x30, dash: 0x2d, space: 0x20, colon: 0x3a };

function pair(text: string, at: number): number {
  const tens = text.charCodeAt(at) - CODES.zero;
  const ones = text.charCodeAt(at + 1) - CODES.zero;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

/**
 * True for text that a DATE, DATETIME or TIMESTAMP without fraction surely keeps as it is. False may be either: days
 * from the 29th and years at the edges are left to the full rules.
 */
export function plainMoment(text: string, type: string): boolean {
  if (text.length !== (type === 'date' ? 10 : 19)) return false;
  if (text.charCodeAt(4) !== CODES.dash || text.charCodeAt(7) !== CODES.dash) return false;
  const [century, year, month, day] = [pair(text, 0), pair(text, 2), pair(text, 5), pair(text, 8)];
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > 28) return false;
  if (type === 'timestamp' ? !(century === 20 && year < 38) : century < 10) return false;
  if (type === 'date') return true;
  if (text.charCodeAt(10) !== CODES.space || text.charCodeAt(13) !== CODES.colon || text.charCodeAt(16) !== CODES.colon) return false;
  const [hour, minute, second] = [pair(text, 11), pair(text, 14), pair(text, 17)];
  return hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60;
}
