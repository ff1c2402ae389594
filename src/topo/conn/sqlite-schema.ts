import type { Migration } from '../../store/migrate.ts';

/**
 * The topology file. `node` holds each record as JSON; the views are for people with a sqlite3 shell.
 * Leases and tickets: see lock-table.ts.
 */
export const TOPO_MIGRATIONS: readonly Migration[] = [
  `
  CREATE TABLE node (
    cell TEXT NOT NULL, path TEXT NOT NULL, contents TEXT NOT NULL, version INTEGER NOT NULL,
    PRIMARY KEY (cell, path)
  ) WITHOUT ROWID;
  CREATE TABLE revision (one INTEGER PRIMARY KEY CHECK (one = 1), value INTEGER NOT NULL);
  INSERT INTO revision VALUES (1, 0);
  CREATE TABLE lease (
    id INTEGER PRIMARY KEY, owner TEXT NOT NULL, ttl_ms REAL NOT NULL, expires REAL NOT NULL, granted REAL,
    step TEXT NOT NULL
  );
  CREATE TABLE ticket (
    revision INTEGER PRIMARY KEY, resource TEXT NOT NULL, lease_id INTEGER NOT NULL, contents TEXT NOT NULL,
    token INTEGER
  );
  CREATE INDEX ticket_of_resource ON ticket (resource, revision);
  CREATE TABLE fence (resource TEXT PRIMARY KEY, token INTEGER NOT NULL) WITHOUT ROWID;

  CREATE VIEW keyspaces AS
    SELECT substr(path, 11, length(path) - 19) AS keyspace, contents AS record
    FROM node WHERE cell = 'global' AND path GLOB 'keyspaces/*/Keyspace';
  CREATE VIEW shards AS
    SELECT substr(path, 11, instr(substr(path, 11), '/') - 1) AS keyspace,
           substr(path, 11 + instr(substr(path, 11), '/') + 7,
                  length(path) - (11 + instr(substr(path, 11), '/') + 7) - 5) AS shard,
           json_extract(contents, '$.is_primary_serving') AS is_primary_serving,
           json_extract(contents, '$.primary_alias.cell') || '-' ||
             printf('%010d', json_extract(contents, '$.primary_alias.uid')) AS "primary",
           contents AS record
    FROM node WHERE cell = 'global' AND path GLOB 'keyspaces/*/shards/*/Shard';
  CREATE VIEW tablets AS
    SELECT cell, substr(path, 9, length(path) - 15) AS alias, json_extract(contents, '$.keyspace') AS keyspace,
           json_extract(contents, '$.shard') AS shard, json_extract(contents, '$.type') AS type, contents AS record
    FROM node WHERE path GLOB 'tablets/*/Tablet';
  CREATE VIEW denied_tables AS
    SELECT shards.keyspace, shards.shard, json_extract(control.value, '$.tablet_type') AS tablet_type,
           denied.value AS "table", coalesce(json_extract(control.value, '$.allow_reads'), 0) AS allow_reads
    FROM shards, json_each(shards.record, '$.tablet_controls') AS control,
         json_each(control.value, '$.denied_tables') AS denied;
  CREATE VIEW routing_rules AS
    SELECT json_extract(rule.value, '$.from_table') AS from_table, json_extract(rule.value, '$.to_tables[0]') AS to_table
    FROM node, json_each(node.contents, '$.rules') AS rule
    WHERE node.cell = 'global' AND node.path = 'RoutingRules';
  CREATE VIEW locks AS
    SELECT ticket.resource, ticket.token, json_extract(ticket.contents, '$.Action') AS action,
           json_extract(lease.owner, '$.pid') AS pid, json_extract(lease.owner, '$.host') AS host, lease.step
    FROM ticket JOIN lease ON lease.id = ticket.lease_id ORDER BY ticket.resource, ticket.revision;
  `,
  // When a lock was asked for and by which command, its end in the time of day, what one call holds together; what became of locks.
  `
  ALTER TABLE lease ADD COLUMN expires_wall REAL NOT NULL DEFAULT 0;
  ALTER TABLE lease ADD COLUMN asked REAL NOT NULL DEFAULT 0;
  ALTER TABLE lease ADD COLUMN command TEXT NOT NULL DEFAULT '';
  ALTER TABLE lease ADD COLUMN chain INTEGER NOT NULL DEFAULT 0;
  UPDATE lease SET chain = id;
  CREATE TABLE lock_event (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, resource TEXT NOT NULL, token INTEGER NOT NULL,
    owner TEXT NOT NULL, detail TEXT NOT NULL
  );
  `,
];
