/**
 * Keyspace ids and ranges of them, as lower-case hexadecimal text. Text of whole bytes compares like the bytes do.
 *
 * Vitess: go/vt/key/key.go. A range that is not there (Vitess: nil) is `undefined` and means the whole keyspace.
 * Trailing zero bytes never matter: `80`, `8000` and `800000` are the same bound.
 */
import { goQuote } from './go-quote.ts';
import { plainError } from './errors.ts';

/** From `start` (included) to `end` (excluded); the empty text leaves that side open. */
export interface KeyRange {
  readonly start: string;
  readonly end: string;
}

/** What may stand where a key range or the shard `0` is asked for. */
export const KEY_RANGE_PATTERN = /^(0|([0-9a-fA-F]{2})*-([0-9a-fA-F]{2})*)$/;

/** True for text that names a key range, or `0`. Vitess: IsValidKeyRange. */
export function isValidKeyRange(text: string): boolean {
  return KEY_RANGE_PATTERN.test(text);
}

/**
 * Checks hexadecimal text and returns it in lower case.
 *
 * @throws VtError (plain) with Go's text: `encoding/hex: invalid byte: U+0067 'g'`,
 *   `encoding/hex: odd length hex string`
 */
export function parseHex(text: string): string {
  const bad = /[^0-9a-fA-F]/.exec(text)?.[0];
  if (bad !== undefined) {
    // Go names the byte, not the character.
    const byte = new TextEncoder().encode(text.slice(text.indexOf(bad)))[0] ?? 0;
    const code = `U+${byte.toString(16).toUpperCase().padStart(4, '0')}`;
    const char = String.fromCharCode(byte);
    const printable = char === ' ' || !/[\p{C}\p{Z}]/u.test(char);
    throw plainError(`encoding/hex: invalid byte: ${code}${printable ? ` '${char}'` : ''}`);
  }
  if (text.length % 2 !== 0) throw plainError('encoding/hex: odd length hex string');
  return text.toLowerCase();
}

/** A keyspace id or bound without its trailing zero bytes. Vitess: Normalize. */
export function normalizeId(id: string): string {
  let end = id.length;
  while (end >= 2 && id[end - 1] === '0' && id[end - 2] === '0') end -= 2;
  return end === id.length ? id : id.slice(0, end);
}

/** Orders two keyspace ids: -1, 0 or 1. Vitess: Compare. */
export function compareIds(a: string, b: string): number {
  return compareText(normalizeId(a), normalizeId(b));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A keyspace id as text. */
export function idToHex(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex');
}

/**
 * A range from its two bounds in hexadecimal. Vitess: ParseKeyRangeParts.
 *
 * @throws VtError (plain): see parseHex
 */
export function parseKeyRangeParts(start: string, end: string): KeyRange {
  return { start: parseHex(start), end: parseHex(end) };
}

/** Prints a range: `-80`, `80-`, and `-` for the whole keyspace. Vitess: KeyRangeString. */
export function formatKeyRange(range: KeyRange | undefined): string {
  return range === undefined || isComplete(range) ? '-' : `${range.start}-${range.end}`;
}

/** The range with both bounds in their shortest form. */
export function normalizeKeyRange(range: KeyRange): KeyRange {
  return { start: normalizeId(range.start), end: normalizeId(range.end) };
}

/** True when the range holds every keyspace id. Vitess: KeyRangeIsComplete. */
export function isComplete(range: KeyRange | undefined): boolean {
  return range === undefined || (normalizeId(range.start) === '' && normalizeId(range.end) === '');
}

/** True when the range holds this keyspace id (hexadecimal, lower case). Vitess: KeyRangeContains. */
export function containsId(range: KeyRange | undefined, id: string): boolean {
  if (range === undefined) return true;
  const key = normalizeId(id);
  const end = normalizeId(range.end);
  return key >= normalizeId(range.start) && (end === '' || key < end);
}

/** Orders by start alone; an open start is the lowest. Vitess: KeyRangeStartCompare. */
export function compareStarts(a: KeyRange | undefined, b: KeyRange | undefined): number {
  return compareIds(a?.start ?? '', b?.start ?? '');
}

/** Orders by end alone; an open end is the highest. Vitess: KeyRangeEndCompare. */
export function compareEnds(a: KeyRange | undefined, b: KeyRange | undefined): number {
  const left = normalizeId(a?.end ?? '');
  const right = normalizeId(b?.end ?? '');
  if (left === '' || right === '') return Number(left === '') - Number(right === '');
  return compareText(left, right);
}

/** Orders by start, then by end: for sorting shards. Vitess: KeyRangeCompare. */
export function compareKeyRanges(a: KeyRange | undefined, b: KeyRange | undefined): number {
  return compareStarts(a, b) || compareEnds(a, b);
}

/** True when both hold the same ids. Vitess: KeyRangeEqual. */
export function keyRangesEqual(a: KeyRange | undefined, b: KeyRange | undefined): boolean {
  return compareKeyRanges(a, b) === 0;
}

/** True when `a` sorts before `b`. Vitess: KeyRangeLess. */
export function keyRangeLess(a: KeyRange | undefined, b: KeyRange | undefined): boolean {
  return compareKeyRanges(a, b) < 0;
}

/** True when `b` starts where `a` ends. A complete range borders on nothing. Vitess: KeyRangeContiguous. */
export function contiguous(a: KeyRange | undefined, b: KeyRange | undefined): boolean {
  if (a === undefined || b === undefined || isComplete(a) || isComplete(b)) return false;
  return compareIds(a.end, b.start) === 0;
}

/** True when some id is in both. Vitess: KeyRangeIntersect. */
export function intersects(a: KeyRange | undefined, b: KeyRange | undefined): boolean {
  return startsBeforeEnd(b, a) && startsBeforeEnd(a, b);
}

function startsBeforeEnd(a: KeyRange | undefined, b: KeyRange | undefined): boolean {
  const end = normalizeId(b?.end ?? '');
  return end === '' || normalizeId(a?.start ?? '') < end;
}

/** True when every id of `b` is in `a`. Vitess: KeyRangeContainsKeyRange. */
export function containsKeyRange(a: KeyRange | undefined, b: KeyRange | undefined): boolean {
  return isComplete(a) || (compareStarts(b, a) >= 0 && compareEnds(b, a) <= 0);
}

/** Two neighbours as one range, in either order; undefined when they are not neighbours. Vitess: KeyRangeAdd. */
export function joinKeyRanges(a: KeyRange | undefined, b: KeyRange | undefined): KeyRange | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (bordersOn(a, b)) return { start: a.start, end: b.end };
  if (bordersOn(b, a)) return { start: b.start, end: a.end };
  return undefined;
}

