/** From a CREATE TABLE statement to a table's definition, with the names and defaults that MySQL fills in. */
import type { ColumnSpec, CreateTable, KeySpec } from './ast.ts';
import { checkKept, checkValue } from './check-value.ts';
import {
  duplicateColumn,
  duplicateKeyName,
  invalidDefault,
  multiplePrimaryKeys,
  mysqlError,
  noKeyColumn,
  unsupported,
  wrongAutoColumn,
} from './mysql-errors.ts';
import { type Scalar, textOfScalar } from './scalar.ts';
import {
  type CheckDef,
  type ColumnDef,
  columnFamily,
  findColumn,
  type ForeignKeyDef,
  type IndexDef,
  type TableDef,
} from './schema.ts';
import { canonicalOptions, defaultCollation, tableCollation } from './schema-options.ts';

const WITHOUT_DEFAULT_NULL = ['json', 'geometry'];

/** What CREATE TABLE is checked against. */
export interface DefinitionMode {
  /** Zero dates may be defaults, as without the SQL modes NO_ZERO_DATE and NO_ZERO_IN_DATE, which dumps clear. */
  zeroDates?: boolean;
}

/** A literal default in the form the column keeps it; the type's own text, as `0.00`. */
function normalDefault(column: ColumnDef, mode: DefinitionMode): ColumnDef['default'] {
  const { default: value } = column;
  const family = columnFamily(column.type);
  const large = /text$|blob$/.test(column.type.name) || WITHOUT_DEFAULT_NULL.includes(family);
  if (value.kind === 'none' || (value.kind === 'literal' && value.text === null)) {
    if (value.kind === 'literal' && !column.nullable) throw invalidDefault(column.name);
    const shown = column.nullable && !large && !column.autoIncrement && column.generated === undefined;
    return shown ? { kind: 'literal', text: null } : { kind: 'none' };
  }
  if (value.kind === 'expression' || value.text === null) return value;
  return { kind: 'literal', text: checkedDefault(column, value.text, mode) };
}

function checkedDefault(column: ColumnDef, text: string, mode: DefinitionMode): string {
  let checked: Scalar;
  try {
    checked = (mode.zeroDates === true ? checkKept : checkValue)(column, text);
  } catch {
    throw invalidDefault(column.name);
  }
  return checked === null ? text : textOfScalar(checked);
}

/** A column as the table keeps it: the table's collation where it has none of its own, its default in full. */
export function finishColumn(
  column: ColumnDef,
  table: { charset: string; collation: string },
  mode: DefinitionMode = {},
): ColumnDef {
  const { type } = column;
  const family = columnFamily(type);
  const collated = family === 'text' || family === 'enum' || family === 'set';
  const inherits = collated && type.charset === undefined && type.collation === undefined;
  const special = table.collation !== defaultCollation(table.charset);
  const finished = inherits && special ? { ...column, type: { ...type, collation: table.collation } } : column;
  return { ...finished, default: normalDefault(finished, mode) };
}

/** The name MySQL gives a key without one: its first column's, with `_2`, `_3` … when taken. */
export function freeKeyName(taken: readonly IndexDef[], wanted: string): string {
  const used = (name: string): boolean => taken.some((index) => index.name.toLowerCase() === name.toLowerCase());
  if (!used(wanted)) return wanted;
  let n = 2;
  while (used(`${wanted}_${n}`)) n += 1;
  return `${wanted}_${n}`;
}

/** Unique indexes before the others, each in the order they came. */
export function sortIndexes(indexes: readonly IndexDef[]): IndexDef[] {
  const rank = { unique: 0, key: 1, fulltext: 2, spatial: 3 };
  return indexes.toSorted((a, b) => rank[a.kind] - rank[b.kind]);
}

/** The table with one more key. Throws 1061, 1068, 1072 or UNIMPLEMENTED. */
export function addKey(def: TableDef, key: KeySpec): TableDef {
  const parts = key.parts.map((part) => {
    const column = findColumn(def, part.column);
    if (column === undefined) throw noKeyColumn(part.column);
    return { ...part, column: column.name };
  });
  if (key.kind === 'primary') return addPrimaryKey(def, parts);
  if (def.indexes.some((index) => index.name.toLowerCase() === key.name.toLowerCase())) throw duplicateKeyName(key.name);
  const name = key.name === '' ? freeKeyName(def.indexes, parts[0]?.column ?? '') : key.name;
  const index = { name, kind: key.kind, parts, ...(key.comment === undefined ? {} : { comment: key.comment }) };
  return { ...def, indexes: sortIndexes([...def.indexes, index]) };
}

