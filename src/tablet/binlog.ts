import type { Row, Value } from '../sql/value.ts';
import { parseValues, stringifyValues } from './value-json.ts';

/** What one event of a transaction did. */
export type BinlogEvent =
  | { kind: 'insert'; table: string; after: Row }
  | { kind: 'update'; table: string; before: Row; after: Row }
  | { kind: 'delete'; table: string; before: Row }
  | { kind: 'ddl'; table: string; sql: string }
  /** Rows that a copy brought while nobody read this binlog: how many, not which. */
  | { kind: 'copied'; table: string; rows: number }
  /** A row of `_vt.resharding_journal`, which other readers of this shard act on. */
  | { kind: 'journal'; id: string; val: string };

/**
 * Inserts of many rows of one table, column by column: how a copy writes them down, since it is a fraction of the text and of
 * the work of one event a row. Readers never see it: `parseEvents` makes inserts of it.
 */
interface PackedRows {
  /** `raw`: SQLite wrote the values. */
  kind: 'rows' | 'raw';
  table: string;
  columns: readonly string[];
  /** For each column its values, all in the order of the rows. */
  values: readonly PackedColumn[];
}

/** `count` integers, each one more than the one before: what ids mostly are. */
interface Run {
  first: number;
  count: number;
}

type PackedColumn = readonly Value[] | Run;

/** One event as the binlog keeps it. */
export function eventText(event: BinlogEvent): string {
  return stringifyValues(event);
}

/** The inserts of some rows as one event's text; `values` holds for each column its values in the order of the rows. */
export function packedText(table: string, columns: readonly string[], values: readonly (readonly Value[])[]): string {
  return `${packedHead('rows', table, columns)}${values.map(stringifyValues).join(',')}]}`;
}

/** A column of `rawText` that is a run of integers. */
export function runText(first: number, count: number): string {
  const run: Run = { first, count };
  return JSON.stringify(run);
}

/**
 * `packedText` where SQLite has written the values: one JSON array (or `runText`) a column, with commas between them. Other events must not
 * share a transaction with it.
 */
export function rawText(table: string, columns: readonly string[], values: string): string {
  return `${packedHead('raw', table, columns)}${values}]}`;
}

function packedHead(kind: PackedRows['kind'], table: string, columns: readonly string[]): string {
  return `{"kind":"${kind}","table":${JSON.stringify(table)},"columns":${JSON.stringify(columns)},"values":[`;
}

/** The events of a transaction, from what the binlog keeps. */
export function parseEvents(text: string): BinlogEvent[] {
  const stored = parseValues<(BinlogEvent | PackedRows)[]>(text.startsWith('[{"kind":"raw"') ? tagLongIntegers(text) : text);
  if (!stored.some(isPacked)) return stored as BinlogEvent[];
  return stored.flatMap((event) => (isPacked(event) ? unpack(event) : [event]));
}

function isPacked(event: BinlogEvent | PackedRows): event is PackedRows {
  return event.kind === 'rows' || event.kind === 'raw';
}

/** SQLite writes integers past 2^53 as any other, and JSON.parse would round them. Digits inside a string stay as they are. */
function tagLongIntegers(text: string): string {
  if (!/[,[]-?\d{16}/.test(text)) return text;
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}/g, (token) => {
    if (token.startsWith('"') || Number.isSafeInteger(Number(token))) return token;
    return `{"$int":"${token}"}`;
  });
}

function unpack({ table, columns, values }: PackedRows): BinlogEvent[] {
  const [first] = values;
  const rows = first === undefined ? 0 : isRun(first) ? first.count : first.length;
  return Array.from({ length: rows }, (_, at) => {
    const after: Row = {};
    for (let i = 0; i < columns.length; i++) after[columns[i]!] = valueAt(values[i]!, at);
    return { kind: 'insert', table, after };
  });
}

function isRun(column: PackedColumn): column is Run {
  return 'first' in column;
}

function valueAt(column: PackedColumn, at: number): Value {
  return isRun(column) ? column.first + at : (column[at] ?? null);
}
