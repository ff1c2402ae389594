import { describe, expect, it } from 'vitest';
import { createTable } from '../../../src/tablet/create-table.ts';
import { parseStatement } from '../../../src/sql/parser.ts';
import { tableDef } from '../../../src/sql/schema-build.ts';
import { FROZEN, insertStream, readStreams, updateStream } from '../../../src/tablet/vreplication/streams.ts';
import { BinlogSource } from '../../../src/topo/proto/messages-binlogdata.ts';
import { prototext } from '../../../src/topo/proto/prototext.ts';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { otherStreams, reshardingWithStreams } from '../../helpers/other-streams.ts';
import { allRows, misplacedRows, reshardingCluster, reshardLine, RESHARDS } from '../../helpers/reshard.ts';
import type { TestCluster } from '../../helpers/shell.ts';

const { from, to } = RESHARDS['2 to 4'];
const STEP = 'switchTraffic/writes';

/** The stream `sales` of the first source shard is changed as somebody might have changed it. */
function change(cluster: TestCluster, changes: Parameters<typeof updateStream>[2]): void {
  const db = cluster.host.shards.open('customer', from[0]);
  updateStream(db, readStreams(db, 'sales')[0]!.id, changes, 0);
}

describe('streams of other workflows on the shards of a Reshard', () => {
  it('go with it to the new shards: one from elsewhere for each, one within the keyspace for each pair', async () => {
    const cluster = await reshardingWithStreams('2 to 4');
    const { exit, stderr } = await cluster.run(reshardLine('switchtraffic'));
    expect(exit, stderr).toBe(0);
    expect(otherStreams(cluster, from)).toEqual([]);
    expect(otherStreams(cluster, to)).toEqual(
      to.flatMap((shard) => [`${shard} sales Running from product/0`, ...to.map((source) => `${shard} emails Running from customer/${source}`)]),
    );
    for (const id of [101, 102, 103]) {
      await cluster.ok(`query "insert into product.sales (id, customer_id) values (${id}, ${id})"`);
      await cluster.ok(`query "insert into customer (customer_id, email) values (${id}, 'c${id}@example.com')"`);
    }
    await cluster.ok('show keyspace customer');
    for (const table of ['customer', 'sales', 'emails']) expect(misplacedRows(cluster, table, to)).toEqual([]);
    expect(allRows(cluster, 'sales', to)).toHaveLength(9);
    expect(allRows(cluster, 'emails', to)).toEqual(allRows(cluster, 'customer', to));
  });

  it('come back with a reversal', async () => {
    const cluster = await reshardingWithStreams('2 to 4');
    const before = otherStreams(cluster, from);
    await cluster.ok(reshardLine('switchtraffic'));
    await cluster.ok(`query "insert into customer (customer_id, email) values (200, 'c200@example.com')"`);
    const { exit, stderr } = await cluster.run(reshardLine('reversetraffic'));
    expect(exit, stderr).toBe(0);
    expect(otherStreams(cluster, from)).toEqual(before);
    expect(otherStreams(cluster, to)).toEqual([]);
    await cluster.ok(`query "insert into customer (customer_id, email) values (201, 'c201@example.com')"`);
    await cluster.ok('show keyspace customer');
    expect(allRows(cluster, 'emails', from)).toEqual(allRows(cluster, 'customer', from));
  });

  it('are stopped at one position, wherever each was', async () => {
    const cluster = await reshardingWithStreams('2 to 4');
    // One lags: it has applied nothing of what the other has.
    const lagging = cluster.host.shards.open('customer', from[0]);
    updateStream(lagging, readStreams(lagging, 'sales')[0]!.id, { state: 'Stopped', message: null }, 0);
    for (const id of [51, 52]) await cluster.ok(`query "insert into product.sales (id, customer_id) values (${id}, ${id})"`);
    await cluster.ok('Workflow --keyspace customer start --workflow sales');
    const { exit, stderr } = await cluster.run(reshardLine('switchtraffic'));
    expect(exit, stderr).toBe(0);
    await cluster.ok('show keyspace customer');
    expect(allRows(cluster, 'sales', to)).toHaveLength(8);
  });

  it('refuse the switch while an operator has stopped one', async () => {
    const cluster = await reshardingWithStreams('2 to 4');
    await cluster.ok('Workflow --keyspace customer stop --workflow sales --shards=-80');
    const before = fingerprint(cluster.host);
    const { exit, stderr } = await cluster.run(reshardLine('switchtraffic'));
    expect(exit).toBe(1);
    expect(stderr).toContain('failed to migrate the workflow streams: cannot migrate until all streams are running: -80: 100');
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('are half made on a release, and it starts one that was never started', async () => {
    const made = async (version: string): Promise<{ exit: number; stderr: string; cluster: TestCluster }> => {
      const cluster = await reshardingWithStreams('2 to 4', version);
      // As create leaves it where it has not come to starting them.
      change(cluster, { state: 'Stopped', message: null });
      return { cluster, ...(await cluster.run(reshardLine('switchtraffic'))) };
    };
    const hardened = await made('hardened');
    expect(hardened.exit).toBe(1);
    expect(hardened.stderr).toContain('cannot migrate until all streams are running: -80: 100');
    // "message != 'FROZEN'" leaves out rows without a message (12.2).
    const release = await made('24.0.0-SNAPSHOT');
    expect(release.exit, release.stderr).toBe(0);
    expect(otherStreams(release.cluster, to).filter((text) => text.includes('sales'))).toEqual(to.map((shard) => `${shard} sales Running from product/0`));
  });

  it('of a workflow that is frozen are taken along and started by a release; hardened refuses', async () => {
    const made = async (version: string): Promise<{ exit: number; stderr: string; cluster: TestCluster }> => {
      const cluster = await reshardingWithStreams('2 to 4', version);
      for (const shard of from) {
        const db = cluster.host.shards.open('customer', shard);
        for (const { id } of readStreams(db, 'sales')) updateStream(db, id, { state: 'Stopped', message: FROZEN }, 0);
      }
      return { cluster, ...(await cluster.run(reshardLine('switchtraffic'))) };
    };
    const hardened = await made('hardened');
    expect(hardened.exit).toBe(1);
    expect(hardened.stderr).toContain('the workflow sales is switched and not completed');
    expect(otherStreams(hardened.cluster, from)).toContain('-80 sales Stopped (FROZEN) from product/0');
    const release = await made('24.0.0-SNAPSHOT');
    expect(release.exit, release.stderr).toBe(0);
    expect(otherStreams(release.cluster, to)).toContain('-40 sales Running from product/0');
  });

  it('are put back as they were by hardened; a release takes their stop positions from them', async () => {
    for (const version of ['hardened', '24.0.0-SNAPSHOT']) {
      const cluster = await reshardingWithStreams('2 to 4', version);
      const product = cluster.host.shards.open('product', '0');
      const stopPosition = `MySQL56/${product.uuid}:1-100000`;
      change(cluster, { stop_pos: stopPosition });
      const before = otherStreams(cluster, from);
      const { exit } = await cluster.run(reshardLine(`switchtraffic --fault '${STEP}/createReverseVReplication=return'`));
      expect(exit).toBe(1);
      expect(otherStreams(cluster, to)).toEqual([]);
      expect(otherStreams(cluster, from)).toEqual(before);
      const kept = readStreams(cluster.host.shards.open('customer', from[0]), 'sales')[0]?.stop_pos;
      expect(kept).toBe(version === 'hardened' ? stopPosition : null);
    }
  });

  it('of the same name on a target, left by somebody, are replaced, and come back with a roll-back', async () => {
    const cluster = await reshardingWithStreams('2 to 4');
    const db = cluster.host.shards.open('customer', to[0]);
    const text = prototext(BinlogSource, { keyspace: 'product', shard: '0', filter: { rules: [{ match: 'sales', filter: 'select * from sales' }] } });
    insertStream(db, { workflow: 'sales', source: text, pos: '', state: 'Stopped', db_name: db.dbName, time_updated: 0, workflow_type: 0 }, 0);
    const before = fingerprint(cluster.host);
    const failed = await cluster.run(reshardLine(`switchtraffic --fault '${STEP}/createReverseVReplication=return'`));
    expect(failed.exit).toBe(1);
    expect(fingerprint(cluster.host)).toEqual(before);
    const { exit, stderr } = await cluster.run(reshardLine('switchtraffic'));
    expect(exit, stderr).toBe(0);
    expect(otherStreams(cluster, [to[0]]).filter((line) => line.includes('sales'))).toEqual(['-40 sales Running from product/0']);
  });
});

describe('a stream that reads from the shards of a Reshard', () => {
  it('follows its journal to the new shards', async () => {
    const cluster = await reshardingCluster('2 to 4', { rows: 12 });
    await cluster.ok('tablet add zone1-900 --keyspace report --shard 0 --type primary');
    const db = cluster.host.shards.open('report', '0');
    createTable(db, tableDef(parseStatement('create table customer (customer_id bigint not null, email varchar(64), primary key (customer_id))') as never));
    for (const shard of from) {
      const source = prototext(BinlogSource, { keyspace: 'customer', shard, filter: { rules: [{ match: 'customer', filter: 'select * from customer' }] } });
      insertStream(db, { workflow: 'all', source, pos: '', state: 'Running', db_name: db.dbName, time_updated: 0, workflow_type: 0, cell: 'zone1' }, 0);
    }
    await cluster.ok('show keyspace report');
    await cluster.ok(reshardLine('switchtraffic'));
    await cluster.ok(`query "insert into customer (customer_id, email) values (300, 'c300@example.com')"`);
    await cluster.ok('show keyspace report');
    expect(readStreams(db).map(({ state, source }) => `${state} ${/shard:"([^"]+)"/.exec(source)?.[1]}`)).toEqual(to.toSorted().map((shard) => `Running ${shard}`));
    expect(db.db.get('SELECT count(*) AS n FROM customer')).toEqual({ n: 13 });
  });

  it('stops where it does not read from all of them', async () => {
    const cluster = await reshardingCluster('2 to 4', { rows: 12 });
    await cluster.ok('tablet add zone1-900 --keyspace report --shard 0 --type primary');
    const db = cluster.host.shards.open('report', '0');
    createTable(db, tableDef(parseStatement('create table customer (customer_id bigint not null, email varchar(64), primary key (customer_id))') as never));
    const source = prototext(BinlogSource, { keyspace: 'customer', shard: from[0], filter: { rules: [{ match: 'customer', filter: 'select * from customer' }] } });
    insertStream(db, { workflow: 'half', source, pos: '', state: 'Running', db_name: db.dbName, time_updated: 0, workflow_type: 0, cell: 'zone1' }, 0);
    await cluster.ok('show keyspace report');
    await cluster.ok(reshardLine('switchtraffic'));
    await cluster.ok('show keyspace report');
    expect(readStreams(db)[0]).toMatchObject({
      state: 'Stopped',
      message: 'cannot redirect on journal: not all sources are present in this workflow: missing customer:80-',
    });
  });
});
