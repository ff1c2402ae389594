import type { RowStatement } from '../tablet/query/request.ts';

/**
 * A statement as a tablet gets it: without keyspaces, which are no databases of its MySQL. Tables and columns keep
 * their names.
 */
export function plainStatement<T extends RowStatement>(statement: T): T {
  return withoutQualifiers(statement) as T;
}

function withoutQualifiers(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutQualifiers);
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).filter(([key]) => key !== 'qualifier');
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutQualifiers(value)]));
}

/** The statement on another table; the old name stays its alias, so that columns may still be qualified with it. */
export function renamedTable<T extends RowStatement>(statement: T, name: string): T {
  if (statement.kind === 'select') {
    const { from } = statement;
    if (from === undefined || from.name === name) return statement;
    return { ...statement, from: { name }, alias: statement.alias ?? from.name };
  }
  if (statement.table.name === name) return statement;
  const aliased = statement.kind === 'update' || statement.kind === 'delete';
  const alias = aliased ? { alias: statement.alias ?? statement.table.name } : {};
  return { ...statement, table: { name }, ...alias };
}
