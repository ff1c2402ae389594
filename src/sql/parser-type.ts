/** Column types, brought to the names and arguments that SHOW CREATE TABLE prints. */
import { type ColumnType, familyOf } from './schema.ts';
import type { TokenReader } from './tokens.ts';

/** Other spellings of a type; the second part are its fixed arguments. */
const SYNONYMS: Record<string, [string, ...string[]]> = {
  integer: ['int'],
  int1: ['tinyint'],
  int2: ['smallint'],
  int3: ['mediumint'],
  middleint: ['mediumint'],
  int4: ['int'],
  int8: ['bigint'],
  bool: ['tinyint', '1'],
  boolean: ['tinyint', '1'],
  dec: ['decimal'],
  numeric: ['decimal'],
  fixed: ['decimal'],
  real: ['double'],
  float8: ['double'],
  float4: ['float'],
  character: ['char'],
  nchar: ['char'],
  varcharacter: ['varchar'],
  nvarchar: ['varchar'],
  geometrycollection: ['geomcollection'],
};
const NATIONAL = ['nchar', 'nvarchar'];
const BINARY_OF: Record<string, string> = {
  char: 'binary',
  varchar: 'varbinary',
  tinytext: 'tinyblob',
  text: 'blob',
  mediumtext: 'mediumblob',
  longtext: 'longblob',
};

/** Reads the type's name, which may be several words. */
function readName(tokens: TokenReader): { word: string; name: string; args: string[] } {
  if (tokens.peek().type !== 'word') tokens.fail();
  tokens.accept('national');
  if (tokens.accept('long')) return { word: 'long', ...longType(tokens) };
  const word = tokens.peek().text.toLowerCase();
  const [name = word, ...args] = SYNONYMS[word] ?? [word];
  if (familyOf(name) === undefined) tokens.fail();
  tokens.next();
  if (word === 'double') tokens.accept('precision');
  if ((name === 'char' || word === 'nchar') && tokens.accept('varying')) return { word, name: 'varchar', args };
  return { word, name, args };
}

function longType(tokens: TokenReader): { name: string; args: string[] } {
  if (tokens.accept('varbinary')) return { name: 'mediumblob', args: [] };
  if (!tokens.accept('varchar')) tokens.accept('char varying');
  return { name: 'mediumtext', args: [] };
}

function readArgs(tokens: TokenReader): string[] {
  if (!tokens.atOp('(')) return [];
  return tokens.parenthesised(() =>
    tokens.list(() => (tokens.peek().type === 'string' ? tokens.string() : tokens.integer())),
  );
}

/** Arguments as SHOW CREATE TABLE prints them: widths of integers go, default lengths come. */
function canonicalArgs(name: string, args: string[], zerofill: boolean): string[] {
  const [first] = args;
  switch (familyOf(name)) {
    case 'int':
      return zerofill || (name === 'tinyint' && first === '1') ? args : [];
    case 'year':
      return [];
    case 'bit':
      return args.length === 0 ? ['1'] : args;
    case 'decimal':
      return [first ?? '10', args[1] ?? '0'];
    case 'date':
      return [];
    case 'datetime':
    case 'time':
      return first === '0' ? [] : args;
    default:
      return (name === 'char' || name === 'binary') && first === undefined ? ['1'] : args;
  }
}

/** `text(n)` and `blob(n)` are the smallest type that holds n. */
function sized(name: string, args: string[]): { name: string; args: string[] } {
  const [first] = args;
  if ((name !== 'text' && name !== 'blob') || first === undefined) return { name, args };
  const length = Number(first);
  const size = length < 256 ? 'tiny' : length < 65536 ? '' : length < 16777216 ? 'medium' : 'long';
  return { name: size + name, args: [] };
}

/** `float(p)` is a double from p = 25; `float(m,d)` keeps both. */
function floatType(name: string, args: string[]): { name: string; args: string[] } {
  if (name !== 'float' || args.length !== 1) return { name, args };
  return { name: Number(args[0]) > 24 ? 'double' : 'float', args: [] };
}

interface TypeAttributes {
  unsigned: boolean;
  zerofill: boolean;
  binary: boolean;
  charset?: string;
  collation?: string;
}

/** Reads `character set x`, `charset x`, as a lower-case name; undefined when neither stands here. */
export function readCharset(tokens: TokenReader): string | undefined {
  if (!tokens.accept('character set') && !tokens.accept('char set') && !tokens.accept('charset')) return undefined;
  tokens.acceptOp('=');
  return readCollationName(tokens);
}

/** The name of a charset or collation: a word, `binary` included, or a string. */
export function readCollationName(tokens: TokenReader): string {
  const token = tokens.peek();
  if (token.type !== 'word' && token.type !== 'string' && token.type !== 'quoted') tokens.fail();
  return tokens.next().text.toLowerCase();
}

function readAttributes(tokens: TokenReader): TypeAttributes {
  const found: TypeAttributes = { unsigned: false, zerofill: false, binary: false };
  for (;;) {
    const charset = readCharset(tokens);
    if (charset !== undefined) found.charset = charset;
    else if (tokens.accept('collate')) found.collation = readCollationName(tokens);
    else if (tokens.accept('unsigned')) found.unsigned = true;
    else if (tokens.accept('zerofill')) found.zerofill = true;
    else if (tokens.accept('binary')) found.binary = true;
    else if (!tokens.accept('signed')) return found;
  }
}

/** The type, given all that was read. */
function assemble(word: string, name: string, args: string[], found: TypeAttributes): ColumnType {
  const charset = found.charset ?? (NATIONAL.includes(word) ? 'utf8mb3' : undefined);
  const binary = BINARY_OF[name];
  if (charset === 'binary' && binary !== undefined) return { name: binary, args, unsigned: false };
  const collation = found.collation ?? (found.binary ? `${charset ?? 'utf8mb4'}_bin` : undefined);
  return {
    name,
    args,
    unsigned: found.unsigned || found.zerofill,
    ...(found.zerofill ? { zerofill: true as const } : {}),
    ...(charset === undefined ? {} : { charset }),
    ...(collation === undefined ? {} : { collation }),
  };
}

/** A column's type with its UNSIGNED, charset and collation. Throws the syntax error for a name that is no type. */
export function parseType(tokens: TokenReader): ColumnType {
  const { word, name, args: fixed } = readName(tokens);
  const written = readArgs(tokens);
  if ((name === 'varchar' || name === 'varbinary' || name === 'enum' || name === 'set') && written.length === 0)
    tokens.fail();
  const found = readAttributes(tokens);
  const typed = floatType(name, fixed.length > 0 ? fixed : written);
  const { name: final, args } = sized(typed.name, canonicalArgs(typed.name, typed.args, found.zerofill));
  return assemble(word, final, args, found);
}
