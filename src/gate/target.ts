import { errorText, vtError } from '../lib/errors.ts';
import { type KeyRange, parseHex, parseShardingSpec } from '../lib/key-range.ts';
import { parseTabletAlias, parseTabletType, type TabletAlias, type TabletType } from '../lib/names.ts';

/** A part of a keyspace that a person names. */
export type Destination =
  | { kind: 'shard'; shard: string }
  /** Must be exactly one or several shards together. */
  | { kind: 'range'; range: KeyRange }
  /** A keyspace id, in hexadecimal. */
  | { kind: 'id'; id: string };

/** What a target string says. */
export interface Target {
  /** Empty where none is named. */
  keyspace: string;
  tabletType: TabletType;
  destination?: Destination;
  /** The one tablet to use. */
  alias?: TabletAlias;
}

const invalid = (text: string): Error => vtError('INVALID_ARGUMENT', text);

/**
 * Reads `KS[:SHARD|/SHARD][@TYPE[|ALIAS]]` or `KS[RANGE]@TYPE`, from the right. A type that does not exist is UNKNOWN
 * unless a tablet is named with it. Throws INVALID_ARGUMENT.
 * Vitess: go/vt/topo/topoproto/destination.go ParseDestination.
 */
export function parseTarget(text: string, defaultType: TabletType = 'PRIMARY'): Target {
  const at = text.lastIndexOf('@');
  const place = at < 0 ? text : text.slice(0, at);
  const tablet = at < 0 ? { tabletType: defaultType } : parseTablet(text.slice(at + 1));
  const { keyspace, destination } = parsePlace(place);
  if ('alias' in tablet && destination === undefined) throw invalid('tablet alias must be used with a shard');
  return { keyspace, ...tablet, ...(destination === undefined ? {} : { destination }) };
}

function parseTablet(text: string): { tabletType: TabletType; alias?: TabletAlias } {
  if (text === '') throw invalid('empty tablet type after @');
  const bar = text.indexOf('|');
  if (bar < 0) return { tabletType: tabletTypeOf(text) };
  const type = text.slice(0, bar);
  const tabletType = tabletTypeOf(type);
  if (tabletType === 'UNKNOWN') throw invalid(`invalid tablet type in target: ${type}`);
  const alias = text.slice(bar + 1);
  try {
    return { tabletType, alias: parseTabletAlias(alias) };
  } catch {
    throw invalid(`invalid tablet alias in target: ${alias}`);
  }
}

function tabletTypeOf(text: string): TabletType {
  try {
    return parseTabletType(text);
  } catch {
    return 'UNKNOWN';
  }
}

function parsePlace(text: string): { keyspace: string; destination?: Destination } {
  const separator = Math.max(text.lastIndexOf('/'), text.lastIndexOf(':'));
  const shard = separator < 0 ? undefined : text.slice(separator + 1);
  const rest = separator < 0 ? text : text.slice(0, separator);
  const bracket = rest.lastIndexOf('[');
  if (bracket < 0) return shard === undefined ? { keyspace: rest } : { keyspace: rest, destination: { kind: 'shard', shard } };
  const end = rest.lastIndexOf(']');
  if (end < 0) throw invalid("invalid key range provided. Couldn't find range end ']'");
  return { keyspace: rest.slice(0, bracket), destination: parseRange(rest.slice(bracket + 1, end)) };
}

function parseRange(text: string): Destination {
  if (!text.includes('-')) {
    try {
      return { kind: 'id', id: parseHex(text) };
    } catch {
      throw invalid(`expected valid hex in keyspace id ${text}`);
    }
  }
  const ranges = readRanges(text);
  const [range] = ranges;
  if (range === undefined || ranges.length !== 1) throw invalid(`single keyrange expected in ${text}`);
  return { kind: 'range', range };
}

function readRanges(text: string): KeyRange[] {
  try {
    return parseShardingSpec(text);
  } catch (error) {
    throw invalid(errorText(error));
  }
}
