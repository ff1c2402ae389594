/** Column definitions: the type, then attributes in any order. */
import type { ColumnSpec } from './ast.ts';
import { parseReference } from './parser-key.ts';
import { parseType, readCharset, readCollationName } from './parser-type.ts';
import type { CheckDef, ColumnDef, ColumnDefault } from './schema.ts';
import type { TokenReader } from './tokens.ts';

const NOW_WORDS = ['current_timestamp', 'now', 'localtime', 'localtimestamp'];

/** `CURRENT_TIMESTAMP[(n)]` in the form SHOW CREATE TABLE prints; undefined when none stands here. */
function readNow(tokens: TokenReader): string | undefined {
  if (!tokens.atWord(NOW_WORDS)) return undefined;
  tokens.next();
  if (!tokens.acceptOp('(')) return 'CURRENT_TIMESTAMP';
  const digits = tokens.atOp(')') ? '0' : tokens.integer();
  tokens.expectOp(')');
  return digits === '0' ? 'CURRENT_TIMESTAMP' : `CURRENT_TIMESTAMP(${digits})`;
}

/** What follows DEFAULT. */
export function parseColumnDefault(tokens: TokenReader): ColumnDefault {
  const now = readNow(tokens);
  if (now !== undefined) return { kind: 'expression', text: now };
  if (tokens.atOp('(')) return { kind: 'expression', text: `(${tokens.rawParenthesised()})` };
  if (tokens.accept('null')) return { kind: 'literal', text: null };
  if (tokens.accept('true')) return { kind: 'literal', text: '1' };
  if (tokens.accept('false')) return { kind: 'literal', text: '0' };
  const sign = tokens.acceptOp('-') ? '-' : '';
  if (sign === '') tokens.acceptOp('+');
  const token = tokens.peek();
  if (token.type === 'number') return { kind: 'literal', text: sign + tokens.next().text };
  if (sign !== '') tokens.fail();
  if (token.type === 'word' && tokens.peek(1).type === 'string') tokens.next();
  if (token.type === 'hex' || token.type === 'bit') {
    tokens.next();
    return { kind: 'expression', text: token.type === 'hex' ? `0x${token.text}` : `b'${token.text}'` };
  }
  return { kind: 'literal', text: tokens.string() };
}

/** `[constraint name] check (expr) [[not] enforced]`, behind CHECK. */
export function parseCheck(tokens: TokenReader, name: string): CheckDef {
  const expression = tokens.rawParenthesised();
  if (tokens.atWord('not') && tokens.atWord('enforced', 1)) tokens.mention('NOT ENFORCED of a CHECK');
  if (tokens.accept('not')) tokens.expect('enforced');
  else tokens.accept('enforced');
  return { name, expression };
}

/** The state of a column while its attributes are read. */
interface Draft {
  column: ColumnDef;
  key?: 'primary' | 'unique';
  check?: CheckDef;
}

/** `references t (..) …` inside a column. MySQL parses it and ignores it; refusing it, or reporting it, says so. */
function skipReference(tokens: TokenReader): boolean {
  if (!tokens.atWord('references')) return false;
  tokens.leaveOut('REFERENCES inside a column', 'write FOREIGN KEY (..) REFERENCES ..');
  parseReference(tokens);
  return true;
}

/** Attributes that change nothing here but may be written. */
function skipIgnored(tokens: TokenReader): boolean {
  if (tokens.accept('visible')) return true;
  if (tokens.atWord('invisible')) {
    tokens.leaveOut('INVISIBLE columns', 'they are as others here');
    return tokens.accept('invisible');
  }
  if (tokens.acceptOneOf(['storage', 'column_format']) !== undefined) {
    tokens.next();
    return true;
  }
  return false;
}

function readKey(tokens: TokenReader, draft: Draft): boolean {
  if (tokens.accept('unique')) {
    tokens.accept('key');
    draft.key ??= 'unique';
    return true;
  }
  if (!tokens.accept('primary key') && !tokens.accept('key')) return false;
  draft.key = 'primary';
  return true;
}

function readGenerated(tokens: TokenReader, draft: Draft): boolean {
  if (!tokens.accept('generated always as') && !tokens.accept('as')) return false;
  const expression = tokens.rawParenthesised();
  // PERSISTENT is MariaDB's word for STORED.
  const kind = tokens.acceptOneOf(['virtual', 'stored', 'persistent']) ?? 'virtual';
  draft.column.generated = { expression, stored: kind !== 'virtual' };
  return true;
}

function readCheck(tokens: TokenReader, draft: Draft): boolean {
  const named = tokens.atWord('constraint');
  if (!named && !tokens.atWord('check')) return false;
  tokens.next();
  const name = named && !tokens.atWord('check') ? tokens.name() : '';
  if (named) tokens.expect('check');
  draft.check = parseCheck(tokens, name);
  return true;
}

function readCollation(tokens: TokenReader, draft: Draft): boolean {
  const charset = readCharset(tokens);
  if (charset !== undefined) draft.column.type.charset = charset;
  else if (tokens.accept('collate')) draft.column.type.collation = readCollationName(tokens);
  else return false;
  return true;
}

function readAttribute(tokens: TokenReader, draft: Draft): boolean {
  const { column } = draft;
  if (tokens.accept('not null')) column.nullable = false;
  else if (tokens.accept('null')) column.nullable = true;
  else if (tokens.accept('default')) column.default = parseColumnDefault(tokens);
  else if (tokens.accept('on update')) column.onUpdate = readNow(tokens) ?? tokens.fail();
  else if (tokens.accept('srid')) column.srid = tokens.integer();
  else if (tokens.accept('auto_increment')) column.autoIncrement = true;
  else if (tokens.accept('comment')) column.comment = tokens.string();
  else {
    return (
      skipReference(tokens) ||
      readKey(tokens, draft) ||
      readGenerated(tokens, draft) ||
      readCheck(tokens, draft) ||
      readCollation(tokens, draft) ||
      skipIgnored(tokens)
    );
  }
  return true;
}

/** A column: name, type, attributes. */
export function parseColumnSpec(tokens: TokenReader): ColumnSpec {
  const name = tokens.name();
  const none: ColumnDefault = { kind: 'none' };
  if (tokens.accept('serial')) {
    const type = { name: 'bigint', args: [], unsigned: true };
    return { column: { name, type, nullable: false, default: none, autoIncrement: true }, key: 'unique' };
  }
  const type = parseType(tokens);
  const draft: Draft = { column: { name, type, nullable: true, default: none, autoIncrement: false } };
  while (readAttribute(tokens, draft));
  return draft;
}
