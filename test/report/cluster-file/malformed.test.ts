import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/lib/errors.ts';
import { type InputFiles, readClusterFile } from '../../../src/report/cluster-file/read.ts';

/** No file is there but a list of rules and a VSchema. */
const FILES: Record<string, string> = {
  'rules.json': '{"rules": [\n  {"from_table": "t", "to_tables": ["gone.t"]}\n]}',
  'vschema.json': '{\n\t"tables": {\n\t\t"t": {"pined": "80"}\n\t}\n}',
};
const files: InputFiles = {
  nameOf: (path) => path,
  bytes: (path) => {
    if (FILES[path] === undefined) throw new UserError(`there is no file ${path}`, { exit: 2 });
    return Buffer.from(FILES[path]);
  },
  source: (path) => {
    throw new UserError(`there is no file ${path}`, { exit: 2 });
  },
};

function problem(content: string | Uint8Array): string {
  try {
    readClusterFile('c.yaml', typeof content === 'string' ? Buffer.from(content) : content, files);
    return 'none';
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.exit).toBe(2);
    return error.message;
  }
}

const ks = (fields: string): string => `keyspaces:\n  a: {${fields}}\n`;
const shards = (text: string): string => ks(`shards: ${text}`);
const tablets = (text: string): string => shards(`{'0': {tablets: [${text}]}}`);
const P = '{alias: zone1-1, type: primary}';
const vschema = (text: string): string => ks(`shards: ['-'], vschema: {sharded: true, ${text}}`);
const HASH = 'vindexes: {hash: {type: hash}}';

