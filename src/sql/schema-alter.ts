/** ALTER TABLE on definitions. The rows are changed by whoever holds them, one by one, with `convertRow`. */
import type { AlterAction, ColumnPosition, ColumnSpec, DdlStatement } from './ast.ts';
import { checkKept, checkValue } from './check-value.ts';
import { fillingValue, withGenerated } from './defaults.ts';
import type { EvalScope } from './evaluate.ts';
import { cannotDrop, lastColumn, mysqlError } from './mysql-errors.ts';
import { addCheck, addForeignKey, addInline, addKey, checkTable, type DefinitionMode, finishColumn } from './schema-build.ts';
import { canonicalOptions, optionsOf, tableCollation } from './schema-options.ts';
import { type ColumnDef, findColumn, type IndexPart, type TableDef } from './schema.ts';
import type { Row, Value } from './value.ts';

function columnIndex(def: TableDef, name: string): number {
  const column = findColumn(def, name);
  if (column === undefined) throw mysqlError('NOT_FOUND', `Unknown column '${name}' in '${def.name}'`, 1054, '42S22');
  return def.columns.indexOf(column);
}

/** The columns with this one put where it goes: at the end, or at `otherwise` when that is given. */
function placed(def: TableDef, column: ColumnDef, position: ColumnPosition | undefined, otherwise: number): ColumnDef[] {
  const at =
    position === undefined ? otherwise : position.kind === 'first' ? 0 : columnIndex(def, position.column) + 1;
  return def.columns.toSpliced(at, 0, column);
}

function finished(def: TableDef, spec: ColumnSpec): ColumnDef {
  const column = finishColumn(spec.column, tableCollation(optionsOf(def)));
  if (!def.primaryKey.includes(column.name)) return column;
  const implicit = column.default.kind === 'literal' && column.default.text === null;
  return { ...column, nullable: false, default: implicit ? { kind: 'none' } : column.default };
}

function addColumn(def: TableDef, action: Extract<AlterAction, { action: 'add-column' }>): TableDef {
  const column = finished(def, action.spec);
  return addInline({ ...def, columns: placed(def, column, action.position, def.columns.length) }, action.spec);
}

/** Applies a change to every column name that keys hold; `undefined` takes the column out of them. */
function mapKeyColumns(def: TableDef, change: (name: string) => string | undefined): TableDef {
  const parts = (list: readonly IndexPart[]): IndexPart[] =>
    list.flatMap((part) => {
      const column = change(part.column);
      return column === undefined ? [] : [{ ...part, column }];
    });
  const foreignKeys = def.foreignKeys?.map((key) => ({ ...key, columns: key.columns.map((name) => change(name) ?? name) }));
  return {
    ...def,
    primaryKey: def.primaryKey.flatMap((name) => change(name) ?? []),
    indexes: def.indexes.map((index) => ({ ...index, parts: parts(index.parts) })).filter((index) => index.parts.length > 0),
    ...(foreignKeys === undefined ? {} : { foreignKeys }),
  };
}

function dropColumn(def: TableDef, name: string): TableDef {
  const column = findColumn(def, name);
  if (column === undefined) throw cannotDrop(name);
  if (def.columns.length === 1) throw lastColumn();
  const without = { ...def, columns: def.columns.filter((other) => other !== column) };
  return mapKeyColumns(without, (key) => (key === column.name ? undefined : key));
}

function changeColumn(def: TableDef, from: string, spec: ColumnSpec, position?: ColumnPosition): TableDef {
  const at = columnIndex(def, from);
  const old = def.columns[at]?.name ?? from;
  const { name } = spec.column;
  const renamed = mapKeyColumns({ ...def, columns: def.columns.toSpliced(at, 1) }, (key) => (key === old ? name : key));
  const columns = placed(renamed, finished(renamed, spec), position, at);
  return addInline({ ...renamed, columns }, spec);
}

function renameColumn(def: TableDef, from: string, to: string): TableDef {
  const column = def.columns[columnIndex(def, from)];
  if (column === undefined) return def;
  return changeColumn(def, from, { column: { ...column, name: to } });
}

function setDefault(def: TableDef, name: string, value: ColumnDef['default']): TableDef {
  const at = columnIndex(def, name);
  const collation = tableCollation(optionsOf(def));
  const columns = def.columns.map((column, i) => (i === at ? finishColumn({ ...column, default: value }, collation) : column));
  return { ...def, columns };
}

/** The list without the item of this name; 1091 when there is none. */
function without<T extends { name: string }>(list: readonly T[], name: string): T[] {
  const rest = list.filter((item) => item.name.toLowerCase() !== name.toLowerCase());
  if (rest.length === list.length) throw cannotDrop(name);
  return rest;
}

function dropKey(def: TableDef, name: string): TableDef {
  if (name.toUpperCase() === 'PRIMARY') return dropPrimaryKey(def);
  return { ...def, indexes: without(def.indexes, name) };
}

