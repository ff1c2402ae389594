import type { DdlStatement, Delete, Insert, Replace, Select, Statement, Update } from '../../sql/ast.ts';
import type { Value } from '../../sql/value.ts';
import type { ShardDb } from '../shard-db.ts';

/** A tablet that answers queries: its alias as text, and the shard whose rows it has. */
export interface QueryTablet {
  alias: string;
  shard: ShardDb;
}

/** A statement for a tablet. */
export interface QueryRequest {
  statement: Statement;
  /** The type that the sender takes the tablet for. */
  tabletType: string;
  /** The session it belongs to; none: it stands alone and commits at once. */
  session?: string;
  /** Who asks, for error texts; `user` when not given. */
  caller?: string;
  /** It comes to MySQL and not through the query service: no rule and no state of the tablet stops it. */
  direct?: {
    /** False: what it changes is not written to the binlog. */
    binlog: boolean;
  };
}

/** What a statement answers. Statements that return no rows have no columns. */
export interface QueryResult {
  columns: string[];
  rows: Value[][];
  /** Rows inserted, really changed or deleted, as MySQL counts them; 0 for reads. */
  rowsAffected: number;
  /** The first id that AUTO_INCREMENT gave. */
  insertId?: number | bigint;
}

/** Statements that read or write rows. */
export type RowStatement = Select | Insert | Replace | Update | Delete;

/** The answer of a statement that only succeeds. */
export function done(rowsAffected = 0): QueryResult {
  return { columns: [], rows: [], rowsAffected };
}

/** True for statements that read or write rows. */
export function isRowStatement(statement: Statement): statement is RowStatement {
  return ['select', 'insert', 'replace', 'update', 'delete'].includes(statement.kind);
}

/** True for statements that define tables. */
export function isDdl(statement: Statement): statement is DdlStatement {
  return ['create-table', 'alter-table', 'drop-table', 'create-index', 'drop-index', 'truncate', 'rename-table'].includes(
    statement.kind,
  );
}

/** The tables a statement is about, by name. */
export function tablesOf(statement: Statement): string[] {
  switch (statement.kind) {
    case 'select':
      return statement.from === undefined ? [] : [statement.from.name];
    case 'insert':
    case 'replace':
    case 'update':
    case 'delete':
    case 'alter-table':
    case 'create-index':
    case 'drop-index':
    case 'truncate':
      return [statement.table.name];
    case 'create-table':
      return statement.like === undefined ? [statement.table.name] : [statement.table.name, statement.like.name];
    case 'drop-table':
      return statement.tables.map((table) => table.name);
    case 'rename-table':
      return statement.renames.flatMap(({ from, to }) => [from.name, to.name]);
    case 'lock-tables':
      return statement.locks.map(({ table }) => table.name);
    default:
      return [];
  }
}
