import { errorText } from '../../lib/errors.ts';
import { duplicateFromSqlite } from '../../sql/compile-key.ts';
import { duplicateKeyError, mysqlErrno, unknownColumn } from '../../sql/mysql-errors.ts';
import { findColumn, rowidName, type TableDef } from '../../sql/schema.ts';
import type { Row, SqliteParam, Value } from '../../sql/value.ts';
import type { World } from '../../runtime/world.ts';
import type { SqlValue } from '../../store/database.ts';
import type { BinlogEvent } from '../binlog.ts';
import { mysqlTime } from '../query/mysql-time.ts';
import type { ShardDb } from '../shard-db.ts';
import { decodeRow, encodeValue, sqliteName } from '../../sql/storage.ts';
import { anyRowLocks, lockBlocker, rowBlocker, rowKey } from '../table-locks.ts';

/** Somebody else's lock keeps a stream from applying. Not an error: it waits, as inside MySQL. */
export class BlockedError extends Error {
  constructor(table: string, holder: string) {
    super(`table ${table} is locked by ${holder}`);
    this.name = 'BlockedError';
  }
}

/** The key of a row: its primary key, or every column where there is none. */
export function keyColumns(def: TableDef): readonly string[] {
  return def.primaryKey.length > 0 ? def.primaryKey : def.columns.map((column) => column.name);
}

export function keyOf(def: TableDef, row: Row): Value[] {
  return keyColumns(def).map((column) => row[column] ?? null);
}

/** More rows in one statement gain nothing. */
const ROWS_PER_STATEMENT = 50;
/** Well below SQLite's limit of 32766. */
const MOST_PARAMS = 2_000;

/** Writes rows on behalf of a stream, in the target's transaction. Rules on denied tables do not apply to it. */
export class Applier {
  readonly #shard: ShardDb;
  readonly #world: World;
  readonly #checked = new Set<string>();
  /** True if any session holds row locks: each row must then be looked at. */
  readonly rowLocks: boolean;
  /** What was written, for the target's own binlog. */
  readonly events: BinlogEvent[] = [];

  constructor(shard: ShardDb, world: World) {
    this.#shard = shard;
    this.#world = world;
    this.rowLocks = anyRowLocks(shard);
  }

  /** Now, as MySQL writes it. */
  get now(): string {
    return mysqlTime(this.#world.clock.now());
  }

  /** Throws MySQL's 1062 for a key that is there, 1054 for a column that is not. */
  insert(def: TableDef, row: Row): void {
    this.#mayWrite(def, row);
    const columns = this.#columns(def, row);
    this.#insertOne(def, insertSql(def, columns), encode(def, columns, row), () => row);
    this.events.push({ kind: 'insert', table: def.name, after: row });
  }

  /**
   * `insert` for rows of one table that come as SQLite keeps them, with `columns` in this order: nothing is encoded, and many
   * rows share a statement. `rowOf` reads one. Throws as `insert` does, for the first row that fails. Leaves no events.
   */
  insertStored(def: TableDef, columns: readonly string[], rows: readonly SqlValue[][], rowOf: (stored: SqlValue[]) => Row): void {
    if (rows.length === 0) return;
    this.#checkColumns(def, columns);
    this.#mayWriteTable(def);
    if (this.rowLocks) for (const stored of rows) this.#mayWrite(def, rowOf(stored));
    // A statement that fails changes nothing: its rows are then tried one by one, to find the one that it was.
    const share = Math.max(1, Math.min(ROWS_PER_STATEMENT, Math.floor(MOST_PARAMS / columns.length)));
    const [together, alone] = [insertSql(def, columns, share), insertSql(def, columns)];
    for (let at = 0; at < rows.length; at += share) {
      const part = rows.slice(at, at + share);
      if (part.length === share && this.#insertTogether(together, part.flat())) continue;
      for (const stored of part) this.#insertOne(def, alone, stored, () => rowOf(stored));
    }
  }

  /**
   * `insertStored` without the rows leaving SQLite: those that `condition` picks of the same table in the file attached as `schema`.
   * Returns how many. Not for a shard with row locks. Throws SQLite's own error for a row that fails. Leaves no events.
   */
  insertFrom(def: TableDef, columns: readonly string[], schema: string, condition: string, params: readonly SqlValue[]): number {
    this.#checkColumns(def, columns);
    this.#mayWriteTable(def);
    const [table, names] = [sqliteName(def.name), columns.map(sqliteName).join(', ')];
    return this.#shard.db.run(`INSERT INTO main.${table} (${names}) SELECT ${names} FROM ${schema}.${table} ${condition}`, ...params);
  }

  #insertTogether(sql: string, params: readonly SqlValue[]): boolean {
    try {
      this.#shard.db.run(sql, ...params);
      return true;
    } catch (error) {
      if (isUniqueViolation(error)) return false;
      throw error;
    }
  }

  #insertOne(def: TableDef, sql: string, params: readonly SqlValue[], row: () => Row): void {
    try {
      this.#shard.db.run(sql, ...params);
    } catch (error) {
      throw isUniqueViolation(error) ? duplicate(def, row(), error) : error;
    }
  }

