import { beforeAll, describe, expect, it } from 'vitest';
import { errorText } from '../../../src/lib/errors.ts';
import type { Row } from '../../../src/sql/value.ts';
import { compileFilters, type StreamFilters } from '../../../src/tablet/vreplication/filter.ts';
import { planRule } from '../../../src/tablet/vreplication/rule-plan.ts';
import type { Rule } from '../../../src/topo/proto/types-workflow.ts';
import { getVSchema, saveVSchema } from '../../../src/topo/vschema.ts';
import { TestCluster } from '../../helpers/cluster.ts';

/** What a stream's rules take. Keyspace ids of hash: 1 16…, 2 06…, 3 4e…, 4 d2…, 5 70…, 6 f0…. */
const VSCHEMA = {
  sharded: true,
  vindexes: { hash: { type: 'hash' }, num: { type: 'numeric' }, look: { type: 'consistent_lookup', params: { table: 't', from: 'a', to: 'b' } } },
  tables: {
    t: { column_vindexes: [{ column: 'id', name: 'hash' }] },
    u: { column_vindexes: [{ column: 'id', name: 'hash' }, { column: 'ID', name: 'num' }] },
    bare: {},
    looked: { column_vindexes: [{ column: 'id', name: 'look' }] },
    ref: { type: 'reference' },
  },
};

const TABLES = ['t', 'u', 'bare', 'looked', 'ref', 'new_table'];
let made: TestCluster;

beforeAll(async () => {
  made = await TestCluster.make({
    ks: { shards: ['-'], vschema: VSCHEMA, schema: TABLES.map((table) => `create table ${table} (id bigint, tenant_id int, name varchar(20), price decimal(6,2))`) },
    other: { shards: ['0'], schema: ['t', 'u', 'ref', 'extra'].map((table) => `create table ${table} (id bigint primary key)`) },
  });
});

function compile(rules: Rule[], targets?: readonly string[]): Promise<StreamFilters> {
  const from = made.shard('ks', '-');
  const target = targets === undefined ? made.shard('other', '0') : { tableNames: () => [...targets], findTable: () => undefined };
  return compileFilters(made.ctx, made.cluster.topo, { keyspace: 'ks', shard: '-', filter: { rules } }, from, target);
}

const rows = (ids: readonly (number | null)[]): Row[] => ids.map((id) => ({ id, tenant_id: id === null ? null : id % 2, name: `n${id}`, price: '1.50' }));

async function taken(rule: Rule, ids: readonly (number | null)[] = [1, 2, 3, 4, 5, 6]): Promise<unknown[]> {
  const [filter] = (await compile([rule], ['t'])).all;
  if (filter?.problem !== undefined) throw filter.problem as Error;
  return rows(ids).filter((row) => filter?.accepts === undefined || filter.accepts(row)).map((row) => row['id']);
}

async function problem(rule: Rule, targets: readonly string[] = ['t']): Promise<string> {
  try {
    return errorText((await compile([rule], targets)).all[0]?.problem);
  } catch (error) {
    return errorText(error);
  }
}

describe('which tables a rule stands for', () => {
  it('a regular expression: those of the target, and not those of the source alone', async () => {
    const filters = await compile([{ match: '/.*', filter: '' }]);
    expect(filters.all.map(({ table }) => table)).toEqual(['extra', 'ref', 't', 'u']);
  });

  it('the first rule that matches counts, and exclude takes nothing', async () => {
    const filters = await compile([{ match: 'ref', filter: 'exclude' }, { match: '/^[tu]$', filter: '-80' }, { match: '/t', filter: 'exclude' }, { match: '/.*' }]);
    expect(filters.all.map(({ table, accepts }) => [table, accepts !== undefined])).toEqual([['t', true], ['u', true]]);
    expect(filters.of('ref')).toBeUndefined();
  });

  it('matches anywhere in a name, as Go does', async () => {
    expect((await compile([{ match: '/t/' }])).all.map(({ table }) => table)).toEqual(['extra', 't']);
  });

  it('a name stands for its table, whether the target has it or not', async () => {
    expect((await compile([{ match: 'nowhere' }])).all.map(({ table }) => table)).toEqual(['nowhere']);
  });

  it('refuses what is no regular expression', async () => {
    expect(await problem({ match: '/(/', filter: '' })).toBe('error parsing regexp: (');
  });
});

