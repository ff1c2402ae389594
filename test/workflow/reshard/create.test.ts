import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containsId, formatKeyRange, idToHex, intersects } from '../../../src/lib/key-range.ts';
import { validateShardName } from '../../../src/lib/names.ts';
import { pumpStream, pumpUntilIdle } from '../../../src/tablet/vreplication/pump.ts';
import { insertStream, readStreams, type StreamRow } from '../../../src/tablet/vreplication/streams.ts';
import { BinlogSource } from '../../../src/topo/proto/messages-binlogdata.ts';
import { prototext } from '../../../src/topo/proto/prototext.ts';
import { createVindex } from '../../../src/vindex/registry.ts';
import { TestCluster } from '../../helpers/cluster.ts';
import type { TestCluster as ShellCluster } from '../../helpers/shell.ts';
import { allRows, beforeReshard, misplacedRows, RESHARDS, reshardCreate, reshardingCluster, reshardLine, type ReshardShape } from '../../helpers/reshard.ts';

const SHAPES = Object.keys(RESHARDS) as ReshardShape[];

describe.each(SHAPES)('Reshard %s', (shape) => {
  const { from, to } = RESHARDS[shape];

  it('copies every row once, to the shard of its keyspace id', async () => {
    const cluster = await reshardingCluster(shape);
    for (const table of ['customer', 'corder']) {
      expect(allRows(cluster, table, to)).toEqual(allRows(cluster, table, from));
      expect(misplacedRows(cluster, table, to)).toEqual([]);
    }
    expect(allRows(cluster, 'customer', to)).toHaveLength(40);
  });

  it('follows what changes', async () => {
    const cluster = await reshardingCluster(shape);
    for (let id = 1; id <= 12; id++) {
      await cluster.ok(`query "insert into customer values (${100 + id}, 'new')"`);
      await cluster.ok(`query "update corder set price = ${1000 + id} where customer_id = ${id}"`);
    }
    await cluster.ok(`query "delete from corder where customer_id = 20"`);
    await cluster.ok(reshardLine('status'));
    for (const table of ['customer', 'corder']) {
      expect(allRows(cluster, table, to)).toEqual(allRows(cluster, table, from));
      expect(misplacedRows(cluster, table, to)).toEqual([]);
    }
    expect(allRows(cluster, 'corder', to)).toHaveLength(78);
  });
});

/** The streams of a target, as they are kept. */
function streamsOf(cluster: ShellCluster, shard: string): readonly StreamRow[] {
  return readStreams(cluster.host.shards.open('customer', shard));
}

