import type { Row } from '../sql/value.ts';

/** What one event of a transaction did. */
export type BinlogEvent =
  | { kind: 'insert'; table: string; after: Row }
  | { kind: 'update'; table: string; before: Row; after: Row }
  | { kind: 'delete'; table: string; before: Row }
  | { kind: 'ddl'; table: string; sql: string }
  /** A row of `_vt.resharding_journal`, which other readers of this shard act on. */
  | { kind: 'journal'; id: string; val: string };
