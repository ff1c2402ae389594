import { idToHex } from '../lib/key-range.ts';
import type { Expr, Insert, Replace } from '../sql/ast.ts';
import { evaluate } from '../sql/evaluate.ts';
import type { Value } from '../sql/value.ts';
import type { PrimaryVindex } from '../topo/primary-vindex.ts';
import { mergeWrites, type Piece, type Plan } from './plan-types.ts';
import type { QueryScope, ResolvedTable } from './query-scope.ts';
import { plainStatement, renamedTable } from './rewrite.ts';
import { places } from './route.ts';
import { withSequence } from './sequences.ts';
import { anyShard, type ServingShard, shardOfId } from './shards.ts';
import {
  columnCountMismatch,
  gateUnsupported,
  missingVindexColumn,
  noColumnList,
  noKeyspaceId,
  targetNotAllowed,
} from './vitess-errors.ts';
import type { GateTable } from './vschema.ts';

type Writing = Insert | Replace;

/** Where the rows of an INSERT or REPLACE go: each to the shard of its primary vindex. Throws VT09003, VT09023. */
export async function planInsert(scope: QueryScope, statement: Writing, resolved: ResolvedTable): Promise<Plan> {
  const { table, tabletType } = resolved;
  if (resolved.destination !== undefined) throw targetNotAllowed('INSERT');
  const shards = await scope.shards(table.keyspace, tabletType);
  const plain = renamedTable(plainStatement(statement), table.name);
  const named = await withColumns(scope, plain, table, tabletType);
  const numbered = await withSequence(scope, named, table);
  const split = splitRows(scope, numbered.statement, table, shards);
  const pieces = [...split].flatMap(([shard, rows]): Piece[] =>
    places(scope, table.keyspace, [shard], tabletType).map((place) => ({ place, statement: { ...numbered.statement, rows } })),
  );
  const { insertId } = numbered;
  return {
    pieces,
    merge: (results) => ({ ...mergeWrites(results), ...(insertId === undefined ? {} : { insertId }) }),
  };
}

/** Names the columns where the gate must know them; a table alone in its shard needs none. */
async function withColumns(
  scope: QueryScope,
  statement: Writing,
  table: GateTable,
  type: ResolvedTable['tabletType'],
): Promise<Writing> {
  const needed = table.primary !== undefined || table.entry.auto_increment !== undefined;
  if (statement.columns !== undefined || !needed) return checkRows(statement);
  const known = await scope.definition(table, type);
  const columns = known?.columns.map(({ name }) => name) ?? table.entry.columns?.map(({ name }) => name);
  if (columns === undefined) throw noColumnList();
  return checkRows({ ...statement, columns });
}

function checkRows(statement: Writing): Writing {
  const { columns } = statement;
  if (columns === undefined || columns.length === 0) return statement;
  if (statement.rows.some((row) => row.length !== columns.length)) throw columnCountMismatch();
  return statement;
}

/** The rows of a statement by shard, in the order in which shards are first met. */
function splitRows(
  scope: QueryScope,
  statement: Writing,
  table: GateTable,
  shards: readonly ServingShard[],
): Map<string, Expr[][]> {
  const { primary } = table;
  const { pinned = '' } = table.entry;
  if (!table.sharded) return new Map([[anyShard(shards), statement.rows]]);
  if (pinned !== '') return new Map([[shardOfId(shards, pinned.toLowerCase()), statement.rows]]);
  // A reference table has all its rows in every shard.
  if (primary === undefined) return new Map(shards.map(({ name }) => [name, statement.rows]));
  checkOnDuplicate(statement, primary);
  const indexes = primary.columns.map((column) => columnIndex(statement, column));
  const split = new Map<string, Expr[][]>();
  for (const row of statement.rows) {
    const shard = shardOfId(shards, keyspaceId(scope, primary, indexes.map((index) => row[index])));
    const rows = split.get(shard);
    if (rows === undefined) split.set(shard, [row]);
    else rows.push(row);
  }
  return split;
}

function checkOnDuplicate(statement: Writing, { columns }: PrimaryVindex): void {
  if (statement.kind === 'replace') return;
  const lower = columns.map((column) => column.toLowerCase());
  const touched = statement.onDuplicate.some(
    ({ column, value }) => lower.includes(column.name.toLowerCase()) && !isOwnValue(column.name, value),
  );
  if (touched) throw gateUnsupported('DML cannot update vindex column');
}

/** `c = values(c)`, which leaves the row in its shard. */
function isOwnValue(column: string, value: Expr): boolean {
  const arg = value.kind === 'call' && value.name === 'values' ? value.args[0] : undefined;
  return arg?.kind === 'column' && arg.name === column;
}

function columnIndex({ columns = [] }: Writing, name: string): number {
  const index = columns.findIndex((column) => column.toLowerCase() === name.toLowerCase());
  if (index < 0) throw missingVindexColumn(name);
  return index;
}

function keyspaceId(scope: QueryScope, primary: PrimaryVindex, exprs: readonly (Expr | undefined)[]): string {
  const values = exprs.map(
    (expr): Value => (expr === undefined || expr.kind === 'default' ? null : evaluate(expr, scope.evalScope)),
  );
  const id = primary.vindex.map(values);
  if (id === undefined) throw noKeyspaceId(`[${values.map(valueText).join(' ')}]`);
  return idToHex(id);
}

/** A value as Go prints a `sqltypes.Value`. */
function valueText(value: Value): string {
  if (value === null) return 'NULL';
  if (value instanceof Uint8Array) return `VARBINARY(${JSON.stringify(Buffer.from(value).toString('utf8'))})`;
  if (typeof value === 'string') return `VARCHAR(${JSON.stringify(value)})`;
  return `${Number.isInteger(Number(value)) ? 'INT64' : 'DECIMAL'}(${value})`;
}
