// What a command must not leave behind.
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { background } from '../../dist/runtime/context.js';
import { findAllShards, keyspaceNames, shardText } from '../../dist/topo/keyspaces.js';

/** Tables of a shard in which something of a command stands while it is under way. */
const PASSING = ['_table_lock', '_row_lock', '_session', '_sequence_change'];

/** Locks, tickets, leases, intents, waiters of a shard; apart from them the locks of the dead, which whoever asks for one removes. */
export async function leftovers(cluster, state) {
  const left = [];
  const ofTheDead = [];
  for (const { resource, token, alive } of cluster.topo.conn.locks()) {
    (alive === 'dead' ? ofTheDead : left).push(`${token === undefined ? 'a ticket' : 'a lock'} on ${resource}, its owner ${alive}`);
  }
  const topology = new BetterSqlite3(join(state, 'topology.db'), { readonly: true });
  try {
    for (const { id } of topology.prepare('SELECT id FROM lease WHERE id NOT IN (SELECT lease_id FROM ticket)').all()) left.push(`lease ${id} of no lock`);
    for (const { path } of topology.prepare("SELECT path FROM node WHERE path LIKE 'switchtraffic/intents/%'").all()) left.push(`an intent: ${path}`);
  } finally {
    topology.close();
  }
  const ctx = background();
  for (const keyspace of await keyspaceNames(ctx, cluster.topo)) {
    for (const info of await findAllShards(ctx, cluster.topo, keyspace)) {
      const { db } = cluster.shards.open(keyspace, info.name);
      for (const table of PASSING) for (const row of db.all(`SELECT * FROM ${table}`)) left.push(`${table} of ${shardText(info)}: ${JSON.stringify(row)}`);
    }
  }
  return { left, ofTheDead };
}
