// The rows that streams write: they are those of their sources once the streams have caught up and nobody writes any more.
import { readStreams } from '../../dist/tablet/vreplication/streams.js';
import { background } from '../../dist/runtime/context.js';
import { findAllShards } from '../../dist/topo/keyspaces.js';

/** Compares both sides of the workflow, table by table, and what is materialized with what it is made of. */
export async function copiesDiffer(cluster, shape) {
  const [source, target] = await sidesOf(cluster, shape);
  const wrong = [];
  const running = (shards, workflow) => shards.some((shard) => readStreams(shard).some((row) => row.workflow === workflow && row.state === 'Running'));
  if (running(target, shape.workflow) || running(source, `${shape.workflow}_reverse`)) {
    for (const table of shape.tables.map((name) => name.split('.').at(-1))) {
      const [here, there] = [rowsOf(source, `SELECT * FROM "${table}"`), rowsOf(target, `SELECT * FROM "${table}"`)];
      if (here.join('\n') !== there.join('\n')) wrong.push(`table ${table} is not the same on both sides of ${shape.workflow}: ${apart(here, there)}`);
    }
  }
  // Of both sides only one has the streams of others at work.
  for (const side of [source, target]) {
    if (shape.materialized !== true || !running(side, 'sales')) continue;
    const orders = rowsOf(side, 'SELECT order_id, customer_id, coalesce(price, 0) * 2 FROM corder');
    const sales = rowsOf(side, 'SELECT id, customer_id, amount FROM sale');
    if (orders.join('\n') !== sales.join('\n')) wrong.push(`table sale is not what it is made of: ${apart(orders, sales)}`);
  }
  return wrong;
}

/** The shards of both sides: of a move those that move, if not all. Those of a Reshard are told apart by name. */
async function sidesOf(cluster, { source, target, from, shards }) {
  const open = async (keyspace, isOurs) =>
    (await findAllShards(background(), cluster.topo, keyspace)).filter(({ name }) => isOurs(name)).map(({ name }) => cluster.shards.open(keyspace, name));
  if (source !== target) return Promise.all([source, target].map((keyspace) => open(keyspace, (name) => shards?.includes(name) ?? true)));
  return [await open(source, (name) => from.includes(name)), await open(source, (name) => !from.includes(name))];
}

function rowsOf(shards, sql) {
  return shards.flatMap(({ db }) => db.allStored(sql)).map((row) => row.map(String).join(' ')).toSorted();
}

function apart(here, there) {
  const only = (a, b) => a.filter((row) => !b.includes(row)).slice(0, 3);
  return `${here.length} and ${there.length} rows; only here ${JSON.stringify(only(here, there))}, only there ${JSON.stringify(only(there, here))}`;
}