function dropPrimaryKey(def: TableDef): TableDef {
  if (def.primaryKey.length === 0) throw cannotDrop('PRIMARY');
  return { ...def, primaryKey: [] };
}

function renameKey(def: TableDef, from: string, to: string): TableDef {
  if (!def.indexes.some((index) => index.name.toLowerCase() === from.toLowerCase()))
    throw mysqlError('FAILED_PRECONDITION', `Key '${from}' doesn't exist in table '${def.name}'`, 1176, '42000');
  const renamed = (name: string): string => (name.toLowerCase() === from.toLowerCase() ? to : name);
  return { ...def, indexes: def.indexes.map((index) => ({ ...index, name: renamed(index.name) })) };
}

function dropCheck(def: TableDef, name: string): TableDef {
  const foreign = def.foreignKeys?.some((key) => key.name.toLowerCase() === name.toLowerCase());
  if (foreign === true) return { ...def, foreignKeys: without(def.foreignKeys ?? [], name) };
  return { ...def, checks: without(def.checks ?? [], name) };
}

/**
 * The definition after one action. What must hold for the table as a whole is checked by `applyAlters`, for one
 * action may break what the next mends. Throws MySQL's errors: 1054, 1061, 1067, 1068, 1072, 1090, 1091, 1176.
 */
export function applyAlter(def: TableDef, action: AlterAction): TableDef {
  switch (action.action) {
    case 'add-column':
      return addColumn(def, action);
    case 'drop-column':
      return dropColumn(def, action.name);
    case 'modify-column':
      return changeColumn(def, action.spec.column.name, action.spec, action.position);
    case 'change-column':
      return changeColumn(def, action.from, action.spec, action.position);
    case 'rename-column':
      return renameColumn(def, action.from, action.to);
    case 'set-default':
      return setDefault(def, action.column, action.default);
    case 'add-key':
      return addKey(def, action.key);
    case 'drop-key':
      return dropKey(def, action.name);
    case 'drop-primary-key':
      return dropPrimaryKey(def);
    case 'rename-key':
      return renameKey(def, action.from, action.to);
    case 'add-foreign-key':
      return addForeignKey(def, action.foreignKey);
    case 'drop-foreign-key':
      return { ...def, foreignKeys: without(def.foreignKeys ?? [], action.name) };
    case 'add-check':
      return addCheck(def, action.check);
    case 'drop-check':
      return dropCheck(def, action.name);
    case 'rename-table':
      return { ...def, name: action.to.name };
    case 'options':
      return { ...def, options: canonicalOptions([...optionsOf(def), ...action.options]) };
  }
}

/** The definition after all actions of a statement. Throws as `applyAlter`, and 1060, 1075. */
export function applyAlters(def: TableDef, actions: readonly AlterAction[]): TableDef {
  const altered = actions.reduce(applyAlter, def);
  checkTable(altered);
  return altered;
}

/** CREATE INDEX and DROP INDEX as the action of ALTER TABLE that they are. */
export function indexAction(statement: Extract<DdlStatement, { kind: 'create-index' | 'drop-index' }>): AlterAction {
  if (statement.kind === 'create-index') return { action: 'add-key', key: statement.key };
  return { action: 'drop-key', name: statement.name };
}

/** Each column's name after the actions, and what it was called before; columns that are new are not in it. */
export function columnOrigins(before: TableDef, actions: readonly AlterAction[]): Map<string, string> {
  let origins = new Map(before.columns.map(({ name }) => [name.toLowerCase(), name]));
  const move = (from: string, to: string): void => {
    const origin = origins.get(from.toLowerCase());
    origins.delete(from.toLowerCase());
    if (origin !== undefined) origins.set(to.toLowerCase(), origin);
  };
  for (const action of actions) {
    if (action.action === 'drop-column') origins.delete(action.name.toLowerCase());
    if (action.action === 'change-column') move(action.from, action.spec.column.name);
    if (action.action === 'rename-column') move(action.from, action.to);
    origins = new Map(origins);
  }
  return origins;
}

/**
 * A row of the table before an ALTER as a row of the table after it: values converted and checked, new columns filled,
 * generated ones worked out. `origins` is from `columnOrigins`; `number` is the row's, for error texts.
 * Throws as `checkValue`.
 */
export function convertRow(
  after: TableDef,
  origins: ReadonlyMap<string, string>,
  row: Row,
  scope: EvalScope & DefinitionMode,
  number = 1,
): Row {
  const entries = after.columns.map((column): [string, Value] => {
    const origin = origins.get(column.name.toLowerCase());
    if (origin === undefined) return [column.name, column.generated === undefined ? fillingValue(column, scope) : null];
    return [column.name, (scope.zeroDates === true ? checkKept : checkValue)(column, row[origin] ?? null, number)];
  });
  return withGenerated(after, Object.fromEntries(entries), scope);
}
