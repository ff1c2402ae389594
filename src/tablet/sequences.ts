import { errorCode, InvariantError, vtError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import { mysqlErrno, mysqlError } from '../sql/mysql-errors.ts';
import { parseStatement } from '../sql/parser.ts';
import type { Value } from '../sql/value.ts';
import type { Tablet } from '../topo/proto/types.ts';
import type { BinlogEvent } from './binlog.ts';
import type { Cluster } from './cluster.ts';
import { changeTables } from './query/ddl-changes.ts';
import { mysqlTime } from './query/mysql-time.ts';
import { isDdl, isRowStatement, type QueryResult, type RowStatement } from './query/request.ts';
import { runUnchecked } from './query/run-part.ts';
import { untilFree } from './query/waiting.ts';
import { createSequenceSql, currentValueSql, largestValueSql } from './sequence-table.ts';
import type { ShardDb } from './shard-db.ts';

/**
 * What vtctld has a tablet's MySQL do for a sequence, past the query service (ExecuteFetchAsApp, ApplySchema): no denied table
 * is in the way, a lock is. What writes is synchronous, for the caller's transaction.
 */

/** The MySQL database of a tablet. Vitess: go/vt/topo/topoproto/tablet.go TabletDbName. */
export function databaseOf(tablet: Tablet): string {
  const { db_name_override: override = '', keyspace = '' } = tablet;
  return override === '' ? `vt_${keyspace}` : override;
}

/** A statement that many tablets are asked, parsed once. */
export interface Question {
  sql: string;
  statement: RowStatement;
}

/** How to ask for the largest value of a column. */
export function largestValueOf({ database, table, column }: { database: string; table: string; column: string }): Question {
  const sql = largestValueSql(database, table, column);
  return { sql, statement: rowStatement(sql) };
}

/** So many questions are asked in one read, before other work may have its turn. */
const QUESTIONS_PER_READ = 50;

/**
 * The one value that each question has for an answer, in order; null also for no rows. `failed` makes the error of one that MySQL
 * refuses, and what it returns is thrown.
 */
export async function askAll<Q extends { question: Question }>(
  ctx: Context,
  cluster: Cluster,
  shard: ShardDb,
  asked: readonly Q[],
  failed: (error: unknown, one: Q) => unknown,
): Promise<Value[]> {
  const { clock } = cluster.world;
  const answers: Value[] = [];
  while (answers.length < asked.length) {
    const part = asked.slice(answers.length, answers.length + QUESTIONS_PER_READ);
    const got = await untilFree(ctx, cluster.world, async () => shard.db.read(() => part.map((one) => answer(cluster, shard, one, failed))));
    answers.push(...got);
    if (clock.due()) await clock.turn();
  }
  return answers;
}

function answer<Q extends { question: Question }>(cluster: Cluster, shard: ShardDb, one: Q, failed: (error: unknown, one: Q) => unknown): Value {
  try {
    return fetchQuestion(cluster, shard, one.question).rows[0]?.[0] ?? null;
  } catch (error) {
    // A lock that is in the way is no refusal.
    throw mysqlErrno(error) === undefined ? error : failed(error, one);
  }
}

/** The row of a sequence table: `next_id` as MySQL gives it, undefined where there is no row. Throws MySQL's 1146. */
export function currentValue(cluster: Cluster, shard: ShardDb, { database, table }: { database: string; table: string }): Value | undefined {
  const sql = currentValueSql(database, table);
  return shard.db.read(() => fetchAsApp(cluster, shard, sql)).rows[0]?.[0];
}

/** Runs a row statement in the caller's transaction; MySQL's errors tell the statement. Throws WaitForLock. */
export function fetchAsApp(cluster: Cluster, shard: ShardDb, sql: string): QueryResult {
  return fetchQuestion(cluster, shard, { sql, statement: rowStatement(sql) });
}

function fetchQuestion(cluster: Cluster, shard: ShardDb, { sql, statement }: Question): QueryResult {
  try {
    return runUnchecked(cluster.world, shard, statement);
  } catch (error) {
    throw duringQuery(error, sql);
  }
}

function rowStatement(sql: string): RowStatement {
  const statement = parseStatement(sql);
  if (!isRowStatement(statement)) throw new InvariantError(`not about rows: ${sql}`);
  return statement;
}

/** Go's text of a MySQL error ends with the statement. Vitess: go/mysql/sqlerror/sql_error.go. */
function duringQuery(error: unknown, sql: string): unknown {
  if (mysqlErrno(error) === undefined) return error;
  return vtError(errorCode(error), `${(error as Error).message} during query: ${sql}`);
}

/** Creates a sequence table unless it is there, in the caller's transaction. True if it was made. */
export function createSequence(cluster: Cluster, shard: ShardDb, table: string): boolean {
  const sql = createSequenceSql(table);
  const statement = parseStatement(sql);
  if (!isDdl(statement)) throw new InvariantError(`not DDL: ${sql}`);
  const at = cluster.world.clock.now();
  const changed = changeTables(shard, statement, mysqlTime(at));
  if (changed.length === 0) return false;
  shard.log(at, changed.map((name): BinlogEvent => ({ kind: 'ddl', table: name, sql })));
  return true;
}

/** MySQL's error for a statement about a database that this server does not have. */
export function unknownDatabase(name: string, sql: string): Error {
  return duringQuery(mysqlError('NOT_FOUND', `Unknown database '${name}'`, 1049, '42000'), sql) as Error;
}

/** MySQL's error for a name that had to stand in backticks: `near` is the statement from the first character it stumbles on. */
export function syntaxError(sql: string, near: number): Error {
  const text = `You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '${sql.slice(near, near + 80)}' at line 1`;
  return duringQuery(mysqlError('INVALID_ARGUMENT', text, 1064, '42000'), sql) as Error;
}
