import { parse } from 'yaml';
import { formatKeyRange, idToHex, type KeyRange } from '../../../src/lib/key-range.ts';
import { validateShardName } from '../../../src/lib/names.ts';
import { shardOfId } from '../../../src/gate/shards.ts';
import { createVindex } from '../../../src/vindex/registry.ts';
import { unicodeLooseKey } from '../../../src/vindex/unicode-loose.ts';
import type { VindexValue } from '../../../src/vindex/values.ts';
import type { Vindex, VindexParams } from '../../../src/vindex/vindex.ts';
import { type Outcome, outcome, readError, readErrorEntry, readResults, same, succeeded } from '../compare.ts';
import { type Adapter, type Case, type Check, type Fields, isMap, shown, Skipped, texts } from '../fields.ts';

/** Fields of `given` that are parameters of the vindex under the same name. */
const PARAMS = ['column_count', 'column_bytes', 'column_vindex', 'region_bytes', 'fallback_type', 'json'];

/** The vindex that `given` names, with what of its parameters stands beside. */
function givenVindex(given: Fields): (more?: VindexParams) => Vindex {
  const type = given.str('vindex');
  const params: Record<string, string> = {};
  for (const name of PARAMS) if (given.has(name)) params[name] = text(given.raw(name));
  if (given.has('params')) Object.assign(params, textMap(given.raw('params'), 'given.params'));
  if (given.has('map')) params['json'] = mapJson(given.raw('map'));
  return (more = {}) => createVindex(type, type, { ...params, ...more });
}

/** A map of numbers as JSON; numbers past 2^53 stand as texts in a case. */
function mapJson(value: unknown): string {
  if (!isMap(value)) throw new Skipped(`given.map is no mapping: ${shown(value)}`);
  return `{${Object.entries(value).map(([key, number]) => `${JSON.stringify(key)}:${text(number)}`).join(',')}}`;
}

function text(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new Skipped(`a text or a number was expected: ${shown(value)}`);
}

function textMap(value: unknown, what: string): VindexParams {
  if (!isMap(value)) throw new Skipped(`${what} is no mapping: ${shown(value)}`);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, text(one)]));
}

/** A value as a case writes it: text, null, or `{int|uint|float|string|bytes|hex|sql: …}`. */
function vindexValue(value: unknown): VindexValue {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (!isMap(value) || Object.keys(value).length !== 1) throw new Skipped(`not a value of a column: ${shown(value)}`);
  const [[kind, inner]] = Object.entries(value) as [[string, unknown]];
  const written = text(inner);
  if (kind === 'int' || kind === 'uint') {
    if (!/^-?\d+$/.test(written)) throw new Skipped(`not a whole number: ${shown(value)}`);
    return BigInt(written);
  }
  if (kind === 'float') return Number(written);
  if (kind === 'string') return written;
  if (kind === 'bytes') return Buffer.from(written);
  if (kind === 'hex') return hexBytes(written);
  if (kind === 'sql') return hexLiteral(written);
  throw new Skipped(`not a value of a column: ${shown(value)}`);
}

function hexLiteral(written: string): Uint8Array {
  const digits = /^(?:[xX]'([0-9a-fA-F]*)'|0x([0-9a-fA-F]+))$/.exec(written);
  if (digits === null) throw new Skipped(`not a hexadecimal literal: ${written}`);
  return hexBytes(digits[1] ?? digits[2] ?? '');
}

function hexBytes(digits: string): Uint8Array {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(digits)) throw new Skipped(`not hexadecimal: ${digits}`);
  return Buffer.from(digits, 'hex');
}

/** The columns of one input: a list for a vindex of several, a value for one. */
const columnsOf = (input: unknown): VindexValue[] => (Array.isArray(input) ? input.map(vindexValue) : [vindexValue(input)]);

