import type { Row } from '../../sql/value.ts';
import { purgedBinlog } from '../../sql/mysql-errors.ts';
import type { BinlogEvent } from '../binlog.ts';
import type { BinlogTransaction, ShardDb } from '../shard-db.ts';
import type { Applier } from './apply.ts';
import type { TableFilter } from './filter.ts';

/** Whether a row of a table that is still being copied has been copied already; undefined means every row has. */
export type Copied = (table: string, row: Row) => boolean;

const everything: Copied = () => true;

/** What a stream does with DDL of one of its tables (`--on-ddl`); undefined passes it over. */
export type ApplyDdl = (sql: string, table: string) => void;

/**
 * Applies row events through a stream's filters. During the copy, events of rows not yet copied are passed over:
 * the copy will read them later. A row that an update moves into or out of the filter is inserted or deleted.
 */
export function applyTransactions(
  target: ShardDb,
  applier: Applier,
  transactions: readonly BinlogTransaction[],
  filters: readonly TableFilter[],
  options: { copied?: Copied; applyDdl?: ApplyDdl | undefined } = {},
): void {
  const { copied = everything, applyDdl } = options;
  for (const transaction of transactions) {
    for (const event of transaction.events) {
      if (event.kind !== 'ddl') applyEvent(target, applier, event, filters, copied);
      else if (isMatched(event.table, filters)) applyDdl?.(event.sql, event.table);
    }
  }
}

/** True if a stream takes rows of this table. */
export function isMatched(table: string, filters: readonly TableFilter[]): boolean {
  return filters.some((filter) => filter.table === table);
}

function applyEvent(
  target: ShardDb,
  applier: Applier,
  event: BinlogEvent,
  filters: readonly TableFilter[],
  copied: Copied,
): void {
  if (event.kind === 'ddl' || event.kind === 'journal') return;
  const filter = filters.find((candidate) => candidate.table === event.table);
  if (filter === undefined) return;
  // Every stream says that it reads before it takes its position: one that was put there otherwise must not go on without rows.
  if (event.kind === 'copied') throw purgedBinlog();
  const takes = (row: Row | undefined): row is Row =>
    row !== undefined && copied(event.table, row) && (filter.accepts === undefined || filter.accepts(row));
  const before = event.kind === 'insert' ? undefined : event.before;
  const after = event.kind === 'delete' ? undefined : event.after;
  const def = target.table(event.table);
  if (takes(before)) {
    if (takes(after)) applier.update(def, before, after);
    else applier.delete(def, before);
  } else if (takes(after)) {
    applier.insert(def, after);
  }
}
