import type { Migration } from '../store/migrate.ts';

/**
 * A shard's file: what its MySQL would hold. User tables stand under their own names; everything of ours begins
 * with an underscore. `_vt.` tables have Vitess's names and columns (go/vt/sidecardb/schema/vreplication).
 */
export const SHARD_MIGRATIONS: readonly Migration[] = [
  `
  CREATE TABLE _meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE _tables (name TEXT PRIMARY KEY, definition TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE _binlog (
    sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, events TEXT NOT NULL
  );
  CREATE TABLE _tablet (alias TEXT PRIMARY KEY, view TEXT NOT NULL) WITHOUT ROWID;

  CREATE TABLE _session (name TEXT PRIMARY KEY, started INTEGER NOT NULL, transaction_open INTEGER NOT NULL);
  CREATE TABLE _session_statement (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session TEXT NOT NULL, statement TEXT NOT NULL, at INTEGER NOT NULL
  );
  CREATE TABLE _row_lock (
    "table" TEXT NOT NULL, key TEXT NOT NULL, session TEXT NOT NULL, PRIMARY KEY ("table", key)
  ) WITHOUT ROWID;
  CREATE TABLE _table_lock (
    ticket INTEGER PRIMARY KEY AUTOINCREMENT, holder TEXT NOT NULL, session TEXT, owner TEXT,
    "table" TEXT NOT NULL, mode TEXT NOT NULL, granted INTEGER NOT NULL, since INTEGER NOT NULL
  );

  CREATE TABLE "_vt.vreplication" (
    id INTEGER PRIMARY KEY AUTOINCREMENT, workflow TEXT NOT NULL, source TEXT NOT NULL, pos TEXT NOT NULL,
    stop_pos TEXT, max_tps INTEGER NOT NULL DEFAULT 0, max_replication_lag INTEGER NOT NULL DEFAULT 0,
    cell TEXT, tablet_types TEXT, time_updated INTEGER NOT NULL, transaction_timestamp INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL, message TEXT, db_name TEXT NOT NULL, rows_copied INTEGER NOT NULL DEFAULT 0,
    tags TEXT NOT NULL DEFAULT '', time_heartbeat INTEGER NOT NULL DEFAULT 0,
    workflow_type INTEGER NOT NULL DEFAULT 0, time_throttled INTEGER NOT NULL DEFAULT 0,
    component_throttled TEXT NOT NULL DEFAULT '', reason_throttled TEXT NOT NULL DEFAULT '',
    workflow_sub_type INTEGER NOT NULL DEFAULT 0, defer_secondary_keys INTEGER NOT NULL DEFAULT 0,
    options TEXT NOT NULL DEFAULT '{}'
  );
  CREATE TABLE "_vt.copy_state" (
    id INTEGER PRIMARY KEY AUTOINCREMENT, vrepl_id INTEGER NOT NULL, table_name TEXT NOT NULL, lastpk TEXT
  );
  CREATE TABLE "_vt.resharding_journal" (
    id TEXT PRIMARY KEY, db_name TEXT NOT NULL, val TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE "_vt.vreplication_log" (
    id INTEGER PRIMARY KEY AUTOINCREMENT, vrepl_id INTEGER NOT NULL, type TEXT NOT NULL, state TEXT NOT NULL,
    message TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, count INTEGER NOT NULL DEFAULT 1
  );
  CREATE VIEW streams AS
    SELECT id, workflow, state, message, pos, source FROM "_vt.vreplication";
  `,
  // What is true of a tablet's process and not of its records (process.ts), and whose MySQL wrote the binlog (servers.ts).
  `
  CREATE TABLE _process (
    alias TEXT PRIMARY KEY, stopped INTEGER NOT NULL DEFAULT 0, busy TEXT, base TEXT, read TEXT
  ) WITHOUT ROWID;
  CREATE TABLE _server (alias TEXT PRIMARY KEY, uuid TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE _term (first INTEGER PRIMARY KEY, uuid TEXT NOT NULL);
  -- With a rowid, as every table has that SQL is run on (sidecar.ts).
  CREATE TABLE _journal (id TEXT PRIMARY KEY NOT NULL, db_name TEXT NOT NULL, val TEXT NOT NULL);
  INSERT INTO _journal SELECT id, db_name, val FROM "_vt.resharding_journal";
  DROP TABLE "_vt.resharding_journal";
  ALTER TABLE _journal RENAME TO "_vt.resharding_journal";
  `,
  `
  CREATE TABLE _sequence_cache (
    alias TEXT NOT NULL, "table" TEXT NOT NULL, next_value INTEGER NOT NULL, last_value INTEGER NOT NULL,
    PRIMARY KEY (alias, "table")
  ) WITHOUT ROWID;
  CREATE TABLE _sequence_change (
    change TEXT NOT NULL, "table" TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, PRIMARY KEY (change, "table")
  ) WITHOUT ROWID;
  `,
  // Vitess: go/vt/sidecardb/schema/vdiff. Times are text, `2026-03-27 12:00:00` UTC. `_vdiff_run` is ours: which process works on a
  // diff, and the streams that it holds meanwhile.
  `
  CREATE TABLE "_vt.vdiff" (
    id INTEGER PRIMARY KEY AUTOINCREMENT, vdiff_uuid TEXT NOT NULL, workflow TEXT, keyspace TEXT, shard TEXT NOT NULL,
    db_name TEXT, state TEXT, options TEXT, created_at TEXT NOT NULL, started_at TEXT, liveness_timestamp TEXT,
    completed_at TEXT, last_error TEXT, UNIQUE (vdiff_uuid, db_name)
  );
  CREATE TABLE "_vt.vdiff_table" (
    vdiff_id INTEGER NOT NULL, table_name TEXT NOT NULL, state TEXT, lastpk TEXT, table_rows INTEGER NOT NULL DEFAULT 0,
    rows_compared INTEGER NOT NULL DEFAULT 0, mismatch INTEGER NOT NULL DEFAULT 0, report TEXT,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, PRIMARY KEY (vdiff_id, table_name)
  );
  CREATE TABLE "_vt.vdiff_log" (
    id INTEGER PRIMARY KEY AUTOINCREMENT, vdiff_id INTEGER NOT NULL, created_at TEXT NOT NULL, message TEXT NOT NULL
  );
  CREATE INDEX "_vt.vdiff_log.vdiff_id" ON "_vt.vdiff_log" (vdiff_id);
  CREATE TABLE _vdiff_run (vdiff_id INTEGER PRIMARY KEY, owner TEXT NOT NULL, held TEXT);
  `,
];
