import type { Row, Value } from '../sql/value.ts';
import { parseValues, stringifyValues } from './value-json.ts';

/** What one event of a transaction did. */
export type BinlogEvent =
  | { kind: 'insert'; table: string; after: Row }
  | { kind: 'update'; table: string; before: Row; after: Row }
  | { kind: 'delete'; table: string; before: Row }
  | { kind: 'ddl'; table: string; sql: string }
  /** A row of `_vt.resharding_journal`, which other readers of this shard act on. */
  | { kind: 'journal'; id: string; val: string };

/**
 * Inserts of many rows of one table, column by column: how a copy writes them down, since it is a fraction of the text and of
 * the work of one event a row. Readers never see it: `parseEvents` makes inserts of it.
 */
interface PackedRows {
  kind: 'rows';
  table: string;
  columns: readonly string[];
  /** For each column its values, all in the order of the rows. */
  values: readonly (readonly Value[])[];
}

/** One event as the binlog keeps it. */
export function eventText(event: BinlogEvent): string {
  return stringifyValues(event);
}

/** The inserts of some rows as one event's text; `values` holds for each column its values in the order of the rows. */
export function packedText(table: string, columns: readonly string[], values: PackedRows['values']): string {
  return `${packedHead(table, columns)}${values.map(stringifyValues).join(',')}]}`;
}

/** `packedText` where SQLite has written the values: one JSON array a column, with commas between them. */
export function packedByText(table: string, columns: readonly string[], values: string): string {
  return `${packedHead(table, columns)}${tagLongIntegers(values)}]}`;
}

function packedHead(table: string, columns: readonly string[]): string {
  return `{"kind":"rows","table":${JSON.stringify(table)},"columns":${JSON.stringify(columns)},"values":[`;
}

/** SQLite writes integers past 2^53 as any other, and JSON.parse would round them. Digits inside a string stay as they are. */
function tagLongIntegers(text: string): string {
  if (!/[,[]-?\d{16}/.test(text)) return text;
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}/g, (token) => {
    if (token.startsWith('"') || Number.isSafeInteger(Number(token))) return token;
    return `{"$int":"${token}"}`;
  });
}

/** The events of a transaction, from what the binlog keeps. */
export function parseEvents(text: string): BinlogEvent[] {
  const stored = parseValues<(BinlogEvent | PackedRows)[]>(text);
  if (!stored.some((event) => event.kind === 'rows')) return stored as BinlogEvent[];
  return stored.flatMap((event) => (event.kind === 'rows' ? unpack(event) : [event]));
}

function unpack({ table, columns, values }: PackedRows): BinlogEvent[] {
  return (values[0] ?? []).map((_, at) => {
    const after: Row = {};
    for (let i = 0; i < columns.length; i++) after[columns[i]!] = values[i]![at] ?? null;
    return { kind: 'insert', table, after };
  });
}
