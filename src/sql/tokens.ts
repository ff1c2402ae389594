/** A reader over the tokens of one statement: what every part of the parser shares. */
import { isReserved } from './keywords.ts';
import { unsupported } from './mysql-errors.ts';
import { syntaxErrorAt, type Token, tokenize } from './tokenizer.ts';

/**
 * Told of a construct that is left out, and where it begins in the text (UTF-16 units). Whoever passes one takes DDL from
 * elsewhere and says what of it is not kept; without one such constructs are refused.
 */
export type LeftOut = (construct: string, at: number) => void;

/** Reads tokens from the left. Every `expect` throws the syntax error of the token it stands at. */
export class TokenReader {
  readonly sql: string;
  private readonly tokens: Token[];
  private readonly leftOut: LeftOut | undefined;
  private index = 0;

  constructor(sql: string, leftOut?: LeftOut) {
    this.sql = sql;
    this.leftOut = leftOut;
    this.tokens = tokenize(sql);
  }

  /** The token `ahead` of the current one, without moving. */
  peek(ahead = 0): Token {
    const token = this.tokens[Math.min(this.index + ahead, this.tokens.length - 1)];
    return token ?? { type: 'end', text: '', start: this.sql.length, end: this.sql.length };
  }

  /** The current token; moves behind it. */
  next(): Token {
    const token = this.peek();
    this.index += 1;
    return token;
  }

  /** Throws Vitess's syntax error for the current token. Punctuation is not named, as there. */
  fail(): never {
    const token = this.peek();
    throw syntaxErrorAt(this.sql, token.end, token.type === 'op' ? '' : token.text);
  }

  /** Throws the UNIMPLEMENTED error for a construct. */
  refuse(construct: string, supported?: string): never {
    throw unsupported(construct, supported);
  }

  /** Reports a construct that the caller then moves over; refuses it where nobody wants to know. */
  leaveOut(construct: string, supported?: string): void {
    if (this.leftOut === undefined) this.refuse(construct, supported);
    this.leftOut(construct, this.peek().start);
  }

  /** Reports a construct that nothing here depends on and that is not kept, to whoever listens. */
  mention(construct: string): void {
    this.leftOut?.(construct, this.peek().start);
  }

  /** Moves to the end. */
  skipRest(): void {
    this.index = this.tokens.length - 1;
  }

  /** True when an unquoted word, one of these (lower case), stands `ahead`. */
  atWord(words: string | readonly string[], ahead = 0): boolean {
    const token = this.peek(ahead);
    if (token.type !== 'word') return false;
    const lower = token.text.toLowerCase();
    return typeof words === 'string' ? words === lower : words.includes(lower);
  }

  /** Moves over a phrase such as `on duplicate key update` when all of it stands here. */
  accept(phrase: string): boolean {
    const words = phrase.split(' ');
    if (!words.every((word, i) => this.atWord(word, i))) return false;
    this.index += words.length;
    return true;
  }

  /** Moves over one of these words; which one. */
  acceptOneOf(words: readonly string[]): string | undefined {
    if (!this.atWord(words)) return undefined;
    return this.next().text.toLowerCase();
  }

  /** Moves over a phrase or fails at the word that differs. */
  expect(phrase: string): void {
    for (const word of phrase.split(' ')) {
      if (!this.atWord(word)) this.fail();
      this.index += 1;
    }
  }

  atOp(op: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.type === 'op' && token.text === op;
  }

  acceptOp(op: string): boolean {
    if (!this.atOp(op)) return false;
    this.index += 1;
    return true;
  }

  expectOp(op: string): void {
    if (!this.acceptOp(op)) this.fail();
  }

  /** True when the token can be a name: back-ticked, or a word that is not reserved. */
  atName(ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.type === 'quoted' || (token.type === 'word' && !isReserved(token.text));
  }

  /** A name. Behind a dot MySQL takes reserved words too: pass `qualified`. */
  name(qualified = false): string {
    if (!this.atName() && !(qualified && this.peek().type === 'word')) this.fail();
    return this.next().text;
  }

  /** A string literal. */
  string(): string {
    if (this.peek().type !== 'string') this.fail();
    return this.next().text;
  }

  /** An unsigned integer, as text. */
  integer(): string {
    const token = this.peek();
    if (token.type !== 'number' || !/^\d+$/.test(token.text)) this.fail();
    return this.next().text;
  }

  /** `item (, item)*`. */
  list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.acceptOp(',')) items.push(item());
    return items;
  }

  /** `( item )`. */
  parenthesised<T>(item: () => T): T {
    this.expectOp('(');
    const value = item();
    this.expectOp(')');
    return value;
  }

  /** The text between a pair of parentheses that starts here, as written; moves behind it. */
  rawParenthesised(): string {
    const start = this.peek().end;
    this.expectOp('(');
    for (let depth = 1; ; ) {
      if (this.peek().type === 'end') this.fail();
      const token = this.next();
      if (token.type !== 'op') continue;
      if (token.text === '(') depth += 1;
      if (token.text === ')') depth -= 1;
      if (depth === 0) return this.sql.slice(start, token.start).trim();
    }
  }

  /** Nothing but `;` may follow. */
  end(): void {
    while (this.acceptOp(';'));
    if (this.peek().type !== 'end') this.fail();
  }
}
