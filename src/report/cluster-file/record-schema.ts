import { z } from 'zod';
import { EnumType, type Field, MessageType, type ValueType } from '../../topo/proto/schema.ts';

/**
 * The schema of a record as vtctldclient prints it, made from the record's own table: names of the `.proto` files, any of
 * them left out or null (as it prints what is not set), enums by name in either case.
 */
export function recordSchema(type: MessageType, about: Readonly<Record<string, string>> = {}): z.ZodType {
  const shape = Object.fromEntries(type.fields.map((field) => [field.name, fieldSchema(field, about)]));
  return z.strictObject(shape);
}

function fieldSchema(field: Field, about: Readonly<Record<string, string>>): z.ZodType {
  const value = valueSchema(field.type, about);
  const whole = field.label === 'repeated' ? z.array(value) : field.label === 'map' ? z.record(z.string(), value) : value;
  const text = about[field.name];
  const schema = field.label === 'required' ? whole : whole.nullable().optional();
  return text === undefined ? schema : schema.describe(text);
}

function valueSchema(type: ValueType, about: Readonly<Record<string, string>>): z.ZodType {
  if (type instanceof MessageType) return recordSchema(type, about);
  if (type instanceof EnumType) return z.union([z.enum(type.valueNames as [string, ...string[]]), z.int().min(0)], { error: `has to be one of ${type.valueNames.join(', ')}` });
  switch (type) {
    case 'bool':
      return z.boolean();
    case 'int32':
    case 'uint32':
      return z.int();
    case 'float':
    case 'double':
      return z.number();
    case 'string':
    case 'bytes':
      return z.string();
    default:
      // 64-bit integers are printed in quotes.
      return z.union([z.string(), z.int()], { error: 'has to be a whole number' });
  }
}
