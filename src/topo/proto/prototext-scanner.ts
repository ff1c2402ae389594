/** Cuts protobuf's text format into tokens. */
import { plainError } from '../../lib/errors.ts';

/** What may stand between tokens: white space, and comments to the end of the line. */
const GAP = /(?:\s|#[^\n]*)*/y;
const NAME = /[A-Za-z_]\w*/y;
/** A number or an identifier, with its sign. */
const WORD = /-?\s*[\w.]+(?:[+-]\d+)?/y;
const STRING = /"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"|'[^'\\\n]*(?:\\[^\n][^'\\\n]*)*'/y;
const ESCAPE = /\\(?:([0-7]{1,3})|x([\da-fA-F]{1,2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([abfnrtv\\'"?]))/y;
const ESCAPED: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** A position in a prototext. Methods named `take…` move past what they return, and past the gap behind it. */
export class PrototextScanner {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
    this.skipGap();
  }

  /** Where the next token starts. */
  get offset(): number {
    return this.at;
  }

  /** An offset as Go's errors give it. */
  place(offset: number): string {
    const before = this.text.slice(0, offset).split('\n');
    return `(line ${before.length}:${(before.at(-1) ?? '').length + 1})`;
  }

  /** @throws always: a syntax error, here or at an earlier offset */
  fail(what: string, offset = this.at): never {
    throw plainError(`proto: syntax error ${this.place(offset)}: ${what}`);
  }

  /** Takes a punctuation mark if it is next. */
  take(mark: string): boolean {
    if (this.text.charAt(this.at) !== mark) return false;
    this.at += 1;
    this.skipGap();
    return true;
  }

  /** Takes a message's opening bracket and returns the one that closes it. */
  takeOpen(): string {
    if (this.take('{')) return '}';
    if (this.take('<')) return '>';
    return this.fail('a message must start with {');
  }

  /** Takes the end of a message: its closing bracket, or for the whole text ('') the end of it. */
  takeEnd(close: string): boolean {
    if (this.at < this.text.length) return close !== '' && this.take(close);
    return close === '' || this.fail(`${close} is missing at the end`);
  }

  /** Takes a field's name. */
  takeName(): string {
    return this.match(NAME) ?? this.fail(`a field name cannot start with ${JSON.stringify(this.text.charAt(this.at))}`);
  }

  /** Takes a number, a boolean or an enum's name. */
  takeWord(): string {
    return (this.match(WORD) ?? this.fail('a value is missing')).replaceAll(/\s/g, '');
  }

  /** Takes a string, or several in a row that make one, as its bytes. */
  takeString(): Buffer {
    const parts: Buffer[] = [];
    for (;;) {
      const start = this.at;
      const quoted = this.match(STRING);
      if (quoted === undefined) break;
      const bytes = unescape(quoted.slice(1, -1));
      parts.push(bytes ?? this.fail('an escape that does not exist', start));
    }
    return parts.length > 0 ? Buffer.concat(parts) : this.fail('a string in quotes is missing');
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) return undefined;
    this.at += found.length;
    this.skipGap();
    return found;
  }

  private skipGap(): void {
    GAP.lastIndex = this.at;
    this.at += GAP.exec(this.text)?.[0].length ?? 0;
  }
}

/**
 * The bytes of a string's inside: an octal or `\x` escape is a byte, all else UTF-8. Undefined where a
 * backslash starts no escape.
 */
function unescape(inside: string): Buffer | undefined {
  if (!inside.includes('\\')) return Buffer.from(inside);
  const parts: Buffer[] = [];
  for (let at = 0; at < inside.length; ) {
    const next = inside.indexOf('\\', at);
    if (next !== at) {
      const end = next < 0 ? inside.length : next;
      parts.push(Buffer.from(inside.slice(at, end)));
      at = end;
      continue;
    }
    ESCAPE.lastIndex = at;
    const escape = ESCAPE.exec(inside);
    const bytes = escape && escapeBytes(escape);
    if (!bytes) return undefined;
    parts.push(bytes);
    at = ESCAPE.lastIndex;
  }
  return Buffer.concat(parts);
}

function escapeBytes([, octal, hex, short, long, letter]: RegExpExecArray): Buffer | undefined {
  if (letter !== undefined) return Buffer.from(ESCAPED[letter] ?? letter);
  const code = octal === undefined ? parseInt(hex ?? short ?? long ?? '', 16) : parseInt(octal, 8);
  const isByte = octal !== undefined || hex !== undefined;
  if (code > (isByte ? 0xff : 0x10ffff)) return undefined;
  return isByte ? Buffer.from([code]) : Buffer.from(String.fromCodePoint(code));
}
