import { ContextError, type Context, withTimeout } from '../runtime/context.ts';
import { type Random, seededRandom } from '../runtime/random.ts';
import { errorText, type VtCode, VtError } from '../lib/errors.ts';
import type { Gate } from '../gate/gate.ts';
import type { Clock } from '../runtime/clock.ts';
import type { QueryResult } from '../tablet/query/request.ts';
import { Counts } from './counts.ts';
import { type LedgerRow, newRow, type Outcome } from './ledger.ts';
import type { Statements } from './load-table.ts';

/** A table of a workload: its statements, the rows written so far, and where the next key comes from. */
export interface TableLoad {
  statements: Statements;
  /** Every row, in the order of its first statement. */
  rows: LedgerRow[];
  /** Keys go down from here, so that the table's own AUTO_INCREMENT goes on above them all. */
  top: number;
}

/** A read that saw a row as it was before a write that had been acknowledged. */
export interface StaleRead {
  table: string;
  key: number;
  at: number;
  /** What was acknowledged, and what was seen; 0 is no row. */
  acknowledged: number;
  seen: number;
}

/** How many writes of each kind were acknowledged. */
export interface Kinds {
  inserts: number;
  updates: number;
  deletes: number;
}

/** What the clients of one workload share. */
export class Load {
  readonly gate: Gate;
  readonly clock: Clock;
  readonly tables: readonly TableLoad[];
  readonly writes: Counts;
  readonly reads: Counts;
  readonly kinds: Kinds = { inserts: 0, updates: 0, deletes: 0 };
  readonly stale: StaleRead[] = [];
  staleCount = 0;
  /** Reads that went to replicas. */
  replicaReads = 0;
  readonly #timeoutMs: number;
  readonly #seed: number;

  constructor(gate: Gate, clock: Clock, tables: readonly TableLoad[], options: { seed: number; timeoutMs: number }) {
    this.gate = gate;
    this.clock = clock;
    this.tables = tables;
    this.#timeoutMs = options.timeoutMs;
    this.#seed = options.seed;
    this.writes = new Counts(clock.now());
    this.reads = new Counts(clock.now());
  }

  /** A client's own chance: what it draws does not depend on the others. */
  random(client: number): Random {
    return seededRandom(Math.imul(this.#seed | 0, 7919) + client * 104_729 + 1);
  }

  newRow(table: TableLoad): LedgerRow {
    const row = newRow(table.statements.table.name, table.top - table.rows.length);
    table.rows.push(row);
    return row;
  }

  /** Sends a statement and counts how it ended. Never throws. */
  async send(ctx: Context, counts: Counts, sql: string, target?: string): Promise<{ outcome: Outcome; result?: QueryResult }> {
    const limited = withTimeout(ctx, this.clock, this.#timeoutMs);
    try {
      const result = await this.gate.run(limited.ctx, { sql, ...(target === undefined ? {} : { target }) });
      counts.add('acknowledged', this.clock.now());
      return { outcome: 'acknowledged', result };
    } catch (error) {
      const outcome = outcomeOf(error);
      counts.add(outcome, this.clock.now(), { text: errorText(error), sql });
      return { outcome };
    } finally {
      limited.end();
    }
  }
}

/** Errors with these codes say that the statement was not done. */
const NOT_DONE: ReadonlySet<VtCode> = new Set([
  'ALREADY_EXISTS',
  'CLUSTER_EVENT',
  'FAILED_PRECONDITION',
  'INTERNAL',
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'OUT_OF_RANGE',
  'PERMISSION_DENIED',
  'READ_ONLY',
  'RESOURCE_EXHAUSTED',
  'UNAVAILABLE',
  'UNIMPLEMENTED',
]);

/** What an error tells a client of its statement: not done, or nothing. */
export function outcomeOf(error: unknown): 'refused' | 'ambiguous' {
  if (!(error instanceof VtError) || error instanceof ContextError) return 'ambiguous';
  // MySQL has rolled back what waited too long for a lock.
  if (error.code === 'DEADLINE_EXCEEDED' && error.message.includes('(errno 1205)')) return 'refused';
  return NOT_DONE.has(error.code) ? 'refused' : 'ambiguous';
}