  update(def: TableDef, before: Row, after: Row): void {
    this.#mayWrite(def, before);
    const columns = this.#columns(def, after);
    const where = this.#where(def);
    const sql = `UPDATE ${sqliteName(def.name)} SET ${columns.map((column) => `${sqliteName(column)} = ?`).join(', ')} WHERE ${where}`;
    try {
      this.#shard.db.run(sql, ...encode(def, columns, after), ...encode(def, keyColumns(def), before));
    } catch (error) {
      throw isUniqueViolation(error) ? duplicate(def, after, error) : error;
    }
    this.events.push({ kind: 'update', table: def.name, before, after });
  }

  /** The row of a table that has a row's key; undefined where there is none, or no key. */
  find(def: TableDef, row: Row): Row | undefined {
    if (def.primaryKey.length === 0) return undefined;
    const sql = `SELECT * FROM ${sqliteName(def.name)} WHERE ${this.#where(def)}`;
    const [found] = this.#shard.db.allBig<Record<string, unknown>>(sql, ...encode(def, def.primaryKey, row));
    return found === undefined ? undefined : decodeRow(def, found);
  }

  delete(def: TableDef, before: Row): void {
    this.#mayWrite(def, before);
    this.#shard.db.run(`DELETE FROM ${sqliteName(def.name)} WHERE ${this.#where(def)}`, ...encode(def, keyColumns(def), before));
    this.events.push({ kind: 'delete', table: def.name, before });
  }

  /** Without a primary key equal rows may stand twice: an event is about one of them. */
  #where(def: TableDef): string {
    const matches = keyColumns(def).map((column) => `${sqliteName(column)} IS ?`).join(' AND ');
    if (def.primaryKey.length > 0) return matches;
    const rowid = rowidName(def);
    return `${rowid} = (SELECT ${rowid} FROM ${sqliteName(def.name)} WHERE ${matches} LIMIT 1)`;
  }

  /** Generated columns too: their values were worked out on the source, SQLite keeps them as any other. */
  #columns(def: TableDef, row: Row): string[] {
    const columns = Object.keys(row);
    this.#checkColumns(def, columns);
    return columns;
  }

  #checkColumns(def: TableDef, columns: readonly string[]): void {
    for (const column of columns) {
      if (findColumn(def, column) === undefined) throw unknownColumn(column, 'field list');
    }
  }

  #mayWriteTable(def: TableDef): void {
    if (this.#checked.has(def.name)) return;
    const holder = lockBlocker(this.#shard, this.#world, def.name, 'shared-write', {});
    if (holder !== undefined) throw new BlockedError(def.name, holder);
    this.#checked.add(def.name);
  }

  #mayWrite(def: TableDef, row: Row): void {
    this.#mayWriteTable(def);
    if (!this.rowLocks) return;
    const holder = rowBlocker(this.#shard, def.name, [rowKey(keyOf(def, row))], undefined);
    if (holder !== undefined) throw new BlockedError(def.name, holder);
  }
}

function insertSql(def: TableDef, columns: readonly string[], rows = 1): string {
  const values = `(${columns.map(() => '?').join(', ')})`;
  return `INSERT INTO ${sqliteName(def.name)} (${columns.map(sqliteName).join(', ')}) VALUES ${Array(rows).fill(values).join(', ')}`;
}

/** The values of some columns as SQLite keeps them. */
function encode(def: TableDef, columns: readonly string[], row: Row): SqliteParam[] {
  return columns.map((name) => {
    const column = findColumn(def, name);
    return column === undefined ? null : encodeValue(column.type, row[name] ?? null);
  });
}

/** MySQL's 1062, of the key that is meant. */
function duplicate(def: TableDef, row: Row, error: unknown): Error {
  const named = duplicateFromSqlite(def, errorText(error), row);
  return named ?? duplicateKeyError(keyOf(def, row).map(String).join('-'), `${def.name}.PRIMARY`);
}

function isUniqueViolation(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === 'SQLITE_CONSTRAINT_PRIMARYKEY' || code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_ROWID';
}

/**
 * MySQL errors that no retry will cure, so that the stream stops in state Error.
 * Vitess: go/vt/vttablet/tabletmanager/vreplication/utils.go isUnrecoverableError.
 */
const UNRECOVERABLE = new Set([1048, 1054, 1062, 1142, 1146, 1264, 1364, 1366, 1406]);

export function isUnrecoverable(error: unknown): boolean {
  const errno = mysqlErrno(error);
  return errno !== undefined && UNRECOVERABLE.has(errno);
}
