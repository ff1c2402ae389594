import { UserError, vtError } from '../lib/errors.ts';
import { checkContext, type Context } from '../runtime/context.ts';
import type { SessionStatement, Statement } from '../sql/ast.ts';
import { parseStatement } from '../sql/parser.ts';
import { type Cluster, watchedCluster } from '../tablet/cluster.ts';
import { execute, executeAll, type QueryPart } from '../tablet/query/execute.ts';
import { done, isDdl, isRowStatement, type QueryRequest, type QueryResult } from '../tablet/query/request.ts';
import { neededSession } from '../tablet/query/session-statements.ts';
import type { Mirrored } from '../tablet/mirrored.ts';
import { planMirror, runMirror } from './mirror.ts';
import type { Passage } from './passage.ts';
import { planRows } from './plan.ts';
import { planDdl, planLockTables, planShow } from './plan-tables.ts';
import type { Piece, Plan } from './plan-types.ts';
import { type Place, type Query, QueryScope } from './query-scope.ts';
import { GateSession } from './sessions.ts';
import { chooseTablet, gateError } from './tablets.ts';

/**
 * Runs one SQL statement as a vtgate of a cell does: finds its table by the rules and the VSchema, its shards by the
 * vindex and the serving graph, asks a tablet of each and puts the answers together. Throws vtgate's errors; those
 * of tablets carry `target: KS.SHARD.TYPE: vttablet: rpc error: …`. A `passage` may hold a statement about rows at the
 * shards it goes to; without one nothing is buffered, and nothing is tried twice either way: see `Gate`. Reads are mirrored
 * where somebody counts that: those that only look at the cluster are not an application's.
 */
export async function runQuery(ctx: Context, cluster: Cluster, query: Query, passage?: Passage, mirrored?: Mirrored): Promise<QueryResult> {
  try {
    return await run(ctx, watchedCluster(cluster), query, passage, mirrored);
  } catch (error) {
    throw tooLarge(error);
  }
}

/** A statement that outgrows the machine is its author's to shorten; everything else is passed on. */
function tooLarge(error: unknown): unknown {
  if (error instanceof RangeError && error.message.includes('call stack')) {
    return vtError('INVALID_ARGUMENT', 'max nesting level reached: the statement nests too deeply');
  }
  const limit = /^too many (?:SQL variables|columns in .*)$|^(?:string or blob too big|Expression tree is too large.*)$/;
  if (!(error instanceof Error) || !limit.test(error.message)) return error;
  return vtError('RESOURCE_EXHAUSTED', `the statement is too large: ${error.message}`);
}

async function run(ctx: Context, cluster: Cluster, query: Query, passage?: Passage, mirrored?: Mirrored): Promise<QueryResult> {
  checkContext(ctx);
  const statement = parsed(query.sql);
  const scope = await QueryScope.open(ctx, cluster, query);
  const session = query.session === undefined ? undefined : await GateSession.find(ctx, cluster, query.session);
  if (isRowStatement(statement)) {
    const plan = await planRows(scope, statement);
    const mirror = mirrored === undefined || statement.kind !== 'select' ? undefined : await planMirror(scope, statement);
    if (mirror === undefined || mirrored === undefined) return runRows(scope, session, plan, passage);
    try {
      return await runRows(scope, session, plan, passage);
    } finally {
      await runMirror(scope, plan, mirror, mirrored);
    }
  }
  if (isDdl(statement)) {
    const plan = await planDdl(scope, statement);
    // MySQL commits before it defines anything.
    if (session !== undefined) await commitAll(scope, session);
    await runEach(scope, plan.pieces);
    return done();
  }
  if (statement.kind === 'show') {
    const plan = await planShow(scope, statement);
    return plan.merge(await runEach(scope, plan.pieces));
  }
  return runSessionStatement(scope, session, statement);
}

/** As a vtgate keeps its plans: applications and probes send the same texts again and again. Nobody writes to a statement. */
const statements = new Map<string, Statement>();
const MOST_STATEMENTS = 200;
const LONGEST_KEPT = 1000;

function parsed(sql: string): Statement {
  let statement = statements.get(sql);
  if (statement === undefined) {
    statement = parseStatement(sql);
    if (statements.size >= MOST_STATEMENTS) statements.clear();
    if (sql.length <= LONGEST_KEPT) statements.set(sql, statement);
  }
  return statement;
}

