import type { Cluster } from './cluster.ts';
import type { ShardDb } from './shard-db.ts';
import { hasStreams } from './vreplication/streams.ts';

/** Tables of a shard's file that hold what happened there; its identity and its position go on. */
const HISTORY = [
  '_binlog',
  '_tablet',
  '_process',
  '_server',
  '_session',
  '_session_statement',
  '_row_lock',
  '_table_lock',
  '_process',
  '_sequence_cache',
  '_sequence_change',
  '"_vt.vreplication"',
  '"_vt.copy_state"',
  '"_vt.resharding_journal"',
  '"_vt.vreplication_log"',
];

/** The database of a shard that is made: one that was deleted and is made anew has nothing of what it held. */
export async function makeEmpty({ shards, world }: Cluster, keyspace: string, shard: string): Promise<void> {
  const db = shards.create(keyspace, shard);
  if (db.tableNames().length > 0 || hasStreams(db)) await db.db.write(world.clock, () => emptyShard(db));
}

/**
 * Empties the database of a shard that was deleted and is made anew: its tablets are new ones. Inside a transaction. Ids of streams
 * are not used again, and its position only grows.
 */
function emptyShard(db: ShardDb): void {
  for (const table of db.tableNames()) db.dropTable(table);
  for (const table of HISTORY) db.db.run(`DELETE FROM ${table}`);
  db.db.run("DELETE FROM _meta WHERE key NOT IN ('uuid', 'sequence')");
}
