/** Statements that define tables, as SQL text. */
import type { AlterAction, CreateTable, DdlStatement, TableOption } from './ast.ts';
import {
  formatCheck,
  formatColumnSpec,
  formatDefault,
  formatForeignKey,
  formatKey,
  formatParts,
  formatPosition,
} from './format-column.ts';
import { formatName, formatTable, quoteName, quoteString } from './format-expr.ts';

const QUOTED_OPTIONS = ['COMMENT', 'CONNECTION', 'PASSWORD', 'ENCRYPTION', 'COMPRESSION'];

/** Table options: `ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`. */
export function formatOptions(options: readonly TableOption[]): string {
  return options
    .map(({ name, value }) => {
      if (name === 'CHARSET') return `DEFAULT CHARSET=${value}`;
      const plain = /^[\w.]+$/.test(value) && !QUOTED_OPTIONS.includes(name);
      return `${name}=${plain ? value : quoteString(value)}`;
    })
    .join(' ');
}

function formatCreate(create: CreateTable): string {
  const start = `create table ${create.ifNotExists ? 'if not exists ' : ''}${formatTable(create.table)}`;
  if (create.like !== undefined) return `${start} like ${formatTable(create.like)}`;
  const elements = [
    ...create.columns.map(formatColumnSpec),
    ...create.keys.map(formatKey),
    ...create.foreignKeys.map(formatForeignKey),
    ...create.checks.map(formatCheck),
  ];
  return `${start} (${elements.join(', ')}) ${formatOptions(create.options)}`.trimEnd();
}

/** One action of ALTER TABLE. */
export function formatAlterAction(action: AlterAction): string {
  switch (action.action) {
    case 'add-column':
      return `add column ${formatColumnSpec(action.spec)}${formatPosition(action.position)}`;
    case 'drop-column':
      return `drop column ${quoteName(action.name)}`;
    case 'modify-column':
      return `modify column ${formatColumnSpec(action.spec)}${formatPosition(action.position)}`;
    case 'change-column':
      return `change column ${quoteName(action.from)} ${formatColumnSpec(action.spec)}${formatPosition(action.position)}`;
    case 'rename-column':
      return `rename column ${quoteName(action.from)} to ${quoteName(action.to)}`;
    case 'set-default': {
      const { default: value } = action;
      const what = value.kind === 'none' ? 'drop default' : `set default ${formatDefault(value)}`;
      return `alter column ${quoteName(action.column)} ${what}`;
    }
    case 'add-key':
      return `add ${formatKey(action.key)}`;
    case 'drop-key':
      return `drop key ${quoteName(action.name)}`;
    case 'drop-primary-key':
      return 'drop primary key';
    case 'rename-key':
      return `rename key ${quoteName(action.from)} to ${quoteName(action.to)}`;
    case 'add-foreign-key':
      return `add ${formatForeignKey(action.foreignKey)}`;
    case 'drop-foreign-key':
      return `drop foreign key ${quoteName(action.name)}`;
    case 'add-check':
      return `add ${formatCheck(action.check)}`;
    case 'drop-check':
      return `drop check ${quoteName(action.name)}`;
    case 'rename-table':
      return `rename to ${formatTable(action.to)}`;
    case 'options':
      return formatOptions(action.options);
  }
}

/** A statement that defines tables, as SQL text. */
export function formatDdl(statement: DdlStatement): string {
  switch (statement.kind) {
    case 'create-table':
      return formatCreate(statement);
    case 'alter-table':
      return `alter table ${formatTable(statement.table)} ${statement.actions.map(formatAlterAction).join(', ')}`;
    case 'drop-table':
      return `drop table ${statement.ifExists ? 'if exists ' : ''}${statement.tables.map(formatTable).join(', ')}`;
    case 'create-index': {
      const { key } = statement;
      const kind = key.kind === 'key' ? '' : `${key.kind} `;
      const comment = key.comment === undefined ? '' : ` comment ${quoteString(key.comment)}`;
      return `create ${kind}index ${formatName(key.name)} on ${formatTable(statement.table)} ${formatParts(key.parts)}${comment}`;
    }
    case 'drop-index':
      return `drop index ${formatName(statement.name)} on ${formatTable(statement.table)}`;
    case 'truncate':
      return `truncate table ${formatTable(statement.table)}`;
    case 'rename-table': {
      const pairs = statement.renames.map(({ from, to }) => `${formatTable(from)} to ${formatTable(to)}`);
      return `rename table ${pairs.join(', ')}`;
    }
  }
}