function bordersOn(a: KeyRange, b: KeyRange): boolean {
  return normalizeId(a.end) !== '' && compareIds(a.end, b.start) === 0;
}

/**
 * The ranges that a list of bounds cuts the keyspace into: `-40-80-` → `-40`, `40-80`, `80-`; `0` is the whole
 * keyspace. Vitess: ParseShardingSpec, which compares the bounds as text, so case matters.
 *
 * @throws VtError (plain): `malformed spec: doesn't define a range: "X"`,
 *   `malformed spec: MinKey/MaxKey cannot be in the middle of the spec: "X"`,
 *   `malformed spec: shard limits should be in order: "X"`, and those of parseHex
 */
export function parseShardingSpec(spec: string): KeyRange[] {
  const bounds = spec === '0' ? ['', ''] : spec.split('-');
  if (bounds.length === 1) throw malformedSpec("doesn't define a range", spec);
  return bounds.slice(1).map((end, index) => {
    const start = bounds[index] ?? '';
    const last = index === bounds.length - 2;
    if (end === '' && !last) throw malformedSpec('MinKey/MaxKey cannot be in the middle of the spec', spec);
    if (end !== '' && end <= start) throw malformedSpec('shard limits should be in order', spec);
    return parseKeyRangeParts(start, end);
  });
}

function malformedSpec(what: string, spec: string): Error {
  return plainError(`malformed spec: ${what}: ${goQuote(spec)}`);
}

/**
 * Names of `count` shards of nearly equal size. Vitess: GenerateShardRanges.
 *
 * @param hexWidth digits of each bound; 0 for two digits up to 256 shards and four above. An odd number gives
 *   names that are no valid shards, as in Vitess
 * @throws VtError (plain): fewer than 1 or more than 65536 shards, or more than fit the width
 */
export function generateShardRanges(count: number, hexWidth = 0): string[] {
  if (count <= 0) throw plainError('shards must be greater than zero');
  if (count === 1) return ['-'];
  if (count > 65536) throw plainError('this function does not support more than 65536 shards in a single keyspace');
  const width = hexWidth === 0 ? (count <= 256 ? 2 : 4) : hexWidth;
  const size = 16 ** width;
  if (count > size) {
    throw plainError(
      `the given number of shards (${count}) is too high for the given number of characters to use (${width})`,
    );
  }
  const bound = (index: number): string =>
    index === 0 || index === count ? '' : Math.floor((index * size) / count).toString(16).padStart(width, '0');
  return Array.from({ length: count }, (_, index) => `${bound(index)}-${bound(index + 1)}`);
}
