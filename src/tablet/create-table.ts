import { tableExists } from '../sql/mysql-errors.ts';
import { sqliteCreateTable } from '../sql/schema-sqlite.ts';
import type { TableDef } from '../sql/schema.ts';
import type { ShardDb } from './shard-db.ts';

/** Creates a table on a shard. Throws MySQL's 1050. Apart from ShardDb, since few commands make tables and all open shards. */
export function createTable(shard: ShardDb, def: TableDef): void {
  if (shard.findTable(def.name) !== undefined) throw tableExists(def.name);
  for (const statement of sqliteCreateTable(def)) shard.db.exec(statement);
  shard.saveDefinition(def);
}
