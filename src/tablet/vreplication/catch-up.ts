import { errorText, plainError } from '../../lib/errors.ts';
import { EMPTY_POSITION, formatGtidSet, type Position } from '../../lib/gtid.ts';
import type { Row } from '../../sql/value.ts';
import { purgedBinlog } from '../../sql/mysql-errors.ts';
import type { BinlogEvent } from '../binlog.ts';
import type { BinlogTransaction, ShardDb } from '../shard-db.ts';
import type { Applier } from './apply.ts';
import { type StreamFilters, type TableFilter, throwProblem } from './filter.ts';

/** Whether a row of a table that is still being copied (by the target's name) has been copied already; undefined means every row has. */
export type Copied = (table: string, row: Row) => boolean;

const everything: Copied = () => true;
const same = (row: Row): Row => row;

/** What a stream does with DDL of one of its tables (`--on-ddl`); undefined passes it over. */
export type ApplyDdl = (sql: string, table: string) => void;

/** How events are applied. */
export interface ApplyOptions {
  copied?: Copied;
  applyDdl?: ApplyDdl | undefined;
  /** Where the source was after a transaction, for what it says of one that it could not filter. */
  positionAt?: (sequence: number) => Position;
  /** A row that one image of an update belongs to, by other conditions than a key range, is sent with both (#18319). */
  bothImages?: boolean;
}

/**
 * Applies row events through a stream's filters. During the copy, events of rows not yet copied are passed over:
 * the copy will read them later. A row that an update moves into or out of the filter is inserted or deleted.
 */
export function applyTransactions(
  target: ShardDb,
  applier: Applier,
  transactions: readonly BinlogTransaction[],
  filters: StreamFilters,
  options: ApplyOptions = {},
): void {
  const { applyDdl, positionAt = () => EMPTY_POSITION } = options;
  for (const transaction of transactions) {
    for (const event of transaction.events) {
      if (event.kind !== 'ddl') applyEvent(target, applier, event, filters, options, () => positionAt(transaction.sequence));
      else if (isMatched(event.table, filters)) applyDdl?.(event.sql, event.table);
    }
  }
}

/** True if a stream takes rows of this table. */
export function isMatched(table: string, filters: StreamFilters): boolean {
  return filters.of(table) !== undefined;
}

function applyEvent(
  target: ShardDb,
  applier: Applier,
  event: BinlogEvent,
  filters: StreamFilters,
  { copied = everything, bothImages = false }: ApplyOptions,
  position: () => Position,
): void {
  if (event.kind === 'ddl' || event.kind === 'journal') return;
  const filter = filters.of(event.table);
  if (filter === undefined) return;
  // Every stream says that it reads before it takes its position: one that was put there otherwise must not go on without rows.
  if (event.kind === 'copied') throw purgedBinlog();
  const taken = (row: Row): boolean => copied(filter.target, row) && atSource(position, () => accepts(filter, row));
  const images = { before: event.kind === 'insert' ? undefined : event.before, after: event.kind === 'delete' ? undefined : event.after };
  let before = images.before !== undefined && taken(images.before) ? images.before : undefined;
  let after = images.after !== undefined && taken(images.after) ? images.after : undefined;
  if (before === undefined && after === undefined) return;
  if (bothImages && !filter.byRange && event.kind === 'update') ({ before, after } = images);
  const { convert = same } = filter;
  if (before !== undefined) before = convert(before);
  if (after !== undefined) after = convert(after);
  const def = target.table(filter.target);
  if (filter.shape !== undefined) filter.shape.on(applier, def).change(before, after);
  else if (before === undefined) applier.insert(def, after!);
  else if (after === undefined) applier.delete(def, before);
  else applier.update(def, before, after);
}

function accepts(filter: TableFilter, row: Row): boolean {
  throwProblem(filter);
  return filter.accepts === undefined || filter.accepts(row);
}

/** The source's tablet filters what it sends, and says where it could not. Vitess: go/vt/vttablet/tabletserver/vstreamer/vstreamer.go wrapError. */
function atSource<T>(position: () => Position, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw plainError(`stream (at source tablet) error @ (including the GTID we failed to process) ${formatGtidSet(position())}: ${errorText(error)}`);
  }
}
