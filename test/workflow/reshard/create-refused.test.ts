import { describe, expect, it } from 'vitest';
import { insertStream, readStreams } from '../../../src/tablet/vreplication/streams.ts';
import { BinlogSource } from '../../../src/topo/proto/messages-binlogdata.ts';
import { prototext } from '../../../src/topo/proto/prototext.ts';
import type { Shard, SrvKeyspace, VSchemaKeyspace } from '../../../src/topo/proto/types.ts';
import type { Rule } from '../../../src/topo/proto/types-workflow.ts';
import { background } from '../../../src/runtime/context.ts';
import { lockKeyspace } from '../../../src/topo/locks.ts';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { openCluster } from '../../helpers/open-cluster.ts';
import { beforeReshard, RESHARDS, reshardCreate, reshardLine } from '../../helpers/reshard.ts';
import type { TestCluster } from '../../helpers/shell.ts';

const NEWEST = '24.0.0-SNAPSHOT';

function edit<T>(cluster: TestCluster, path: string, change: (record: T) => void, cell = 'global'): void {
  const record = JSON.parse(cluster.host.store.cell(cell).get(path)!.contents) as T;
  change(record);
  cluster.host.store.put(cell, path, JSON.stringify(record));
}

function shard(cluster: TestCluster, name: string, change: (record: Shard) => void): void {
  edit(cluster, `keyspaces/customer/shards/${name}/Shard`, change);
}

/** Gives a source shard one more stream, as if somebody had made it. */
function addStream(cluster: TestCluster, name: string, workflow: string, rules: Rule[], keyspace = 'elsewhere'): void {
  const db = cluster.host.shards.open('customer', name);
  const source = prototext(BinlogSource, { keyspace, shard: '0', filter: { rules } });
  insertStream(db, { workflow, source, pos: 'MySQL56/x:1', state: 'Stopped', message: '', db_name: db.dbName, time_updated: 0 }, 0);
}

type Prepare = (cluster: TestCluster) => void;
const nothing: Prepare = () => {};
const [a, b] = RESHARDS['2 to 4'].from;

