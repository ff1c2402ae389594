/** The vindexes over several columns, whose ids can be known in part from the first columns alone. */
import { InvariantError, VtError, plainError, vtError } from '../lib/errors.ts';
import { goQuote } from '../lib/go-quote.ts';
import { type KeyRange, idToHex } from '../lib/key-range.ts';
import { type HashResult, type Hashing, hashUnsigned } from './hashing.ts';
import { parseNumberMap } from './number-map-json.ts';
import type { VindexHead } from './single-column.ts';
import { type VindexValue, makeScratch64, toText, writeUint64 } from './values.ts';
import type { Vindex, VindexParams } from './vindex.ts';

/** Ids, or what is known of them, from the values of the first columns. */
type PrefixHashing = (values: readonly VindexValue[]) => HashResult;

function makeMultiColumn(
  head: VindexHead,
  columns: number,
  hash: PrefixHashing,
  options: { readonly partial: boolean; readonly verifyFails: boolean },
): Vindex {
  const full = (values: readonly VindexValue[]): HashResult => {
    if (values.length < columns) {
      throw new InvariantError(`vindex ${head.name} takes ${columns} values, not ${values.length}`);
    }
    return hash(values);
  };
  return {
    ...head,
    needsCursor: false,
    columns,
    map(values) {
      const id = full(values);
      return id instanceof VtError ? undefined : id;
    },
    verify(values, id) {
      const own = full(values);
      if (own instanceof VtError && options.verifyFails) throw own;
      return !(own instanceof VtError) && Buffer.compare(own, id) === 0;
    },
    ...(options.partial ? { mapPrefix: (values) => prefixRange(hash(values)) } : {}),
  };
}

/** From a prefix to the next one of the same length. Vitess: NewKeyRangeFromPrefix. */
function prefixRange(prefix: HashResult): KeyRange | undefined {
  if (prefix instanceof VtError) return undefined;
  const start = idToHex(prefix);
  const next = BigInt(`0x${start || '0'}`) + 1n;
  const end = next.toString(16).padStart(start.length, '0');
  // After the last prefix there is none, and the range is open.
  return { start, end: end.length > start.length ? '' : end };
}

/** The parameters that `multicol` takes for itself. */
export const MULTICOL_PARAMS = ['column_count', 'column_bytes', 'column_vindex'] as const;

/** A vindex that `multicol` can use on one column. */
export interface ColumnHashing {
  readonly hash: Hashing;
  readonly cost: number;
}

/**
 * Makes a `multicol`: the first bytes of each column's own hash, put together. Vitess: go/vt/vtgate/vindexes/multicol.go.
 *
 * @param hashingOf gives the vindex for one column by type; throws where the type does not exist or cannot be used
 * @throws VtError INVALID_ARGUMENT when the parameters do not fit together
 */
export function makeMulticol(
  head: VindexHead,
  params: VindexParams,
  hashingOf: (type: string) => ColumnHashing,
): Vindex {
  const count = columnCount(params);
  const bytes = columnBytes(params, count);
  const vindexes = columnTypes(params, count).map(hashingOf);
  const cost = vindexes.reduce((sum, vindex) => sum + vindex.cost, 0);
  const hash: PrefixHashing = (values) => {
    if (values.length > count) {
      return vtError(
        'INTERNAL',
        `[BUG] wrong number of column values were passed: maximum allowed ${count}, got ${values.length}`,
      );
    }
    return joinHashes(values, vindexes, bytes);
  };
  return makeMultiColumn({ ...head, cost }, count, hash, { partial: true, verifyFails: true });
}

function joinHashes(
  values: readonly VindexValue[],
  vindexes: readonly ColumnHashing[],
  bytes: readonly number[],
): HashResult {
  const id: number[] = [];
  let used = 0;
  for (const [column, value] of values.entries()) {
    const part = vindexes[column]?.hash(value);
    if (part === undefined || part instanceof VtError) return part ?? plainError('no such column');
    // A short hash does not move the next column forward.
    while (id.length < used) id.push(0);
    const width = bytes[column] ?? 0;
    id.push(...part.subarray(0, width));
    used += width;
  }
  return Uint8Array.from(id);
}

function columnCount(params: VindexParams): number {
  const text = params['column_count'];
  if (text === undefined) {
    throw vtError('INVALID_ARGUMENT', "number of columns not provided in the parameter 'column_count'");
  }
  const count = parseInteger(text);
  if (count < 1 || count > 8) {
    throw vtError('INVALID_ARGUMENT', "number of columns should be between 1 and 8 in the parameter 'column_count'");
  }
  return count;
}

