/** CREATE TABLE, ALTER TABLE and the other statements that define tables. */
import type { AlterAction, AlterTable, ColumnPosition, CreateTable, DdlStatement, KeySpec } from './ast.ts';
import { parseCheck, parseColumnDefault, parseColumnSpec } from './parser-column.ts';
import { parseTable } from './parser-dml.ts';
import { atTableElement, isKept, parseForeignKey, parseKey, parseKeyBody, parseTableOptions } from './parser-key.ts';
import type { TokenReader } from './tokens.ts';

/** `constraint [name]`; the name, or '' when none is written. */
function readConstraintName(tokens: TokenReader): string {
  if (!tokens.accept('constraint')) return '';
  return tokens.atName() ? tokens.name() : '';
}

function parseElement(tokens: TokenReader, into: CreateTable): void {
  if (!atTableElement(tokens)) {
    into.columns.push(parseColumnSpec(tokens));
    return;
  }
  const name = readConstraintName(tokens);
  if (tokens.accept('foreign key')) into.foreignKeys.push(parseForeignKey(tokens, name));
  else if (tokens.accept('check')) into.checks.push(parseCheck(tokens, name));
  else {
    const key = parseKey(tokens, name);
    if (isKept(key.parts)) into.keys.push(key);
  }
}

/** CREATE TABLE, behind `create table`. */
export function parseCreateTable(tokens: TokenReader): CreateTable {
  const ifNotExists = tokens.accept('if not exists');
  const table = parseTable(tokens);
  const lists = { columns: [], keys: [], foreignKeys: [], checks: [], options: [] };
  const create: CreateTable = { kind: 'create-table', table, ifNotExists, ...lists };
  const inside = tokens.atOp('(') && tokens.atWord('like', 1);
  if (inside) tokens.expectOp('(');
  if (tokens.accept('like')) {
    create.like = parseTable(tokens);
    if (inside) tokens.expectOp(')');
    return create;
  }
  if (tokens.atWord(['select', 'as'])) tokens.refuse('CREATE TABLE … SELECT');
  tokens.parenthesised(() => tokens.list(() => parseElement(tokens, create)));
  create.options = parseTableOptions(tokens, true);
  return create;
}

function parsePosition(tokens: TokenReader): { position?: ColumnPosition } {
  if (tokens.accept('first')) return { position: { kind: 'first' } };
  return tokens.accept('after') ? { position: { kind: 'after', column: tokens.name() } } : {};
}

function parseAdd(tokens: TokenReader): AlterAction[] {
  if (atTableElement(tokens)) {
    const name = readConstraintName(tokens);
    if (tokens.accept('foreign key')) return [{ action: 'add-foreign-key', foreignKey: parseForeignKey(tokens, name) }];
    if (tokens.accept('check')) return [{ action: 'add-check', check: parseCheck(tokens, name) }];
    return [{ action: 'add-key', key: parseKey(tokens, name) }];
  }
  if (tokens.atWord('partition')) tokens.refuse('partitions');
  tokens.accept('column');
  if (tokens.atOp('('))
    return tokens.parenthesised(() =>
      tokens.list((): AlterAction => ({ action: 'add-column', spec: parseColumnSpec(tokens) })),
    );
  return [{ action: 'add-column', spec: parseColumnSpec(tokens), ...parsePosition(tokens) }];
}

function parseDrop(tokens: TokenReader): AlterAction {
  if (tokens.accept('primary key')) return { action: 'drop-primary-key' };
  if (tokens.accept('foreign key')) return { action: 'drop-foreign-key', name: tokens.name() };
  if (tokens.acceptOneOf(['check', 'constraint']) !== undefined) return { action: 'drop-check', name: tokens.name() };
  if (tokens.acceptOneOf(['index', 'key']) !== undefined) return { action: 'drop-key', name: tokens.name() };
  if (tokens.atWord('partition')) tokens.refuse('partitions');
  tokens.accept('column');
  return { action: 'drop-column', name: tokens.name() };
}

function parseRename(tokens: TokenReader): AlterAction {
  const what = tokens.acceptOneOf(['column', 'index', 'key']);
  if (what === undefined) {
    if (!tokens.accept('to')) tokens.accept('as');
    return { action: 'rename-table', to: parseTable(tokens) };
  }
  const from = tokens.name();
  tokens.expect('to');
  return { action: what === 'column' ? 'rename-column' : 'rename-key', from, to: tokens.name() };
}