/** What mapping gives, as a case writes it: an id in hexadecimal, a range, or null. */
function mapped(vindex: Vindex, values: readonly VindexValue[]): unknown {
  if (values.length < vindex.columns && vindex.mapPrefix !== undefined) {
    const range = vindex.mapPrefix(values);
    return range === undefined ? null : { key_range: formatKeyRange(range) };
  }
  const id = vindex.map(values);
  return id === undefined ? null : idToHex(id);
}

function mapAll(make: () => Vindex, inputs: readonly VindexValue[][], check: (results: readonly Outcome<unknown>[]) => void): () => void {
  return () => {
    const vindex = make();
    check(inputs.map((values) => outcome(() => mapped(vindex, values))));
  };
}

/** The lists of results that a case may give its name to. */
function mapResults(then: Fields, count: number): (results: readonly Outcome<unknown>[]) => void {
  const name = ['keyspace_ids', 'results', 'ids'].find((candidate) => then.has(candidate));
  if (name === undefined) throw new Skipped('then has no keyspace_ids and no results');
  return readResults(then, name, count);
}

/** `map`, and what a case of it may add: reversing, ranges, verifying. */
function readMap({ given, when, then }: Case): Check {
  const make = givenVindex(given);
  const checks: (() => void)[] = [];
  for (const name of ['inputs', 'map_inputs']) {
    if (!when.has(name)) continue;
    const inputs = when.list(name).map(columnsOf);
    checks.push(mapAll(() => make(), inputs, mapResults(then, inputs.length)));
    if (then.has('verify')) checks.push(readVerifyOf(() => make(), inputs, then.map('verify')));
  }
  for (const name of when.names.filter((one) => /^region_bytes_\d+$/.test(one))) {
    const inputs = when.list(name).map(columnsOf);
    const bytes = name.slice('region_bytes_'.length);
    checks.push(mapAll(() => make({ region_bytes: bytes }), inputs, readResults(then, name, inputs.length)));
  }
  if (when.has('reverse_inputs')) checks.push(reverseAll(make, when.list('reverse_inputs'), then, 'reverse_results'));
  if (when.has('range_input')) checks.push(rangeCheck(make, when.list('range_input'), then, 'range_result'));
  if (checks.length === 0) throw new Skipped('when has no inputs');
  return () => checks.forEach((check) => check());
}

function readVerifyOf(make: () => Vindex, inputs: readonly VindexValue[][], verify: Fields): () => void {
  const ids = verify.strings('ids').map(hexBytes);
  if (ids.length > inputs.length) throw new Skipped(`${verify.path}.ids are more than the inputs`);
  const check = readResults(verify, 'results', ids.length);
  return () => check(ids.map((id, index) => outcome(() => make().verify(inputs[index]!, id))));
}

function reverseAll(make: () => Vindex, inputs: unknown[], then: Fields, name: string): () => void {
  const ids = inputs.map((input) => (input === null ? undefined : hexBytes(text(input))));
  const check = readResults(then, name, ids.length);
  return () => {
    const vindex = make();
    check(ids.map((id) => outcome(() => reversed(vindex, id))));
  };
}

function reversed(vindex: Vindex, id: Uint8Array | undefined): string {
  if (vindex.reverseMap === undefined) throw new Error(`${vindex.type} cannot be reversed`);
  const value = vindex.reverseMap(id);
  return typeof value === 'bigint' ? value.toString() : idToHex(value);
}

function rangeCheck(make: () => Vindex, ends: unknown[], then: Fields, name: string): () => void {
  const [from, to] = ends.map((end) => (typeof end === 'string' && /^0x/i.test(end) ? hexLiteral(end) : vindexValue(end)));
  if (ends.length !== 2 || from === undefined || to === undefined) throw new Skipped('a range has two ends');
  const expected = then.str(name);
  return () => {
    const vindex = make();
    const range: KeyRange | undefined = vindex.mapBetween?.(from, to);
    same(expected, range === undefined ? 'none' : `DestinationKeyRange(${formatKeyRange(range)})`, name);
  };
}

