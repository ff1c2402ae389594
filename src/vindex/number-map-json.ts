/** A JSON object of unsigned 64-bit numbers, which JSON.parse cannot read without loss. Go: encoding/json. */
import { plainError } from '../lib/errors.ts';
import { goQuote } from '../lib/go-quote.ts';

const MAX_UINT64 = 0xffffffffffffffffn;

/**
 * Reads `{"1": 2, "3": 18446744073709551615}`; of a name given twice the last counts.
 *
 * @throws VtError (plain) with Go's text, for example `invalid character ']' looking for beginning of object key string`,
 *   `unexpected end of JSON input`, `json: cannot unmarshal string into Go value of type uint64`
 */
export function parseNumberMap(json: string): Map<string, bigint> {
  const reader = new Reader(json);
  const numbers = new Map<string, bigint>();
  if (reader.peek() !== '{') throw reader.wrongTop();
  reader.step();
  if (reader.peek() === '}') {
    reader.step();
  } else {
    do {
      const name = reader.name();
      reader.expect(':', 'after object key');
      numbers.set(name, reader.number());
    } while (reader.commaOrEnd());
  }
  if (reader.peek() !== undefined) throw reader.invalid('after top-level value');
  return numbers;
}

class Reader {
  readonly #json: string;
  #at = 0;

  constructor(json: string) {
    this.#json = json;
  }

  /** The next character that is no white space. */
  peek(): string | undefined {
    while (/[ \t\r\n]/.test(this.#json[this.#at] ?? '')) this.#at++;
    return this.#json[this.#at];
  }

  step(): void {
    this.#at++;
  }

  name(): string {
    if (this.peek() !== '"') throw this.invalid('looking for beginning of object key string');
    return this.#string();
  }

  #string(): string {
    const text = /"(?:[^"\\\p{Cc}]|\\.)*"/uy;
    text.lastIndex = this.#at;
    const found = text.exec(this.#json)?.[0];
    if (found === undefined) throw plainError('unexpected end of JSON input');
    this.#at += found.length;
    try {
      return String(JSON.parse(found));
    } catch {
      throw plainError(`invalid string ${found} in JSON input`);
    }
  }

  expect(char: string, where: string): void {
    if (this.peek() !== char) throw this.invalid(where);
    this.step();
  }

  /** After a value: true when another follows. */
  commaOrEnd(): boolean {
    const char = this.peek();
    if (char !== ',' && char !== '}') throw this.invalid('after object key:value pair');
    this.step();
    return char === ',';
  }

  number(): bigint {
    const start = this.peek() ?? '';
    if (!/[-0-9]/.test(start)) throw this.#noNumber(start);
    const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    number.lastIndex = this.#at;
    const text = number.exec(this.#json)?.[0];
    if (text === undefined) throw this.invalid('in numeric literal');
    this.#at += text.length;
    if (!/^\d+$/.test(text) || BigInt(text) > MAX_UINT64) {
      throw plainError(`json: cannot unmarshal number ${text} into Go value of type uint64`);
    }
    return BigInt(text);
  }

  #noNumber(start: string): Error {
    const kinds: Record<string, string> = { '"': 'string', '{': 'object', '[': 'array', t: 'bool', f: 'bool' };
    const kind = kinds[start];
    return kind === undefined
      ? this.invalid('looking for beginning of value')
      : plainError(`json: cannot unmarshal ${kind} into Go value of type uint64`);
  }

  wrongTop(): Error {
    const kinds: Record<string, string> = { '"': 'string', '[': 'array', t: 'bool', f: 'bool' };
    const start = this.peek() ?? '';
    const kind = kinds[start] ?? (/[-0-9]/.test(start) ? 'number' : undefined);
    return kind === undefined
      ? this.invalid('looking for beginning of value')
      : plainError(`json: cannot unmarshal ${kind} into Go value of type map[string]uint64`);
  }

  /** The error for the character at hand. */
  invalid(where: string): Error {
    const char = this.peek();
    if (char === undefined) return plainError('unexpected end of JSON input');
    const shown = char === "'" ? `'\\''` : `'${goQuote(char).slice(1, -1).replace('\\"', '"')}'`;
    return plainError(`invalid character ${shown} ${where}`);
  }
}

/**
 * Go's strconv.ParseUint for base 10 and 64 bits.
 *
 * @throws VtError (plain): `strconv.ParseUint: parsing "a": invalid syntax`, `… value out of range`
 */
export function parseUint(text: string): bigint {
  if (!/^\d+$/.test(text)) throw plainError(`strconv.ParseUint: parsing ${goQuote(text)}: invalid syntax`);
  const number = BigInt(text);
  if (number > MAX_UINT64) throw plainError(`strconv.ParseUint: parsing ${goQuote(text)}: value out of range`);
  return number;
}
