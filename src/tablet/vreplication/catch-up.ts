import type { Row } from '../../sql/value.ts';
import { purgedBinlog } from '../../sql/mysql-errors.ts';
import type { BinlogEvent } from '../binlog.ts';
import type { BinlogTransaction, ShardDb } from '../shard-db.ts';
import type { Applier } from './apply.ts';
import { type StreamFilters, throwProblem } from './filter.ts';

/** Whether a row of a table that is still being copied (by the target's name) has been copied already; undefined means every row has. */
export type Copied = (table: string, row: Row) => boolean;

const everything: Copied = () => true;
const same = (row: Row): Row => row;

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
  filters: StreamFilters,
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
export function isMatched(table: string, filters: StreamFilters): boolean {
  return filters.of(table) !== undefined;
}

function applyEvent(target: ShardDb, applier: Applier, event: BinlogEvent, filters: StreamFilters, copied: Copied): void {
  if (event.kind === 'ddl' || event.kind === 'journal') return;
  const filter = filters.of(event.table);
  if (filter === undefined) return;
  throwProblem(filter);
  // Every stream says that it reads before it takes its position: one that was put there otherwise must not go on without rows.
  if (event.kind === 'copied') throw purgedBinlog();
  const { accepts, convert = same } = filter;
  const taken = (row: Row): Row | undefined => (copied(filter.target, row) && (accepts === undefined || accepts(row)) ? convert(row) : undefined);
  const before = event.kind === 'insert' ? undefined : taken(event.before);
  const after = event.kind === 'delete' ? undefined : taken(event.after);
  if (before === undefined && after === undefined) return;
  const def = target.table(filter.target);
  if (filter.shape !== undefined) filter.shape.on(applier, def).change(before, after);
  else if (before === undefined) applier.insert(def, after!);
  else if (after === undefined) applier.delete(def, before);
  else applier.update(def, before, after);
}