function parseAlterColumn(tokens: TokenReader): AlterAction {
  tokens.accept('column');
  const column = tokens.name();
  if (tokens.accept('drop default')) return { action: 'set-default', column, default: { kind: 'none' } };
  tokens.expect('set default');
  return { action: 'set-default', column, default: parseColumnDefault(tokens) };
}

function parseAction(tokens: TokenReader): AlterAction[] {
  if (tokens.accept('add')) return parseAdd(tokens);
  if (tokens.accept('drop')) return [parseDrop(tokens)];
  if (tokens.accept('rename')) return [parseRename(tokens)];
  if (tokens.accept('alter')) return [parseAlterColumn(tokens)];
  if (tokens.accept('modify')) {
    tokens.accept('column');
    return [{ action: 'modify-column', spec: parseColumnSpec(tokens), ...parsePosition(tokens) }];
  }
  if (tokens.accept('change')) {
    tokens.accept('column');
    return [{ action: 'change-column', from: tokens.name(), spec: parseColumnSpec(tokens), ...parsePosition(tokens) }];
  }
  return parseOtherAction(tokens);
}

/** How MySQL should run the change (dropped), or new table options. */
function parseOtherAction(tokens: TokenReader): AlterAction[] {
  if (tokens.acceptOneOf(['algorithm', 'lock']) !== undefined) {
    tokens.acceptOp('=');
    tokens.next();
    return [];
  }
  if (tokens.atWord(['convert', 'disable', 'enable', 'discard', 'import', 'order', 'coalesce', 'exchange', 'remove']))
    tokens.refuse(`ALTER TABLE … ${tokens.peek().text.toUpperCase()}`);
  const options = parseTableOptions(tokens, false);
  if (options.length === 0) tokens.fail();
  return [{ action: 'options', options }];
}

/** ALTER TABLE, behind `alter table`. */
export function parseAlterTable(tokens: TokenReader): AlterTable {
  const table = parseTable(tokens);
  return { kind: 'alter-table', table, actions: tokens.list(() => parseAction(tokens)).flat() };
}

/** `algorithm = x lock = y` behind CREATE and DROP INDEX. */
function skipHow(tokens: TokenReader): void {
  while (tokens.acceptOneOf(['algorithm', 'lock']) !== undefined) {
    tokens.acceptOp('=');
    tokens.next();
  }
}

/** CREATE INDEX, from UNIQUE, FULLTEXT, SPATIAL or INDEX. */
function parseCreateIndex(tokens: TokenReader): DdlStatement {
  const kind = (tokens.acceptOneOf(['unique', 'fulltext', 'spatial']) ?? 'key') as KeySpec['kind'];
  tokens.expect('index');
  const name = tokens.name();
  if (tokens.accept('using')) tokens.next();
  tokens.expect('on');
  const table = parseTable(tokens);
  const key = parseKeyBody(tokens, kind, name);
  skipHow(tokens);
  return { kind: 'create-index', table, key };
}

/** Statements that start with CREATE, behind it. */
export function parseCreate(tokens: TokenReader): DdlStatement {
  if (tokens.accept('table')) return parseCreateTable(tokens);
  if (tokens.atWord(['unique', 'fulltext', 'spatial', 'index'])) return parseCreateIndex(tokens);
  return tokens.refuse(`CREATE ${tokens.peek().text.toUpperCase()}`.trim(), 'CREATE TABLE and CREATE INDEX are supported');
}

/** Statements that start with DROP, behind it. */
export function parseDropStatement(tokens: TokenReader): DdlStatement {
  if (tokens.accept('index')) {
    const name = tokens.name();
    tokens.expect('on');
    const table = parseTable(tokens);
    skipHow(tokens);
    return { kind: 'drop-index', table, name };
  }
  if (!tokens.accept('table') && !tokens.accept('tables'))
    return tokens.refuse(`DROP ${tokens.peek().text.toUpperCase()}`.trim(), 'DROP TABLE and DROP INDEX are supported');
  const ifExists = tokens.accept('if exists');
  const tables = tokens.list(() => parseTable(tokens));
  tokens.acceptOneOf(['restrict', 'cascade']);
  return { kind: 'drop-table', ifExists, tables };
}

/** RENAME TABLE, behind `rename`. */
export function parseRenameTable(tokens: TokenReader): DdlStatement {
  if (!tokens.accept('table') && !tokens.accept('tables')) tokens.fail();
  const renames = tokens.list(() => {
    const from = parseTable(tokens);
    tokens.expect('to');
    return { from, to: parseTable(tokens) };
  });
  return { kind: 'rename-table', renames };
}