const MALFORMED: readonly (readonly [text: string, problem: string])[] = [
  ['', '1:1: the file has to be a map, not empty'],
  ['# nothing', 'the file has to be a map, not empty'],
  ['a\0b', '1:2: holds a control character'],
  ['42', 'the file has to be a map, not 42'],
  ['cells: [zone1]', '1:1: "keyspaces" is missing'],
  ['keyspcaes: {a: {}}', '1:1: unknown key "keyspcaes"; did you mean "keyspaces"?'],
  ['keyspaces: {}', '1:12: there is no keyspace'],
  ['keyspaces:', '"keyspaces" has to be a map, not empty'],
  ['keyspaces: [a]', '"keyspaces" has to be a map, not a list'],
  ['keyspaces: {__proto__: {}}', 'there is no keyspace'],
  ['keyspaces: {"": {}}', '1:13: empty name'],
  ['keyspaces: {"a b": {}}', 'invalid character'],
  [`keyspaces: {${'k'.repeat(65)}: {}}`, 'is too long'],
  ['keyspaces: {mysql: {}}', '1:13: "mysql" is a database of MySQL or Vitess itself'],
  [ks('shard: x'), '2:7: unknown key "shard"; did you mean "shards"?'],
  [ks('durability_policy: 5'), '2:26: "keyspaces.a.durability_policy" has to be text, not 5'],
  [ks('keyspace_type: SNAPSHOT, base_keyspace: b'), 'there is no keyspace "b"'],
  [ks('keyspace_type: SNPASHOT'), 'has to be one of NORMAL, SNAPSHOT'],
  ['vitess: 3.0\nkeyspaces: {a: {}}', '1:9: unknown Vitess version "3"'],
  ['vitess: [22]\nkeyspaces: {a: {}}', 'has to be a version such as 22.0.3, or hardened'],
  ['vitess: 99999999999999999999999\nkeyspaces: {a: {}}', 'too large to be kept exactly'],
  ['cells: []\nkeyspaces: {a: {}}', '1:8: "cells" must not be empty'],
  ['cells: [a b]\nkeyspaces: {a: {}}', 'cannot be the name of a cell'],
  ['cells: [global]\nkeyspaces: {a: {}}', '"global" is the name of the topology'],
  ['cells: [z, z]\nkeyspaces: {a: {}}', '1:12: the cell "z" was named before'],
  [shards('[0]'), "write shards in quotes, as '0' or '-80', not 0"],
  [shards('[-80, 80-]'), '2:16: "keyspaces.a.shards[0]" has to be text'],
  [shards('5'), 'has to be a list of shards, or a map of them'],
  [shards('[]'), '2:15: "keyspaces.a.shards" must not be empty'],
  [shards('{}'), 'must not be empty'],
  [shards("['-8']"), '"-8" is no name of a shard'],
  [shards("['80-40']"), 'out of order keys'],
  [shards("['-40', '80-']"), '2:23: no shard has the range 40-80'],
  [shards("['-80', '40-']"), 'the ranges of shards "-80" and "40-" overlap'],
  [shards("['40-']"), 'no shard has the range -40'],
  [shards("['-40']"), 'no shard has the range 40-'],
  [shards("['0', '-80']"), 'shard "0" has no key range'],
  [shards("['-80', '-80', '80-']"), 'the shard "-80" was named before'],
  [shards("['-C0', '-c0', 'c0-']"), 'the shard "-c0" was named before'],
  [shards("{'0': {is_primary_serving: false}}"), 'no shard serves'],
  [shards("{'0': {tablets: []}}"), 'must not be empty'],
  [tablets('{alias: zone2-100, type: primary}'), 'there is no cell "zone2"; did you mean "zone1"?'],
  [tablets(`${P}, {alias: zone1-2, type: PRIMARY}`), 'has a primary already: zone1-0000000001'],
  [tablets(`${P}, {alias: zone1-01, type: replica}`), 'is that of a tablet of a/0 already'],
  [tablets('{alias: zone1-1, type: replica}'), 'has no PRIMARY among its tablets'],
  [tablets('{alias: zone1-1, type: primry}'), 'has to be one of PRIMARY, REPLICA, RDONLY, SPARE'],
  [tablets('{alias: x, type: primary}'), "invalid tablet alias: 'x'"],
  [tablets('{alias: zone1-99999999999, type: primary}'), 'value out of range'],
  [tablets('{alias: {cell: zone1, uid: -1}, type: primary}'), 'has to be 0 or more'],
  [shards("{'0': {tablet_controls: [{tablet_type: PRIMARY, cells: [zone1]}]}}"), 'the tablet control of a primary names no cells'],
  [shards("{'0': {tablet_controls: [{tablet_type: REPLICA, cells: [zone3]}]}}"), 'there is no cell "zone3"'],
  [shards("{'0': {tablet_controls: [{tablet_type: FOO}]}}"), 'has to be one of'],
  [shards("['-80', '80-']"), '2:7: a has 2 shards'],
  [vschema('vindexes: {h: {type: hsah}}'), 'there is no vindex type "hsah"; did you mean "hash"?'],
  [vschema(`${HASH}, tables: {t: {column_vindexes: [{column: id, name: hahs}]}}`), 'the VSchema has no vindex "hahs"; did you mean "hash"?'],
  [vschema(`${HASH}, tables: {t: {}}`), 'missing primary col vindex for table: t'],
  [vschema('vindexes: {l: {type: lookup, owner: gone}}'), 'the VSchema has no table "gone"'],
  [ks('vschema: {tables: {t: {columns: [{name: c, type: BLUB}]}}}'), 'c.yaml:2:'],
  [ks('vschema: nope.json'), '2:16: there is no file nope.json'],
  [ks('vschema: vschema.json'), 'vschema.json:3:9: unknown key "pined"; did you mean "pinned"?'],
  [ks('schema: nope.sql'), '2:15: there is no file nope.sql'],
  [ks('rows: [nope.sql]'), '2:14: there is no file nope.sql'],
  [ks('schema: {a: b}'), 'has to be a .sql file, a list of them, or SQL, not a map'],
  [`routing_rules: {rules: [{from_table: t, to_tables: [b.t]}]}\n${ks('')}`, '1:53: there is no keyspace "b"'],
  [`routing_rules: rules.json\n${ks('')}`, 'rules.json:2:37: there is no keyspace "gone"'],
  [`routing_rules: [{from_table: t, to_tables: [a.t]}, {from_table: t}]\n${ks('')}`, 'there is a rule for "t" already'],
  [`routing_rules: [{from_tabel: t}]\n${ks('')}`, 'unknown key "from_tabel"; did you mean "from_table"?'],
  [`routing_rules: [{from_table: t, to_tables: [a.t, a.u]}]\n${ks('')}`, 'has more than one target'],
  [`shard_routing_rules: [{from_keyspace: a, to_keyspace: a, shard: '-80'}]\n${ks('')}`, 'there is no shard "-80" in a'],
  [`keyspace_routing_rules: [{from_keyspace: a@replcia, to_keyspace: a}]\n${ks('')}`, 'there is no tablet type "replcia"'],
  [`mirror_rules: [{from_table: a.t, to_table: a.u, percent: 101}]\n${ks('')}`, 'has to be from 0 to 100'],
  [`mirror_rules: [{from_table: t, to_table: a.u, percent: 1}]\n${ks('')}`, 'has to be of the form keyspace.table'],
  [`keyspaces: ${'{a: '.repeat(200)}${'}'.repeat(200)}`, 'nested deeper than 64 levels'],
  ['keyspaces: &k {a: *k}', 'this value contains itself'],
  ['keyspaces: !!js/function x', 'tags (!name) are not used here'],
  ['keyspaces: {a: {}}\n---\nkeyspaces: {b: {}}', '2:1: one document a file'],
  ['keyspaces:\n  a: {}\n  a: {}', '3:3: this key was given before'],
  ['keyspaces:\n\ta: {}', '2:1: bad YAML'],
  ['? [a]\n: b', 'keys are plain words'],
  [`keyspaces: {a: {}} #${'x'.repeat(10 << 20)}`, '1:1: 11 MiB are too much'],
];

