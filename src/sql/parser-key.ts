/** Keys, foreign keys and table options as written in DDL. */
import type { KeySpec, TableOption } from './ast.ts';
import { parseTable } from './parser-dml.ts';
import { readCharset, readCollationName } from './parser-type.ts';
import type { ForeignKeyDef, IndexPart } from './schema.ts';
import type { TokenReader } from './tokens.ts';

function parsePart(tokens: TokenReader): IndexPart {
  if (tokens.atOp('(')) tokens.refuse('functional indexes', 'an index is over columns');
  const column = tokens.name();
  const length = tokens.atOp('(') ? { length: Number(tokens.parenthesised(() => tokens.integer())) } : {};
  const descending = tokens.acceptOneOf(['asc', 'desc']) === 'desc' ? { descending: true as const } : {};
  return { column, ...length, ...descending };
}

function readUsing(tokens: TokenReader): void {
  if (tokens.accept('using')) tokens.next();
}

/** Options behind a key's columns: only the comment is kept. */
function readKeyOptions(tokens: TokenReader): { comment?: string } {
  let found: { comment?: string } = {};
  for (;;) {
    if (tokens.accept('comment')) found = { comment: tokens.string() };
    else if (tokens.atWord('using')) readUsing(tokens);
    else if (tokens.accept('key_block_size')) {
      tokens.acceptOp('=');
      tokens.integer();
    } else if (tokens.accept('with parser')) tokens.name();
    else if (tokens.acceptOneOf(['visible', 'invisible']) === undefined) return found;
  }
}

/** The columns and options of a key of this kind and name. */
export function parseKeyBody(tokens: TokenReader, kind: KeySpec['kind'], name: string): KeySpec {
  readUsing(tokens);
  const parts = tokens.parenthesised(() => tokens.list(() => parsePart(tokens)));
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

/** `foreign key [name] (..) references t (..) [on delete ..] [on update ..]`, behind FOREIGN KEY. */
export function parseForeignKey(tokens: TokenReader, named: string): ForeignKeyDef {
  const own = tokens.atName() ? tokens.name() : '';
  const names = (): string[] => tokens.parenthesised(() => tokens.list(() => tokens.name()));
  const columns = names();
  tokens.expect('references');
  const key: ForeignKeyDef = { name: named === '' ? own : named, columns, table: parseTable(tokens), referenced: names() };
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
    if (tokens.atWord('partition')) tokens.refuse('PARTITION BY');
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
  const token = tokens.peek();
  if (!['word', 'string', 'number', 'quoted'].includes(token.type)) tokens.fail();
  return { name, value: tokens.next().text };
}
