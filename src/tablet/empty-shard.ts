import type { ShardDb } from './shard-db.ts';

/** Tables of a shard's file that hold what happened there; its identity and its position go on. */
const HISTORY = [
  '_binlog',
  '_tablet',
  '_session',
  '_session_statement',
  '_row_lock',
  '_table_lock',
  '"_vt.vreplication"',
  '"_vt.copy_state"',
  '"_vt.resharding_journal"',
  '"_vt.vreplication_log"',
];

/**
 * Empties the database of a shard that was deleted and is made anew: its tablets are new ones. Inside a transaction. Ids of streams
 * are not used again, and its position only grows.
 */
export function emptyShard(db: ShardDb): void {
  for (const table of db.tableNames()) db.dropTable(table);
  for (const table of HISTORY) db.db.run(`DELETE FROM ${table}`);
  db.db.run("DELETE FROM _meta WHERE key NOT IN ('uuid', 'sequence')");
}
