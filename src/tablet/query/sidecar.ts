import { parseStatement } from '../../sql/parser.ts';
import { tableDef } from '../../sql/schema-build.ts';
import type { TableDef } from '../../sql/schema.ts';

/**
 * The tables of `_vt` that a shard keeps, as MySQL would define them: what SQL sees of them. Their rows lie in SQLite under
 * `_vt.NAME`. Vitess: go/vt/sidecardb/schema/vreplication, vdiff.
 */
const TABLES: Readonly<Record<string, string>> = {
  vreplication: `
    id int not null auto_increment, workflow varbinary(1000), source mediumblob not null, pos longblob not null,
    stop_pos longblob, max_tps bigint not null, max_replication_lag bigint not null, cell varbinary(1000),
    tablet_types varbinary(100), time_updated bigint not null, transaction_timestamp bigint not null,
    state varbinary(100) not null, message varbinary(1000), db_name varbinary(255) not null,
    rows_copied bigint not null default '0', tags varbinary(1024) not null default '',
    time_heartbeat bigint not null default '0', workflow_type int not null default '0',
    time_throttled bigint not null default '0', component_throttled varchar(255) not null default '',
    reason_throttled varchar(1000) not null default '', workflow_sub_type int not null default '0',
    defer_secondary_keys tinyint(1) not null default '0', options json not null, primary key (id)`,
  copy_state: `
    id bigint not null auto_increment, vrepl_id int not null, table_name varbinary(128) not null, lastpk mediumblob,
    primary key (id)`,
  resharding_journal: 'id bigint not null, db_name varbinary(255), val longblob, primary key (id)',
  // The times are seconds here.
  vreplication_log: `
    id bigint not null auto_increment, vrepl_id int not null, type varbinary(256) not null, state varbinary(100) not null,
    message text not null, created_at bigint, updated_at bigint, count bigint not null default '1', primary key (id)`,
  vdiff: `
    id bigint not null auto_increment, vdiff_uuid varchar(64) not null, workflow varbinary(1024), keyspace varbinary(256),
    shard varchar(255) not null, db_name varbinary(1024), state varbinary(64), options json,
    created_at timestamp not null default current_timestamp, started_at timestamp null, liveness_timestamp timestamp null,
    completed_at timestamp null, last_error varbinary(1024), primary key (id), unique key uuid_idx (vdiff_uuid, db_name)`,
  vdiff_table: `
    vdiff_id bigint not null, table_name varbinary(128) not null, state varbinary(64), lastpk varbinary(2000),
    table_rows bigint not null default '0', rows_compared bigint not null default '0', mismatch tinyint(1) not null default '0',
    report json, created_at timestamp not null default current_timestamp, updated_at timestamp not null default current_timestamp,
    primary key (vdiff_id, table_name)`,
  vdiff_log: `
    id bigint not null auto_increment, vdiff_id bigint not null, created_at timestamp not null default current_timestamp,
    message text not null, primary key (id)`,
};

/** The name of Vitess's own database. */
export const SIDECAR = '_vt';

const parsed = new Map<string, TableDef>();

/** A table of `_vt` under the name that its rows have; undefined where there is none. */
export function sidecarTable(name: string): TableDef | undefined {
  const known = parsed.get(name);
  if (known !== undefined || !Object.hasOwn(TABLES, name)) return known;
  const statement = parseStatement(`create table t (${TABLES[name]})`);
  if (statement.kind !== 'create-table') return undefined;
  const def = { ...tableDef(statement), name: `${SIDECAR}.${name}` };
  parsed.set(name, def);
  return def;
}
