import type { VSchemaKeyspace } from '../../src/topo/proto/types.ts';
import { forked, type TestCluster, testCluster } from './shell.ts';

const WORKFLOW = 'MoveTables --workflow c2c --target-keyspace customer';

/** A command of the usual workflow. */
export const c2c = (rest: string): string => `${WORKFLOW} ${rest}`;

/** Its switch with sequences. */
export const switchSequences = (more = ''): string => c2c(`switchtraffic --initialize-target-sequences ${more}`.trim());

/** The example whose target is sharded, with sequences in `commerce`, copied and running. */
export function sequenceCluster(version = 'hardened', create = ''): Promise<TestCluster> {
  return forked(`sequences ${version} ${create}`, async () => {
    const cluster = testCluster();
    await cluster.ok(`init customer-sharded --vitess-version ${version}`);
    await cluster.ok(c2c(`create --source-keyspace commerce --tables customer,corder ${create}`.trim()));
    await cluster.ok(c2c('status'));
    return cluster;
  });
}

/** The same without any sequence: create is to replace AUTO_INCREMENT, with sequences in a keyspace `seqs` of their own. */
export function replacingCluster(version = 'hardened', create = '--sharded-auto-increment-handling replace --global-keyspace seqs'): Promise<TestCluster> {
  return forked(`replacing ${version} ${create}`, async () => {
    const cluster = await bareCluster(version);
    await cluster.ok(c2c(`create --source-keyspace commerce --tables customer,corder ${create}`));
    await cluster.ok(c2c('status'));
    return cluster;
  });
}

/** Before its create: no sequences anywhere, and an empty keyspace `seqs`. */
export async function bareCluster(version = 'hardened'): Promise<TestCluster> {
  const cluster = testCluster();
  await cluster.ok(`init commerce --without customer --vitess-version ${version}`);
  for (const [uid, place] of [[200, 'customer --shard -80'], [300, 'customer --shard 80-'], [400, 'seqs --shard 0']] as const) {
    await cluster.ok(`tablet add zone1-${uid} --keyspace ${place} --type primary`);
  }
  const owned = { column_vindexes: [{ column: 'customer_id', name: 'hash' }] };
  await editVSchema(cluster, 'customer', () => ({
    sharded: true,
    vindexes: { hash: { type: 'hash' } },
    tables: { customer: owned, corder: owned },
  }));
  return cluster;
}

/** A keyspace's VSchema as it is stored. */
export function vschemaOf({ host }: TestCluster, keyspace: string): VSchemaKeyspace {
  return JSON.parse(host.store.cell('global').get(`keyspaces/${keyspace}/VSchema`)?.contents ?? '{}') as VSchemaKeyspace;
}

/** Changes a keyspace's VSchema and publishes it. */
export async function editVSchema(cluster: TestCluster, keyspace: string, edit: (now: VSchemaKeyspace) => VSchemaKeyspace): Promise<void> {
  cluster.host.store.put('global', `keyspaces/${keyspace}/VSchema`, JSON.stringify(edit(vschemaOf(cluster, keyspace))));
  await cluster.ok('RebuildVSchemaGraph');
}

/** Has a table of `customer` take its ids from a sequence. */
export function useSequence(cluster: TestCluster, table: string, column: string, sequence: string): Promise<void> {
  return editVSchema(cluster, 'customer', (now) => ({
    ...now,
    tables: { ...now.tables, [table]: { ...now.tables?.[table], auto_increment: { column, sequence } } },
  }));
}

/** Makes a sequence table in an unsharded keyspace, with its entry in the VSchema. */
export async function addSequence(cluster: TestCluster, keyspace: string, name: string, next?: number): Promise<void> {
  const { host } = cluster;
  await cluster.ok(`query --target ${keyspace} "create table \`${name}\` (id int, next_id bigint, cache bigint, primary key(id)) comment 'vitess_sequence'"`);
  if (next !== undefined) host.shards.open(keyspace, '0').db.run(`INSERT INTO "${name}" VALUES (0, ?, 100)`, next);
  await editVSchema(cluster, keyspace, (now) => ({ ...now, tables: { ...now.tables, [name]: { type: 'sequence' } } }));
}

/** Where a sequence stands in its table; undefined without a row, null without a table. */
export function nextId({ host }: TestCluster, keyspace: string, name: string): number | undefined | null {
  const { db } = host.shards.open(keyspace, '0');
  if (host.shards.open(keyspace, '0').findTable(name) === undefined) return null;
  return db.get<{ next_id: number }>(`SELECT next_id FROM "${name}" WHERE id = 0`)?.next_id;
}