const readReverse = ({ given, when, then }: Case): Check => reverseAll(givenVindex(given), when.list('inputs'), then, 'results');

/** Pairs of a value and an id: hexadecimal, or `xxhash of bytes 9efa`. */
function readVerify({ given, when, then }: Case): Check {
  const make = givenVindex(given);
  const pairs = when.list('inputs').map((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) throw new Skipped(`not a value and an id: ${shown(pair)}`);
    return { values: columnsOf(pair[0]), id: keyspaceId(text(pair[1])) };
  });
  const check = readResults(then, 'results', pairs.length);
  return () => {
    const vindex = make();
    check(pairs.map(({ values, id }) => outcome(() => vindex.verify(values, id))));
  };
}

function keyspaceId(written: string): Uint8Array {
  const words = /^(\w+) of bytes ([0-9a-f]+)$/.exec(written);
  if (words === null) return hexBytes(written);
  const id = createVindex('own', words[1]!).map([hexBytes(words[2]!)]);
  if (id === undefined) throw new Skipped(`no id: ${written}`);
  return id;
}

/** `verify bytes 'aa' / reverse map of 2-byte id 'aa'`. */
function readBadData({ op, given, then }: Case): Check {
  const make = givenVindex(given);
  const [, value = '', bytes, id = ''] = /^verify bytes '([^']*)' \/ reverse map of (\d+)-byte id '([^']*)'$/.exec(op) ?? [];
  if (Buffer.byteLength(id) !== Number(bytes)) throw new Skipped(`${id} has not ${bytes} bytes`);
  const verify = readErrorEntry(then, then.str('verify_error'), 'verify_error');
  const reverse = readErrorEntry(then, then.str('reverse_error'), 'reverse_error');
  return () => {
    const vindex = make();
    verify(outcome(() => vindex.verify([Buffer.from(value)], Buffer.alloc(8))).failure);
    reverse(outcome(() => reversed(vindex, Buffer.from(id))).failure);
  };
}

/** `create vindex`, with a list of parameters for one type. */
function readCreate({ given, when, then }: Case): Check {
  const type = given.str('vindex');
  const all = when.list('params').map((params) => textMap(params, 'when.params'));
  const expected = then.list('errors');
  if (expected.length !== all.length) throw new Skipped('then.errors has not one entry for each of when.params');
  const checks = expected.map((entry, index) => readErrorEntry(then, entry, `errors[${index}]`));
  const unknown = then.has('last_unknown_params') ? then.strings('last_unknown_params') : undefined;
  return () => {
    const results = all.map((params) => outcome(() => createVindex(type, type, params, { readFile: () => '{}' })));
    results.forEach((result, index) => checks[index]!(result.failure));
    if (unknown !== undefined) same(unknown, results.at(-1)?.value?.unknownParams, 'last_unknown_params');
  };
}

/** `create vindex with params {…}`, of several types. */
function readCreateTypes({ op, when, then }: Case): Check {
  const params = textMap(parse(op.slice('create vindex with params '.length)), 'params');
  const types = when.strings('types');
  const error = readError(then);
  const unknown = then.has('unknown_params') ? then.strings('unknown_params') : undefined;
  const unique = then.has('unique') ? then.bool('unique') : undefined;
  const cursor = then.has('needs_vcursor') ? then.bool('needs_vcursor') : undefined;
  const costs = then.has('costs') ? then.raw('costs') : undefined;
  return () => {
    const made: Record<string, number> = {};
    for (const type of types) {
      const result = outcome(() => createVindex(type, type, params));
      error?.(result.failure);
      if (result.value === undefined) continue;
      made[type] = result.value.cost;
      if (unknown !== undefined) same(unknown, result.value.unknownParams, `unknown_params of ${type}`);
      if (unique !== undefined) same(unique, result.value.unique, `unique of ${type}`);
      if (cursor !== undefined) same(cursor, result.value.needsCursor, `needs_vcursor of ${type}`);
    }
    if (costs !== undefined) same(costs, made, 'costs');
  };
}

/** `route by COLUMN`: the shard of each value. */
function readRoute({ op, given, when, then }: Case): Check {
  const column = op.slice('route by '.length);
  const [, type = '', on = ''] = /^(\w+) on (\w+)$/.exec(given.str('vindex')) ?? [];
  if (on !== column) throw new Skipped(`the vindex is not on ${column}`);
  const shards = given.strings('shards').map((name) => ({ name, range: validateShardName(name).keyRange }));
  const inputs = when.list('inputs').map(columnsOf);
  const check = readResults(then, 'shards', inputs.length);
  return () => {
    const vindex = createVindex(type, type);
    check(inputs.map((values) => outcome(() => shardOfId(shards, idToHex(vindex.map(values) ?? new Uint8Array())))));
  };
}

function readCollation({ given, when, then }: Case): Check {
  const collation = given.str('collation');
  if (collation !== 'root, primary strength') throw new Skipped(`the collation ${collation} is not emulated`);
  const inputs = texts(when.raw('inputs'), 'when.inputs');
  const check = readResults(then, then.has('keys') ? 'keys' : 'results', inputs.length);
  return () => check(inputs.map((input) => outcome(() => idToHex(unicodeLooseKey(Buffer.from(input))))));
}

/** `range map`: pairs of ends. */
function readRanges({ given, when, then }: Case): Check {
  const make = givenVindex(given);
  const pairs = when.list('inputs').map((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) throw new Skipped(`not two ends: ${shown(pair)}`);
    return pair.map((end) => (typeof end === 'string' && /^0x/i.test(end) ? hexLiteral(end) : vindexValue(end)));
  });
  const check = readResults(then, 'results', pairs.length, (expected, got: KeyRange | undefined, what) =>
    same(expected, got === undefined ? null : String(expected).startsWith('Dest') ? `DestinationKeyRange(${formatKeyRange(got)})` : formatKeyRange(got), what),
  );
  return () => check(pairs.map(([from, to]) => outcome(() => make().mapBetween?.(from!, to!))));
}

