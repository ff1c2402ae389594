import { destinationShards, shardOfId, type ServingShard } from '../../../src/gate/shards.ts';
import {
  compareEnds,
  compareIds,
  compareKeyRanges,
  compareStarts,
  containsId,
  containsKeyRange,
  contiguous,
  formatKeyRange,
  generateShardRanges,
  idToHex,
  intersects,
  isComplete,
  isValidKeyRange,
  joinKeyRanges,
  keyRangeLess,
  keyRangesEqual,
  type KeyRange,
  normalizeId,
  parseHex,
  parseShardingSpec,
} from '../../../src/lib/key-range.ts';
import { validateObjectName, validateShardName } from '../../../src/lib/names.ts';
import { createVindex } from '../../../src/vindex/registry.ts';
import { type Outcome, outcome, readError, readErrorEntry, readResults, same, succeeded } from '../compare.ts';
import { type Adapter, type Case, type Check, type Fields, isMap, shown, Skipped } from '../fields.ts';

const area = 'shard_names_keyranges';

/** A range as a case writes it; null is the range that is not there. */
function range(value: unknown): KeyRange | undefined {
  if (value === null) return undefined;
  if (typeof value !== 'string') throw new Skipped(`not a key range: ${shown(value)}`);
  const found = outcome(() => parseShardingSpec(value)).value;
  if (found?.length !== 1) throw new Skipped(`not a key range: ${shown(value)}`);
  return found[0];
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Skipped(`a text was expected: ${shown(value)}`);
  return value;
}

function number(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new Skipped(`a whole number was expected: ${shown(value)}`);
  return value as number;
}

/** Digits; `0x` may stand before them. */
function id(value: unknown): string {
  const digits = text(value);
  if (outcome(() => parseHex(digits)).failure !== undefined) throw new Skipped(`not hexadecimal: ${digits}`);
  return digits.toLowerCase();
}

function pairOf<A, B>(value: unknown, first: (one: unknown) => A, second: (two: unknown) => B): [A, B] {
  if (!Array.isArray(value) || value.length !== 2) throw new Skipped(`not a pair: ${shown(value)}`);
  return [first(value[0]), second(value[1])];
}

/** One input after the other, each compared with the result in its place. */
function each<T>(read: (input: unknown, one: Case) => () => T, resultNames: readonly string[] = ['results']) {
  return (one: Case): Check => {
    const calls = one.when.list('inputs').map((input) => read(input, one));
    const name = resultNames.find((candidate) => one.then.has(candidate)) ?? resultNames[0]!;
    if (name === 'errors') {
      const checks = one.then.list(name).map((entry, index) => readErrorEntry(one.then, entry, `errors[${index}]`));
      if (checks.length !== calls.length) throw new Skipped('then.errors has not one entry for each input');
      return () => calls.forEach((call, index) => checks[index]!(outcome(call).failure));
    }
    const check = readResults(one.then, name, calls.length);
    return () => check(calls.map((call) => outcome(call)));
  };
}

const pairs = <T>(of: (a: KeyRange | undefined, b: KeyRange | undefined) => T) =>
  each((input) => {
    const [a, b] = pairOf(input, range, range);
    return () => of(a, b);
  });

/** Lists of pairs under several names, each with one result for all or one for each: `then.NAME`, or that of `as`. */
function lists(of: Readonly<Record<string, { as: string; run: (a: KeyRange | undefined, b: KeyRange | undefined) => boolean }>>) {
  return ({ when, then }: Case): Check => {
    const checks = Object.entries(of).flatMap(([name, { as, run }]) => {
      if (!when.has(name)) return [];
      const inputs = when.list(name).map((input) => pairOf(input, range, range));
      const expected = then.need(as);
      const wanted = Array.isArray(expected) ? expected : inputs.map(() => expected);
      if (wanted.length !== inputs.length) throw new Skipped(`then.${as} has not one entry for each of when.${name}`);
      return [() => inputs.forEach(([a, b], index) => same(wanted[index], run(a, b), `${as}[${index}]`))];
    });
    if (checks.length === 0) throw new Skipped('when has no inputs');
    return () => checks.forEach((check) => check());
  };
}

function readIntersect(one: Case): Check {
  if (one.when.has('inputs')) return pairs(intersects)(one);
  return lists({ false_inputs: { as: 'false_inputs', run: intersects }, true_inputs: { as: 'true_inputs', run: intersects } })(one);
}

