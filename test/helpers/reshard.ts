import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { containsId, idToHex } from '../../src/lib/key-range.ts';
import { validateShardName } from '../../src/lib/names.ts';
import { createVindex } from '../../src/vindex/registry.ts';
import { forkCluster, type TestCluster, testCluster } from './shell.ts';

/** The shards of a Reshard, before and after. */
export const RESHARDS = {
  '1 to 2': { from: ['0'], to: ['-80', '80-'] },
  '2 to 4': { from: ['-80', '80-'], to: ['-40', '40-80', '80-c0', 'c0-'] },
  '4 to 2': { from: ['-40', '40-80', '80-c0', 'c0-'], to: ['-80', '80-'] },
} as const;

export type ReshardShape = keyof typeof RESHARDS;

export interface ReshardOptions {
  version?: string;
  /** Customers; each has two orders. */
  rows?: number;
  /** False leaves out the reference table `country`, which workflow `ref` fills from keyspace `global`. */
  reference?: boolean;
  /** True adds workflow `sales` within `customer`, which copies the orders into table `sale`, sharded by customer. */
  materialize?: boolean;
}

const VSCHEMA = {
  sharded: true,
  vindexes: { hash: { type: 'hash' } },
  tables: {
    customer: { column_vindexes: [{ column: 'customer_id', name: 'hash' }] },
    corder: { column_vindexes: [{ column: 'customer_id', name: 'hash' }] },
    country: { type: 'reference' },
    sale: { column_vindexes: [{ column: 'customer', name: 'hash' }] },
  },
};

const SCHEMA = `
create table customer (customer_id bigint not null, email varchar(64), primary key (customer_id));
create table corder (order_id bigint not null, customer_id bigint not null, sku varchar(32), price bigint, primary key (order_id));
`;

const COUNTRIES = `
create table country (code varchar(2) not null, name varchar(40), primary key (code));
insert into country values ('at', 'Austria'), ('fr', 'France'), ('jp', 'Japan');
`;

/** What `--reference-tables country` asks for, which older releases do not know. */
const REFERENCE = JSON.stringify([{ target_table: 'country', source_expression: 'select * from country', create_ddl: 'copy:drop_foreign_keys' }]);

const SALES = JSON.stringify([
  {
    target_table: 'sale',
    source_expression: 'select order_id as id, customer_id as customer, ifnull(price, 0) * 2 as amount from corder',
    create_ddl: 'create table sale (id bigint not null, customer bigint not null, amount bigint, primary key (id))',
  },
]);

/** `Reshard --workflow cust2cust --target-keyspace customer …`. */
export function reshardLine(more: string): string {
  return `Reshard --workflow cust2cust --target-keyspace customer ${more}`;
}

/** The line that creates it. A shard that begins with a dash needs the equals sign. */
export function reshardCreate(shape: ReshardShape, more = ''): string {
  const { from, to } = RESHARDS[shape];
  return reshardLine(`create --source-shards=${from.join(',')} --target-shards=${to.join(',')} ${more}`.trim());
}

const made = new Map<string, Promise<TestCluster>>();

/** A cluster in memory whose keyspace `customer` has the shards and rows for a Reshard, and no workflow. A fork of the first of its kind. */
export async function beforeReshard(shape: ReshardShape, options: ReshardOptions = {}): Promise<TestCluster> {
  return forkCluster(await once(`${shape} ${JSON.stringify(options)}`, () => makeCluster(shape, options)));
}

/** The same with the Reshard created, copied and running. */
export async function reshardingCluster(shape: ReshardShape, options: ReshardOptions = {}): Promise<TestCluster> {
  const key = `created ${shape} ${JSON.stringify(options)}`;
  return forkCluster(
    await once(key, async () => {
      const cluster = await beforeReshard(shape, options);
      await cluster.ok(reshardCreate(shape));
      await cluster.ok(reshardLine('status'));
      return cluster;
    }),
  );
}

function once(key: string, make: () => Promise<TestCluster>): Promise<TestCluster> {
  const first = made.get(key) ?? make();
  made.set(key, first);
  return first;
}

async function makeCluster(shape: ReshardShape, options: ReshardOptions): Promise<TestCluster> {
  const { version = 'hardened', rows = 40, reference = true, materialize = false } = options;
  const { from, to } = RESHARDS[shape];
  const folder = mkdtempSync(join(tmpdir(), 'switchtraffic-reshard-'));
  try {
    const file = {
      keyspaces: {
        customer: { shards: from, vschema: VSCHEMA, schema: 'schema.sql', rows: 'rows.sql' },
        ...(reference && { global: { schema: 'country.sql' } }),
      },
    };
    // JSON is YAML.
    writeFileSync(join(folder, 'cluster.yaml'), JSON.stringify(file));
    writeFileSync(join(folder, 'schema.sql'), SCHEMA);
    writeFileSync(join(folder, 'rows.sql'), rowsOf(rows));
    writeFileSync(join(folder, 'country.sql'), COUNTRIES);
    const cluster = testCluster();
    await cluster.ok(`init ${join(folder, 'cluster.yaml')} --vitess-version ${version}`);
    for (const [index, shard] of to.entries()) {
      for (const [more, type] of ['primary', 'replica', 'rdonly'].entries()) {
        await cluster.ok(`tablet add zone1-${(index + 10) * 100 + more} --keyspace customer --shard ${shard} --type ${type}`);
      }
    }
    if (reference) await cluster.ok(`Materialize --workflow ref --target-keyspace customer create --source-keyspace global --table-settings '${REFERENCE}'`);
    if (materialize) await cluster.ok(`Materialize --workflow sales --target-keyspace customer create --source-keyspace customer --table-settings '${SALES}'`);
    await cluster.ok('Workflow --keyspace customer list');
    return cluster;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function rowsOf(count: number): string {
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  if (ids.length === 0) return '';
  const customers = ids.map((id) => `(${id}, 'c${id}@example.com')`);
  const orders = ids.flatMap((id) => [`(${2 * id}, ${id}, 'SKU-${id % 5}', ${id})`, `(${2 * id + 1}, ${id}, null, null)`]);
  return `insert into customer values ${customers.join(', ')};\ninsert into corder values ${orders.join(', ')};\n`;
}

/** The rows of a table on some shards of `customer`, by shard. */
export function rowsByShard(cluster: TestCluster, table: string, shards: readonly string[]): Map<string, Record<string, unknown>[]> {
  return new Map(shards.map((shard) => [shard, cluster.host.shards.open('customer', shard).db.all<Record<string, unknown>>(`SELECT * FROM "${table}" ORDER BY 1`)]));
}

/** The rows of a table that stand on a shard to which their keyspace id does not belong; none, if all is well. */
export function misplacedRows(cluster: TestCluster, table: string, shards: readonly string[]): unknown[] {
  const hash = createVindex('hash', 'hash');
  return [...rowsByShard(cluster, table, shards)].flatMap(([shard, rows]) => {
    const { keyRange } = validateShardName(shard);
    return rows.filter((row) => !containsId(keyRange, idToHex(hash.map([row['customer_id'] as number])!))).map((row) => ({ shard, ...row }));
  });
}

/** Every row of a table on some shards, in order; twice if it stands twice. */
export function allRows(cluster: TestCluster, table: string, shards: readonly string[]): string[] {
  return [...rowsByShard(cluster, table, shards).values()].flat().map((row) => JSON.stringify(row)).toSorted();
}
