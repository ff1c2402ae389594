/** Random records of any message, made from its table. */
import fc from 'fast-check';
import { canonicalFloat, canonicalInteger, canonicalRecord, isInteger } from '../../../src/topo/proto/canonical.ts';
import { EnumType, MessageType } from '../../../src/topo/proto/schema.ts';
import type { AnyRecord, Field, ValueType } from '../../../src/topo/proto/schema.ts';

const text = fc.oneof({ weight: 5, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) }, fc.constantFrom('0', 'false', 'null'));
const key = fc.oneof({ weight: 9, arbitrary: text }, fc.constantFrom('__proto__', 'constructor', '10', '9', '\u{1f600}', '\uffee'));

/** Records in the form memory holds. */
export function recordOf(type: MessageType): fc.Arbitrary<AnyRecord> {
  const fields = type.fields.map((field) =>
    fc.option(fieldOf(field), { nil: undefined }).map((value) => [field.name, value] as const),
  );
  return fc.tuple(...fields).map((entries) => canonicalRecord(type, new Map(entries)));
}

function fieldOf(field: Field): fc.Arbitrary<unknown> {
  const value = valueOf(field.type);
  if (field.label === 'repeated') return fc.array(value, { maxLength: 3 });
  if (field.label !== 'map') return value;
  return fc.array(fc.tuple(key, value), { maxLength: 3 }).map((entries) => Object.fromEntries(entries));
}

function valueOf(type: ValueType): fc.Arbitrary<unknown> {
  if (type instanceof MessageType) return recordOf(type);
  if (type instanceof EnumType) return fc.constantFrom(0, 1, 2, 3, 77, 257).map((number) => type.nameOf(number));
  if (type === 'string') return text;
  if (type === 'bool') return fc.boolean();
  if (type === 'bytes') return fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes).toString('base64'));
  if (isInteger(type)) {
    const wide = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n });
    const small = fc.bigInt({ min: -200n, max: 200n });
    return fc.oneof(small, wide).map((number) => canonicalInteger(type, number)).filter((held) => held !== undefined);
  }
  const floats = fc.oneof(fc.double(), fc.float(), fc.integer({ min: -1e6, max: 1e6 }).map((n) => n / 1000));
  return floats.map((number) => canonicalFloat(type, number)).filter((held) => held !== undefined);
}
