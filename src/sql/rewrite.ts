/**
 * Statements as SQL text again, for error texts and to keep the statements of open sessions:
 * `parse(format(parse(x)))` equals `parse(x)`.
 */
import type { Assignment, Insert, Limit, OrderTerm, Replace, Select, SelectItem, Statement, Update, Delete, Expr } from './ast.ts';
import { formatExpr, formatName, formatTable, quoteName, quoteString } from './format-expr.ts';
import { formatDdl } from './rewrite-ddl.ts';

function formatAlias(alias: string | undefined): string {
  return alias === undefined ? '' : ` as ${formatName(alias)}`;
}

/** ` where ..`, ` order by ..`, ` limit ..`: what SELECT, UPDATE and DELETE share. */
function formatTail(tail: { where?: Expr; orderBy: OrderTerm[]; limit?: Limit }): string {
  const where = tail.where === undefined ? '' : ` where ${formatExpr(tail.where)}`;
  const terms = tail.orderBy.map(({ expr, descending }) => `${formatExpr(expr)} ${descending ? 'desc' : 'asc'}`);
  const order = terms.length === 0 ? '' : ` order by ${terms.join(', ')}`;
  const offset = tail.limit?.offset === undefined ? '' : `${tail.limit.offset}, `;
  const limit = tail.limit === undefined ? '' : ` limit ${offset}${tail.limit.count}`;
  return where + order + limit;
}

function formatItem(item: SelectItem): string {
  if (item.kind === 'expr') return formatExpr(item.expr) + formatAlias(item.alias);
  return item.table === undefined ? '*' : `${formatName(item.table)}.*`;
}

function formatSelect(select: Select): string {
  const items = select.items.map(formatItem).join(', ');
  const from = select.from === undefined ? '' : ` from ${formatTable(select.from)}${formatAlias(select.alias)}`;
  const lock = select.lock === undefined ? '' : select.lock === 'update' ? ' for update' : ' lock in share mode';
  return `select ${select.distinct ? 'distinct ' : ''}${items}${from}${formatTail(select)}${lock}`;
}

function formatSet(set: readonly Assignment[]): string {
  return set.map(({ column, value }) => `${formatExpr(column)} = ${formatExpr(value)}`).join(', ');
}

function formatRows(verb: string, statement: Insert | Replace): string {
  const { columns } = statement;
  const names = columns === undefined ? '' : `(${columns.map(formatName).join(', ')})`;
  const rows = statement.rows.map((row) => `(${row.map(formatExpr).join(', ')})`).join(', ');
  return `${verb} into ${formatTable(statement.table)}${names} values ${rows}`;
}

function formatInsert(insert: Insert): string {
  const update = insert.onDuplicate.length === 0 ? '' : ` on duplicate key update ${formatSet(insert.onDuplicate)}`;
  return formatRows(insert.ignore ? 'insert ignore' : 'insert', insert) + update;
}

function formatUpdate(update: Update): string {
  const table = formatTable(update.table) + formatAlias(update.alias);
  return `update ${update.ignore ? 'ignore ' : ''}${table} set ${formatSet(update.set)}${formatTail(update)}`;
}

function formatDelete(statement: Delete): string {
  return `delete from ${formatTable(statement.table)}${formatAlias(statement.alias)}${formatTail(statement)}`;
}

function formatShow(show: Extract<Statement, { kind: 'show' }>): string {
  if (show.what === 'create-table') return `show create table ${formatTable(show.table)}`;
  const from = show.from === undefined ? '' : ` from ${formatName(show.from)}`;
  return `show tables${from}${show.like === undefined ? '' : ` like ${quoteString(show.like)}`}`;
}

function formatLocks(statement: Extract<Statement, { kind: 'lock-tables' }>): string {
  const locks = statement.locks.map(
    ({ table, alias, mode }) => `${formatTable(table)}${formatAlias(alias)} ${mode.toLowerCase()}`,
  );
  return `lock tables ${locks.join(', ')}`;
}

/** A statement as SQL text; names are back-ticked where needed. */
export function formatStatement(statement: Statement): string {
  switch (statement.kind) {
    case 'select':
      return formatSelect(statement);
    case 'insert':
      return formatInsert(statement);
    case 'replace':
      return formatRows('replace', statement);
    case 'update':
      return formatUpdate(statement);
    case 'delete':
      return formatDelete(statement);
    case 'begin':
      return statement.readOnly ? 'start transaction read only' : 'begin';
    case 'commit':
    case 'rollback':
      return statement.kind;
    case 'lock-tables':
      return formatLocks(statement);
    case 'unlock-tables':
      return 'unlock tables';
    case 'use':
      return statement.target === '' ? 'use' : `use ${quoteName(statement.target)}`;
    case 'show':
      return formatShow(statement);
    default:
      return formatDdl(statement);
  }
}
