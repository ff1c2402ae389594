import { describe, expect, it } from 'vitest';
import { GateVSchema } from '../../src/gate/vschema.ts';
import type { RoutingRule, SrvVSchema, VSchemaKeyspace } from '../../src/topo/proto/types.ts';
import { failureOf, textOf } from '../helpers/topo-world.ts';

const sharded: VSchemaKeyspace = {
  sharded: true,
  vindexes: { hash: { type: 'hash' } },
  tables: { t: { column_vindexes: [{ column: 'id', name: 'hash' }] } },
};
const keyspaces = { commerce: { tables: { t: {}, only: {} } }, customer: sharded };

function vschema(rules: RoutingRule[] = [], more: Partial<SrvVSchema> = {}): GateVSchema {
  return new GateVSchema({ keyspaces, routing_rules: { rules }, ...more });
}

const rule = (from: string, ...to: string[]): RoutingRule => ({ from_table: from, to_tables: to });
const find = (schema: GateVSchema, keyspace: string, name: string, type: 'PRIMARY' | 'REPLICA' | 'RDONLY' = 'PRIMARY'): string => {
  const table = schema.findRoutedTable(keyspace, name, type);
  return `${table.keyspace}.${table.name}`;
};

describe('which table a name means', () => {
  it('a rule with the type goes before the plain one, and no rule is followed twice', () => {
    const schema = vschema([
      rule('t', 'commerce.t'),
      rule('t@replica', 'customer.t'),
      rule('commerce.t', 'customer.t'),
      rule('customer.t', 'commerce.t'),
    ]);
    expect(find(schema, '', 't')).toBe('commerce.t');
    expect(find(schema, '', 't', 'REPLICA')).toBe('customer.t');
    expect(find(schema, '', 't', 'RDONLY')).toBe('commerce.t');
    expect(find(schema, 'commerce', 't')).toBe('customer.t');
    expect(find(schema, 'customer', 't')).toBe('commerce.t');
  });

  it('rules for bare names are nothing to a name with a keyspace; @primary is honoured', () => {
    const schema = vschema([rule('t', 'customer.t'), rule('only@primary', 'commerce.t')]);
    expect(find(schema, 'commerce', 't')).toBe('commerce.t');
    expect(find(schema, '', 'only')).toBe('commerce.t');
    expect(find(schema, '', 'only', 'REPLICA')).toBe('commerce.only');
  });

  it('keyspace rules come first, one step, and the table rules of the keyspace they lead to apply', () => {
    const schema = vschema([rule('commerce.t', 'customer.t')], {
      keyspace_routing_rules: {
        rules: [
          { from_keyspace: 'old', to_keyspace: 'commerce' },
          { from_keyspace: 'old@replica', to_keyspace: 'customer' },
          { from_keyspace: 'old@primary', to_keyspace: 'nowhere' },
          { from_keyspace: 'commerce', to_keyspace: 'commerce' },
        ],
      },
    });
    expect(find(schema, 'old', 't')).toBe('customer.t');
    expect(find(schema, 'old', 'only')).toBe('commerce.only');
    expect(find(schema, 'old', 't', 'REPLICA')).toBe('customer.t');
    expect(find(schema, 'old', 'only', 'RDONLY')).toBe('commerce.only');
  });

  it('a table not listed is one of an unsharded keyspace, and not found in a sharded one', async () => {
    expect(find(vschema(), 'commerce', 'new')).toBe('commerce.new');
    expect(await failureOf(() => vschema().findRoutedTable('customer', 'new', 'PRIMARY'))).toEqual({ code: 'NOT_FOUND', text: 'table new not found' });
    expect(await failureOf(() => vschema().findRoutedTable('nope', 't', 'PRIMARY'))).toEqual({
      code: 'NOT_FOUND',
      text: "VT05003: unknown database 'nope' in vschema",
    });
  });

  it('without a keyspace the name must be unique', async () => {
    expect(find(vschema(), '', 'only')).toBe('commerce.only');
    expect(await failureOf(() => vschema().findRoutedTable('', 't', 'PRIMARY'))).toEqual({
      code: 'FAILED_PRECONDITION',
      text: 'ambiguous table reference: t',
    });
    expect(await textOf(() => vschema().findRoutedTable('', 'new', 'PRIMARY'))).toBe('table new not found');
    expect(await textOf(() => vschema().findRoutedTable('', 'hash', 'PRIMARY'))).toContain('a query on the vindex hash');
    const hidden = new GateVSchema({ keyspaces: { ...keyspaces, customer: { ...sharded, require_explicit_routing: true } } });
    expect(find(hidden, '', 't')).toBe('commerce.t');
    const one = new GateVSchema({ keyspaces: { commerce: {} } });
    expect(find(one, '', 'new')).toBe('commerce.new');
  });

  it('a reference table is reached through its source, and tables that exist are found though not listed', async () => {
    const reference = { type: 'reference', source: 'commerce.r' };
    const both = { commerce: { tables: { r: {} } }, customer: { sharded: true, tables: { r: reference } } };
    expect(find(new GateVSchema({ keyspaces: both }), '', 'r')).toBe('commerce.r');
    const tracked = new GateVSchema({ keyspaces }, (keyspace) => (keyspace === 'commerce' ? ['made'] : []));
    expect(find(tracked, '', 'made')).toBe('commerce.made');
  });

  it.each<[string, RoutingRule[], string]>([
    ['two targets', [rule('t', 'a.t', 'b.t')], 'table t has more than one target: [a.t b.t]'],
    ['none', [rule('t')], 'table t has been disabled'],
    ['twice', [rule('t', 'commerce.t'), rule('t', 'commerce.t')], 'duplicate rule for entry t'],
    ['no target and one', [rule('t', 'commerce.t'), rule('t')], 'table t has been disabled'],
    [
      'unqualified',
      [rule('t', 'u')],
      "invalid table name: 'u', it must be of the qualified form <keyspace_name>.<table_name> (dots are not allowed in either name)",
    ],
    ['unknown keyspace', [rule('t', 'nope.t')], "VT05003: unknown database 'nope' in vschema"],
    ['not in a sharded keyspace', [rule('t', 'customer.u')], 'table u not found'],
  ])('a wrong rule (%s) fails the queries that meet it, and no others', async (_, rules, text) => {
    const schema = vschema(rules);
    expect(await textOf(() => schema.findRoutedTable('', 't', 'PRIMARY'))).toBe(text);
    expect(find(schema, 'commerce', 't')).toBe('commerce.t');
  });

  it.each<[string, VSchemaKeyspace, string]>([
    ['no vindex', { sharded: true, tables: { t: {} } }, 'missing primary col vindex for table: t'],
    ['unknown vindex', { ...sharded, vindexes: {} }, 'vindex hash not found for table t'],
    ['unknown type', { ...sharded, vindexes: { hash: { type: 'hsh' } } }, 'vindexType "hsh" not found'],
    ['not unique', { ...sharded, vindexes: { hash: { type: 'lookup' } } }, 'primary vindex hash is not Unique for table t'],
    ['no column', { ...sharded, tables: { t: { column_vindexes: [{ name: 'hash' }] } } }, 'must specify at least one column for vindex (hash) and table (t)'],
    ['sequence', { ...sharded, tables: { t: { type: 'sequence' } } }, 'sequence table has to be in an unsharded keyspace or must be pinned: t'],
  ])('a wrong VSchema (%s) says what is wrong', async (_, keyspace, text) => {
    const schema = new GateVSchema({ keyspaces: { ks: keyspace } });
    expect(await textOf(() => schema.findRoutedTable('ks', 't', 'PRIMARY'))).toBe(text);
  });

  it('of two shard rules the last one counts', () => {
    const rules = [
      { from_keyspace: 'customer', shard: '-80', to_keyspace: 'x' },
      { from_keyspace: 'customer', shard: '-80', to_keyspace: 'y' },
    ];
    const schema = vschema([], { shard_routing_rules: { rules } });
    expect(schema.routedShard('customer', '-80')).toBe('y');
    expect(schema.routedShard('customer', '80-')).toBe('customer');
  });
});
