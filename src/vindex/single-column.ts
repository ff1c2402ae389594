/** The vindexes that hash one column. */
import { InvariantError, VtError, errorText, plainError, vtError } from '../lib/errors.ts';
import { idToHex } from '../lib/key-range.ts';
import * as hashing from './hashing.ts';
import { parseNumberMap, parseUint } from './number-map-json.ts';
import { type VindexValue, makeScratch64, writeUint64 } from './values.ts';
import { type Vindex, type VindexParams, type VindexType, findUnknownParams } from './vindex.ts';

/** What makes one functional type differ from another. */
interface Functions {
  readonly hash: hashing.Hashing;
  /** What verifying compares with, where it is not what mapping does. */
  readonly verifyHash?: hashing.Hashing;
  /** Prefix of errors, for the types whose mapping fails on an unusable value; for the others it has no shard. */
  readonly errorPrefix?: string;
  readonly reverseMap?: (id: Uint8Array | undefined) => bigint | Uint8Array;
  /** True when the order of values is the order of their ids. */
  readonly ordered?: boolean;
  /** True when `multicol` may not use it. */
  readonly alone?: boolean;
}

/** The types without parameters. */
export const SINGLE_COLUMN_FUNCTIONS: Partial<Record<VindexType, Functions>> = {
  binary: { hash: hashing.hashBinary, reverseMap: hashing.unhashBinary, ordered: true },
  binary_md5: { hash: hashing.hashMd5 },
  hash: { hash: hashing.hashInteger, verifyHash: hashing.hashUnsigned, reverseMap: hashing.unhash },
  null: { hash: hashing.hashNull, alone: true },
  numeric: { hash: hashing.hashNumeric, reverseMap: hashing.unhashNumeric, ordered: true },
  reverse_bits: { hash: hashing.hashReverseBits, reverseMap: hashing.unhashReverseBits },
  unicode_loose_md5: { hash: hashing.hashUnicodeMd5, errorPrefix: 'UnicodeLooseMD5' },
  unicode_loose_xxhash: { hash: hashing.hashUnicodeXxhash, errorPrefix: 'UnicodeLooseXXHash' },
  xxhash: { hash: hashing.hashXxhash },
};

/** What every vindex says of itself. */
export type VindexHead = Pick<Vindex, 'name' | 'type' | 'cost' | 'unique' | 'unknownParams'>;

/** Makes a vindex on one column from its functions. */
export function makeSingleColumn(head: VindexHead, functions: Functions): Vindex {
  const { hash, reverseMap, errorPrefix } = functions;
  const fail = (call: string, error: VtError): VtError =>
    errorPrefix === undefined ? error : plainError(`${errorPrefix}.${call}: ${errorText(error)}`);
  const usable = (value: VindexValue): Uint8Array => orThrow(hash(value));
  return {
    ...head,
    needsCursor: false,
    columns: 1,
    ...(functions.alone === true ? {} : { hash }),
    map(values) {
      const id = hash(only(head.name, values));
      if (!(id instanceof VtError)) return id;
      if (errorPrefix !== undefined) throw fail('Map', id);
      return undefined;
    },
    verify(values, id) {
      const own = (functions.verifyHash ?? hash)(only(head.name, values));
      if (own instanceof VtError) throw fail('Verify', own);
      return Buffer.compare(own, id) === 0;
    },
    ...(reverseMap === undefined ? {} : { reverseMap }),
    ...(functions.ordered === true
      ? { mapBetween: (from, to) => ({ start: idToHex(usable(from)), end: idToHex(usable(to)) }) }
      : {}),
  };
}

function only(name: string, values: readonly VindexValue[]): VindexValue {
  const [value] = values;
  if (value === undefined) throw new InvariantError(`vindex ${name} was given no value`);
  return value;
}

function orThrow(result: hashing.HashResult): Uint8Array {
  if (result instanceof VtError) throw result;
  return result;
}

/** The parameters of `numeric_static_map`. */
export const STATIC_MAP_PARAMS = ['json', 'json_path', 'fallback_type'] as const;

/**
 * The hash function of `numeric_static_map`: the number that the map has for a value, else what the fallback type
 * says of it, else the number itself. Vitess: go/vt/vtgate/vindexes/numeric_static_map.go.
 *
 * @param readFile reads the file that `json_path` names
 * @param fallback the hash function of `fallback_type`
 * @throws VtError INVALID_ARGUMENT when not exactly one of `json` and `json_path` is given; those of parseNumberMap
 *   and parseUint
 */
export function staticMapHashing(
  params: VindexParams,
  readFile: (path: string) => string,
  fallback: hashing.Hashing | undefined,
): hashing.Hashing {
  const numbers = loadStaticMap(params, readFile);
  const scratch = makeScratch64();
  return (value) => {
    const error = writeUint64(value, scratch);
    if (error !== undefined) return error;
    const mapped = numbers.get(scratch.view.getBigUint64(0));
    if (mapped === undefined && fallback !== undefined) return fallback(value);
    if (mapped !== undefined) scratch.view.setBigUint64(0, mapped);
    return Uint8Array.from(scratch.bytes);
  };
}

function loadStaticMap(params: VindexParams, readFile: (path: string) => string): Map<bigint, bigint> {
  const { json, json_path: path } = params;
  if (json === undefined && path === undefined) {
    throw vtError(
      'INVALID_ARGUMENT',
      'NumericStaticMap: Could not find either `json_path` or `json` params in vschema',
    );
  }
  if (json !== undefined && path !== undefined) {
    throw vtError('INVALID_ARGUMENT', 'NumericStaticMap: Found both `json` and `json_path` params in vschema');
  }
  const text = json ?? readFile(path ?? '');
  return new Map([...parseNumberMap(text)].map(([from, to]) => [parseUint(from), to]));
}

/** What a vindex of this type says of itself. */
export function headOf(
  name: string,
  type: VindexType,
  info: { readonly cost: number; readonly unique: boolean },
  params: VindexParams,
  known: readonly string[],
): VindexHead {
  return { name, type, cost: info.cost, unique: info.unique, unknownParams: findUnknownParams(params, known) };
}
