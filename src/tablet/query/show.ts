import type { SessionStatement } from '../../sql/ast.ts';
import { formatCreateTable } from '../../sql/schema-format.ts';
import { matchesLike } from '../../sql/like.ts';
import { checkServing } from './checks.ts';
import type { QueryRequest, QueryResult, QueryTablet } from './request.ts';

/** SHOW TABLES and SHOW CREATE TABLE. Throws 1146. */
export function executeShow(
  tablet: QueryTablet,
  request: QueryRequest,
  statement: Extract<SessionStatement, { kind: 'show' }>,
): QueryResult {
  const { shard } = tablet;
  if (request.direct === undefined) checkServing(tablet, request.tabletType);
  if (statement.what === 'create-table') {
    const def = shard.table(statement.table.name);
    return { columns: ['Table', 'Create Table'], rows: [[def.name, formatCreateTable(def)]], rowsAffected: 0 };
  }
  const { like } = statement;
  const label = `Tables_in_${shard.dbName}${like === undefined ? '' : ` (${like})`}`;
  const names = shard.tableNames().filter((name) => like === undefined || matchesLike(name, like, '\\', true));
  return { columns: [label], rows: names.map((name) => [name]), rowsAffected: 0 };
}
