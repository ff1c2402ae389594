/** Text in quotes the way Go writes it, because error texts of the command line contain it. */

const NAMED: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};
/** What Go calls printable: letters, marks, numbers, punctuation, symbols and the ASCII space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** `%q` of a string. Go: strconv.Quote. */
export function goQuote(text: string): string {
  return `"${Array.from(text.toWellFormed(), (char) => escaped(char, '"')).join('')}"`;
}

/** `%q` of a single character. Go: strconv.QuoteRune. */
export function goQuoteRune(char: string): string {
  return `'${escaped(char.toWellFormed(), "'")}'`;
}

function escaped(char: string, quote: string): string {
  if (char === quote) return `\\${quote}`;
  const named = NAMED[char];
  if (named !== undefined) return named;
  if (PRINTABLE.test(char)) return char;
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, '0');
}