/** What a vindex says of itself. */
function readSelf({ given, then }: Case): Check {
  const make = givenVindex(given);
  const error = readError(then);
  const wanted = (['cost', 'unique', 'needs_vcursor', 'unknown_params', 'columns'] as const).flatMap((name) => (then.has(name) ? [[name, then.raw(name)] as const] : []));
  if (error === undefined && wanted.length === 0) throw new Skipped('then expects nothing of the vindex');
  return () => {
    const result = outcome(() => make());
    error?.(result.failure);
    if (wanted.length === 0) return;
    const { cost, unique, needsCursor, unknownParams, columns } = succeeded(result, 'create vindex');
    const self = { cost, unique, needs_vcursor: needsCursor, unknown_params: unknownParams, columns };
    for (const [name, expected] of wanted) same(expected, self[name], name);
  };
}

export const vindexAdapters: readonly Adapter[] = [
  { area: 'vindex', op: /^map(?: \/ (?:reverse map|range map|verify))*$/, read: readMap },
  { area: 'vindex', op: 'reverse map', read: readReverse },
  { area: 'vindex', op: 'range map', read: readRanges },
  { area: 'vindex', op: 'verify', read: readVerify },
  { area: 'vindex', op: /^verify bytes '[^']*' \/ reverse map of \d+-byte id '[^']*'$/, read: readBadData },
  { area: 'vindex', op: 'create vindex', read: (one) => (one.when.has('params') ? readCreate(one) : readSelf(one)) },
  { area: 'vindex', op: /^create vindex with params \{.*\}$/, read: readCreateTypes },
  { area: 'vindex', op: /^route by \w+$/, read: readRoute },
  { area: 'vindex', op: 'collation key (hex)', read: readCollation },
];
