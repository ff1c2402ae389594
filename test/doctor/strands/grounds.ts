import { resolve } from 'node:path';
import type { Ground, Table } from './types.ts';

/** The clusters on which states are stranded. */

const file = (name: string): string => `init ${resolve('fixtures/scenarios', name)}`;
const ALL = ['', '@replica', '@rdonly'];

/** Tables as the examples have them. */
const customer = (name = 'customer'): Table => ({ name, key: 'customer_id', columns: 'customer_id, email', row: (id) => `${id}, 'after@example.com'` });
const corder = (name = 'corder'): Table => ({ name, key: 'order_id', columns: 'order_id, customer_id, sku, price', row: (id) => `${id}, ${id}, 'SKU-1001', 7` });
const byCid = (name: string): Table[] => [
  { name: `${name}.customer`, key: 'cid', columns: 'cid, name', row: (id) => `${id}, 'after'` },
  { name: `${name}.corder`, key: 'oid', columns: 'oid, cid', row: (id) => `${id}, ${id}` },
];

const CREATE = 'MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder';

/** Two tables between two keyspaces of one shard each. */
export const MOVE: Ground = { name: 'move', init: 'init commerce', lines: [CREATE], tables: [customer(), corder()], types: ALL };

/** The same with cells of two topology servers. */
export const TWO_CELLS: Ground = { ...MOVE, name: 'two cells', init: 'init two-cells', cells: ['zone1', 'zone2'] };

/** The same after its switch. */
export const MOVED: Ground = { ...MOVE, name: 'moved', lines: [CREATE, 'MoveTables --workflow c2c --target-keyspace customer switchtraffic'] };

/** To two shards and switched: a reversal has two sources. */
export const MOVED_TO_SHARDS: Ground = {
  name: 'moved to shards',
  init: 'init customer-sharded',
  lines: [CREATE, 'MoveTables --workflow c2c --target-keyspace customer switchtraffic'],
  tables: [customer(), corder()],
  types: ['', '@replica'],
};

/** All tables from two shards to two. */
export const SHARDS_TO_SHARDS: Ground = {
  name: 'shards to shards',
  init: file('partial-cluster.yaml'),
  lines: ['MoveTables --workflow move --target-keyspace customer2 create --source-keyspace customer --all-tables'],
  tables: byCid('customer'),
  types: ALL,
};

/** Before it. */
export const SHARDS_BEFORE: Ground = { ...SHARDS_TO_SHARDS, name: 'before shards to shards', lines: [] };

/** One shard of two. */
export const PARTIAL: Ground = {
  ...SHARDS_TO_SHARDS,
  name: 'partial',
  lines: ['MoveTables --workflow up --target-keyspace customer2 create --source-keyspace customer --source-shards 80- --all-tables'],
};

const ofTenant = (name: string): Table => ({ name: `s1.${name}`, key: 'id', columns: 'id, tenant_id, name', row: (id) => `${id}, 1, 'after'` });

/** One tenant of two. */
export const TENANT: Ground = {
  name: 'tenant',
  init: file('tenants-cluster.yaml'),
  lines: ['MoveTables --workflow w1 --target-keyspace mt create --source-keyspace s1 --tenant-id 1 --all-tables'],
  tables: [ofTenant('t1'), ofTenant('t2')],
  types: ALL,
};

const HALVES = [
  ['zone1-200', '-80', 'primary'],
  ['zone1-201', '-80', 'replica'],
  ['zone1-202', '-80', 'rdonly'],
  ['zone1-300', '80-', 'primary'],
  ['zone1-301', '80-', 'replica'],
  ['zone1-302', '80-', 'rdonly'],
].map(([alias, shard, type]) => `tablet add ${alias} --keyspace customer --shard=${shard} --type ${type}`);

/** The line that creates it. */
export const SPLIT_CREATE = 'Reshard --workflow split --target-keyspace customer create --source-shards 0 --target-shards=-80,80-';

/** One shard that becomes two. */
export const SPLIT: Ground = {
  name: 'split',
  init: file('k8-cluster.yaml'),
  lines: [...HALVES, SPLIT_CREATE],
  tables: [{ ...customer(), columns: 'customer_id, email' }],
  types: ALL,
};

/** Before it: the new shards are there, and nothing has been created. */
export const SPLIT_BEFORE: Ground = { ...SPLIT, name: 'before a split', lines: HALVES };

/** The same while tables are on their way into the keyspace. */
export const SPLIT_BESIDE_MOVE: Ground = {
  ...SPLIT,
  name: 'split beside a move',
  lines: ['MoveTables --workflow sales --target-keyspace customer create --source-keyspace product --tables sales', ...HALVES, SPLIT_CREATE],
};

/** The same after another workflow was switched to it and not completed. */
export const SPLIT_WITH_FROZEN: Ground = {
  ...SPLIT,
  name: 'split with frozen streams of others',
  lines: [
    'MoveTables --workflow orders --target-keyspace customer create --source-keyspace product --tables orders',
    'MoveTables --workflow orders --target-keyspace customer switchtraffic',
    ...HALVES,
    SPLIT_CREATE,
  ],
  tables: [customer(), { name: 'orders', key: 'order_id', columns: 'order_id, customer_id', row: (id) => `${id}, ${id}` }],
};

const SALES = JSON.stringify([{ target_table: 'sales', source_expression: 'select * from sales', create_ddl: 'copy' }]);

