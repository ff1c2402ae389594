/**
 * The vindex types there are, and how one of a VSchema is made.
 *
 * Vitess: CreateVindex in go/vt/vtgate/vindexes/vindex.go. Types that read a table are known by cost and kind, so that
 * a VSchema with them is accepted and choosing a vindex passes them by, but they map nothing here.
 */
import { UserError, plainError, vtError } from '../lib/errors.ts';
import { goQuote } from '../lib/go-quote.ts';
import {
  type ColumnHashing,
  MULTICOL_PARAMS,
  REGION_JSON_PARAMS,
  REGION_PARAMS,
  makeMulticol,
  makeRegionExperimental,
  makeRegionJson,
} from './multi-column.ts';
import {
  SINGLE_COLUMN_FUNCTIONS,
  STATIC_MAP_PARAMS,
  type VindexHead,
  headOf,
  makeSingleColumn,
  staticMapHashing,
} from './single-column.ts';
import type { Vindex, VindexParams, VindexType } from './vindex.ts';

/** What is known of a vindex type before one is made. */
export interface VindexTypeInfo {
  /** See Vindex.cost; for `multicol` the sum of its columns' costs, which is not known here. */
  readonly cost: number;
  readonly unique: boolean;
  /** True when a value can be found from its keyspace id. */
  readonly reversible: boolean;
  /** True when it reads a table. */
  readonly needsCursor: boolean;
  /** False for types that are known but map nothing here. */
  readonly emulated: boolean;
  /** The parameters it takes. */
  readonly params: readonly string[];
}

const functional = (cost: number, reversible = false, params: readonly string[] = []): VindexTypeInfo => ({
  cost,
  unique: true,
  reversible,
  needsCursor: false,
  emulated: true,
  params,
});

const CONSISTENT_PARAMS = ['table', 'from', 'to', 'ignore_nulls', 'batch_lookup', 'read_lock', 'write_only', 'no_verify'];
const LOOKUP_PARAMS = [...CONSISTENT_PARAMS, 'autocommit', 'multi_shard_autocommit'];
const LOOKUP_HASH_PARAMS = LOOKUP_PARAMS.filter((name) => name !== 'no_verify');

const lookup = (unique: boolean, params: readonly string[]): VindexTypeInfo => ({
  cost: unique ? 10 : 20,
  unique,
  reversible: false,
  needsCursor: true,
  emulated: false,
  params,
});

/** Every vindex type. */
export const VINDEX_TYPES: Readonly<Record<VindexType, VindexTypeInfo>> = {
  binary: functional(0, true),
  binary_md5: functional(1),
  cfc: { ...functional(1, false, ['hash', 'offsets']), emulated: false },
  consistent_lookup: lookup(false, CONSISTENT_PARAMS),
  consistent_lookup_unique: lookup(true, CONSISTENT_PARAMS),
  hash: functional(1, true),
  lookup: lookup(false, LOOKUP_PARAMS),
  lookup_hash: lookup(false, LOOKUP_HASH_PARAMS),
  lookup_hash_unique: lookup(true, LOOKUP_HASH_PARAMS),
  lookup_unicodeloosemd5_hash: lookup(false, LOOKUP_HASH_PARAMS),
  lookup_unicodeloosemd5_hash_unique: lookup(true, LOOKUP_HASH_PARAMS),
  lookup_unique: lookup(true, LOOKUP_PARAMS),
  multicol: functional(1, false, MULTICOL_PARAMS),
  null: functional(100),
  numeric: functional(0, true),
  numeric_static_map: functional(1, false, STATIC_MAP_PARAMS),
  region_experimental: functional(1, false, REGION_PARAMS),
  region_json: functional(1, false, REGION_JSON_PARAMS),
  reverse_bits: functional(1, true),
  unicode_loose_md5: functional(1),
  unicode_loose_xxhash: functional(1),
  xxhash: functional(1),
};

/** True when Vitess has a vindex type of this name. */
export function isVindexType(type: string): type is VindexType {
  return Object.hasOwn(VINDEX_TYPES, type);
}

/** What making a vindex may need from outside. */
export interface VindexContext {
  /** Reads a file that a parameter names (`json_path`, `region_map`), or throws. */
  readonly readFile?: (path: string) => string;
}

/**
 * Makes a vindex. Parameters it does not know never fail it.
 *
 * @throws VtError (plain) `vindexType "X" not found`; for wrong parameters what Vitess says of them
 * @throws UserError for a parameter that names a file when files cannot be read
 */
export function createVindex(
  name: string,
  type: string,
  params: VindexParams = {},
  context: VindexContext = {},
): Vindex {
  if (!isVindexType(type)) throw plainError(`vindexType ${goQuote(type)} not found`);
  const info = VINDEX_TYPES[type];
  const head = headOf(name, type, info, params, info.params);
  if (!info.emulated) return notEmulated(head, info);
  const single = createSingleColumn(head, params, context);
  if (single !== undefined) return single;
  const readFile = context.readFile ?? cannotRead;
  if (type === 'region_experimental') return makeRegionExperimental(head, params);
  if (type === 'region_json') return makeRegionJson(head, params, readFile);
  // What it does not know itself it hands on to the vindexes of its columns.
  return makeMulticol({ ...head, unknownParams: [] }, params, (column) => columnHashing(column, params, context));
}

function createSingleColumn(head: VindexHead, params: VindexParams, context: VindexContext): Vindex | undefined {
  const functions = SINGLE_COLUMN_FUNCTIONS[head.type];
  if (functions !== undefined) return makeSingleColumn(head, functions);
  if (head.type !== 'numeric_static_map') return undefined;
  const readFile = context.readFile ?? cannotRead;
  const fallbackType = params['fallback_type'];
  const fallback = fallbackType === undefined ? undefined : createVindex(`${head.name}_hash`, fallbackType, {}, context);
  return makeSingleColumn(head, { hash: staticMapHashing(params, readFile, fallback?.hash) });
}

/** A column's part of a `multicol`: a unique vindex with a hash function, which `null` does not offer. */
function columnHashing(type: string, params: VindexParams, context: VindexContext): ColumnHashing {
  const own = Object.fromEntries(
    Object.entries(params).filter(([name]) => !(MULTICOL_PARAMS as readonly string[]).includes(name)),
  );
  const vindex = createVindex(type, type, own, context);
  const { hash } = vindex;
  if (hash === undefined) {
    throw vtError(
      'INVALID_ARGUMENT',
      `multicol vindex supports vindexes that exports hashing function, are unique and are non-lookup vindex, passed vindex '${type}' is invalid`,
    );
  }
  return { hash, cost: vindex.cost };
}

function notEmulated(head: VindexHead, info: VindexTypeInfo): Vindex {
  const refuse = (): never => {
    const why = info.needsCursor ? 'needs a lookup table, which is not emulated' : 'is not emulated';
    throw new UserError(`vindex ${head.name} of type ${head.type} ${why}`, {
      next: 'give the table a functional vindex, such as xxhash or hash, as its first column vindex',
    });
  };
  return { ...head, needsCursor: info.needsCursor, columns: 1, map: refuse, verify: refuse };
}

function cannotRead(path: string): never {
  throw new UserError(`a vindex parameter names the file ${path}, which cannot be read here`, {
    next: 'for numeric_static_map, give the map itself in the parameter json',
  });
}
