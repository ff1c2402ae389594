/** Rows as a report shows them. Vitess: go/vt/vttablet/tabletmanager/vdiff/report.go genRowDiff. */
import type { ColumnDef } from '../../sql/schema.ts';
import { columnFamily } from '../../sql/schema.ts';
import { formatName } from '../../sql/format-expr.ts';
import { textOfScalar } from '../../sql/scalar.ts';
import { decodeValue } from '../../sql/storage.ts';
import type { SqlValue } from '../../store/database.ts';
import type { StoredRow } from './order.ts';
import type { TablePlan } from './plan.ts';
import type { RowDiff } from './report.ts';

const TRUNCATED = '...[TRUNCATED]';
/** Less than this is not worth cutting off. */
const WORTH_CUTTING = TRUNCATED.length + 20;
/** Where v18 to v20 cut every column. */
const OLD_CUT = 30;

/** How rows are shown. */
export interface SampleOptions {
  onlyKeys: boolean;
  /** Adds a query that finds the row. */
  query: boolean;
  /** Bytes after which a column is cut, those of the key apart; below 1, never. */
  cutAt: number;
  /** What the release does: cuts keys too at 30 bytes; shows bytes as characters; or as hexadecimal digits. */
  style: 'short' | 'characters' | 'hex';
}

/** A row as text. `table` is the one that its query names. */
export function rowDiff(row: StoredRow, plan: TablePlan, table: string, options: SampleOptions): RowDiff {
  const shown: Record<string, string> = {};
  plan.columns.forEach((column, at) => {
    const isKey = plan.keys.includes(at);
    if (options.onlyKeys && !isKey) return;
    shown[formatName(column.name)] = shownValue(column, row[at] ?? null, cutOf(options, isKey), options.style === 'hex');
  });
  return { Row: shown, ...(options.query ? { Query: rowQuery(row, plan, table, options.onlyKeys) } : {}) };
}

/** Until v20, rows of which only the key is shown are not cut, and others in every column. */
function cutOf({ style, onlyKeys, cutAt }: SampleOptions, isKey: boolean): number {
  if (style === 'short') return onlyKeys ? 0 : OLD_CUT;
  return isKey ? 0 : cutAt;
}

function shownValue(column: ColumnDef, value: SqlValue, cutAt: number, hex: boolean): string {
  const bytes = bytesOf(column, value);
  const cut = cutAt > 0 && bytes.length >= cutAt + WORTH_CUTTING;
  const part = cut ? bytes.subarray(0, cutAt) : bytes;
  // NULL is an empty text, as in Vitess.
  const text = hex && value !== null && isBytes(column) ? `0x${part.toString('hex')}` : part.toString('utf8');
  return cut ? text + TRUNCATED : text;
}

/** MySQL's types of bytes: BINARY, VARBINARY and the BLOBs. */
function isBytes({ type }: ColumnDef): boolean {
  return /binary$|blob$/.test(type.name);
}

/** What MySQL sends for a value. */
function bytesOf(column: ColumnDef, value: SqlValue): Buffer {
  const decoded = decodeValue(column.type, value);
  if (decoded === null) return Buffer.alloc(0);
  return decoded instanceof Uint8Array ? Buffer.from(decoded) : Buffer.from(textOfScalar(decoded), 'utf8');
}

/** `select c1, c2 from t1 where c1=2;` */
function rowQuery(row: StoredRow, plan: TablePlan, table: string, onlyKeys: boolean): string {
  const name = (at: number): string => formatName(plan.columns[at]!.name);
  const wanted = onlyKeys ? plan.keys : plan.columns.map((_, at) => at);
  const where = plan.keys.map((at) => `${name(at)}=${literal(plan.columns[at]!, row[at] ?? null)}`);
  return `select ${wanted.map(name).join(', ')} from ${formatName(table)} where ${where.join(' AND ')};`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  "'": "\\'",
  '"': '\\"',
  '\b': '\\b',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\u001a': '\\Z',
  '\\': '\\\\',
};

/** A value as Vitess writes it into SQL. Vitess: sqltypes.Value.EncodeSQL. */
function literal(column: ColumnDef, value: SqlValue): string {
  if (value === null) return 'null';
  const text = bytesOf(column, value).toString('utf8');
  const family = columnFamily(column.type);
  if (family === 'int' || family === 'year' || family === 'real' || family === 'decimal' || family === 'bit') return text;
  // oxlint-disable-next-line no-control-regex
  return `'${text.replace(/[\0'"\b\n\r\t\u001a\\]/g, (char) => ESCAPES[char] ?? char)}'`;
}