function readCompare(one: Case): Check {
  if (one.when.has('inputs')) return pairs(compareKeyRanges)(one);
  return lists({
    equal_inputs: { as: 'equal', run: keyRangesEqual },
    end_equal_inputs: { as: 'end_equal', run: (a, b) => compareEnds(a, b) === 0 },
    start_equal_inputs: { as: 'start_equal', run: (a, b) => compareStarts(a, b) === 0 },
  })(one);
}

function readValid({ when, then }: Case): Check {
  if (when.has('inputs')) {
    const inputs = when.strings('inputs');
    const check = readResults(then, 'results', inputs.length);
    return () => check(inputs.map((input) => outcome(() => isValidKeyRange(input))));
  }
  const good = then.strings('valid');
  const bad = then.strings('invalid');
  return () => {
    for (const name of good) same(true, isValidKeyRange(name), `valid ${shown(name)}`);
    for (const name of bad) same(false, isValidKeyRange(name), `valid ${shown(name)}`);
  };
}

/** A list of names, or a mapping about one: first, second, last, count. */
function compareNames(expected: unknown, names: readonly string[], what: string): void {
  if (!isMap(expected)) return same(expected, names, what);
  const about: Record<string, unknown> = { first: names[0], second: names[1], last: names.at(-1), count: names.length };
  for (const [key, value] of Object.entries(expected)) same(value, about[key], `${what}.${key}`);
}

function readRanges({ when, then }: Case): Check {
  const calls = when.list('inputs').map((input) => {
    const [count, width] = Array.isArray(input) ? pairOf(input, number, number) : [number(input), 0];
    return () => generateShardRanges(count, width);
  });
  for (const expected of then.list('results')) {
    const unknown = isMap(expected) ? Object.keys(expected).find((key) => !['first', 'second', 'last', 'count', 'error', 'error_contains'].includes(key)) : undefined;
    if (unknown !== undefined) throw new Skipped(`then.results.${unknown} is not known`);
  }
  const check = readResults(then, 'results', calls.length, compareNames);
  return () => check(calls.map((call) => outcome(call)));
}

const readEven = each((input) => {
  const [index, count] = pairOf(input, number, number);
  // Of other counts Vitess has an error, which no command of ours can meet.
  if (count < 1 || !Number.isInteger(Math.log2(count)) || index < 0 || index >= count) throw new Skipped(`not one of 2^n shards: ${shown(input)}`);
  return () => generateShardRanges(count)[index];
});

function readSpec({ when, then }: Case): Check {
  const calls = when.strings('inputs').map((spec) => () => parseShardingSpec(spec).map(formatKeyRange));
  if (!then.has('error')) {
    const check = readResults(then, 'results', calls.length);
    return () => check(calls.map((call) => outcome(call)));
  }
  const error = readError(then)!;
  const wordings = then.has('implementation_texts') ? then.strings('implementation_texts') : undefined;
  if (wordings !== undefined && wordings.length !== calls.length) throw new Skipped('then.implementation_texts has not one entry for each input');
  const checks = wordings?.map((wording, index) => readErrorEntry(then, wording, `implementation_texts[${index}]`));
  return () =>
    calls.forEach((call, index) => {
      const { failure } = outcome(call);
      error(failure);
      checks?.[index]!(failure);
    });
}

const shardsOf = (given: Fields): ServingShard[] => given.strings('shards').map((name) => ({ name, range: range(name) }));

function resolving(resolve: (shards: readonly ServingShard[], input: unknown) => () => unknown) {
  return (one: Case): Check => {
    const shards = shardsOf(one.given);
    const calls = one.when.list('inputs').map((input) => resolve(shards, input));
    const check = readResults(one.then, 'results', calls.length);
    const empty = one.then.has('no_shards_error_contains') ? one.then.str('no_shards_error_contains') : undefined;
    const first = one.when.list('inputs')[0];
    return () => {
      check(calls.map((call) => outcome(call)));
      if (empty === undefined) return;
      const { failure } = outcome(resolve([], first));
      same(true, failure instanceof Error && failure.message.includes(empty), `without shards: ${shown(failure)}`);
    };
  };
}

const exactly = resolving((shards, input) => {
  const wanted = range(input);
  return () => destinationShards(shards, { kind: 'range', range: wanted ?? { start: '', end: '' } });
});

const inside = resolving((shards, input) => {
  const wanted = range(input);
  return () => shards.filter((shard) => intersects(wanted, shard.range)).map((shard) => shard.name);
});

const byId = resolving((shards, input) => {
  const wanted = id(input);
  return () => shardOfId(shards, wanted);
});