/** Each refusal of the sheet, in its order: what is wrong, the shards asked for, what stderr begins with. */
const REFUSED: readonly (readonly [what: string, prepare: Prepare, args: string, text: string])[] = [
  ['an unknown cell', nothing, `--cells zone9 --source-shards=${a},${b} --target-shards=-40,40-80,80-c0,c0-`, "node doesn't exist: /vitess/global/cells/zone9/CellInfo"],
  [
    'a hole in the serving graph',
    (cluster) => edit<SrvKeyspace>(cluster, 'keyspaces/customer/SrvKeyspace', (record) => void record.partitions![0]!.shard_references!.pop(), 'zone1'),
    `--source-shards=${a} --target-shards=-40,40-80`,
    'keyspace partition for PRIMARY in cell zone1 does not end with max key',
  ],
  ['an unknown source', nothing, '--source-shards=-20 --target-shards=-40', "buildResharder: GetShard(-20) failed: node doesn't exist: /vitess/global/keyspaces/customer/shards/-20/Shard"],
  ['a bad name', nothing, '--source-shards=zz- --target-shards=-40', "buildResharder: GetShard(zz-) failed: encoding/hex: invalid byte: U+007A 'z'"],
  ['a source that does not serve', nothing, '--source-shards=-40 --target-shards=40-80', 'buildResharder: source shard -40 is not in serving state'],
  [
    'a source without its primary',
    (cluster) => shard(cluster, a, (record) => void (record.primary_alias!.uid = 999)),
    `--source-shards=${a} --target-shards=-40,40-80`,
    "buildResharder: GetTablet(zone1-0000000999) failed: node doesn't exist: /vitess/zone1/tablets/zone1-0000000999/Tablet",
  ],
  ['an unknown target', nothing, `--source-shards=${a} --target-shards=-20`, "buildResharder: GetShard(-20) failed: node doesn't exist: /vitess/global/keyspaces/customer/shards/-20/Shard"],
  [
    'a target without a primary',
    (cluster) => shard(cluster, '-40', (record) => void delete record.primary_alias),
    `--source-shards=${a} --target-shards=-40,40-80`,
    'buildResharder: target shard -40 has no primary tablet',
  ],
  ['a target that serves', nothing, `--source-shards=${a} --target-shards=${b}`, `buildResharder: target shard ${b} is in serving state`],
  ['no shards', nothing, '', 'buildResharder: ValidateForReshard: there are no shards to combine'],
  ['no targets', nothing, `--source-shards=${a}`, 'buildResharder: ValidateForReshard: there are no shards to combine'],
  [
    'one range on both sides',
    (cluster) => shard(cluster, '-40', (record) => void (record.key_range = { end: Buffer.from('80', 'hex').toString('base64') })),
    `--source-shards=${a} --target-shards=-40`,
    'buildResharder: ValidateForReshard: same keyrange is present in source and target: -80',
  ],
  ['a hole', nothing, `--source-shards=${a} --target-shards=-40,80-c0`, "buildResharder: ValidateForReshard: shards don't form a contiguous keyrange"],
  ['another range', nothing, `--source-shards=${a},${b} --target-shards=-40,40-80`, "buildResharder: ValidateForReshard: source and target keyranges don't match: - vs -80"],
  [
    'a stream on a target',
    (cluster) => addStream(cluster, '40-80', 'old', [{ match: 'customer' }]),
    `--source-shards=${a} --target-shards=-40,40-80`,
    'buildResharder: validateTargets: some streams already exist in the target shards, please clean them up and retry the command',
  ],
  [
    'no VSchema',
    (cluster) => void cluster.host.store.cell('global').delete('keyspaces/customer/VSchema'),
    `--source-shards=${a} --target-shards=-40,40-80`,
    "buildResharder: GetVSchema: node doesn't exist: /vitess/global/keyspaces/customer/VSchema",
  ],
  [
    'a stream without a workflow',
    (cluster) => addStream(cluster, a, '', [{ match: 'country' }]),
    `--source-shards=${a} --target-shards=-40,40-80`,
    `buildResharder: readRefStreams: VReplication streams must have named workflows for migration: shard: customer:${a}`,
  ],
  [
    'a stream of a table that the VSchema lacks',
    (cluster) => addStream(cluster, a, 'mat', [{ match: 't1' }]),
    `--source-shards=${a} --target-shards=-40,40-80`,
    'buildResharder: readRefStreams: blsIsReference: table t1 not found in vschema',
  ],
  ...[['country', 'customer'], ['customer', 'country']].map(
    ([first, second]) =>
      [
        `a stream of ${first} and ${second}`,
        (cluster: TestCluster) => addStream(cluster, a, 'mat', [{ match: first! }, { match: second! }]),
        `--source-shards=${a} --target-shards=-40,40-80`,
        'buildResharder: readRefStreams: blsIsReference: cannot reshard streams with a mix of reference and sharded tables: keyspace:"elsewhere" shard:"0" filter:{rules:',
      ] as const,
  ),
  [
    'a reference stream on the second source alone',
    (cluster) => addStream(cluster, b, 'more', [{ match: 'country' }]),
    `--source-shards=${a},${b} --target-shards=-40,40-80,80-c0,c0-`,
    'buildResharder: readRefStreams: streams are mismatched across source shards for workflow: more',
  ],
  [
    'a reference stream on the first source alone',
    (cluster) => addStream(cluster, a, 'more', [{ match: 'country' }]),
    `--source-shards=${a},${b} --target-shards=-40,40-80,80-c0,c0-`,
    'buildResharder: readRefStreams: streams are mismatched across source shards: map[more:elsewhere:0:true]',
  ],
];

