import { errorCode, errorText, vtError } from '../../lib/errors.ts';
import { ContextError, type Context } from '../../runtime/context.ts';
import type { Statement, TableRef } from '../../sql/ast.ts';
import { mysqlErrno, mysqlError, noSuchTable } from '../../sql/mysql-errors.ts';
import { parseStatement } from '../../sql/parser.ts';
import type { TableDef } from '../../sql/schema.ts';
import type { Cluster } from '../cluster.ts';
import { acquireTables } from '../table-locks.ts';
import { admit } from './checks.ts';
import { executeDdl } from './ddl.ts';
import { mysqlTime } from './mysql-time.ts';
import { done, isDdl, isRowStatement, type QueryRequest, type QueryResult, type QueryTablet, type RowStatement } from './request.ts';
import { runRowStatement } from './row-statements.ts';
import { runPart } from './run-part.ts';
import { executeShow } from './show.ts';
import { SIDECAR, sidecarTable } from './sidecar.ts';
import { untilFree, withinLockWait } from './waiting.ts';

/** A statement for a tablet's MySQL itself. */
export interface DirectQuery {
  sql: string;
  /** More rows than this are an error. */
  maxRows: number;
  binlog: boolean;
}

/** What MySQL answers, with the table that the rows are of. */
export interface DirectResult {
  result: QueryResult;
  statement: Statement;
  /** The table that is read, if there is one. */
  def: TableDef | undefined;
  /** The database that it is in. */
  database: string;
}

/**
 * Runs one statement on a tablet's MySQL, past the query service: on the shard's tables and on those of `_vt`, whose rows
 * are what VReplication reads next. Throws MySQL's errors with ` during query: …` behind.
 * Vitess: go/vt/vttablet/tabletmanager/rpc_query.go ExecuteFetchAsDba.
 */
export async function executeDirect(ctx: Context, cluster: Cluster, tablet: QueryTablet, query: DirectQuery): Promise<DirectResult> {
  const { sql, maxRows, binlog } = query;
  refuseSeveral(sql);
  const statement = parseStatement(sql);
  try {
    const sidecar = isRowStatement(statement) && tableRef(statement)?.qualifier === SIDECAR;
    const plain = sidecar ? statement : inOwnDatabase(statement, tablet.shard.dbName);
    const request: QueryRequest = { statement: plain, tabletType: 'PRIMARY', direct: { binlog } };
    const result = sidecar ? await runOnSidecar(ctx, cluster, tablet, request, statement) : await run(ctx, cluster, tablet, request);
    if (result.rows.length > maxRows) throw mysqlError('UNKNOWN', `Row count exceeded ${maxRows}`, 10_001, 'HY000');
    return { result, statement: plain, ...source(tablet, statement, sidecar) };
  } catch (error) {
    throw duringQuery(error, sql);
  }
}

/** One statement at a time, since v23 said so; before, the answers of the others were lost. */
function refuseSeveral(sql: string): void {
  const bare = sql.replace(/'(?:[^'\\]|''|\\[^])*'|"(?:[^"\\]|""|\\[^])*"|`(?:[^`]|``)*`|\/\*[^]*?\*\/|--[ \t][^\n]*|#[^\n]*/g, '');
  if (bare.split(';').filter((part) => part.trim() !== '').length > 1) {
    throw vtError('INVALID_ARGUMENT', 'multi statement queries are not supported in ExecuteFetchAsDba');
  }
}

/** MySQL's client says which statement an error was of. What is none of MySQL's stays as it is. */
function duringQuery(error: unknown, sql: string): unknown {
  if (mysqlErrno(error) === undefined || error instanceof ContextError) return error;
  return vtError(errorCode(error), `${errorText(error)} during query: ${sql}`);
}

function tableRef(statement: RowStatement): TableRef | undefined {
  return statement.kind === 'select' ? statement.from : statement.table;
}

function source(tablet: QueryTablet, statement: Statement, sidecar: boolean): Pick<DirectResult, 'def' | 'database'> {
  const ref = statement.kind === 'select' ? statement.from : undefined;
  if (ref === undefined) return { def: undefined, database: '' };
  return sidecar ? { def: sidecarTable(ref.name), database: SIDECAR } : { def: tablet.shard.findTable(ref.name), database: tablet.shard.dbName };
}

/** The statement without the name of the database that the connection has selected. Throws MySQL's 1049 for another one. */
function inOwnDatabase<T extends Statement>(statement: T, database: string): T {
  const plain = (ref: TableRef): TableRef => {
    if (ref.qualifier !== undefined && ref.qualifier !== database) {
      throw mysqlError('NOT_FOUND', `Unknown database '${ref.qualifier}'`, 1049, '42000');
    }
    const { qualifier: _dropped, ...rest } = ref;
    return rest;
  };
  const renamed: Record<string, unknown> = { ...statement };
  for (const key of ['from', 'table', 'like'] as const) {
    const ref = renamed[key];
    if (typeof ref === 'object' && ref !== null && 'name' in ref) renamed[key] = plain(ref as TableRef);
  }
  return renamed as T;
}

async function run(ctx: Context, cluster: Cluster, tablet: QueryTablet, request: QueryRequest): Promise<QueryResult> {
  const { statement } = request;
  const { shard } = tablet;
  const { world } = cluster;
  if (isRowStatement(statement)) return untilFree(ctx, world, () => shard.db.write(world.clock, () => runPart(cluster, tablet, request)));
  if (isDdl(statement)) return executeDdl(ctx, cluster, tablet, request, statement);
  if (statement.kind === 'show') return executeShow(tablet, request, statement);
  if (statement.kind === 'lock-tables') {
    const wanted = statement.locks.map(({ table, mode }) => ({ table: table.name, mode: mode === 'READ' ? ('read-only' as const) : ('exclusive' as const) }));
    for (const { table } of wanted) shard.table(table);
    // The connection is closed as soon as the statement is done.
    await withinLockWait(ctx, world, (limited) => acquireTables(limited, shard, world, wanted, { holder: 'ExecuteFetchAsDba' }));
  }
  // BEGIN, COMMIT and their like are over with the connection.
  return done();
}

function runOnSidecar(ctx: Context, cluster: Cluster, tablet: QueryTablet, request: QueryRequest, statement: RowStatement): Promise<QueryResult> {
  const { shard } = tablet;
  const { world } = cluster;
  const tableOf = (name: string): TableDef => {
    const def = sidecarTable(name);
    if (def === undefined) throw noSuchTable(SIDECAR, name);
    return def;
  };
  const context = { now: mysqlTime(world.clock.now()) };
  return untilFree(ctx, world, () =>
    shard.db.write(world.clock, () => {
      admit(tablet, request);
      return runRowStatement(shard, aliased(statement), context, () => {}, tableOf).result;
    }),
  );
}

/** Columns may be written with the table's name before them, which is not the name that its rows have. */
function aliased(statement: RowStatement): RowStatement {
  if (statement.kind === 'insert' || statement.kind === 'replace' || statement.alias !== undefined) return statement;
  const name = tableRef(statement)?.name;
  return name === undefined ? statement : { ...statement, alias: name };
}
