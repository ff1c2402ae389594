import type { Context } from '../../runtime/context.ts';
import type { DdlStatement } from '../../sql/ast.ts';
import { formatStatement } from '../../sql/rewrite.ts';
import type { BinlogEvent } from '../binlog.ts';
import type { Cluster } from '../cluster.ts';
import { forgetSequences } from '../sequence-cache.ts';
import type { ShardDb } from '../shard-db.ts';
import { acquireTables, lockBlocker } from '../table-locks.ts';
import { admit, checkOwnLocks, lockedTables } from './checks.ts';
import { changeTables } from './ddl-changes.ts';
import { mysqlTime } from './mysql-time.ts';
import { WaitForLock } from './query-errors.ts';
import { done, type QueryRequest, type QueryResult, type QueryTablet, tablesOf } from './request.ts';
import { commitHere } from './session-statements.ts';
import { untilFree } from './waiting.ts';

/**
 * Runs a statement that defines tables. It commits the session's open transaction first, as MySQL does, and waits in
 * line until nobody uses the tables. Throws MySQL's errors.
 */
export async function executeDdl(
  ctx: Context,
  cluster: Cluster,
  tablet: QueryTablet,
  request: QueryRequest,
  statement: DdlStatement,
): Promise<QueryResult> {
  const { shard } = tablet;
  const { world } = cluster;
  const { session } = request;
  await shard.db.write(world.clock, () => {
    check(tablet, request);
    if (session !== undefined) commitHere(shard, session, world.clock.now());
  });
  const tables = [...new Set(tablesOf(statement))];
  await untilFree(ctx, world, async () => {
    await queueUp(ctx, cluster, shard, session, tables);
    await shard.db.write(world.clock, () => {
      check(tablet, request);
      // The lock that the queue gave was let go a moment ago.
      for (const table of tables) {
        const holder = lockBlocker(shard, world, table, 'exclusive', { session });
        if (holder !== undefined) throw new WaitForLock(`table ${table}`, holder);
      }
      define(shard, statement, world.clock.now(), request.direct?.binlog !== false);
    });
  });
  return done();
}

function check(tablet: QueryTablet, request: QueryRequest): void {
  admit(tablet, request);
  checkOwnLocks(tablet.shard, request.session, request.statement);
}

/** Waits in line, so that those who come later wait too. A session with LOCK TABLES has its place already. */
async function queueUp(
  ctx: Context,
  cluster: Cluster,
  shard: ShardDb,
  session: string | undefined,
  tables: readonly string[],
): Promise<void> {
  if (session !== undefined && lockedTables(shard, session).size > 0) return;
  const wanted = tables.map((table) => ({ table, mode: 'exclusive' as const }));
  await acquireTables(ctx, shard, cluster.world, wanted, { holder: 'DDL' });
}

function define(shard: ShardDb, statement: DdlStatement, at: number, logged: boolean): void {
  const changed = changeTables(shard, statement, mysqlTime(at));
  if (changed.length === 0) return;
  // A tablet loads a table that changed anew, and with it an empty cache.
  forgetSequences(shard, changed);
  if (!logged) return;
  const sql = formatStatement(statement);
  shard.log(at, changed.map((table): BinlogEvent => ({ kind: 'ddl', table, sql })));
}