describe('key ranges', () => {
  it.each([
    ['-80', [1, 2, 3, 5]],
    ['80-', [4, 6]],
    ['-40', [1, 2]],
    ['40-80', [3, 5]],
    ['-', [1, 2, 3, 4, 5, 6]],
    ['0', [1, 2, 3, 4, 5, 6]],
    ['', [1, 2, 3, 4, 5, 6]],
    ["select * from t where in_keyrange('-80')", [1, 2, 3, 5]],
    ["select * from t where in_keyrange(id, 'hash', '-80')", [1, 2, 3, 5]],
    ["select * from t where in_keyrange(id, 'ks.hash', '-80')", [1, 2, 3, 5]],
    // No vindex of that name: the type.
    ["select * from t where in_keyrange(id, 'numeric', '-80')", [1, 2, 3, 4, 5, 6]],
    ["select * from t where tenant_id = 1 and in_keyrange(id, 'ks.hash', '-80')", [1, 3, 5]],
    ["select * from t where in_keyrange('-80') and tenant_id = 0", [2]],
  ])('%s', async (filter, ids) => {
    expect(await taken({ match: '/.*', filter })).toEqual(ids);
  });

  it('take the cheapest vindex that reads no table; names of columns in any case', async () => {
    const filters = await compile([{ match: '/.*', filter: '-80' }]);
    expect(rows([1, 4]).filter((row) => filters.of('u')!.accepts!(row)).map((row) => row['id'])).toEqual([1, 4]);
  });

  it.each([
    ['bare', 'table bare has no vindex'],
    ['looked', 'could not find a vindex to compute keyspace id for table looked'],
    ['new_table', 'table new_table not found'],
    ['ref', 'table ref has no vindex'],
  ])('%s: the trouble is the table’s own', async (table, text) => {
    const filters = await compile([{ match: '/.*', filter: '-80' }], ['t', table]);
    expect(errorText(filters.into(table)?.problem)).toBe(text);
    expect(filters.into('t')?.problem).toBeUndefined();
  });

  it('a row without a keyspace id stops the stream', async () => {
    await expect(taken({ match: '/.*', filter: '-80' }, [null])).rejects.toThrow('could not map [NULL] to a keyspace id, got destination DestinationNone()');
    await expect(taken({ match: '/.*', filter: '-' }, [null])).rejects.toThrow('could not map [NULL] to a keyspace id');
  });

  it.each([
    ['-80-c0', 'syntax error'],
    ["select * from t where in_keyrange('-40-80')", 'error parsing keyrange: -40-80'],
    ["select * from t where in_keyrange(nope, 'hash', '-80')", 'column nope not found in table t'],
    ["select * from t where in_keyrange(id, 'ks.nope', '-80')", 'vindex ks.nope not found'],
    ["select * from t where in_keyrange(id, 'nope', '-80')", 'vindexType "nope" not found'],
    ["select * from t where in_keyrange(id, 'look', '-80')", 'vindex must be Unique to be used for VReplication: look'],
  ])('%s is wrong', async (filter, text) => {
    await expect(taken({ match: 't', filter })).rejects.toThrow(text);
  });
});

describe('conditions', () => {
  it.each([
    ['tenant_id = 1', [1, 3, 5]],
    ['tenant_id != 1', [2, 4, 6]],
    ["name = 'N3'", [3]],
    ['id > 2 and id <= 4', [3, 4]],
    ['id in (1, 5, 9)', [1, 5]],
    ['id between 2 and 4', [2, 3, 4]],
    ['id not between 2 and 4', [1, 5, 6]],
    ['name is not null', [1, 2, 3, 4, 5, 6]],
    ['price = 1.5', [1, 2, 3, 4, 5, 6]],
  ])('%s', async (where, ids) => {
    expect(await taken({ match: 't', filter: `select * from t where ${where}` })).toEqual(ids);
  });

  it('NULL is not equal to anything', async () => {
    expect(await taken({ match: 't', filter: 'select * from t where tenant_id != 7' }, [null, 1])).toEqual([1]);
  });
});

describe('what no stream can do', () => {
  it.each([
    ['select * from t where id = 1 or id = 2', 'unsupported constraint: id = 1 or id = 2'],
    ['select * from t where id = tenant_id', 'unexpected: tenant_id'],
    ['select * from t where 1 = id', 'unexpected: 1 = id'],
    ['select * from t where t.id = 1', 'unsupported qualifier for column: t.id'],
    ["select * from t where name like 'a%'", 'comparison operator like not supported'],
    ['select * from t where id not in (1)', 'comparison operator not in not supported'],
    ['select * from t where abs(id) = 1', 'unexpected: abs(id) = 1'],
    ['select id, * from t', 'invalid expression: *'],
    ['select *, id from t', "unsupported mix of '*' and columns"],
    ['select id + 1 from t', 'expression needs an alias: id + 1'],
    ['select max(id) as m from t', 'unsupported aggregation function: max(id)'],
    ['select count(id) as c from t', 'only count(*) is supported: count(id)'],
    ['select sum(id + 1) as s from t', 'unsupported non-column name in sum clause: sum(id + 1)'],
    ['select distinct id from t', 'unsupported distinct clause'],
    ['select id from t order by id', 'unsupported: order by, limit and locks'],
    ['select id from t limit 1', 'unsupported: order by, limit and locks'],
    ['select id, count(*) as c from t group by c', 'group by expression is not allowed to reference an aggregate expression: c'],
    ['select id from t group by name', 'group by expression does not reference an alias in the select list: name'],
    ['delete from t', 'unsupported non-select statement'],
    ['select 1', 'unsupported from source'],
    ['bad syntax', 'syntax error'],
  ])('%s', (query, text) => {
    expect(() => planRule(query)).toThrow(text);
    expect(() => planRule(query)).toThrow(`in query: ${query}`);
  });
});

describe('filters are made once', () => {
  it('until the VSchema, the tables of the target or a table that they read change', async () => {
    const source = { keyspace: 'ks', shard: '-', filter: { rules: [{ match: 't', filter: 'select * from t where tenant_id = 1' }, { match: '/.*', filter: '-80' }] } };
    const targets = ['t', 'u'];
    const again = (): Promise<StreamFilters> =>
      compileFilters(made.ctx, made.cluster.topo, source, made.shard('ks', '-'), { tableNames: () => [...targets], findTable: () => undefined });
    const first = await again();
    expect(await again()).toBe(first);
    targets.push('looked');
    const second = await again();
    expect(second).not.toBe(first);
    expect(await again()).toBe(second);
    await made.run('ks', '-', 'alter table t add column more int');
    const third = await again();
    expect(third).not.toBe(second);
    const { record } = await getVSchema(made.ctx, made.cluster.topo, 'ks');
    await saveVSchema(made.ctx, made.cluster.topo, 'ks', { ...record, tables: { ...record.tables, extra: {} } }, null);
    expect(await again()).not.toBe(third);
  });
});
