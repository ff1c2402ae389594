// The clusters that commands are killed in, and the workflow of each. Made once, copied for each kill.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BY_CUSTOMER = { column_vindexes: [{ column: 'customer_id', name: 'hash' }] };
const VSCHEMA = {
  sharded: true,
  vindexes: { hash: { type: 'hash' } },
  tables: { customer: BY_CUSTOMER, corder: BY_CUSTOMER, sale: BY_CUSTOMER },
};
const SHARDED = { ...VSCHEMA, tables: { customer: BY_CUSTOMER, corder: BY_CUSTOMER } };
const SCHEMA = `
create table customer (customer_id bigint not null, email varchar(64), primary key (customer_id));
create table corder (order_id bigint not null, customer_id bigint not null, sku varchar(32), price bigint, primary key (order_id));
`;
/** What a Reshard has to take along: a stream from the keyspace into itself. */
const SALES = [
  {
    target_table: 'sale',
    source_expression: 'select order_id as id, customer_id, ifnull(price, 0) * 2 as amount from corder',
    create_ddl: 'create table sale (id bigint not null, customer_id bigint not null, amount bigint, primary key (id))',
  },
];
const CUSTOMERS = 24;

function rows() {
  const ids = Array.from({ length: CUSTOMERS }, (_, index) => index + 1);
  const customers = ids.map((id) => `(${id}, 'c${id}@example.com')`);
  const orders = ids.flatMap((id) => [`(${2 * id}, ${id}, 'SKU-${id % 5}', ${id})`, `(${2 * id + 1}, ${id}, null, null)`]);
  return `insert into customer (customer_id, email) values ${customers.join(', ')};\ninsert into corder (order_id, customer_id, sku, price) values ${orders.join(', ')};\n`;
}

/** A cluster file of one or two keyspaces beside the state. JSON is YAML. */
function clusterFile(folder, keyspaces) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'cluster.yaml'), JSON.stringify({ keyspaces }));
  writeFileSync(join(folder, 'schema.sql'), SCHEMA);
  writeFileSync(join(folder, 'tenants.sql'), SCHEMA.replaceAll(', primary key', ', tenant bigint default 1, primary key'));
  writeFileSync(join(folder, 'rows.sql'), rows());
  return join(folder, 'cluster.yaml');
}

const move = (...more) => ['MoveTables', '--workflow', 'c2c', '--target-keyspace', 'customer', ...more];
const split = (...more) => ['Reshard', '--workflow', 'split', '--target-keyspace', 'customer', ...more];
const CREATE_MOVE = move('create', '--source-keyspace', 'commerce', '--tables', 'customer,corder');
const SHOP = { source: 'commerce', target: 'customer', workflow: 'c2c', tables: ['customer', 'corder'] };

async function makeReshard(run, folder, from, to) {
  const file = clusterFile(folder, { customer: { shards: from, vschema: VSCHEMA, schema: 'schema.sql', rows: 'rows.sql' } });
  await run(['init', file]);
  for (const [index, shard] of to.entries()) {
    for (const [more, type] of ['primary', 'replica', 'rdonly'].entries()) {
      await run(['tablet', 'add', `zone1-${(index + 10) * 100 + more}`, '--keyspace', 'customer', `--shard=${shard}`, '--type', type]);
    }
  }
  await run(['Materialize', '--workflow', 'sales', '--target-keyspace', 'customer', 'create', '--source-keyspace', 'customer', '--table-settings', JSON.stringify(SALES)]);
  await run(['Workflow', '--keyspace', 'customer', 'list']);
}

const reshard = (about, from, to) => ({
  about,
  line: split,
  // Tables of the application, and one that a stream writes.
  shape: { source: 'customer', target: 'customer', workflow: 'split', tables: ['customer', 'corder'], from, to, materialized: true },
  make: (run, folder) => makeReshard(run, folder, from, to),
  create: split('create', `--source-shards=${from.join(',')}`, `--target-shards=${to.join(',')}`),
});

/**
 * By name: what it is, its command lines, how it is made (`run` runs a command line on the new state, `folder` is for files), how its
 * workflow is, and what the application and the judges need to know of it. `only`: of the operations of plans.js these alone; `flags`: more for its switches.
 */
export const CLUSTERS = {
  move: {
    about: 'MoveTables, unsharded to unsharded',
    line: move,
    shape: SHOP,
    make: (run) => run(['init', 'commerce']),
    create: CREATE_MOVE,
  },
  spread: {
    about: 'MoveTables, one shard to two',
    line: move,
    shape: SHOP,
    // Without a workflow: the VSchema of the target has the tables, so that their names alone would mean those.
    without: { tables: ['commerce.customer', 'commerce.corder'] },
    make: (run, folder) =>
      run(['init', clusterFile(folder, { commerce: { shards: ['0'], schema: 'schema.sql', rows: 'rows.sql' }, customer: { shards: ['-80', '80-'], vschema: SHARDED } })]),
    create: CREATE_MOVE,
  },
  sequences: {
    about: 'MoveTables to two shards, with sequences',
    line: move,
    shape: SHOP,
    only: ['switch', 'switch of writes', 'switch that fails'],
    flags: ['--initialize-target-sequences'],
    make: (run) => run(['init', 'customer-sharded']),
    create: CREATE_MOVE,
  },
  partial: {
    about: 'MoveTables of one shard of two',
    line: move,
    shape: { ...SHOP, source: 'customer2', shards: ['80-'] },
    without: { tables: ['customer2.customer', 'customer2.corder'] },
    only: ['create', 'create that fails', 'switch', 'switch that fails', 'reverse', 'cancel'],
    make: (run, folder) => {
      const of = { shards: ['-80', '80-'], vschema: SHARDED };
      return run(['init', clusterFile(folder, { customer2: { ...of, schema: 'schema.sql', rows: 'rows.sql' }, customer: of })]);
    },
    create: move('create', '--source-keyspace', 'customer2', '--source-shards', '80-', '--tables', 'customer,corder'),
  },
  tenant: {
    about: 'MoveTables of a tenant',
    line: move,
    shape: { ...SHOP, source: 'tenant1', tables: ['tenant1.customer', 'tenant1.corder'], values: { tenant: '1' } },
    // No rule leads from the tenant's keyspace any more.
    afterComplete: { tables: ['customer.customer', 'customer.corder'] },
    only: ['create', 'create that fails', 'switch', 'switch of reads', 'switch of writes', 'switch that fails', 'complete', 'cancel', 'cancel of switched reads'],
    make: (run, folder) => {
      const vschema = { multi_tenant_spec: { tenant_id_column_name: 'tenant', tenant_id_column_type: 'INT64' } };
      return run(['init', clusterFile(folder, { tenant1: { shards: ['0'], schema: 'tenants.sql', rows: 'rows.sql' }, customer: { shards: ['0'], vschema } })]);
    },
    create: move('create', '--source-keyspace', 'tenant1', '--tenant-id', '1', '--tables', 'customer,corder'),
  },
  split: reshard('Reshard, one shard to two, a Materialize moving along', ['0'], ['-80', '80-']),
  split4: reshard('Reshard, two shards to four, a Materialize moving along', ['-80', '80-'], ['-40', '40-80', '80-c0', 'c0-']),
};
