import type { VSchemaKeyspace } from '../../src/topo/proto/types.ts';
import { forked, type TestCluster, testCluster } from './shell.ts';

const VSCHEMA: VSchemaKeyspace = {
  sharded: true,
  vindexes: { reverse: { type: 'reverse_bits' } },
  tables: {
    customer: { column_vindexes: [{ column: 'cid', name: 'reverse' }] },
    corder: { column_vindexes: [{ column: 'cid', name: 'reverse' }] },
  },
};

/** Rows of both tables; odd ids belong to the upper half. */
export const PARTIAL_ROWS = [1, 2, 3, 4, 5];

/** `p80d` moves shard 80-, `pd80` the other one. */
export const partialLine = (workflow: 'p80d' | 'pd80', rest: string): string => `MoveTables --workflow ${workflow} --target-keyspace customer2 ${rest}`;

const SHARD_OF = { p80d: '80-', pd80: '-80' } as const;

export const createPartial = (workflow: 'p80d' | 'pd80'): string =>
  partialLine(workflow, `create --source-keyspace customer --source-shards ${SHARD_OF[workflow]} --all-tables`);

/** Keyspaces `customer` and `customer2` of two shards each, with rows in the first. */
export function twoByTwo(version = 'hardened'): Promise<TestCluster> {
  return forked(`two by two ${version}`, async () => {
    const cluster = testCluster();
    await cluster.ok(`init commerce --without commerce,customer --vitess-version ${version}`);
    let uid = 100;
    for (const keyspace of ['customer', 'customer2']) {
      for (const shard of ['-80', '80-']) {
        await cluster.ok(`tablet add zone1-${uid} --keyspace ${keyspace} --shard ${shard} --type primary`);
        await cluster.ok(`tablet add zone1-${uid + 1} --keyspace ${keyspace} --shard ${shard} --type replica`);
        uid += 100;
      }
      cluster.host.store.put('global', `keyspaces/${keyspace}/VSchema`, JSON.stringify(VSCHEMA));
    }
    await cluster.ok('RebuildVSchemaGraph');
    for (const shard of ['-80', '80-']) {
      await cluster.ok(`query --target customer:${shard} "create table customer (cid bigint primary key, name varchar(60))"`);
      await cluster.ok(`query --target customer:${shard} "create table corder (oid bigint primary key, cid bigint)"`);
    }
    for (const cid of PARTIAL_ROWS) {
      await cluster.ok(`query --target customer "insert into customer (cid, name) values (${cid}, 'c${cid}')"`);
      await cluster.ok(`query --target customer "insert into corder (oid, cid) values (${10 * cid}, ${cid})"`);
    }
    return cluster;
  });
}

/** The same with the workflow of shard 80- copied and running. */
export function partialCluster(version = 'hardened'): Promise<TestCluster> {
  return forked(`partial ${version}`, async () => {
    const cluster = await twoByTwo(version);
    await cluster.ok(createPartial('p80d'));
    await cluster.ok(partialLine('p80d', 'status'));
    return cluster;
  });
}
