/** MySQL's CONVERT_TZ: datetimes from one time zone to another. Vitess: none; MySQL: sql/tztime.cc. */

/** Minutes east of UTC at a moment (epoch milliseconds). */
type Zone = (at: number) => number;

const zones = new Map<string, Zone | undefined>();

const OFFSET = /^([+-])(\d{1,2}):(\d{2})$/;

/** A zone by its name (`US/Pacific`, in any case of letters) or offset (`+05:30`); undefined for one that there is not. */
function findZone(name: string): Zone | undefined {
  const known = zones.get(name);
  if (known !== undefined || zones.has(name)) return known;
  const zone = makeZone(name);
  zones.set(name, zone);
  return zone;
}

function makeZone(name: string): Zone | undefined {
  const offset = OFFSET.exec(name);
  if (offset !== null) return fixed(offset[1] === '-', Number(offset[2]), Number(offset[3]));
  // What a MySQL server calls its own zone: ours keep UTC.
  if (/^(?:system|utc)$/i.test(name)) return () => 0;
  try {
    // Intl takes offsets and other things for zones too, of which MySQL knows nothing.
    return /^[A-Za-z][\w+-]*(?:\/[\w+-]+)*$/.test(name) ? named(name) : undefined;
  } catch {
    return undefined;
  }
}

/** From -13:59 to +14:00. */
function fixed(negative: boolean, hours: number, minutes: number): Zone | undefined {
  const total = (negative ? -1 : 1) * (hours * 60 + minutes);
  return minutes > 59 || total < -839 || total > 840 ? undefined : () => total;
}

function named(name: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (at) => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(at)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Math.round((Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000) / 60_000);
  };
}

/** The moment of a local time. One that comes twice is the earlier; one that a clock set forward passes over is when that happened. */
function momentOf(local: number, zone: Zone): number {
  const [before, after] = [zone(local - 86_400_000), zone(local + 86_400_000)];
  const first = local - before * 60_000;
  if (zone(first) === before) return first;
  const second = local - after * 60_000;
  if (zone(second) === after) return second;
  return changeBetween(second, first, zone);
}

/** The first moment, to the second, at which the zone is what it is at `to`. */
function changeBetween(from: number, to: number, zone: Zone): number {
  let [low, high] = [from, to];
  const wanted = zone(to);
  while (high - low > 1000) {
    const middle = Math.floor((low + high) / 2000) * 1000;
    if (zone(middle) === wanted) high = middle;
    else low = middle;
  }
  return high;
}

const DATETIME = /^(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2})(\.\d+)?$/;
/** MySQL converts what is a TIMESTAMP in the first zone, and gives back the rest as it is. */
const LAST = Date.UTC(3001, 0, 18, 23, 59, 59);

/** True if a zone is known by this name. */
export function isTimeZone(name: string): boolean {
  return findZone(name) !== undefined;
}

/**
 * A datetime (`YYYY-MM-DD HH:MM:SS[.f]`) of one zone in another; null where a zone is not known or the text is no datetime.
 * Beyond 1970 and 3001 it stays what it is.
 */
export function convertTz(text: string, from: string, to: string): string | null {
  const [source, target] = [findZone(from), findZone(to)];
  const found = DATETIME.exec(text);
  if (source === undefined || target === undefined || found === null) return null;
  const [, year, month, day, hour, minute, second, fraction = ''] = found;
  if (Number(month) === 0 || Number(day) === 0) return null;
  const local = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const at = momentOf(local, source);
  if (at < 1000 || at > LAST) return text;
  return `${new Date(at + target(at) * 60_000).toISOString().slice(0, 19).replace('T', ' ')}${fraction}`;
}