async function runRows(
  scope: QueryScope,
  session: GateSession | undefined,
  plan: Plan,
  passage?: Passage,
): Promise<QueryResult> {
  const { ctx, cluster } = scope;
  const inside = session !== undefined && session.open().length > 0;
  if (inside && scope.target.tabletType !== 'PRIMARY') throw activeTransaction();
  const places = new Map<QueryPart['tablet'], Place>();
  const parts: QueryPart[] = [];
  // What is in a transaction was begun before the failover, and has to see its end.
  const held = inside ? undefined : passage;
  for (const { place, statement } of plan.pieces) {
    await held?.before(place);
    const tablet = await chosen(scope, place, held);
    // A session's transaction is on primaries; a read of a replica beside it is none of its business.
    const own = place.tabletType === 'PRIMARY' ? session : undefined;
    if (inside && own !== undefined) await own.join(cluster, tablet.shard);
    places.set(tablet, place);
    parts.push({ tablet, request: requestOf(scope, place, statement, own !== undefined) });
  }
  let refusing: Place | undefined;
  const explain = (error: unknown, part: QueryPart): unknown => {
    refusing = places.get(part.tablet);
    return refusing === undefined ? error : gateError(error, refusing);
  };
  try {
    return plan.merge(await executeAll(ctx, cluster, parts, explain));
  } catch (error) {
    if (refusing !== undefined) await held?.refused(refusing, error);
    throw error;
  }
}

/** The tablet for a place; while none serves there, the statement may be held. */
async function chosen({ ctx, cluster, query }: QueryScope, place: Place, held: Passage | undefined): Promise<QueryPart['tablet']> {
  try {
    return await chooseTablet(ctx, cluster, query.cell, place);
  } catch (error) {
    await held?.refused(place, error);
    throw error;
  }
}

function activeTransaction(): Error {
  const text = "can't execute the given command because you have an active transaction";
  return vtError('INVALID_ARGUMENT', text);
}

function requestOf(scope: QueryScope, place: Place, statement: Statement, withSession = true): QueryRequest {
  const { session, caller } = scope.query;
  return {
    statement,
    tabletType: place.tabletType,
    ...(session === undefined || !withSession ? {} : { session }),
    ...(caller === undefined ? {} : { caller }),
  };
}

/** Runs the pieces one after another; the first error ends it. */
async function runEach(scope: QueryScope, pieces: readonly Piece[]): Promise<QueryResult[]> {
  const { ctx, cluster } = scope;
  const results: QueryResult[] = [];
  for (const { place, statement } of pieces) {
    const tablet = await chooseTablet(ctx, cluster, scope.query.cell, place);
    try {
      results.push(await execute(ctx, cluster, tablet, requestOf(scope, place, statement)));
    } catch (error) {
      throw gateError(error, place);
    }
  }
  return results;
}

async function runSessionStatement(
  scope: QueryScope,
  session: GateSession | undefined,
  statement: Exclude<SessionStatement, { kind: 'show' }>,
): Promise<QueryResult> {
  if (statement.kind === 'use') {
    throw new UserError('USE has no effect: a session keeps no target', {
      next: 'qualify the table, as in `select * from customer.t` or `select * from `customer@replica`.t`',
      exit: 2,
    });
  }
  neededSession(scope.query.session, statement.kind.replace('-', ' ').toUpperCase());
  if (session === undefined) return done();
  switch (statement.kind) {
    case 'begin':
      await commitAll(scope, session);
      await session.begin(scope.cluster, statement.readOnly);
      return done();
    case 'commit':
      await commitAll(scope, session);
      return done();
    case 'rollback':
      await session.rollBack(scope.cluster);
      return done();
    case 'unlock-tables':
      await session.unlockTables(scope.cluster);
      return done();
    case 'lock-tables': {
      const pieces = await planLockTables(scope, statement.locks);
      await commitAll(scope, session);
      await session.unlockTables(scope.cluster);
      await lockEach(scope, session, pieces);
      return done();
    }
  }
}

/** LOCK TABLES takes all its locks or none. */
async function lockEach(scope: QueryScope, session: GateSession, pieces: readonly Piece[]): Promise<void> {
  try {
    await runEach(scope, pieces);
  } catch (error) {
    await session.unlockTables(scope.cluster);
    throw error;
  }
}

/**
 * Commits on every shard of the session's transaction. As with vtgate's default (`MULTI`) there is no commit over
 * several shards: when one fails, those before it are committed and those behind it rolled back.
 */
async function commitAll(scope: QueryScope, session: GateSession): Promise<void> {
  const pieces = session.open().map(
    ({ keyspace, shard }): Piece => ({ place: { keyspace, shard, tabletType: 'PRIMARY' }, statement: { kind: 'commit' } }),
  );
  try {
    await runEach(scope, pieces);
  } catch (error) {
    await session.rollBack(scope.cluster);
    throw error;
  }
}
