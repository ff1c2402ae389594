/**
 * MySQL's lexical rules: strings, quoted identifiers, comments, numbers. Comments are dropped, except `/*! … *\/`,
 * whose content is read as if the comment were not there.
 * Vitess: go/vt/sqlparser/token.go.
 */
import type { VtError } from '../lib/errors.ts';
import { syntaxError } from './mysql-errors.ts';
import { utf8 } from './value.ts';

/** Kinds of token. `word` is an unquoted identifier or keyword, `variable` an `@x` or `@@x`. */
export type TokenType = 'word' | 'quoted' | 'string' | 'number' | 'hex' | 'bit' | 'variable' | 'op' | 'end';

/** A token: its value (unescaped, without quotes) and where it stands in the text, in UTF-16 units. */
export interface Token {
  type: TokenType;
  text: string;
  start: number;
  end: number;
}

/** The parse error for a token that ends at `end`; Vitess counts bytes and points one behind. */
export function syntaxErrorAt(sql: string, end: number, near: string): VtError {
  return syntaxError(utf8(sql.slice(0, end)).length + 1, near);
}

const SPACE = /[\s\0]/;
const WORD = /[A-Za-z0-9_$\u0080-\uffff]+/y;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const EXECUTED = /\/\*!\d*/y;
/** The newest server that `/*!NNNNN … *\/` is read for, MySQL 8.4's last; later ones (MariaDB's `/*!100301`) are comments. */
export const SERVER_VERSION = 80_499;
const OPERATORS = ['<=>', '->>', '<>', '!=', '<=', '>=', '&&', '||', '<<', '>>', ':=', '->'];
const SINGLE = '(),;.*+-/%=<>!~|&^?{}';
const ESCAPES: Record<string, string> = { '0': '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\u001a' };

/** Where a comment that starts at `at` ends, or undefined when none starts there. */
function commentEnd(sql: string, at: number): number | undefined {
  const two = sql.slice(at, at + 2);
  const dashes = two === '--' && (at + 2 >= sql.length || SPACE.test(sql.charAt(at + 2)));
  if (dashes || sql[at] === '#') {
    const line = sql.indexOf('\n', at);
    return line === -1 ? sql.length : line + 1;
  }
  if (two !== '/*' || executedOpening(sql, at) !== '') return undefined;
  const end = sql.indexOf('*/', at + 2);
  if (end === -1) throw syntaxErrorAt(sql, sql.length, sql.slice(at));
  return end + 2;
}

/** A pattern without the sticky state of the shared expressions. */
function matchAt(pattern: RegExp, sql: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0] ?? '';
}

/** The `/*!NNNNN` at `at` where such a server executes what follows, else ''. */
function executedOpening(sql: string, at: number): string {
  const opening = matchAt(EXECUTED, sql, at);
  return Number(opening.slice(3)) > SERVER_VERSION ? '' : opening;
}

/** The text of a quoted string whose opening quote is at `at`, and the position behind it. */
function readString(sql: string, at: number): { text: string; end: number } {
  const quote = sql[at];
  let text = '';
  for (let i = at + 1; i < sql.length; i += 1) {
    const char = sql.charAt(i);
    if (char === quote) {
      if (sql[i + 1] !== quote) return { text, end: i + 1 };
      text += char;
      i += 1;
    } else if (char === '\\' && i + 1 < sql.length) {
      const next = sql.charAt(i + 1);
      // `\%` and `\_` keep their backslash: they mean something to LIKE.
      text += next === '%' || next === '_' ? `\\${next}` : (ESCAPES[next] ?? next);
      i += 1;
    } else {
      text += char;
    }
  }
  throw syntaxErrorAt(sql, sql.length, text);
}

/** The name in back-ticks whose opening one is at `at`, and the position behind it. */
function readQuoted(sql: string, at: number): { text: string; end: number } {
  let text = '';
  for (let i = at + 1; i < sql.length; i += 1) {
    const char = sql.charAt(i);
    if (char === '`') {
      if (sql[i + 1] !== '`') {
        if (text === '') throw syntaxErrorAt(sql, i + 1, '');
        return { text, end: i + 1 };
      }
      i += 1;
    }
    text += char;
  }
  throw syntaxErrorAt(sql, sql.length, text);
}

