import { UserError } from '../../lib/errors.ts';
import { Database } from '../../store/database.ts';
import type { ClusterRecord } from '../cluster-record.ts';
import { paths } from '../paths.ts';
import { MOST_EVENTS } from './lock-events.ts';
import { MemoryTopoStore } from './memory-conn.ts';
import { sqliteLockRows } from './sqlite-lock-rows.ts';
import { TOPO_MIGRATIONS } from './sqlite-schema.ts';

/**
 * The topology of a cluster that lies still: in a snapshot, or on its way into a new place. It has no locks. Those who held them, and
 * those who waited, are other processes in another time; what they had begun is told by their intents, which are records.
 */

/** Takes a copied topology file out of its time and place, and reads its record. Throws UserError where it holds no cluster. */
export function settleCopy(path: string): ClusterRecord {
  return inFile(path, (database) => {
    const { shard_folder: _folder, ...record } = recordIn(database);
    database.transact(() => {
      database.run('DELETE FROM ticket');
      database.run('DELETE FROM lease');
      writeRecord(database, record);
    });
    return record;
  });
}

/** Says in a topology file in which folder its shards lie, if not in the usual one; migrates it too. Throws UserError where it holds no cluster. */
export function placeShards(path: string, folder: string | undefined): void {
  inFile(path, (database) => writeRecord(database, { ...recordIn(database), ...(folder !== undefined && { shard_folder: folder }) }));
}

/** The folder that the record of a topology names, asked of somebody who has the file open; undefined for the usual one. Throws UserError where it holds no cluster. */
export function shardFolderIn(ask: (sql: string, ...params: string[]) => unknown): string | undefined {
  const row = ask(RECORD, paths.cluster) as { contents: string } | undefined;
  if (row === undefined) throw noCluster();
  return (JSON.parse(row.contents) as ClusterRecord).shard_folder;
}

/** The shards of a topology file that have tablets, as `KEYSPACE/SHARD`. */
export function shardsIn(path: string): string[] {
  return inFile(path, (database) => database.all<{ name: string }>("SELECT DISTINCT keyspace || '/' || shard AS name FROM tablets ORDER BY name").map(({ name }) => name));
}

const RECORD = "SELECT contents FROM node WHERE cell = 'global' AND path = ?";

function noCluster(): UserError {
  return new UserError('the state holds no cluster', { next: 'switchtraffic init commerce --force', exit: 2 });
}

function inFile<T>(path: string, use: (database: Database) => T): T {
  const database = Database.open({ path, migrations: TOPO_MIGRATIONS, create: false });
  try {
    return use(database);
  } finally {
    database.close();
  }
}

function recordIn(database: Database): ClusterRecord {
  const row = database.get<{ contents: string }>(RECORD, paths.cluster);
  if (row === undefined) throw noCluster();
  return JSON.parse(row.contents) as ClusterRecord;
}

function writeRecord(database: Database, record: ClusterRecord): void {
  database.run("UPDATE node SET contents = ? WHERE cell = 'global' AND path = ?", JSON.stringify(record), paths.cluster);
}

/** A topology in memory as a file would hold it, and its record. Throws UserError where it holds no cluster. */
export function contentsOf(store: MemoryTopoStore): { record: ClusterRecord; contents: Buffer } {
  const database = Database.open({ path: ':memory:', migrations: TOPO_MIGRATIONS });
  try {
    for (const [cell, nodes] of store.nodes) {
      for (const [path, { contents, version }] of nodes) database.run('INSERT INTO node VALUES (?, ?, ?, ?)', cell, path, contents, version);
    }
    database.run('UPDATE revision SET value = ?', store.revision);
    const locks = sqliteLockRows(database);
    for (const [resource, token] of store.fences) locks.setFence(resource, token);
    for (const event of store.lockEvents) locks.addEvent(event);
    return { record: recordIn(database), contents: database.contents() };
  } finally {
    database.close();
  }
}

/** The topology that a file's contents hold, in memory. Throws UserError for what is no such file, and for a newer one. */
export function storeOf(contents: Buffer): MemoryTopoStore {
  const database = Database.ofContents(contents, TOPO_MIGRATIONS);
  try {
    const store = new MemoryTopoStore();
    for (const { cell, path, contents: text, version } of database.all<{ cell: string; path: string; contents: string; version: number }>('SELECT * FROM node')) {
      store.cell(cell).set(path, { contents: text, version });
    }
    store.revision = database.get<{ value: number }>('SELECT value FROM revision')!.value;
    for (const { resource, token } of database.all<{ resource: string; token: number }>('SELECT * FROM fence')) store.fences.set(resource, token);
    store.lockEvents.push(...sqliteLockRows(database).events(MOST_EVENTS));
    return store;
  } finally {
    database.close();
  }
}
