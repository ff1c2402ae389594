/** The one form in which records are kept in memory, whatever they were read from. */
import { shortest } from './number-text.ts';
import { EnumType, MessageType, isDefault } from './schema.ts';
import type { AnyRecord, Scalar, ValueType } from './schema.ts';

/** The integer types and the values they hold: least, greatest. */
const RANGES = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  sint64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
} as const;

/** The integer types among the scalars. */
export type IntegerType = keyof typeof RANGES;

/** True for the integer types. */
export function isInteger(type: Scalar): type is IntegerType {
  return Object.hasOwn(RANGES, type);
}

/** An integer as memory holds it (64-bit ones as text), or undefined if the type cannot hold it. */
export function canonicalInteger(type: IntegerType, value: bigint): number | string | undefined {
  const [least, greatest] = RANGES[type];
  if (value < least || value > greatest) return undefined;
  return type === 'int32' || type === 'uint32' ? Number(value) : value.toString();
}

/**
 * A float as memory holds it: rounded to its width; what JSON has no number for as protojson's words.
 * Undefined for a finite number beyond the type's range.
 */
export function canonicalFloat(type: 'float' | 'double', value: number): number | string | undefined {
  const held = shortest(value, type === 'float' ? 32 : 64);
  if (Number.isFinite(held)) return held === 0 ? 0 : held;
  return Number.isFinite(value) ? undefined : String(held);
}

/**
 * A record of these field values: fields in declaration order, those holding their default left out unless
 * the table says they are always present; `extra` (fields the table does not know) at the end.
 */
export function canonicalRecord(
  type: MessageType,
  values: ReadonlyMap<string, unknown>,
  extra: readonly (readonly [name: string, value: unknown])[] = [],
): AnyRecord {
  const members: (readonly [string, unknown])[] = [];
  for (const field of type.fields) {
    const value = values.get(field.name);
    if (field.label === 'required') members.push([field.name, value ?? defaultOf(field.type)]);
    else if (!isDefault(field, value)) members.push([field.name, value]);
  }
  // fromEntries, unlike assignment, makes a key `__proto__` an ordinary one.
  return Object.fromEntries([...members, ...extra]);
}

/** The value an absent field of this type stands for. */
function defaultOf(type: ValueType): unknown {
  if (type instanceof MessageType) return canonicalRecord(type, new Map());
  if (type instanceof EnumType) return type.nameOf(0);
  if (type === 'bool') return false;
  if (type === 'string' || type === 'bytes') return '';
  return type.endsWith('64') ? '0' : 0;
}

/** What a field's values are called in error texts. */
export function describeType(type: ValueType): string {
  if (type instanceof MessageType) return 'an object';
  if (type instanceof EnumType) return `a name of ${type.name}`;
  if (type === 'string') return 'a string';
  if (type === 'bool') return 'true or false';
  if (type === 'bytes') return 'a base64 string';
  return type === 'float' || type === 'double' ? `a number (${type})` : `an integer (${type})`;
}