function readShardNames({ when, then }: Case): Check {
  const inputs = when.strings('inputs');
  const calls = inputs.map((input) => () => validateShardName(input));
  if (then.has('names')) {
    const names = then.strings('names');
    if (names.length !== inputs.length) throw new Skipped('then.names has not one entry for each input');
    return () => same(names, calls.map((call) => succeeded(outcome(call), 'names').name), 'names');
  }
  if (then.has('errors')) {
    const checks = then.list('errors').map((entry, index) => readErrorEntry(then, entry, `errors[${index}]`));
    if (checks.length !== inputs.length) throw new Skipped('then.errors has not one entry for each input');
    return () => calls.forEach((call, index) => checks[index]!(outcome(call).failure));
  }
  const check = readResults(then, 'results', inputs.length, (expected, got: { name: string; keyRange: KeyRange | undefined }, what) => {
    if (!isMap(expected)) return same(expected, got.name, what);
    const about: Record<string, unknown> = { name: got.name, key_range: got.keyRange === undefined ? null : formatKeyRange(got.keyRange) };
    for (const [key, value] of Object.entries(expected)) same(value, about[key], `${what}.${key}`);
  });
  return () => check(calls.map((call): Outcome<ReturnType<typeof call>> => outcome(call)));
}

const nullable = (found: KeyRange | undefined): string | null => (found === undefined ? null : formatKeyRange(found));

export const keyRangeAdapters: readonly Adapter[] = [
  { area, op: 'compare ids (hex)', read: each((input) => {
    const [a, b] = pairOf(input, id, id);
    return () => compareIds(a, b);
  }) },
  { area, op: 'normalize id (hex)', read: each((input) => {
    const one = id(input);
    return () => normalizeId(one);
  }) },
  { area, op: 'uint64 to keyspace id', read: each((input) => {
    const digits = text(input);
    if (!/^\d+$/.test(digits) || BigInt(digits) > 0xffffffffffffffffn) throw new Skipped(`not 64 bits: ${digits}`);
    return () => numericId(digits);
  }) },
  { area, op: /^(?:even shard key range \(index,count\))$/, read: readEven },
  { area, op: /^generate shard ranges(?: \(count,hex width\))?$/, read: readRanges },
  { area, op: /^(?:is valid key range|valid key range)$/, read: readValid },
  { area, op: /^(?:merge key ranges|key range add|add key ranges)$/, read: pairs((a, b) => nullable(joinKeyRanges(a, b))) },
  { area, op: /^key range contains id$/, read: each((input) => {
    if (!isMap(input) || Object.keys(input).toSorted().join() !== 'id,range') throw new Skipped(`not an id and a range: ${shown(input)}`);
    const [one, wanted] = [id(input['id']), range(input['range'])];
    return () => containsId(wanted, one);
  }) },
  { area, op: /^key range contains key range$/, read: pairs(containsKeyRange) },
  { area, op: /^(?:contiguous|key ranges contiguous)$/, read: pairs(contiguous) },
  { area, op: /^(?:key range less|less)$/, read: pairs(keyRangeLess) },
  { area, op: /^(?:key ranges equal|equal)$/, read: pairs(keyRangesEqual) },
  { area, op: /^compare (?:key range )?starts$/, read: pairs(compareStarts) },
  { area, op: /^compare (?:key range )?ends$/, read: pairs(compareEnds) },
  { area, op: 'compare key ranges', read: readCompare },
  { area, op: /^(?:intersect|key ranges intersect)$/, read: readIntersect },
  { area, op: 'is partial', read: each((input) => {
    const wanted = range(input);
    return () => !isComplete(wanted);
  }) },
  { area, op: /^(?:is complete|is full)$/, read: each((input) => {
    const wanted = range(input);
    return () => isComplete(wanted);
  }) },
  { area, op: /^(?:format key range|key range string)$/, read: each((input) => {
    const wanted = range(input);
    return () => formatKeyRange(wanted);
  }) },
  { area, op: 'resolve exact key range', read: exactly },
  { area, op: 'resolve key range', read: inside },
  { area, op: /^resolve keyspace ids?$/, read: byId },
  { area, op: 'parse sharding spec', read: readSpec },
  { area, op: 'validate shard name', read: readShardNames },
  { area, op: /^validate object names?$/, read: each((input) => {
    const name = text(input);
    return () => validateObjectName(name);
  }, ['errors', 'results']) },
];

/** The id that the vindex `numeric` gives a number. */
function numericId(digits: string): string {
  const id64 = createVindex('numeric', 'numeric').map([BigInt(digits)]);
  if (id64 === undefined) throw new Error(`no id for ${digits}`);
  return idToHex(id64);
}
