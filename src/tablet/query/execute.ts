import { InvariantError, UserError } from '../../lib/errors.ts';
import { checkContext, type Context } from '../../runtime/context.ts';
import { formatStatement } from '../../sql/rewrite.ts';
import type { Cluster } from '../cluster.ts';
import { countRefusal } from '../refusals.ts';
import type { ShardDb } from '../shard-db.ts';
import { executeDdl } from './ddl.ts';
import { DeniedTableError, TabletStateError, statementError, WaitForLock } from './query-errors.ts';
import { isDdl, isRowStatement, type QueryRequest, type QueryResult, type QueryTablet } from './request.ts';
import { isPlainRead, runPart } from './run-part.ts';
import { executeSessionStatement } from './session-statements.ts';
import { executeShow } from './show.ts';
import { untilFree } from './waiting.ts';

/** A statement and the tablet it is for. */
export interface QueryPart {
  tablet: QueryTablet;
  request: QueryRequest;
}

/**
 * Runs a statement on a tablet: what vttablet's query service does. The tablet's view, locks and the rows are looked
 * at in the transaction that writes the rows and their binlog event. Somebody else's lock is waited for until it is
 * free, the context ends or 50 seconds have passed (MySQL's 1205). Throws Vitess's and MySQL's errors.
 */
export async function execute(
  ctx: Context,
  cluster: Cluster,
  tablet: QueryTablet,
  request: QueryRequest,
): Promise<QueryResult> {
  const { statement } = request;
  checkContext(ctx);
  if (isRowStatement(statement)) {
    const [result] = await executeAll(ctx, cluster, [{ tablet, request }]);
    if (result === undefined) throw new InvariantError('a statement without a result');
    return result;
  }
  try {
    if (isDdl(statement)) return await executeDdl(ctx, cluster, tablet, request, statement);
    if (statement.kind === 'show') return executeShow(tablet, request, statement);
    if (statement.kind === 'use') throw new UserError('USE is not for a tablet', { exit: 2 });
    return await executeSessionStatement(ctx, cluster, tablet, request, statement);
  } catch (error) {
    throw statementError(error, formatStatement(statement), request.caller);
  }
}

/**
 * Runs row statements on several tablets, all of them or none: their transactions are open together, and are undone
 * together while one has to wait. `explain` may change the error of a part.
 */
export async function executeAll(
  ctx: Context,
  cluster: Cluster,
  parts: readonly QueryPart[],
  explain: (error: unknown, part: QueryPart) => unknown = (error) => error,
): Promise<QueryResult[]> {
  let waiting: QueryPart | undefined;
  let refused: { shard: ShardDb; table: string } | undefined;
  const told = (error: unknown, { tablet, request }: QueryPart): unknown =>
    explain(statementError(error, formatStatement(request.statement), request.caller), { tablet, request });
  const run = (part: QueryPart): QueryResult => {
    try {
      return runPart(cluster, part.tablet, part.request);
    } catch (error) {
      if (error instanceof DeniedTableError) refused = { shard: part.tablet.shard, table: error.table };
      // One whose query service is off refuses whatever comes: it has not looked at the tables.
      else if (error instanceof TabletStateError) refused = { shard: part.tablet.shard, table: '' };
      if (!(error instanceof WaitForLock)) throw told(error, part);
      waiting = part;
      throw error;
    }
  };
  const runFrom = (index: number): QueryResult[] => {
    const part = parts[index];
    if (part === undefined) return [];
    const { db } = part.tablet.shard;
    const body = (): QueryResult[] => [run(part), ...runFrom(index + 1)];
    return isPlainRead(part.tablet, part.request) ? db.read(body) : db.transact(body);
  };
  const attempt = async (): Promise<QueryResult[]> => {
    waiting = undefined;
    const [first] = parts;
    if (first === undefined || isPlainRead(first.tablet, first.request)) return runFrom(0);
    return first.tablet.shard.db.write(cluster.world.clock, () => runFrom(0));
  };
  try {
    return await untilFree(ctx, cluster.world, attempt);
  } catch (error) {
    // Not where it was refused: that transaction is rolled back.
    if (refused !== undefined) countRefusal(refused.shard, cluster.world.clock, refused.table);
    // A wait that ran out is the error of the part that waited.
    throw waiting === undefined ? error : told(error, waiting);
  }
}