/** Columns without a number of bytes share what is left of eight, the first ones getting more. */
function columnBytes(params: VindexParams, count: number): number[] {
  const given = params['column_bytes']?.split(',') ?? [];
  if (given.length > count) {
    throw vtError(
      'INVALID_ARGUMENT',
      "number of column bytes provided are more than column count in the parameter 'column_bytes'",
    );
  }
  const bytes = Array.from({ length: count }, (_, i) => (given[i] ? parseInteger(given[i]) : undefined));
  let left = bytes.reduce<number>((sum, width) => sum - (width ?? 0), 8);
  let pending = bytes.filter((width) => width === undefined).length;
  if (pending > left) {
    throw vtError(
      'INVALID_ARGUMENT',
      "column bytes count exceeds the keyspace id length (total bytes count cannot exceed 8 bytes) in the parameter 'column_bytes'",
    );
  }
  return bytes.map((width) => {
    if (width !== undefined) return width;
    const share = Math.ceil(left / pending);
    left -= share;
    pending--;
    return share;
  });
}

function columnTypes(params: VindexParams, count: number): string[] {
  const given = params['column_vindex']?.split(',') ?? [];
  if (given.length > count) {
    throw vtError(
      'INVALID_ARGUMENT',
      "number of vindex function provided are more than column count in the parameter 'column_vindex'",
    );
  }
  return Array.from({ length: count }, (_, i) => given[i]?.trim() || 'hash');
}

/** Go's strconv.Atoi. */
function parseInteger(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw plainError(`strconv.Atoi: parsing ${goQuote(text)}: invalid syntax`);
  return Number(text);
}

/** The parameters of `region_experimental`. */
export const REGION_PARAMS = ['region_bytes'] as const;

/**
 * Makes a `region_experimental`: the low one or two bytes of the first column, then the hash of the second.
 * Vitess: go/vt/vtgate/vindexes/region_experimental.go.
 *
 * @throws VtError INVALID_ARGUMENT: `region_experimental missing region_bytes param`, `region_bytes must be 1 or 2: N`
 */
export function makeRegionExperimental(head: VindexHead, params: VindexParams): Vindex {
  const text = params['region_bytes'];
  if (text === undefined) throw vtError('INVALID_ARGUMENT', 'region_experimental missing region_bytes param');
  if (text !== '1' && text !== '2') throw vtError('INVALID_ARGUMENT', `region_bytes must be 1 or 2: ${text}`);
  const width = Number(text);
  const scratch = makeScratch64();
  const hash: PrefixHashing = ([region = null, ...rest]) => {
    if (rest.length > 1) return plainError('too many values');
    const error = writeUint64(region, scratch);
    if (error !== undefined) return error;
    const prefix = Uint8Array.from(scratch.bytes.subarray(8 - width));
    return rest[0] === undefined ? prefix : prefixed(prefix, hashUnsigned(rest[0]));
  };
  return makeMultiColumn(head, 2, hash, { partial: true, verifyFails: false });
}

/** The parameters of `region_json`. */
export const REGION_JSON_PARAMS = ['region_bytes', 'region_map'] as const;

/**
 * Makes a `region_json`: the number that a file gives for the second column, then the hash of the first.
 * Vitess: go/vt/vtgate/vindexes/region_json.go.
 *
 * @param readFile reads the file that `region_map` names
 * @throws VtError (plain): `region_bytes must be 1 or 2: N`, and those of parseNumberMap
 */
export function makeRegionJson(head: VindexHead, params: VindexParams, readFile: (path: string) => string): Vindex {
  const regions = parseNumberMap(readFile(params['region_map'] ?? ''));
  const width = parseInteger(params['region_bytes'] ?? '');
  if (width !== 1 && width !== 2) throw plainError(`region_bytes must be 1 or 2: ${width}`);
  const scratch = makeScratch64();
  const hash: PrefixHashing = ([value = null, country = null, ...rest]) => {
    const region = regions.get(toText(country));
    if (region === undefined || rest.length > 0) return plainError('no such region');
    scratch.view.setBigUint64(0, region);
    return prefixed(Uint8Array.from(scratch.bytes.subarray(8 - width)), hashUnsigned(value));
  };
  return makeMultiColumn(head, 2, hash, { partial: false, verifyFails: false });
}

function prefixed(prefix: Uint8Array, hash: HashResult): HashResult {
  return hash instanceof VtError ? hash : Buffer.concat([prefix, hash]);
}
