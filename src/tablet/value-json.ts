import { canonicalBytes, type Value } from '../sql/value.ts';

/** Values as JSON. JSON has no bytes and no integers past 2^53: both are tagged. */
export function stringifyValues(data: unknown): string {
  return JSON.stringify(data, (_key, value: unknown) => {
    if (typeof value === 'bigint') return { $int: String(value) };
    if (value instanceof Uint8Array) return { $hex: Buffer.from(value).toString('hex') };
    // A Buffer's own toJSON runs before this function sees it.
    if (isBufferJson(value)) return { $hex: Buffer.from(value.data).toString('hex') };
    return value;
  });
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

/** Integers read without rounding are bigint; the ordinary ones become numbers again. */
export function narrowIntegers<T extends Record<string, Value>>(row: T): T {
  for (const column in row) {
    const value: Value = row[column]!;
    if (typeof value === 'bigint' && value >= -9007199254740991n && value <= 9007199254740991n) {
      row[column] = Number(value) as T[typeof column];
    }
  }
  return row;
}

function isBufferJson(value: unknown): value is { type: 'Buffer'; data: number[] } {
  return typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'Buffer';
}
