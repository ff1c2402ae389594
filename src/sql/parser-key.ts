/** Keys, foreign keys and table options as written in DDL. */
import type { KeySpec, TableOption } from './ast.ts';
import { parseTable } from './parser-dml.ts';
import { readCharset, readCollationName } from './parser-type.ts';
import type { ForeignKeyDef, IndexPart } from './schema.ts';
import type { TokenReader } from './tokens.ts';

function parsePart(tokens: TokenReader): IndexPart {
  if (tokens.atOp('(')) {
    tokens.leaveOut('functional indexes', 'an index is over columns');
    tokens.rawParenthesised();
    tokens.acceptOneOf(['asc', 'desc']);
    return { column: '' };
  }
  const column = tokens.name();
  const length = tokens.atOp('(') ? { length: Number(tokens.parenthesised(() => tokens.integer())) } : {};
  const descending = tokens.acceptOneOf(['asc', 'desc']) === 'desc' ? { descending: true as const } : {};
  return { column, ...length, ...descending };
}

/** False for a key with a part that is no column: it was reported as left out. */
export function isKept(parts: readonly IndexPart[]): boolean {
  return parts.every(({ column }) => column !== '');
}

function readUsing(tokens: TokenReader): void {
  if (!tokens.atWord('using')) return;
  tokens.mention('USING of an index');
  tokens.next();
  tokens.next();
}

/** Options behind a key's columns: only the comment is kept. */
function readKeyOptions(tokens: TokenReader): { comment?: string } {
  let found: { comment?: string } = {};
  for (;;) {
    if (tokens.accept('comment')) found = { comment: tokens.string() };
    else if (tokens.atWord('using')) readUsing(tokens);
    else if (tokens.atWord('key_block_size')) {
      tokens.mention('KEY_BLOCK_SIZE');
      tokens.next();
      tokens.acceptOp('=');
      tokens.integer();
    } else if (tokens.atWord('with') && tokens.atWord('parser', 1)) {
      tokens.mention('WITH PARSER of an index');
      tokens.accept('with parser');
      tokens.name();
    } else if (tokens.atWord('invisible')) {
      tokens.mention('INVISIBLE of an index');
      tokens.next();
    } else if (!tokens.accept('visible')) return found;
  }
}

/** The columns and options of a key of this kind and name. */
export function parseKeyBody(tokens: TokenReader, kind: KeySpec['kind'], name: string): KeySpec {
  readUsing(tokens);
  const parts = tokens.parenthesised(() => tokens.list(() => parsePart(tokens)));
  if (kind === 'unique' && !isKept(parts)) tokens.refuse('a UNIQUE index on an expression', 'an index is over columns');
  return { kind, name, parts, ...readKeyOptions(tokens) };
}

/** True when a key, a foreign key or a check starts here, rather than a column. */
export function atTableElement(tokens: TokenReader): boolean {
  return tokens.atWord([
    'constraint',
    'primary',
    'unique',
    'index',
    'key',
    'fulltext',
    'spatial',
    'foreign',
    'check',
  ]);
}

/** `primary key (..)`, `unique [key] [name] (..)`, `key [name] (..)`, `fulltext ..`; `named` is CONSTRAINT's name. */
export function parseKey(tokens: TokenReader, named: string): KeySpec {
  if (tokens.accept('primary key')) return parseKeyBody(tokens, 'primary', '');
  const special = tokens.acceptOneOf(['unique', 'fulltext', 'spatial']);
  const word = tokens.acceptOneOf(['key', 'index']);
  if (special === undefined && word === undefined) tokens.fail();
  const name = tokens.atName() ? tokens.name() : named;
  return parseKeyBody(tokens, (special ?? 'key') as KeySpec['kind'], name);
}

const ACTIONS = ['cascade', 'restrict', 'set null', 'no action', 'set default'];

function readAction(tokens: TokenReader): string {
  const action = ACTIONS.find((phrase) => tokens.accept(phrase));
  return action?.toUpperCase() ?? tokens.fail();
}

function parseNames(tokens: TokenReader): string[] {
  return tokens.parenthesised(() => tokens.list(() => tokens.name()));
}

/** `foreign key [name] (..) references t (..) [on delete ..] [on update ..]`, behind FOREIGN KEY. */
export function parseForeignKey(tokens: TokenReader, named: string): ForeignKeyDef {
  const own = tokens.atName() ? tokens.name() : '';
  const columns = parseNames(tokens);
  return { name: named === '' ? own : named, columns, ...parseReference(tokens) };
}

/** `references t (..) [on delete ..] [on update ..]`. */
export function parseReference(tokens: TokenReader): Omit<ForeignKeyDef, 'name' | 'columns'> {
  tokens.expect('references');
  const table = parseTable(tokens);
  // MySQL wants the columns; inside a column, where it ignores all of this, they may be missing.
  const referenced = tokens.atOp('(') ? parseNames(tokens) : [];
  const key: Omit<ForeignKeyDef, 'name' | 'columns'> = { table, referenced };
  if (tokens.accept('match')) tokens.next();
  for (;;) {
    if (tokens.accept('on delete')) key.onDelete = readAction(tokens);
    else if (tokens.accept('on update')) key.onUpdate = readAction(tokens);
    else return key;
  }
}

/**
 * Options of a table: `ENGINE=InnoDB`, `DEFAULT CHARSET=utf8mb4`, … in the order written. `commas` may stand between
 * them in CREATE TABLE; in ALTER TABLE a comma ends the action.
 */
export function parseTableOptions(tokens: TokenReader, commas: boolean): TableOption[] {
  const options: TableOption[] = [];
  for (;;) {
    if (commas) tokens.acceptOp(',');
    if (tokens.atWord('partition')) {
      tokens.leaveOut('PARTITION BY');
      tokens.skipRest();
      return options;
    }
    const option = parseOption(tokens);
    if (option === undefined) return options;
    options.push(option);
  }
}

function parseOption(tokens: TokenReader): TableOption | undefined {
  tokens.accept('default');
  const charset = readCharset(tokens);
  if (charset !== undefined) return { name: 'CHARSET', value: charset };
  if (tokens.accept('collate')) {
    tokens.acceptOp('=');
    return { name: 'COLLATE', value: readCollationName(tokens) };
  }
  if (tokens.peek().type !== 'word') return undefined;
  const name = tokens.next().text.toUpperCase();
  tokens.acceptOp('=');
  if (name === 'UNION' && tokens.atOp('(')) return { name, value: `(${tokens.rawParenthesised()})` };
  const token = tokens.peek();
  if (!['word', 'string', 'number', 'quoted'].includes(token.type)) tokens.fail();
  return { name, value: tokens.next().text };
}