describe.each(['hardened', NEWEST])('Reshard create on %s refuses', (version) => {
  it.each(REFUSED)('%s', async (_what, prepare, args, text) => {
    const cluster = await beforeReshard('2 to 4', { version });
    prepare(cluster);
    const before = fingerprint(cluster.host);
    const { exit, stdout, stderr } = await cluster.run(reshardLine(`create ${args}`));
    expect(exit).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.startsWith(text), stderr).toBe(true);
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('a keyspace that no cell serves', async () => {
    const cluster = await beforeReshard('2 to 4', { version });
    const { exit, stderr } = await cluster.run('Reshard --workflow r --target-keyspace nope create --source-shards 0 --target-shards=-80,80-');
    expect(exit).toBe(1);
    expect(stderr).toMatch(/^node doesn't exist: \/vitess\/zone1\/keyspaces\/nope\/SrvKeyspace\n/);
  });
});

function editVSchema(cluster: TestCluster, change: (vschema: VSchemaKeyspace) => void): void {
  edit<VSchemaKeyspace>(cluster, 'keyspaces/customer/VSchema', change);
}

/** What Vitess lets pass: what is wrong, and what hardened says first. */
const LATE: readonly (readonly [what: string, prepare: Prepare, text: string])[] = [
  ['the name of another workflow', (cluster) => addStream(cluster, b, 'cust2cust', [{ match: 'customer' }]), 'workflow cust2cust already exists in keyspace customer on tablet zone1-0000000200'],
  ['a keyspace that is not sharded', (cluster) => editVSchema(cluster, (vschema) => void (vschema.sharded = false)), 'keyspace customer is not sharded'],
  ['a table without a vindex', (cluster) => editVSchema(cluster, (vschema) => void delete vschema.tables!['corder']!.column_vindexes), 'no stream can copy corder: table corder has no vindex'],
  ['a table that the VSchema lacks', (cluster) => editVSchema(cluster, (vschema) => void delete vschema.tables!['corder']), 'no stream can copy corder: table corder not found in vschema for keyspace customer'],
  ['source shards that differ', (cluster) => cluster.host.shards.open('customer', b).dropTable('corder'), `the tables of customer/${a} and customer/${b} differ: customer/${a} has an extra table named corder`],
  [
    'a reference table that no stream fills',
    (cluster) => {
      for (const name of [a, b]) cluster.host.shards.open('customer', name).db.run('DELETE FROM "_vt.vreplication"');
    },
    `no stream brings the rows of reference table country in customer/${a} to the new shards`,
  ],
];

describe('what Vitess lets pass', () => {
  it.each(LATE)('%s: hardened refuses it and says what to do, a release warns', async (what, prepare, text) => {
    const hardened = await beforeReshard('2 to 4');
    prepare(hardened);
    const before = fingerprint(hardened.host);
    const refused = await hardened.run(reshardCreate('2 to 4'));
    expect(refused.exit).toBe(1);
    expect(refused.stderr.startsWith(text), refused.stderr).toBe(true);
    expect(refused.stderr.split('\n')[1]).toMatch(/^next: \S/);
    expect(fingerprint(hardened.host)).toEqual(before);

    const release = await beforeReshard('2 to 4', { version: NEWEST });
    prepare(release);
    const { exit, stderr } = await release.run(reshardCreate('2 to 4'));
    // With two workflows of one name the status cannot be read; both have their streams.
    expect(exit, stderr).toBe(what === 'the name of another workflow' ? 1 : 0);
    expect(stderr).toContain(`warning: ${text}`);
    expect(readStreams(release.host.shards.open('customer', '-40'), 'cust2cust')).toHaveLength(1);
  });

  it('rows on a target shard: hardened refuses, and the streams of a release break', async () => {
    const made = async (version: string): Promise<{ cluster: TestCluster; exit: number; stderr: string }> => {
      const cluster = await beforeReshard('2 to 4', { version });
      await cluster.ok(reshardCreate('2 to 4', '--stop-after-copy'));
      await cluster.ok('show keyspace customer');
      for (const name of RESHARDS['2 to 4'].to) {
        const { db } = cluster.host.shards.open('customer', name);
        for (const table of ['vreplication', 'copy_state']) db.run(`DELETE FROM "_vt.${table}"`);
      }
      return { cluster, ...(await cluster.run(reshardCreate('2 to 4'))) };
    };
    const hardened = await made('hardened');
    expect(hardened.exit).toBe(1);
    expect(hardened.stderr).toMatch(/^target shard customer\/-40 has rows already, of corder, country, customer\n/);
    const release = await made(NEWEST);
    expect(release.exit, release.stderr).toBe(0);
    expect(release.stderr).toContain('warning: target shard customer/-40 has rows already');
    await release.cluster.ok('show keyspace customer');
    expect(readStreams(release.cluster.host.shards.open('customer', '-40'), 'cust2cust')).toMatchObject([{ state: 'Error', message: expect.stringContaining('Duplicate entry') }]);
  });

  it('tables on a target: a release fails at the first, hardened makes the rest, and refuses one that differs', async () => {
    const made = async (version: string, sql: string): Promise<{ exit: number; stderr: string; tables: string[] }> => {
      const cluster = await beforeReshard('1 to 2', { version });
      await cluster.ok(`query --target customer:-80 '${sql}'`);
      const { exit, stderr } = await cluster.run(reshardCreate('1 to 2'));
      return { exit, stderr, tables: cluster.host.shards.open('customer', '-80').tableNames() };
    };
    const same = 'create table customer (customer_id bigint not null, email varchar(64), primary key (customer_id))';
    expect(await made('hardened', same)).toMatchObject({ exit: 0, tables: ['corder', 'country', 'customer'] });
    const release = await made(NEWEST, same);
    expect(release.stderr).toMatch(/^copySchema: creating a table failed\. Most likely some tables already exist on the destination .* Full error: Code: ALREADY_EXISTS\n.*Table 'customer' already exists/);
    // The tables before it stay (K35).
    expect(release.tables).toEqual(['corder', 'country', 'customer']);
    const other = await made('hardened', 'create table customer (customer_id bigint not null, primary key (customer_id))');
    expect(other.stderr).toMatch(/^the tables of customer\/-80 are not those of the source shards: schemas differ on table customer\n/);
    expect(other.tables).toEqual(['customer']);
    const extra = await made('hardened', 'create table more (id int primary key)');
    expect(extra.stderr).toMatch(/^the tables of customer\/-80 are not those of the source shards: customer\/-80 has an extra table named more\n/);
    const verified = await made(NEWEST, 'create table more (id int primary key)');
    expect(verified.stderr).toContain('CopySchemaShard was not successful because the schemas between the two tablets cell:"zone1" uid:100 and cell:"zone1" uid:1000 differ: [dest has an extra table named more]');
  });
});

describe('a create that fails half-way', () => {
  /** The second target takes no stream. */
  async function failing(version: string): Promise<TestCluster> {
    const cluster = await beforeReshard('1 to 2', { version });
    cluster.host.shards.open('customer', '80-').db.exec(`CREATE TRIGGER full BEFORE INSERT ON "_vt.vreplication" BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`);
    return cluster;
  }

  it('leaves nothing on hardened', async () => {
    const cluster = await failing('hardened');
    const before = fingerprint(cluster.host);
    const { exit, stderr } = await cluster.run(reshardCreate('1 to 2'));
    expect(exit).toBe(1);
    expect(stderr).toMatch(/^createStreams: VReplicationExec\(zone1-0000001100, insert into _vt\.vreplication\): rpc error: .*the disk is full/);
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('leaves what was made on a release, which is then in the way (K35)', async () => {
    const cluster = await failing(NEWEST);
    expect((await cluster.run(reshardCreate('1 to 2'))).exit).toBe(1);
    expect(cluster.host.shards.open('customer', '-80').tableNames()).toEqual(['corder', 'country', 'customer']);
    expect(readStreams(cluster.host.shards.open('customer', '-80'))).toHaveLength(2);
    cluster.host.shards.open('customer', '80-').db.exec('DROP TRIGGER full');
    expect((await cluster.run(reshardCreate('1 to 2'))).stderr).toMatch(/^buildResharder: validateTargets: some streams already exist/);
  });

  it('waits for the lock of the keyspace on hardened, and takes none on a release', async () => {
    const answers = [];
    for (const version of ['hardened', NEWEST]) {
      const cluster = await beforeReshard('1 to 2', { version });
      const { topo } = openCluster(cluster.host);
      const held = await lockKeyspace(background(), topo, 'customer', 'test');
      answers.push((await cluster.run(reshardCreate('1 to 2', '--lock-timeout 1s'))).stderr.split('\n')[0]);
      await held.unlock(undefined);
      expect(readStreams(cluster.host.shards.open('customer', '-80'))).toHaveLength(version === 'hardened' ? 0 : 2);
    }
    expect(answers).toEqual(['deadline exceeded: /vitess/global/keyspaces/customer/locks', '']);
  });
});