/** `x'..'` and `b'..'`. */
function readDigits(sql: string, start: number, type: 'hex' | 'bit'): Token {
  const close = sql.indexOf("'", start + 2);
  const digits = sql.slice(start + 2, close === -1 ? sql.length : close);
  const allowed = type === 'hex' ? /^(?:[0-9a-f]{2})*$/i : /^[01]*$/;
  if (close === -1 || !allowed.test(digits)) throw syntaxErrorAt(sql, close === -1 ? sql.length : close + 1, digits);
  return { type, text: digits.toLowerCase(), start, end: close + 1 };
}

/** Numbers, with `0x..` and `0b..`. */
function readNumber(sql: string, start: number): Token {
  const word = matchAt(WORD, sql, start);
  const prefixed = /^0(x[0-9a-f]+|b[01]+)$/i.exec(word);
  if (prefixed !== null) {
    const type = word[1] === 'x' || word[1] === 'X' ? 'hex' : 'bit';
    return { type, text: word.slice(2).toLowerCase(), start, end: start + word.length };
  }
  if (/^0[xb]/i.test(word)) throw syntaxErrorAt(sql, start + 2, word.slice(0, 2));
  const text = matchAt(NUMBER, sql, start);
  const end = start + text.length;
  if (matchAt(WORD, sql, end) !== '') throw syntaxErrorAt(sql, end, text);
  return { type: 'number', text, start, end };
}

/** Words, joined with a tablet type where one follows at once, as in `customer@replica`. */
function readWord(sql: string, start: number): Token {
  const word = matchAt(WORD, sql, start);
  let end = start + word.length;
  if (sql[end] === '@') end += 1 + matchAt(WORD, sql, end + 1).length;
  return { type: 'word', text: sql.slice(start, end), start, end };
}

function readVariable(sql: string, start: number): Token {
  const at = sql[start + 1] === '@' ? start + 2 : start + 1;
  const end = at + matchAt(WORD, sql, at).length;
  return { type: 'variable', text: sql.slice(start, end), start, end };
}

function readOperator(sql: string, start: number): Token {
  const long = OPERATORS.find((op) => sql.startsWith(op, start));
  const text = long ?? sql.charAt(start);
  if (long === undefined && !SINGLE.includes(text)) throw syntaxErrorAt(sql, start + 1, text);
  return { type: 'op', text, start, end: start + text.length };
}

function readToken(sql: string, start: number, afterName: boolean): Token {
  const char = sql.charAt(start);
  if (char === "'" || char === '"') return { type: 'string', start, ...readString(sql, start) };
  if (char === '`') return { type: 'quoted', start, ...readQuoted(sql, start) };
  if (char === '@') return readVariable(sql, start);
  if (sql[start + 1] === "'" && /[xXbB]/.test(char)) return readDigits(sql, start, /x/i.test(char) ? 'hex' : 'bit');
  if (/\d/.test(char)) return readNumber(sql, start);
  // In `t.5` the dot would belong to the name; MySQL has no number there.
  if (char === '.' && !afterName && /\d/.test(sql.charAt(start + 1))) return readNumber(sql, start);
  return matchAt(WORD, sql, start) === '' ? readOperator(sql, start) : readWord(sql, start);
}

/**
 * The tokens of a text, the last one of type `end`.
 * Throws INVALID_ARGUMENT (`syntax error at position …`) for an unclosed quote or comment or a stray character.
 */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let inside = false;
  while (at < sql.length) {
    if (SPACE.test(sql.charAt(at))) at += 1;
    else if (executedOpening(sql, at) !== '') {
      at += executedOpening(sql, at).length;
      inside = true;
    } else if (inside && sql.startsWith('*/', at)) {
      at += 2;
      inside = false;
    } else {
      const behind = commentEnd(sql, at);
      if (behind === undefined) {
        const last = tokens.at(-1);
        const afterName = last !== undefined && last.end === at && (last.type === 'word' || last.type === 'quoted');
        tokens.push(readToken(sql, at, afterName));
      }
      at = behind ?? tokens.at(-1)?.end ?? sql.length;
    }
  }
  if (inside) throw syntaxErrorAt(sql, sql.length, '');
  tokens.push({ type: 'end', text: '', start: sql.length, end: sql.length });
  return tokens;
}
