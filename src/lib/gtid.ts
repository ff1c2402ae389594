/**
 * Positions in a binlog: sets of MySQL transaction ids, `MySQL56/<server uuid>:1-5`.
 *
 * Vitess: go/mysql/replication/mysql56_gtid_set.go and replication_position.go. A position never changes; adding
 * to one gives another. Streams do that for every transaction, so the usual position (one server, one interval)
 * is read and printed without taking anything apart, and every position remembers its text.
 */
import { InvariantError, plainError, vtError, wrapError } from './errors.ts';
import { goQuote } from './go-quote.ts';
import { parseHex } from './key-range.ts';

/** Transactions `start` to `end`, both included. */
export interface GtidInterval {
  readonly start: number;
  readonly end: number;
}

/** The transactions of one server: intervals in order, with gaps between them. */
interface ServerTransactions {
  readonly uuid: string;
  readonly intervals: readonly GtidInterval[];
}

const PREFIX = 'MySQL56/';
/** The usual position, in the form it is stored in. */
const SIMPLE =
  /^(?:MySQL56\/)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}):(\d{1,15})(?:-(\d{1,15}))?$/;

/** An immutable set of transaction ids. Made by parsePosition, and by add from another. */
export class Position {
  /** One element per server, sorted by uuid. */
  readonly servers: readonly ServerTransactions[];
  #text: string | undefined;

  constructor(servers: readonly ServerTransactions[]) {
    this.servers = servers;
  }

  /** With the flavour, as positions are stored; '' for the empty one. */
  toString(): string {
    this.#text ??= this.servers.length === 0 ? '' : PREFIX + this.servers.map(serverText).join(',');
    return this.#text;
  }
}

function serverText({ uuid, intervals }: ServerTransactions): string {
  let text = uuid;
  for (const { start, end } of intervals) text += start === end ? `:${start}` : `:${start}-${end}`;
  return text;
}

/** The position before the first transaction. Vitess keeps it as the empty text. */
export const EMPTY_POSITION = new Position([]);

/** True when no transaction is in the position. */
export function isEmptyPosition(position: Position): boolean {
  return position.servers.length === 0;
}

/** Prints a position with its flavour: `MySQL56/<uuid>:1-5`. Vitess: EncodePosition. */
export function formatPosition(position: Position): string {
  return position.toString();
}

/** Prints a position without its flavour, as MySQL itself does: `<uuid>:1-5`. */
export function formatGtidSet(position: Position): string {
  return position.toString().slice(PREFIX.length);
}

/** Texts read before. The same few positions are read again and again; cleared when it is full. */
const parsed = new Map<string, Position>();
const PARSED_LIMIT = 256;

/**
 * Reads a position, with or without the flavour in front. Neighbouring intervals become one, which Vitess leaves
 * to MySQL; an interval that ends before it starts is ignored.
 *
 * @throws VtError `parse error: unknown GTIDSet flavor "X"`, `invalid MySQL 5.6 GTID set ("X"): …`
 */
export function parsePosition(text: string): Position {
  if (text === '') return EMPTY_POSITION;
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const position = parseSimple(text) ?? parseGtidSet(text);
  if (parsed.size >= PARSED_LIMIT) parsed.clear();
  parsed.set(text, position);
  return position;
}

function parseSimple(text: string): Position | undefined {
  const [, uuid, first, last] = SIMPLE.exec(text) ?? [];
  if (uuid === undefined || first === undefined) return undefined;
  const start = Number(first);
  const end = last === undefined ? start : Number(last);
  // Odd forms, such as 5-3, take the long way.
  return start < 1 || end < start ? undefined : new Position([{ uuid, intervals: [{ start, end }] }]);
}

function parseGtidSet(text: string): Position {
  const slash = text.indexOf('/');
  const flavor = slash < 0 ? 'MySQL56' : text.slice(0, slash);
  if (flavor !== 'MySQL56') throw vtError('INTERNAL', `parse error: unknown GTIDSet flavor ${goQuote(flavor)}`);
  const set = text.slice(slash + 1);
  const byServer = new Map<string, GtidInterval[]>();
  for (const part of set.split(',')) {
    const trimmed = part.trim();
    if (trimmed === '') continue;
    const [head = '', ...rest] = trimmed.split(':');
    if (rest.length === 0) throw vtError('INTERNAL', `invalid MySQL 5.6 GTID set (${goQuote(set)}): expected uuid:interval`);
    try {
      const uuid = parseServerUuid(head);
      const intervals = rest.filter((word, i) => word !== '' || i < rest.length - 1).map(parseInterval);
      byServer.set(uuid, [...(byServer.get(uuid) ?? []), ...intervals.filter(({ start, end }) => start <= end)]);
    } catch (error) {
      throw wrapError(error, `invalid MySQL 5.6 GTID set (${goQuote(set)})`);
    }
  }
  const servers = [...byServer].map(([uuid, intervals]) => ({ uuid, intervals: mergeIntervals(intervals) }));
  return new Position(servers.filter(({ intervals }) => intervals.length > 0).sort(byUuid));
}