describe('Reshard create', () => {
  it('prints the status of its streams', async () => {
    const cluster = await beforeReshard('1 to 2');
    expect(await cluster.ok(reshardCreate('1 to 2'))).toBe(
      [
        'The following vreplication streams exist for workflow customer.cust2cust:',
        '',
        'id=1 on customer/zone1-1000: Status: Running. VStream has not started.',
        'id=1 on customer/zone1-1100: Status: Running. VStream has not started.',
        '',
        'Traffic State: Reads Not Switched. Writes Not Switched',
        '',
      ].join('\n'),
    );
  });

  it('makes a stream for each source whose range a target meets, and one for each reference stream', async () => {
    const cluster = await beforeReshard('2 to 4');
    await cluster.ok(reshardCreate('2 to 4', '--auto-start=false'));
    const table = RESHARDS['2 to 4'].to.map((shard) => streamsOf(cluster, shard).map((row) => `${row.workflow} ${row.source}`));
    const rules = (range: string): string => `filter:{rules:{match:"country" filter:"exclude"} rules:{match:"/.*" filter:"${range}"}}`;
    const reference = 'ref keyspace:"global" shard:"0" filter:{rules:{match:"country" filter:"select * from country"}}';
    expect(table).toEqual([
      [`cust2cust keyspace:"customer" shard:"-80" ${rules('-40')}`, reference],
      [`cust2cust keyspace:"customer" shard:"-80" ${rules('40-80')}`, reference],
      [`cust2cust keyspace:"customer" shard:"80-" ${rules('80-c0')}`, reference],
      [`cust2cust keyspace:"customer" shard:"80-" ${rules('c0-')}`, reference],
    ]);
    const merged = await beforeReshard('4 to 2');
    await merged.ok(reshardCreate('4 to 2', '--auto-start=false'));
    expect(streamsOf(merged, '-80').map(({ workflow, source }) => `${workflow} ${/shard:"([^"]*)"/.exec(source)?.[1]}`)).toEqual(['cust2cust -40', 'cust2cust 40-80', 'ref 0']);
  });

  it('keeps what it was told with the streams', async () => {
    const cluster = await beforeReshard('1 to 2');
    const flags = '--auto-start=false --stop-after-copy --on-ddl exec_ignore --cells zone1 --tablet-types rdonly,replica --defer-secondary-keys=false --config-overrides vstream-packet-size=1000';
    expect(await cluster.ok(reshardCreate('1 to 2', flags))).toContain('id=1 on customer/zone1-1000: Status: Stopped. VStream has not started.');
    const [own, reference] = streamsOf(cluster, '-80');
    expect(own).toMatchObject({
      workflow: 'cust2cust',
      source: 'keyspace:"customer" shard:"0" filter:{rules:{match:"country" filter:"exclude"} rules:{match:"/.*" filter:"-80"}} on_ddl:EXEC_IGNORE stop_after_copy:true',
      state: 'Stopped',
      message: null,
      pos: '',
      cell: 'zone1',
      tablet_types: 'in_order:RDONLY,REPLICA',
      workflow_type: 4,
      workflow_sub_type: 0,
      defer_secondary_keys: 0,
      options: '{"config":{"vstream-packet-size":"1000"}}',
    });
    const limits = cluster.host.shards.open('customer', '-80').db.get('SELECT CAST(max_tps AS TEXT) AS tps, CAST(max_replication_lag AS TEXT) AS lag FROM "_vt.vreplication" WHERE id = 1');
    expect(limits).toEqual({ tps: '9223372036854775807', lag: '9223372036854775807' });
    expect(reference).toMatchObject({ workflow: 'ref', workflow_type: 0, pos: '', state: 'Stopped', cell: 'zone1', tablet_types: 'REPLICA,PRIMARY', defer_secondary_keys: 0 });
    const plain = await beforeReshard('1 to 2');
    await plain.ok(reshardCreate('1 to 2', '--tablet-types-in-preference-order=false'));
    expect(streamsOf(plain, '-80')[0]).toMatchObject({ cell: '', tablet_types: 'REPLICA,PRIMARY', options: '{}', defer_secondary_keys: 1, state: 'Running' });
  });

  it('starts later, and stops after the copy', async () => {
    const cluster = await beforeReshard('1 to 2');
    await cluster.ok(reshardCreate('1 to 2', '--auto-start=false --stop-after-copy'));
    await cluster.ok(reshardLine('status'));
    expect(allRows(cluster, 'customer', RESHARDS['1 to 2'].to)).toEqual([]);
    await cluster.ok(reshardLine('start --shards=-80'));
    expect(await cluster.ok(reshardLine('status'))).toContain('id=1 on customer/zone1-1000: Status: Stopped. VStream Lag: 0s.');
    await cluster.ok(reshardLine('start --shards=80-'));
    await cluster.ok(reshardLine('status'));
    expect(streamsOf(cluster, '-80')[0]).toMatchObject({ state: 'Stopped', message: 'Stopped after copy.' });
    expect(allRows(cluster, 'customer', RESHARDS['1 to 2'].to)).toHaveLength(40);
  });

  it('--skip-schema-copy leaves the tables to others: without them there is nothing to copy', async () => {
    const cluster = await beforeReshard('1 to 2', { reference: false });
    await cluster.ok(reshardCreate('1 to 2', '--skip-schema-copy'));
    await cluster.ok(reshardLine('status'));
    expect(streamsOf(cluster, '-80')[0]).toMatchObject({ state: 'Stopped', message: 'There is nothing to replicate' });
    expect(cluster.host.shards.open('customer', '-80').tableNames()).toEqual([]);
  });

  it('reference tables are whole on every new shard, and follow', async () => {
    const cluster = await reshardingCluster('2 to 4');
    await cluster.ok(`query "insert into global.country values ('nz', 'New Zealand')"`);
    await cluster.ok('show keyspace customer');
    for (const shard of RESHARDS['2 to 4'].to) {
      expect(cluster.host.shards.open('customer', shard).db.all('SELECT code FROM country ORDER BY code')).toEqual(['at', 'fr', 'jp', 'nz'].map((code) => ({ code })));
    }
  });

  it('shows how far each table is on hardened; a release shows those that a rule names', async () => {
    const shown = await Promise.all(
      ['hardened', '24.0.0-SNAPSHOT'].map(async (version) => {
        const cluster = await beforeReshard('1 to 2', { version });
        await cluster.ok(reshardCreate('1 to 2', '--auto-start=false'));
        for (const shard of ['-80', '80-']) cluster.host.shards.open('customer', shard).db.run(`INSERT INTO "_vt.copy_state" (vrepl_id, table_name) VALUES (1, 'customer')`);
        return cluster.ok(reshardLine('status'));
      }),
    );
    expect(shown[0]).toMatch(/\n\tcorder: RowsCopied:0, RowsTotal:80, .*Phase:COMPLETE\n\tcustomer: RowsCopied:0, RowsTotal:40, .*Phase:NOT_STARTED\n/);
    expect(shown[1]).toMatch(/\n\tcountry: RowsCopied:0, RowsTotal:3, .*Phase:COMPLETE\n\nTraffic State/);
  });
});

