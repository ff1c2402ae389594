/**
 * What a vindex is: the function that says which keyspace id, and so which shard, a row belongs to.
 *
 * Vitess: go/vt/vtgate/vindexes/vindex.go.
 */
import type { KeyRange } from '../lib/key-range.ts';
import type { Hashing } from './hashing.ts';
import type { VindexValue } from './values.ts';

/** The vindex types that Vitess registers, those for its own tests apart. */
export type VindexType =
  | 'binary'
  | 'binary_md5'
  | 'cfc'
  | 'consistent_lookup'
  | 'consistent_lookup_unique'
  | 'hash'
  | 'lookup'
  | 'lookup_hash'
  | 'lookup_hash_unique'
  | 'lookup_unicodeloosemd5_hash'
  | 'lookup_unicodeloosemd5_hash_unique'
  | 'lookup_unique'
  | 'multicol'
  | 'null'
  | 'numeric'
  | 'numeric_static_map'
  | 'region_experimental'
  | 'region_json'
  | 'reverse_bits'
  | 'unicode_loose_md5'
  | 'unicode_loose_xxhash'
  | 'xxhash';

/** One vindex of a keyspace. */
export interface Vindex {
  readonly name: string;
  readonly type: VindexType;
  /** What it costs to use: 0 for none, 1 for hashing, more for a look-up. The cheapest is taken. */
  readonly cost: number;
  /** True when a value has one keyspace id at most. */
  readonly unique: boolean;
  /** True when it reads a table to find the keyspace id. VReplication cannot use such a vindex. */
  readonly needsCursor: boolean;
  /** How many columns it takes. */
  readonly columns: number;
  /** Parameters that it does not know, sorted. They are reported and otherwise ignored. */
  readonly unknownParams: readonly string[];

  /**
   * The keyspace id of a row, from the values of the vindex's columns; undefined when it has none (Vitess:
   * DestinationNone), so that no shard holds it.
   *
   * @throws VtError (plain) for text that cannot be reduced: `UnicodeLooseMD5.Map: …`
   * @throws UserError for a type that is not emulated
   * @throws InvariantError when there are fewer values than columns
   */
  map(values: readonly VindexValue[]): Uint8Array | undefined;

  /**
   * True when the row has this keyspace id.
   *
   * @throws VtError where a value is unusable: `cannot parse uint64 from "aa"`
   */
  verify(values: readonly VindexValue[], id: Uint8Array): boolean;

  /** The range that rows starting with these values are in; undefined when there is none. Only some vindexes. */
  readonly mapPrefix?: (values: readonly VindexValue[]) => KeyRange | undefined;

  /**
   * The range from one value to another, for BETWEEN. Only `binary` and `numeric`.
   *
   * @throws VtError where a value is unusable
   */
  readonly mapBetween?: (from: VindexValue, to: VindexValue) => KeyRange;

  /** The hash of one value, for `multicol` to take bytes from. All vindexes on one column, save `null`. */
  readonly hash?: Hashing;

  /**
   * The value that has this keyspace id. Only reversible vindexes.
   *
   * @throws VtError (plain): `invalid keyspace id: HEX`, `Numeric.ReverseMap: length of keyspaceId is not 8: N`,
   *   `Binary.ReverseMap: keyspaceId is nil`
   */
  readonly reverseMap?: (id: Uint8Array | undefined) => bigint | Uint8Array;
}

/** The parameters of a vindex, as the VSchema has them. */
export type VindexParams = Readonly<Record<string, string>>;

/** The parameters that are not among the known ones, sorted. Vitess: FindUnknownParams. */
export function findUnknownParams(params: VindexParams, known: readonly string[]): string[] {
  return Object.keys(params)
    .filter((name) => !known.includes(name))
    .toSorted();
}