function byUuid(a: ServerTransactions, b: ServerTransactions): number {
  return a.uuid < b.uuid ? -1 : a.uuid > b.uuid ? 1 : 0;
}

/**
 * Checks the uuid of a server and returns it in lower case. Vitess: ParseSID.
 *
 * @throws VtError `invalid MySQL 5.6 SID "X"`
 */
export function parseServerUuid(text: string): string {
  const message = `invalid MySQL 5.6 SID ${goQuote(text)}`;
  const groups = text.split('-');
  if (groups.map((group) => group.length).join() !== '8,4,4,4,12') throw vtError('INTERNAL', message);
  try {
    parseHex(groups.join(''));
  } catch (error) {
    throw wrapError(error, message);
  }
  return text.toLowerCase();
}

function parseInterval(text: string): GtidInterval {
  const message = `invalid interval (${goQuote(text)})`;
  const dash = text.indexOf('-');
  const start = parseSequence(dash < 0 ? text : text.slice(0, dash), message);
  if (start < 1) throw vtError('INTERNAL', `${message}: start must be > 0`);
  return { start, end: dash < 0 ? start : parseSequence(text.slice(dash + 1), message) };
}

/** A transaction number. MySQL's go to 2^63; a number that a double cannot hold is out of range here. */
function parseSequence(text: string, message: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : undefined;
  if (value !== undefined && Number.isSafeInteger(value)) return value;
  const reason = value === undefined ? 'invalid syntax' : 'value out of range';
  throw wrapError(plainError(`strconv.ParseUint: parsing ${goQuote(text)}: ${reason}`), message);
}

function mergeIntervals(intervals: readonly GtidInterval[]): GtidInterval[] {
  const merged: GtidInterval[] = [];
  for (const interval of intervals.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last === undefined || interval.start > last.end + 1) merged.push(interval);
    else if (interval.end > last.end) merged[merged.length - 1] = { start: last.start, end: interval.end };
  }
  return merged;
}

/**
 * The position after transaction `sequence` of this server; the same object when it was in there already.
 *
 * @param uuid of the server that committed it, lower case, as parseServerUuid returns it
 * @param sequence 1 or more
 * @throws InvariantError when `sequence` is no such number
 */
export function addTransaction(position: Position, uuid: string, sequence: number): Position {
  if (!Number.isSafeInteger(sequence) || sequence < 1) throw new InvariantError(`bad transaction number ${sequence}`);
  const only = position.servers[0];
  if (position.servers.length === 1 && only?.uuid === uuid) {
    const intervals = withSequence(only.intervals, sequence);
    return intervals === only.intervals ? position : new Position([{ uuid, intervals }]);
  }
  const present = position.servers.find((server) => server.uuid === uuid);
  const intervals = withSequence(present?.intervals ?? [], sequence);
  if (intervals === present?.intervals) return position;
  const others = position.servers.filter((server) => server !== present);
  return new Position([...others, { uuid, intervals }].sort(byUuid));
}

function withSequence(intervals: readonly GtidInterval[], sequence: number): readonly GtidInterval[] {
  const last = intervals.at(-1);
  // Nearly always the next in line.
  if (intervals.length === 1 && last?.end === sequence - 1) return [{ start: last.start, end: sequence }];
  if (intervals.some(({ start, end }) => start <= sequence && sequence <= end)) return intervals;
  return mergeIntervals([...intervals, { start: sequence, end: sequence }]);
}

/** True when every transaction of `b` is in `a`. Vitess: Position.AtLeast. */
export function positionAtLeast(a: Position, b: Position): boolean {
  if (a === b) return true;
  return b.servers.every((wanted) => {
    const have = a.servers.find(({ uuid }) => uuid === wanted.uuid);
    return have !== undefined && covers(have.intervals, wanted.intervals);
  });
}

function covers(have: readonly GtidInterval[], wanted: readonly GtidInterval[]): boolean {
  return wanted.every((want) => have.some(({ start, end }) => start <= want.start && want.end <= end));
}

/** True when both hold the same transactions. */
export function positionsEqual(a: Position, b: Position): boolean {
  return a === b || a.toString() === b.toString();
}