it('cancel takes --keep-data on releases that know it', async () => {
  const answers = await Promise.all(
    ['20.0.6', '20.0.7', '24.0.0-SNAPSHOT'].map(async (version) => {
      const cluster = await reshardingCluster('1 to 2', { version, rows: 3 });
      return (await cluster.run(reshardLine('cancel --keep-data'))).stderr.split('\n')[0];
    }),
  );
  expect(answers).toEqual(['unknown flag: --keep-data', '', '']);
});

describe('while a Reshard runs', () => {
  it('a table that appears on the source is passed over, as in Vitess, unless the target has it too', async () => {
    const cluster = await reshardingCluster('1 to 2');
    await cluster.ok(`query --target customer:0 'create table news (id bigint not null, primary key (id))'`);
    await cluster.ok(`query --target customer:0 'insert into news values (1), (2)'`);
    await cluster.ok(`query "insert into customer values (100, 'x')"`);
    await cluster.ok(reshardLine('status'));
    expect(streamsOf(cluster, '-80')[0]).toMatchObject({ state: 'Running', message: '' });
    expect(cluster.host.shards.open('customer', '-80').tableNames()).toEqual(['corder', 'country', 'customer']);
    expect(allRows(cluster, 'customer', RESHARDS['1 to 2'].to)).toHaveLength(41);
  });

  it('a row without a keyspace id keeps its stream waiting, with an error', async () => {
    const cluster = await reshardingCluster('1 to 2');
    await cluster.ok(`query --target customer:0 'alter table corder modify column customer_id bigint null'`);
    await cluster.ok(`query --target customer:0 "insert into corder values (900, null, 'x', 1)"`);
    const status = await cluster.ok(reshardLine('status'));
    expect(status).toMatch(/id=1 on customer\/zone1-1000: Status: Error\. stream \(at source tablet\) error @ \(including the GTID we failed to process\) \S+:1-\d+: could not map \[NULL\] to a keyspace id, got destination DestinationNone\(\)\.\n/);
    expect(streamsOf(cluster, '-80')[0]).toMatchObject({ state: 'Running' });
    const { exit, stderr } = await cluster.run(reshardLine('switchtraffic'));
    expect(exit).toBe(1);
    expect(stderr).toContain('cannot switch traffic for workflow cust2cust at this time: workflow has errors');
  });

  it('DDL is run on every target with --on-ddl exec', async () => {
    const cluster = await beforeReshard('1 to 2');
    await cluster.ok(reshardCreate('1 to 2', '--on-ddl EXEC'));
    await cluster.ok(reshardLine('status'));
    await cluster.ok(`query --target customer:0 'alter table customer add column vip int'`);
    await cluster.ok(`query --target customer:0 "update customer set vip = 1 where customer_id < 5"`);
    await cluster.ok(reshardLine('status'));
    expect(allRows(cluster, 'customer', RESHARDS['1 to 2'].to)).toEqual(allRows(cluster, 'customer', ['0']));
    expect(allRows(cluster, 'customer', RESHARDS['1 to 2'].to).filter((row) => row.includes('"vip":1'))).toHaveLength(4);
  });
});

