/**
 * The key that the unicode_loose vindexes hash: text reduced to its primary collation weights, so that case and
 * accents do not matter.
 *
 * Vitess: go/vt/vtgate/vindexes/unicode.go and go/mysql/collations/vindex. The whole collation table is large; what
 * is here covers alphabetic scripts up to Arabic, Georgian, Hangul, kana, ideographs, symbols and pictographs. Text
 * in any other script is refused: a guess would put rows on the wrong shard.
 */
import { plainError } from '../lib/errors.ts';
import { goQuote } from '../lib/go-quote.ts';
import { WEIGHTS } from './unicode-weights.ts';

type Weights = readonly number[];

const COMMON_IDEOGRAPH = 0x10000;
const RARE_IDEOGRAPH = 0x20000;
const NOT_IN_TABLE = 0x50000;

let table: Map<number, Weights> | undefined;

/** Reads the table on first use; see unicode-weights.ts for its form. */
function loadTable(): Map<number, Weights> {
  const weights = new Map<number, Weights>();
  for (const element of WEIGHTS.join(' ').split(' ')) {
    const [, first = '', sign = '', count = '1', value = ''] = /^([^+=:]+)([+=]?)([^:]*):(.*)$/.exec(element) ?? [];
    const start = parseInt(first, 16);
    const step = sign === '+' ? 1 : 0;
    const base = value.split('.').map((word) => parseInt(word, 16));
    for (let i = 0; i < parseInt(count || '1', 16); i++) {
      const own = value === 'x' ? [start + i + NOT_IN_TABLE] : base.map((weight) => weight + i * step);
      weights.set(start + i, own[0] === 0 ? [] : own);
    }
  }
  return weights;
}

function weightsOf(char: string, weights: Map<number, Weights>): Weights {
  const code = char.codePointAt(0) ?? 0;
  const known = weights.get(code);
  if (known !== undefined) return known;
  const derived = fromDecomposition(char, weights) ?? fromIdeograph(char, code);
  if (derived === undefined) {
    const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
    throw plainError(`no collation weight is known here for the character ${goQuote(char)} (${name})`);
  }
  weights.set(code, derived);
  return derived;
}

function fromDecomposition(char: string, weights: Map<number, Weights>): Weights | undefined {
  const canonical = char.normalize('NFD');
  const parts = canonical === char ? char.normalize('NFKD') : canonical;
  return parts === char ? undefined : [...parts].flatMap((part) => weightsOf(part, weights));
}

function fromIdeograph(char: string, code: number): Weights | undefined {
  if (!/\p{Ideographic}/u.test(char)) return undefined;
  const common = (code >= 0x4e00 && code <= 0x9fff) || (code >= 0xf900 && code <= 0xfaff);
  return [code + (common ? COMMON_IDEOGRAPH : RARE_IDEOGRAPH)];
}

/**
 * The weights of a text, two bytes each, or three with the top bit set where two are not enough. Trailing spaces
 * (U+0020 alone) do not count.
 *
 * @throws VtError (plain): `cannot normalize string containing invalid UTF-8: "…"`, or a character outside the table
 */
export function unicodeLooseKey(bytes: Uint8Array): Uint8Array {
  const text = decodeUtf8(bytes).replace(/ +$/, '');
  table ??= loadTable();
  const key: number[] = [];
  // Composed first: some letters with a mark, such as й, are letters of their own. The dot of the Catalan l·l is the
  // one sequence in these scripts that has a weight of its own: that of the l.
  for (const char of text.normalize('NFC').replace(/(?<=[lL])\u00b7/g, '')) {
    for (const weight of weightsOf(char, table)) {
      if (weight > 0x7fff) key.push((weight >> 16) | 0x80);
      key.push((weight >> 8) & 0xff, weight & 0xff);
    }
  }
  return Uint8Array.from(key);
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw plainError(`cannot normalize string containing invalid UTF-8: ${quoteBytes(bytes)}`);
  }
}

/** Go's `%q` of bytes that are no text: what is no character is shown as `\xNN`. */
function quoteBytes(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at);
    const part = Buffer.from(bytes.subarray(at, at + length));
    out += length === 0 ? `\\x${(bytes[at] ?? 0).toString(16).padStart(2, '0')}` : goQuote(part.toString()).slice(1, -1);
    at += length || 1;
  }
  return `"${out}"`;
}

/** How many bytes the character at this place has; 0 where there is none. */
function characterLength(bytes: Uint8Array, at: number): number {
  const lengths = [1, 2, 3, 4];
  return lengths.find((length) => {
    const part = Buffer.from(bytes.subarray(at, at + length));
    return part.length === length && [...part.toString()].length === 1 && Buffer.from(part.toString()).equals(part);
  }) ?? 0;
}
