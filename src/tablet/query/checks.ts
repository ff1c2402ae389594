import type { Statement } from '../../sql/ast.ts';
import type { ShardDb } from '../shard-db.ts';
import { readView, type TabletView } from '../view.ts';
import { DeniedTableError, lockedForReading, notLocked, readOnlyServer, TabletStateError } from './query-errors.ts';
import { isDdl, type QueryRequest, type QueryTablet, tablesOf } from './request.ts';

/**
 * What a tablet asks before it does anything: does it serve, is it what the sender takes it for. Read from the
 * tablet's own view in the caller's transaction. A tablet that was never refreshed does not serve. Throws
 * CLUSTER_EVENT and FAILED_PRECONDITION. Vitess: go/vt/vttablet/tabletserver/state_manager.go StartRequest.
 */
export function checkServing(tablet: QueryTablet, tabletType: string): TabletView {
  const view = readView(tablet.shard, tablet.alias);
  if (view?.serving !== true) throw new TabletStateError('CLUSTER_EVENT', 'operation not allowed in state NOT_SERVING');
  if (view.type !== tabletType) {
    throw new TabletStateError('FAILED_PRECONDITION', `wrong tablet type: ${tabletType}, want: ${view.type} or []`);
  }
  return view;
}

/**
 * Everything between a statement and its tables: whether the tablet serves it, denied tables, replicas. What comes to MySQL
 * itself meets the last alone.
 */
export function admit(tablet: QueryTablet, request: QueryRequest): void {
  if (request.direct !== undefined) {
    const view = readView(tablet.shard, tablet.alias);
    if (view !== undefined) checkWritable(view, request);
    return;
  }
  const view = checkServing(tablet, request.tabletType);
  checkDenied(tablet.shard, view, request.statement);
  checkWritable(view, request);
}

/**
 * The rule that a workflow puts on tables. It holds for each statement that names an existing table, reads included
 * unless the rule lets them pass, and DDL too; not for COMMIT. A transaction that began before the rule therefore
 * still commits what it wrote, after the rule was set: why a switch locks the tables once more before it takes the
 * source's position (#9400).
 */
export function checkDenied(shard: ShardDb, view: TabletView, statement: Statement): void {
  if (view.deniedTables.length === 0) return;
  if (view.allowReads && statement.kind === 'select') return;
  for (const table of tablesOf(statement)) {
    if (!view.deniedTables.some((entry) => entryMatches(entry, table))) continue;
    // Entries are resolved against the tables there are: a new table is not denied its CREATE.
    if (shard.findTable(table) === undefined) continue;
    throw new DeniedTableError(table);
  }
}

/** An entry is a name, or a regular expression between slashes. */
function entryMatches(entry: string, table: string): boolean {
  if (entry === table) return true;
  return entry.length > 1 && entry.startsWith('/') && entry.endsWith('/') && new RegExp(entry.slice(1, -1)).test(table);
}

/** True for statements that change rows or tables. */
export function isWrite(statement: Statement): boolean {
  return ['insert', 'replace', 'update', 'delete'].includes(statement.kind) || isDdl(statement);
}

/** Replicas share their shard's rows; what writes is refused as their MySQL would. */
export function checkWritable(view: TabletView, request: QueryRequest): void {
  const { statement } = request;
  const writes = isWrite(statement) || (statement.kind === 'lock-tables' && statement.locks.some(({ mode }) => mode === 'WRITE'));
  if (view.type !== 'PRIMARY' && writes) throw readOnlyServer();
}

/** The modes of the tables that a session locked with LOCK TABLES; empty when it locked none. */
export function lockedTables(shard: ShardDb, session: string): Map<string, 'read-only' | 'exclusive'> {
  const rows = shard.db.all<{ table: string; mode: 'read-only' | 'exclusive' }>(
    `SELECT "table", mode FROM _table_lock WHERE session = ? AND granted = 1 AND mode IN ('read-only', 'exclusive')`,
    session,
  );
  return new Map(rows.map(({ table, mode }) => [table, mode]));
}

/** Holds a session with LOCK TABLES to the tables it named. Throws MySQL's 1100 and 1099. */
export function checkOwnLocks(shard: ShardDb, session: string | undefined, statement: Statement): void {
  if (session === undefined) return;
  const locked = lockedTables(shard, session);
  if (locked.size === 0) return;
  for (const table of tablesOf(statement)) {
    const mode = locked.get(table);
    if (mode === undefined) throw notLocked(table);
    if (mode === 'read-only' && isWrite(statement)) throw lockedForReading(table);
  }
}