describe('every vindex that a stream can use', () => {
  const TYPES = ['hash', 'xxhash', 'unicode_loose_md5', 'unicode_loose_xxhash', 'binary_md5', 'binary', 'numeric', 'reverse_bits'] as const;

  it.each(TYPES)('%s', async (type) => {
    const text = !['hash', 'numeric', 'reverse_bits'].includes(type);
    const made = await TestCluster.make({
      ks: {
        shards: ['-', '-40', '40-c0', 'c0-'],
        vschema: { sharded: true, vindexes: { v: { type } }, tables: { t: { column_vindexes: [{ column: 'k', name: 'v' }] } } },
        schema: [`create table t (id int not null, k ${text ? 'varchar(20)' : 'bigint'}, primary key (id))`],
      },
    });
    const { ctx, cluster } = made;
    const values = Array.from({ length: 60 }, (_, index) => `(${index}, ${text ? `'Käufer ${index}'` : BigInt(index) * 2n ** 57n + BigInt(index)})`);
    await made.run('ks', '-', `insert into t values ${values.join(', ')}`);
    const targets = ['-40', '40-c0', 'c0-'];
    for (const shard of targets) {
      const db = made.shard('ks', shard);
      const source = prototext(BinlogSource, { keyspace: 'ks', shard: '-', filter: { rules: [{ match: '/.*', filter: shard }] } });
      insertStream(db, { workflow: 'w', source, pos: '', state: 'Running', db_name: db.dbName, time_updated: 0 }, 0);
      await pumpUntilIdle(ctx, cluster, db, 1);
      expect(readStreams(db)[0]).toMatchObject({ state: 'Running', message: '' });
    }
    const vindex = createVindex('v', type);
    const found = targets.flatMap((shard) => {
      const rows = made.shard('ks', shard).db.allBig<{ id: bigint; k: bigint | string }>('SELECT * FROM t ORDER BY id');
      for (const { k } of rows) expect(containsId(validateShardName(shard).keyRange, idToHex(vindex.map([k])!))).toBe(true);
      return rows.map(({ id }) => Number(id));
    });
    expect(found.toSorted((a, b) => a - b)).toEqual(values.map((_, index) => index));
  });
});

it('whatever is written between its steps, the copy ends with each row once, in its shard', async () => {
  const operation = fc.record({ what: fc.constantFrom('insert', 'update', 'delete', 'move'), id: fc.integer({ min: 1, max: 30 }), value: fc.integer({ min: 0, max: 99 }) });
  const steps = fc.array(fc.oneof(operation, fc.constantFrom<'pump'>('pump')), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(...SHAPES), async (list, shape) => {
      const { from, to } = RESHARDS[shape];
      const made = await TestCluster.make({
        ks: {
          shards: [...from, ...to],
          vschema: { sharded: true, vindexes: { hash: { type: 'hash' } }, tables: { t: { column_vindexes: [{ column: 'k', name: 'hash' }] } } },
          schema: ['create table t (id int not null, k bigint not null, v int, primary key (id))'],
        },
      });
      const { ctx, cluster } = made;
      const hash = createVindex('hash', 'hash');
      const home = (k: number): string => from.find((shard) => containsId(validateShardName(shard).keyRange, idToHex(hash.map([k])!)))!;
      for (let id = 1; id <= 20; id++) await made.run('ks', home(id), `insert into t values (${id}, ${id}, 0)`);
      const streams = to.flatMap((shard) =>
        from
          .filter((source) => intersects(validateShardName(source).keyRange, validateShardName(shard).keyRange))
          .map((source) => {
            const db = made.shard('ks', shard);
            const text = prototext(BinlogSource, { keyspace: 'ks', shard: source, filter: { rules: [{ match: '/.*', filter: formatKeyRange(validateShardName(shard).keyRange) }] } });
            return { db, id: insertStream(db, { workflow: 'w', source: text, pos: '', state: 'Running', db_name: db.dbName, time_updated: 0 }, 0) };
          }),
      );
      let turn = 0;
      for (const step of list) {
        if (step === 'pump') {
          const { db, id } = streams[turn++ % streams.length]!;
          await pumpStream(ctx, cluster, db, id);
          continue;
        }
        const { what, id, value } = step;
        for (const shard of from) {
          if (what === 'delete') await made.run('ks', shard, `delete from t where id = ${id}`);
          if (what === 'update') await made.run('ks', shard, `update t set v = ${value} where id = ${id}`);
          // Within its shard a row may change the column that its keyspace id comes from.
          if (what === 'move' && from.length === 1) await made.run('ks', shard, `update t set k = ${value} where id = ${id}`);
        }
        if (what === 'insert') await made.run('ks', home(id), `insert ignore into t values (${id}, ${id}, ${value})`);
      }
      for (const { db, id } of streams) await pumpUntilIdle(ctx, cluster, db, id);
      const rowsOf = (shards: readonly string[]): string[] => shards.flatMap((shard) => made.shard('ks', shard).db.all('SELECT * FROM t')).map((row) => JSON.stringify(row)).toSorted();
      expect(rowsOf(to)).toEqual(rowsOf(from));
      for (const shard of to) {
        const { keyRange } = validateShardName(shard);
        for (const { k } of made.shard('ks', shard).db.all<{ k: number }>('SELECT k FROM t')) expect(containsId(keyRange, idToHex(hash.map([k])!))).toBe(true);
      }
    }),
    { numRuns: 12 },
  );
});
