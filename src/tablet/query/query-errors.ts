import { type VtCode, VtError, vtError } from '../../lib/errors.ts';
import { goQuote } from '../../lib/go-quote.ts';
import { ContextError } from '../../runtime/context.ts';
import { mysqlErrno, mysqlError } from '../../sql/mysql-errors.ts';

/** Somebody else's lock is in the way: not an answer, the statement is tried again. */
export class WaitForLock extends Error {
  readonly holder: string;

  constructor(what: string, holder: string) {
    super(`${what} is locked by ${holder}`);
    this.name = 'WaitForLock';
    this.holder = holder;
  }
}

/** A tablet that does not serve, or is not what the sender took it for: said before the statement is looked at. */
export class TabletStateError extends VtError {
  constructor(code: VtCode, text: string) {
    super(text, { code });
    this.name = 'TabletStateError';
  }
}

/** A statement about a table that a workflow has this tablet refuse. */
export class DeniedTableError extends VtError {
  readonly table: string;

  constructor(table: string) {
    super('disallowed due to rule: enforce denied tables', { code: 'FAILED_PRECONDITION' });
    this.name = 'DeniedTableError';
    this.table = table;
  }
}

/** Who is said to have asked when the caller gives no name. */
const DEFAULT_CALLER = 'user';

/**
 * A statement's error with what vttablet adds to it: who asked, and for an error of MySQL which statement it was.
 * What was no answer to the
 * statement (a tablet that does not serve, an ended context, a busy file) is left as it is.
 * Vitess: go/vt/vttablet/tabletserver/tabletserver.go convertAndLogError.
 */
export function statementError(error: unknown, sql: string, caller: string | undefined): unknown {
  if (!(error instanceof VtError) || error instanceof ContextError || error instanceof TabletStateError) return error;
  const statement = mysqlErrno(error) === undefined ? '' : `: Sql: ${goQuote(sql)}, BindVars: {}`;
  return vtError(error.code, `${error.message} (CallerID: ${caller ?? DEFAULT_CALLER})${statement}`);
}

/** 1100: a session with LOCK TABLES touches another table. */
export function notLocked(table: string): VtError {
  return mysqlError('FAILED_PRECONDITION', `Table '${table}' was not locked with LOCK TABLES`, 1100, 'HY000');
}

/** 1099: a session writes to a table that it locked for reading. */
export function lockedForReading(table: string): VtError {
  const text = `Table '${table}' was locked with a READ lock and can't be updated`;
  return mysqlError('FAILED_PRECONDITION', text, 1099, 'HY000');
}

/** 1792: a write in a transaction that began READ ONLY. */
export function readOnlyTransaction(): VtError {
  return mysqlError('FAILED_PRECONDITION', 'Cannot execute statement in a READ ONLY transaction.', 1792, '25006');
}

/** 1290: a write on a tablet that is no primary, as its MySQL refuses it. */
export function readOnlyServer(): VtError {
  const text = 'The MySQL server is running with the --super-read-only option so it cannot execute this statement';
  return mysqlError('CLUSTER_EVENT', text, 1290, 'HY000');
}
