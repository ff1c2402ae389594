import { canonicalBytes, type Value } from '../sql/value.ts';

/** Values as JSON. JSON has no bytes and no integers past 2^53: both are tagged. */
export function stringifyValues(data: unknown): string {
  // Most rows hold nothing to tag, and JSON.stringify is many times faster alone.
  if (isPlain(data)) return JSON.stringify(data);
  return JSON.stringify(data, (_key, value: unknown) => {
    if (typeof value === 'bigint') return { $int: String(value) };
    if (value instanceof Uint8Array) return { $hex: Buffer.from(value).toString('hex') };
    // A Buffer's own toJSON runs before this function sees it.
    if (isBufferJson(value)) return { $hex: Buffer.from(value.data).toString('hex') };
    return value;
  });
}

function isPlain(value: unknown): boolean {
  if (typeof value === 'bigint') return false;
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  if (value instanceof Uint8Array) return false;
  const fields = value as Record<string, unknown>;
  for (const name in fields) if (!isPlain(fields[name])) return false;
  return true;
}

export function parseValues<T>(text: string): T {
  if (!text.includes('"$')) return JSON.parse(text) as T;
  return JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    if ('$int' in value) return BigInt((value as { $int: string }).$int);
    if ('$hex' in value) return canonicalBytes(new Uint8Array(Buffer.from((value as { $hex: string }).$hex, 'hex')));
    return value;
  }) as T;
}

/** An integer read without rounding is a bigint; an ordinary one becomes a number again. */
export function narrowInteger(value: Value): Value {
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** `narrowInteger` for every column, in place. */
export function narrowIntegers<T extends Record<string, Value>>(row: T): T {
  for (const column in row) row[column] = narrowInteger(row[column]!) as T[typeof column];
  return row;
}

function isBufferJson(value: unknown): value is { type: 'Buffer'; data: number[] } {
  return typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'Buffer';
}