/** Two shards that become four, with the streams of another workflow on them. */
export const SPLIT_WITH_STREAMS: Ground = {
  name: 'split with streams of others',
  init: file('reshard-cluster.yaml'),
  lines: [
    `Materialize --workflow sales --target-keyspace customer create --source-keyspace product --table-settings '${SALES}'`,
    'Reshard --workflow split --target-keyspace customer create --source-shards=-80,80- --target-shards=-40,40-80,80-c0,c0-',
  ],
  tables: [customer()],
  types: ALL,
};

/** One shard that becomes two, in two cells, without tablets for rdonly. */
export const SPLIT_IN_CELLS: Ground = {
  name: 'split in two cells',
  init: file('cells-cluster.yaml'),
  lines: [SPLIT_CREATE],
  tables: [customer()],
  types: ['', '@replica'],
  cells: ['zone1', 'zone2'],
};

/** The example with nothing created. */
export const MOVE_BEFORE: Ground = { ...MOVE, name: 'before a move', lines: [] };

export const TWO_CELLS_BEFORE: Ground = {
  ...TWO_CELLS,
  name: 'two cells before a move',
  lines: [`ApplyRoutingRules --rules '{"rules": [{"from_table": "orders", "to_tables": ["commerce.corder"]}, {"from_table": "customer", "to_tables": ["commerce.customer"]}]}'`],
};

/** Moved, and moved back. */
export const MOVED_BACK: Ground = { ...MOVED, name: 'moved back', lines: [...MOVED.lines, 'MoveTables --workflow c2c --target-keyspace customer reversetraffic'] };

export const PARTIAL_SWITCHED: Ground = { ...PARTIAL, name: 'partial switched', lines: [...PARTIAL.lines, 'MoveTables --workflow up --target-keyspace customer2 switchtraffic'] };

/** Two workflows that have no keyspace in common. */
export const TWO_PAIRS: Ground = {
  ...MOVE,
  name: 'two pairs',
  lines: [
    ...['archive', 'vault'].flatMap((keyspace, index) =>
      ['primary', 'replica', 'rdonly'].map((type, number) => `tablet add zone1-${400 + 100 * index + number} --keyspace ${keyspace} --shard 0 --type ${type}`),
    ),
    "query --target archive 'create table news (id bigint not null, title varbinary(128), primary key (id))'",
    `query --target archive "insert into news (id, title) values (1, 'first'), (2, 'second')"`,
    CREATE,
    'MoveTables --workflow a2v --target-keyspace vault create --source-keyspace archive --tables news',
  ],
  tables: [...MOVE.tables, { name: 'news', key: 'id', columns: 'id, title', row: (id) => `${id}, 'after'` }],
};

/** The cell zone2 still names the shard that an earlier Reshard has left. */
export const SPLIT_IN_STALE_CELL: Ground = {
  name: 'split in a stale cell',
  init: file('f48-cluster.yaml'),
  lines: [
    'SetShardIsPrimaryServing customer/0 true',
    'SetShardIsPrimaryServing customer/-80 false',
    'SetShardIsPrimaryServing customer/80- false',
    'RebuildKeyspaceGraph customer --cells zone2',
    'SetShardIsPrimaryServing customer/0 false',
    'SetShardIsPrimaryServing customer/-80 true',
    'SetShardIsPrimaryServing customer/80- true',
    'Reshard --workflow split --target-keyspace customer create --source-shards=-80 --target-shards=-40,40-80',
  ],
  tables: [customer()],
  types: ['', '@replica'],
};

/** A Reshard that was made, reversed and cancelled, and is made again on shards whose sidecar database is new. */
export const STALE_JOURNAL: Ground = {
  ...SPLIT,
  name: 'stale journal',
  lines: [
    'tablet add zone1-200 --keyspace customer --shard=-80 --type primary',
    'tablet add zone1-300 --keyspace customer --shard=80- --type primary',
    SPLIT_CREATE,
    'Reshard --workflow split --target-keyspace customer switchtraffic',
    'Reshard --workflow split --target-keyspace customer reversetraffic',
    'Reshard --workflow split --target-keyspace customer cancel',
    // v18 has removed the new shards itself.
    'CreateShard --force customer/-80',
    'CreateShard --force customer/80-',
    'DeleteShards --recursive customer/-80 customer/80-',
    'tablet add zone1-200 --keyspace customer --shard=-80 --type primary',
    'tablet add zone1-300 --keyspace customer --shard=80- --type primary',
    SPLIT_CREATE,
    'ExecuteFetchAsDBA zone1-200 "update _vt.vreplication set id = 1"',
    'ExecuteFetchAsDBA zone1-300 "update _vt.vreplication set id = 1"',
    // Rows that the streams cannot bring yet.
    'query --target customer:-80 --session busy "lock tables customer read"',
    `query "insert into customer (customer_id, email) values (5, 'eve@example.com'), (6, 'frank@example.com'), (7, 'grace@example.com'), (8, 'heidi@example.com')"`,
  ],
};

const ofCustomer: readonly Table[] = [customer('customer.customer'), corder('customer.corder')];

/** As MOVE and MOVED, for an application that says which keyspace it means: without rules a bare name is ambiguous. */
export const MOVED_BY_NAME: Ground = { ...MOVED, name: 'moved, by name', tables: ofCustomer };
export const MOVE_BY_NAME: Ground = { ...MOVE, name: 'move, by name', tables: [customer('commerce.customer'), corder('commerce.corder')] };
