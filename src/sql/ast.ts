/**
 * What the parser makes of a statement. Plain data (numbers keep their text), so that it survives JSON and formats
 * back to a statement that parses to the same tree.
 */
import type { CheckDef, ColumnDef, ColumnDefault, ForeignKeyDef, IndexKind, IndexPart } from './schema.ts';

/** A table as written: the qualifier is a keyspace, perhaps with a shard or tablet type (`customer:-80@replica`). */
export interface TableRef {
  qualifier?: string;
  name: string;
}

/** Comparison operators; `<>` is read as `!=`. */
export type ComparisonOp = '=' | '!=' | '<' | '<=' | '>' | '>=' | '<=>';

/** Arithmetic operators; `mod` is read as `%`. */
export type ArithmeticOp = '+' | '-' | '*' | '/' | '%' | 'div';

/** A literal. Hex and bit digits are lower case, without prefix. */
export type Literal =
  | { kind: 'null' }
  | { kind: 'bool'; value: boolean }
  | { kind: 'number'; text: string }
  | { kind: 'string'; value: string }
  | { kind: 'hex'; digits: string }
  | { kind: 'bit'; digits: string };

/** A column as written. */
export interface ColumnRef {
  kind: 'column';
  name: string;
  table?: string;
  qualifier?: string;
}

/** A function call; names are lower case. `star` is `count(*)`. */
export interface Call {
  kind: 'call';
  name: string;
  args: Expr[];
  star?: true;
  distinct?: true;
}

/** An expression. */
export type Expr =
  | Literal
  | ColumnRef
  | Call
  | { kind: 'unary'; op: '-' | '+'; expr: Expr }
  | { kind: 'not'; expr: Expr }
  | { kind: 'logic'; op: 'and' | 'or' | 'xor'; left: Expr; right: Expr }
  | { kind: 'arithmetic'; op: ArithmeticOp; left: Expr; right: Expr }
  | { kind: 'compare'; op: ComparisonOp; left: Expr; right: Expr }
  | { kind: 'is'; expr: Expr; test: 'null' | 'true' | 'false'; not: boolean }
  | { kind: 'in'; expr: Expr; list: Expr[]; not: boolean }
  | { kind: 'between'; expr: Expr; low: Expr; high: Expr; not: boolean }
  | { kind: 'like'; expr: Expr; pattern: Expr; escape?: string; not: boolean }
  | { kind: 'case'; operand?: Expr; whens: { when: Expr; then: Expr }[]; otherwise?: Expr }
  | { kind: 'default'; column?: string };

/** An item of a select list. */
export type SelectItem = { kind: 'star'; table?: string } | { kind: 'expr'; expr: Expr; alias?: string };

/** A term of ORDER BY. */
export interface OrderTerm {
  expr: Expr;
  descending: boolean;
}

/** `LIMIT`: integers as text, for they may pass 2^53. */
export interface Limit {
  count: string;
  offset?: string;
}

/** `SET column = expr`. */
export interface Assignment {
  column: ColumnRef;
  value: Expr;
}

/** A SELECT from one table, or from none. */
export interface Select {
  kind: 'select';
  distinct: boolean;
  items: SelectItem[];
  from?: TableRef;
  alias?: string;
  where?: Expr;
  orderBy: OrderTerm[];
  limit?: Limit;
  lock?: 'update' | 'share';
}

/** INSERT; `insert t set a = 1` is kept as columns and one row. No `columns`: all of them. */
export interface Insert {
  kind: 'insert';
  ignore: boolean;
  table: TableRef;
  columns?: string[];
  rows: Expr[][];
  onDuplicate: Assignment[];
}

/** REPLACE. */
export interface Replace {
  kind: 'replace';
  table: TableRef;
  columns?: string[];
  rows: Expr[][];
}

/** UPDATE of one table. */
export interface Update {
  kind: 'update';
  ignore: boolean;
  table: TableRef;
  alias?: string;
  set: Assignment[];
  where?: Expr;
  orderBy: OrderTerm[];
  limit?: Limit;
}

/** DELETE from one table. */
export interface Delete {
  kind: 'delete';
  table: TableRef;
  alias?: string;
  where?: Expr;
  orderBy: OrderTerm[];
  limit?: Limit;
}

/** A table of LOCK TABLES. */
export interface TableLock {
  table: TableRef;
  mode: 'READ' | 'WRITE';
  alias?: string;
}

/** A key as written in DDL; an empty name means that none was given. */
export interface KeySpec {
  kind: IndexKind | 'primary';
  name: string;
  parts: IndexPart[];
  comment?: string;
}

/** A column as written in DDL, with the key or check written inside it. */
export interface ColumnSpec {
  column: ColumnDef;
  key?: 'primary' | 'unique';
  check?: CheckDef;
}

/** A table option: the name in upper case (`CHARSET` without DEFAULT). */
export interface TableOption {
  name: string;
  value: string;
}

/** Where a new or changed column goes. */
export type ColumnPosition = { kind: 'first' } | { kind: 'after'; column: string };

/** CREATE TABLE. With `like` everything else is empty. */
export interface CreateTable {
  kind: 'create-table';
  table: TableRef;
  ifNotExists: boolean;
  columns: ColumnSpec[];
  keys: KeySpec[];
  foreignKeys: ForeignKeyDef[];
  checks: CheckDef[];
  options: TableOption[];
  like?: TableRef;
}

/** One action of ALTER TABLE. */
export type AlterAction =
  | { action: 'add-column'; spec: ColumnSpec; position?: ColumnPosition }
  | { action: 'drop-column'; name: string }
  | { action: 'modify-column'; spec: ColumnSpec; position?: ColumnPosition }
  | { action: 'change-column'; from: string; spec: ColumnSpec; position?: ColumnPosition }
  | { action: 'rename-column'; from: string; to: string }
  | { action: 'set-default'; column: string; default: ColumnDefault }
  | { action: 'add-key'; key: KeySpec }
  | { action: 'drop-key'; name: string }
  | { action: 'drop-primary-key' }
  | { action: 'rename-key'; from: string; to: string }
  | { action: 'add-foreign-key'; foreignKey: ForeignKeyDef }
  | { action: 'drop-foreign-key'; name: string }
  | { action: 'add-check'; check: CheckDef }
  | { action: 'drop-check'; name: string }
  | { action: 'rename-table'; to: TableRef }
  | { action: 'options'; options: TableOption[] };

/** ALTER TABLE. */
export interface AlterTable {
  kind: 'alter-table';
  table: TableRef;
  actions: AlterAction[];
}

/** Statements that define tables. */
export type DdlStatement =
  | CreateTable
  | AlterTable
  | { kind: 'drop-table'; ifExists: boolean; tables: TableRef[] }
  | { kind: 'create-index'; table: TableRef; key: KeySpec }
  | { kind: 'drop-index'; table: TableRef; name: string }
  | { kind: 'truncate'; table: TableRef }
  | { kind: 'rename-table'; renames: { from: TableRef; to: TableRef }[] };

/** Statements about the session. `use` keeps the target as written, without back-ticks. */
export type SessionStatement =
  | { kind: 'begin'; readOnly: boolean }
  | { kind: 'commit' }
  | { kind: 'rollback' }
  | { kind: 'lock-tables'; locks: TableLock[] }
  | { kind: 'unlock-tables' }
  | { kind: 'use'; target: string }
  | { kind: 'show'; what: 'tables'; from?: string; like?: string }
  | { kind: 'show'; what: 'create-table'; table: TableRef };

/** Any statement the parser accepts. */
export type Statement = Select | Insert | Replace | Update | Delete | DdlStatement | SessionStatement;
