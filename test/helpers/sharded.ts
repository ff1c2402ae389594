import { type TestCluster, testCluster } from './shell.ts';

const VSCHEMA = {
  sharded: true,
  vindexes: { hash: { type: 'hash' } },
  tables: {
    customer: { column_vindexes: [{ column: 'customer_id', name: 'hash' }] },
    corder: { column_vindexes: [{ column: 'customer_id', name: 'hash' }] },
  },
};

/** The example with two shards in `customer` and the usual workflow, copied and running. */
export async function shardedCluster(options: { version?: string; rows?: number } = {}): Promise<TestCluster> {
  const { version = 'hardened', rows = 0 } = options;
  const cluster = testCluster();
  await cluster.ok(`init commerce --without customer --vitess-version ${version}${rows === 0 ? '' : ` --rows ${rows}`}`);
  for (const [uid, shard] of [[200, '-80'], [300, '80-']] as const) {
    await cluster.ok(`tablet add zone1-${uid} --keyspace customer --shard ${shard} --type primary`);
    await cluster.ok(`tablet add zone1-${uid + 1} --keyspace customer --shard ${shard} --type replica`);
  }
  cluster.host.store.put('global', 'keyspaces/customer/VSchema', JSON.stringify(VSCHEMA));
  await cluster.ok('RebuildVSchemaGraph');
  await cluster.ok(
    'MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder --sharded-auto-increment-handling leave',
  );
  await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status');
  return cluster;
}
