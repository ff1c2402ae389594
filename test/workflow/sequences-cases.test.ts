import { describe, expect, it } from 'vitest';
import { NO_FAULTS } from '../../src/runtime/step.ts';
import { createSequenceSql, largestValueSql } from '../../src/tablet/sequence-table.ts';
import type { Table } from '../../src/topo/proto/types.ts';
import { getShard } from '../../src/topo/keyspaces.ts';
import { shardTablets } from '../../src/topo/tablets.ts';
import { getVSchema } from '../../src/topo/vschema.ts';
import { createMissing } from '../../src/workflow/switch/sequences/create-missing.ts';
import { findSequences } from '../../src/workflow/switch/sequences/find.ts';
import { largestValues } from '../../src/workflow/switch/sequences/largest.ts';
import { raiseSequences } from '../../src/workflow/switch/sequences/raise.ts';
import type { Sequence } from '../../src/workflow/switch/sequences/sequence.ts';
import type { TrafficSwitcher } from '../../src/workflow/switcher.ts';
import { TestCluster } from '../helpers/cluster.ts';

const SOURCE = 'source-ks';
const TARGET = 'targetks';
const SHARDS = ['-80', '80-'];

/** What Vitess's own tests of sequences are about: names with dashes, backticks in the VSchema. */
async function make(source: Record<string, Table>, target: Record<string, Table>, options: { schema?: string[]; global?: string; release?: string } = {}): Promise<{ t: TestCluster; sw: TrafficSwitcher }> {
  const { schema = [], global, release = '24.0.0-SNAPSHOT' } = options;
  const t = await TestCluster.make({ [SOURCE]: { shards: ['0'], vschema: { tables: source } }, [TARGET]: { shards: SHARDS, vschema: { sharded: true, tables: target }, schema } }, release);
  const targets = await Promise.all(
    SHARDS.map(async (name) => {
      const [primary] = await shardTablets(t.ctx, t.cluster.topo, { keyspace: TARGET, name });
      return { info: await getShard(t.ctx, t.cluster.topo, TARGET, name), primary: primary!, db: t.shard(TARGET, name), streams: [], position: '' };
    }),
  );
  const sw = { sourceKeyspace: SOURCE, targetKeyspace: TARGET, tables: Object.keys(target), targets, options: global === undefined ? {} : { global_keyspace: global } };
  return { t, sw: sw as unknown as TrafficSwitcher };
}

const using = (column: string, sequence: string): Table => ({ column_vindexes: [{ column, name: 'xxhash' }], auto_increment: { column, sequence } });

describe('collect sequence metadata', () => {
  it('sequences.metadata_none', async () => {
    const { t, sw } = await make({}, { t1: {} });
    expect(await findSequences(t.ctx, t.cluster, sw)).toEqual([]);
  });

  it.each(['24.0.0-SNAPSHOT', 'hardened'])('sequences.metadata_unqualified on %s', async (release) => {
    const { t, sw } = await make({ '`my-seq1`': { type: 'sequence' } }, { '`t1`': using('`my-col`', '`my-seq1`') }, { release });
    expect(await findSequences(t.ctx, t.cluster, sw)).toEqual([
      { name: 'my-seq1', keyspace: SOURCE, located: true, database: `vt_${SOURCE}`, uses: [{ table: 't1', column: 'my-col' }], usingDatabase: `vt_${TARGET}` },
    ] satisfies Sequence[]);
  });

  it('sequences.auto_created_sequence_table', async () => {
    const { t, sw } = await make({}, { t1: using('id', 't1_seq') }, { global: SOURCE });
    const sequences = await findSequences(t.ctx, t.cluster, sw);
    expect(sequences).toMatchObject([{ name: 't1_seq', located: false }]);
    await createMissing(t.ctx, t.cluster, sw, sequences);
    expect(sequences).toMatchObject([{ name: 't1_seq', keyspace: SOURCE, database: `vt_${SOURCE}` }]);
    expect(createSequenceSql('t1_seq')).toBe("create table if not exists `t1_seq` (id int, next_id bigint, cache bigint, primary key(id)) comment 'vitess_sequence'");
    expect(t.shard(SOURCE, '0').table('t1_seq').options).toContain("COMMENT='vitess_sequence'");
    expect((await getVSchema(t.ctx, t.cluster.topo, SOURCE)).record.tables).toEqual({ t1_seq: { type: 'sequence' } });
  });

  it.each([
    ['`my-seq', 'invalid sequence table name "`my-seq" defined in sequence table column_vindexes:{column:"id" name:"xxhash"} auto_increment:{column:"id" sequence:"`my-seq"}: UnescapeID err: unexpected single backtick at position 0 in \'`my-seq\''],
    ['ks`.seq', 'invalid keyspace in qualified sequence table name "ks`.seq" defined in sequence table'],
    ['ks.seq`', 'invalid qualified sequence table name "ks.seq`" defined in sequence table'],
  ])('refuses the sequence %s', async (sequence, error) => {
    const { t, sw } = await make({}, { t1: using('id', sequence) });
    await expect(findSequences(t.ctx, t.cluster, sw)).rejects.toThrow(error);
  });
});

it('sequences.initialize_max_values', async () => {
  const names = ['my-seq1', 'my-seq2'];
  const { t, sw } = await make(Object.fromEntries(names.map((name) => [name, { type: 'sequence' }])), { t1: using('my-col', 'my-seq1'), t2: using('my-col-2', 'my-seq2') }, {
    schema: ['create table t1 (`my-col` bigint primary key)', 'create table t2 (`my-col-2` bigint unsigned primary key)'],
  });
  for (const name of names) await t.run(SOURCE, '0', createSequenceSql(name));
  await t.run(TARGET, '-80', 'insert into t1 values (3), (34)');
  await t.run(TARGET, '80-', 'insert into t1 values (33)');
  await t.run(TARGET, '80-', 'insert into t2 values (10)');
  const sequences = await findSequences(t.ctx, t.cluster, sw);
  expect(largestValueSql(`vt_${TARGET}`, 't1', 'my-col')).toBe('select max(`my-col`) as maxval from `vt_targetks`.`t1`');
  const largest = await largestValues(t.ctx, t.cluster, sw, sequences, NO_FAULTS);
  expect([...largest].map(([{ name }, value]) => [name, value])).toEqual([['my-seq1', 34n], ['my-seq2', 10n]]);
  await raiseSequences(t.ctx, t.cluster, sequences, largest, NO_FAULTS, undefined);
  for (const [name, next] of [['my-seq1', 35], ['my-seq2', 11]]) {
    expect(await t.rows(SOURCE, '0', `select id, next_id, cache from \`${name}\``)).toEqual([[0, next, 1000]]);
  }
});
