import { forkCluster, type TestCluster } from './shell.ts';

const made = new Map<string, Promise<TestCluster>>();

/** A cluster with two keyspaces more, `aside` with a table and `beside` without, that have nothing to do with any of the others. */
export async function withAside(key: string, make: () => Promise<TestCluster>): Promise<TestCluster> {
  const first = made.get(key) ?? add(make);
  made.set(key, first);
  return forkCluster(await first);
}

async function add(make: () => Promise<TestCluster>): Promise<TestCluster> {
  const cluster = await make();
  await cluster.ok('tablet add zone1-970 --keyspace aside --shard 0 --type primary');
  await cluster.ok('tablet add zone1-980 --keyspace beside --shard 0 --type primary');
  for (const keyspace of ['aside', 'beside']) cluster.host.store.put('global', `keyspaces/${keyspace}/VSchema`, '{}');
  await cluster.ok('RebuildVSchemaGraph');
  await cluster.ok('query --target aside:0 "create table thing (id bigint primary key)"');
  return cluster;
}

const LINE = 'MoveTables --workflow elsewhere --target-keyspace beside';

/** Creates, switches, reverses and cancels a workflow between the two. */
export async function useAside(cluster: TestCluster): Promise<void> {
  await cluster.ok(`${LINE} create --source-keyspace aside --tables thing`);
  await cluster.ok(`${LINE} status`);
  await cluster.ok(`${LINE} switchtraffic`);
  await cluster.ok(`${LINE} reversetraffic`);
  await cluster.ok(`${LINE} cancel`);
}