describe('a malformed cluster file', () => {
  it.each(MALFORMED.map(([text, expected]) => [text.slice(0, 80), text, expected] as const))('%j', (_, text, expected) => {
    const told = problem(text);
    expect(told).toMatch(/^[\w.]+:\d+:\d+: [^\n]+$/);
    expect(told).toContain(expected);
  });

  it('bytes that are no text', () => {
    expect(problem(Buffer.from([0xff, 0xfe, 0, 1]))).toBe('c.yaml:1:1: not UTF-8 text');
    expect(problem(Buffer.from('keyspaces:\n  comm\xe9rce: {}\n', 'latin1'))).toContain('c.yaml:2:7: not UTF-8 text');
  });
});

const GOOD = {
  vitess: '22.0.3',
  cells: ['zone1', 'zone2'],
  keyspaces: {
    a: { schema: 'CREATE TABLE t (id bigint primary key);', vschema: { tables: { t: {} } }, durability_policy: 'semi_sync' },
    b: {
      shards: {
        '-80': { tablets: [{ alias: 'zone1-500', type: 'PRIMARY' }], tablet_controls: [{ tablet_type: 'PRIMARY', denied_tables: ['t'] }] },
        '80-': null,
      },
      vschema: { sharded: true, vindexes: { hash: { type: 'hash' } }, tables: { t: { column_vindexes: [{ column: 'id', name: 'hash' }] } } },
    },
  },
  routing_rules: { rules: [{ from_table: 't', to_tables: ['a.t'] }] },
};

describe('a good file', () => {
  it('is read, what it leaves out filled in', () => {
    const { vitess, spec } = readClusterFile('c.yaml', Buffer.from(JSON.stringify(GOOD)), files);
    expect(vitess).toBe('22.0.3');
    const [a, b] = spec.keyspaces;
    expect(a?.record).toEqual({ durability_policy: 'semi_sync', sidecar_db_name: '_vt' });
    expect(a?.shards[0]?.tablets.map(({ alias, type }) => `${alias} ${type}`)).toEqual([
      'zone1-0000000100 PRIMARY',
      'zone1-0000000101 REPLICA',
      'zone1-0000000102 RDONLY',
      'zone2-0000000103 REPLICA',
      'zone2-0000000104 RDONLY',
    ]);
    expect(b?.shards.map((shard) => shard.tablets[0]?.alias)).toEqual(['zone1-0000000500', 'zone1-0000000200']);
    expect(b?.shards[0]?.controls).toEqual([{ tablet_type: 'PRIMARY', denied_tables: ['t'] }]);
    expect(spec.routingRules).toEqual(GOOD.routing_rules);
  });

  it('with any part of it replaced is read or refused with its place', () => {
    const paths = pathsIn(GOOD);
    const junk = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom<unknown>('', '-80', 'zone9-1', 1e15, -1, [[]], 'a;b', 'x\u0000', { rules: null }));
    fc.assert(
      fc.property(fc.constantFrom(...paths), junk, (path, value) => {
        const told = problem(JSON.stringify(replaced(GOOD, path, value)));
        if (told !== 'none') expect(told).toMatch(/^[\w.]+:\d+:\d+: [^\n]+$/);
      }),
      { numRuns: 150 },
    );
  });
});

function pathsIn(value: unknown, path: readonly string[] = []): string[][] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [[...path], ...inner.flatMap(([key, below]) => pathsIn(below, [...path, key]))];
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((item: unknown, index) => (String(index) === key ? replaced(item, rest, by) : item));
  const record = value as Record<string, unknown>;
  return { ...record, [key]: replaced(record[key], rest, by) };
}
