import { parseStatement } from '../../src/sql/parser.ts';
import { tableDef } from '../../src/sql/schema-build.ts';
import { createTable } from '../../src/tablet/create-table.ts';
import { insertStream, readStreams } from '../../src/tablet/vreplication/streams.ts';
import { BinlogSource } from '../../src/topo/proto/messages-binlogdata.ts';
import { prototext } from '../../src/topo/proto/prototext.ts';
import type { VSchemaKeyspace } from '../../src/topo/proto/types.ts';
import { beforeReshard, reshardCreate, reshardLine, RESHARDS, type ReshardShape } from './reshard.ts';
import { forkCluster, type TestCluster } from './shell.ts';

const SALES = 'create table sales (id bigint not null, customer_id bigint, primary key (id))';
const EMAILS = 'create table emails (customer_id bigint not null, email varchar(64), primary key (customer_id))';

const made = new Map<string, Promise<TestCluster>>();

/**
 * A Reshard, copied and running, whose source shards have streams of two other workflows: `sales`, from a keyspace of its own, and
 * `emails`, from `customer` itself.
 */
export async function reshardingWithStreams(shape: ReshardShape, version = 'hardened'): Promise<TestCluster> {
  const key = `${shape} ${version}`;
  const first = made.get(key) ?? make(shape, version);
  made.set(key, first);
  return forkCluster(await first);
}

async function make(shape: ReshardShape, version: string): Promise<TestCluster> {
  const cluster = await beforeReshard(shape, { version, rows: 12 });
  const { from } = RESHARDS[shape];
  const open = (keyspace: string, shard: string): ReturnType<typeof cluster.host.shards.open> => cluster.host.shards.open(keyspace, shard);
  await cluster.ok('tablet add zone1-900 --keyspace product --shard 0 --type primary');
  createTable(open('product', '0'), tableDef(parseStatement(SALES) as never));
  const path = 'keyspaces/customer/VSchema';
  const vschema = JSON.parse(cluster.host.store.cell('global').get(path)!.contents) as VSchemaKeyspace;
  for (const table of ['sales', 'emails']) vschema.tables![table] = { column_vindexes: [{ column: 'customer_id', name: 'hash' }] };
  cluster.host.store.put('global', path, JSON.stringify(vschema));
  await cluster.ok('RebuildVSchemaGraph');
  // The Reshard makes them on its targets.
  for (const shard of from) {
    for (const sql of [SALES, EMAILS]) createTable(open('customer', shard), tableDef(parseStatement(sql) as never));
  }
  for (const shard of from) {
    const db = open('customer', shard);
    const where = `where in_keyrange(customer_id, 'customer.hash', '${shard === '0' ? '-' : shard}')`;
    const add = (workflow: string, keyspace: string, source: string, match: string, filter: string): void => {
      const text = prototext(BinlogSource, { keyspace, shard: source, filter: { rules: [{ match, filter }] } });
      const row = { workflow, source: text, pos: '', state: 'Running' as const, db_name: db.dbName, time_updated: 0 };
      insertStream(db, { ...row, workflow_type: 0, cell: 'zone1', tablet_types: 'in_order:REPLICA,PRIMARY', message: '' }, 0);
    };
    add('sales', 'product', '0', 'sales', `select * from sales ${where}`);
    for (const source of from) add('emails', 'customer', source, 'emails', `select customer_id, email from customer ${where}`);
  }
  for (let id = 1; id <= 6; id++) await cluster.ok(`query "insert into product.sales (id, customer_id) values (${id}, ${id})"`);
  await cluster.ok(reshardCreate(shape));
  await cluster.ok(reshardLine('status'));
  return cluster;
}

/** The streams of other workflows on some shards of `customer`, without what tells two of them apart by chance. */
export function otherStreams(cluster: TestCluster, shards: readonly string[]): string[] {
  return shards.flatMap((shard) =>
    readStreams(cluster.host.shards.open('customer', shard))
      .filter(({ workflow }) => workflow === 'sales' || workflow === 'emails')
      .map(({ workflow, state, message, source }) => `${shard} ${workflow} ${state}${message === '' || message === null ? '' : ` (${message})`} from ${/keyspace:"(\w+)" shard:"([^"]+)"/.exec(source)?.slice(1).join('/')}`),
  );
}