function addPrimaryKey(def: TableDef, parts: KeySpec['parts']): TableDef {
  if (def.primaryKey.length > 0) throw multiplePrimaryKeys();
  if (parts.some((part) => part.length !== undefined)) throw unsupported('a column prefix in PRIMARY KEY');
  const primaryKey = parts.map((part) => part.column);
  return { ...def, columns: def.columns.map((column) => asKeyColumn(column, primaryKey)), primaryKey };
}

/** Columns of a primary key are NOT NULL without being told. */
function asKeyColumn(column: ColumnDef, primaryKey: readonly string[]): ColumnDef {
  if (!primaryKey.includes(column.name)) return column;
  const implicit = column.default.kind === 'literal' && column.default.text === null;
  return { ...column, nullable: false, default: implicit ? { kind: 'none' } : column.default };
}

/** The table with one more foreign key, named as MySQL does, and the index that it needs. */
export function addForeignKey(def: TableDef, key: ForeignKeyDef): TableDef {
  const keys = def.foreignKeys ?? [];
  const name = key.name === '' ? `${def.name}_ibfk_${keys.length + 1}` : key.name;
  for (const column of key.columns) if (findColumn(def, column) === undefined) throw noKeyColumn(column);
  const added = { ...def, foreignKeys: [...keys, { ...key, name }] };
  const covered = (columns: readonly string[]): boolean => key.columns.every((column, i) => columns[i] === column);
  const served = covered(def.primaryKey) || def.indexes.some((index) => covered(index.parts.map((part) => part.column)));
  if (served) return added;
  const parts = key.columns.map((column) => ({ column }));
  return addKey(added, { kind: 'key', name: key.name, parts });
}

/** The table with one more check, named as MySQL does. */
export function addCheck(def: TableDef, check: CheckDef): TableDef {
  const checks = def.checks ?? [];
  return { ...def, checks: [...checks, { ...check, name: check.name === '' ? `${def.name}_chk_${checks.length + 1}` : check.name }] };
}

/** The key or check that was written inside a column. */
export function addInline(def: TableDef, spec: ColumnSpec): TableDef {
  const parts = [{ column: spec.column.name }];
  const keyed = spec.key === undefined ? def : addKey(def, { kind: spec.key, name: '', parts });
  return spec.check === undefined ? keyed : addCheck(keyed, spec.check);
}

/** Checks what holds for a table as a whole. Throws 1060, 1075 or 1113. */
export function checkTable(def: TableDef): void {
  const seen = new Set<string>();
  for (const { name } of def.columns) {
    if (seen.has(name.toLowerCase())) throw duplicateColumn(name);
    seen.add(name.toLowerCase());
  }
  if (def.columns.length === 0)
    throw mysqlError('INVALID_ARGUMENT', 'A table must have at least 1 column', 1113, '42000');
  const [auto, second] = def.columns.filter((column) => column.autoIncrement);
  if (auto === undefined) return;
  const leads = def.primaryKey[0] === auto.name || def.indexes.some((index) => index.parts[0]?.column === auto.name);
  if (second !== undefined || !leads) throw wrongAutoColumn();
}

/**
 * The definition a CREATE TABLE makes. `create table .. like` has none of its own: take the other table's and its name.
 * Throws 1060, 1061, 1067, 1068, 1072, 1075, 1113.
 */
export function tableDef(create: CreateTable, mode: DefinitionMode = {}): TableDef {
  if (create.like !== undefined) throw unsupported('a definition of CREATE TABLE … LIKE', "copy the other table's");
  const collation = tableCollation(create.options);
  const columns = create.columns.map(({ column }) => finishColumn(column, collation, mode));
  let def: TableDef = {
    name: create.table.name,
    columns,
    primaryKey: [],
    indexes: [],
    options: canonicalOptions(create.options),
  };
  for (const spec of create.columns) def = addInline(def, spec);
  // Names that were given are taken before MySQL makes up others.
  for (const key of create.keys.filter(({ name }) => name !== '')) def = addKey(def, key);
  for (const key of create.keys.filter(({ name }) => name === '')) def = addKey(def, key);
  for (const key of create.foreignKeys) def = addForeignKey(def, key);
  for (const check of create.checks) def = addCheck(def, check);
  checkTable(def);
  return def;
}
