/**
 * The vocabulary of the record tables: messages, enums and the types of their fields. One table per message
 * serves every form a record takes (JSON of both kinds, prototext, and at an edge the binary form).
 *
 * Fields stand in the order of the `.proto` file, which is the order Go prints them in and not always that
 * of their numbers.
 */
import { InvariantError } from '../../lib/errors.ts';

/** The protobuf scalar types that occur in Vitess's records. */
export type Scalar =
  | 'string'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'uint32'
  | 'uint64'
  | 'sint64'
  | 'float'
  | 'double'
  | 'bytes';

/** A message's record without its interface: field names to values in the protojson form. */
export type AnyRecord = Readonly<Record<string, unknown>>;

/** A protobuf enum. Where two names share a number the first one declared is the one printed. */
export class EnumType {
  readonly name: string;
  private readonly numbers: ReadonlyMap<string, number>;
  private readonly names: ReadonlyMap<number, string>;

  constructor(name: string, values: readonly (readonly [name: string, number: number])[]) {
    this.name = name;
    this.numbers = new Map(values);
    this.names = new Map(values.map(([text, number]) => [number, text] as const).reverse());
  }

  /** Every name, aliases too, in the order they were declared. */
  get valueNames(): readonly string[] {
    return [...this.numbers.keys()];
  }

  /** The number of a name (aliases too), or undefined for a name the enum does not have. */
  numberOf(name: string): number | undefined {
    return this.numbers.get(name);
  }

  /** The printed name of a number; the number itself where it has none, as protobuf prints it. */
  nameOf(number: number): string | number {
    return this.names.get(number) ?? number;
  }

  /** The number of a value as records hold it: a name, or a number without a name. Unset is 0. */
  numberIn(value: unknown): number {
    if (value === undefined || value === null) return 0;
    const number = typeof value === 'string' ? this.numberOf(value) : value;
    if (typeof number !== 'number') throw new InvariantError(`${this.name} has no value ${String(value)}`);
    return number;
  }
}

/** The type of one value: of the field itself, of a list's elements or of a map's values. */
export type ValueType = Scalar | EnumType | MessageType<object>;

/**
 * How a field holds its value:
 * - `single`: one value; a scalar's default counts as unset and may be missing in memory;
 * - `required`: the same on every wire, but always present in memory, so that code may rely on it;
 * - `optional`: explicit presence, so that a default differs from unset;
 * - `repeated`: a list; `map`: an object keyed by strings (no record has other keys).
 */
export type Label = 'single' | 'required' | 'optional' | 'repeated' | 'map';

/** A field's type as a table writes it; a bare value type is a `single` one. */
export type FieldType = ValueType | { readonly label: Exclude<Label, 'single'>; readonly type: ValueType };

/** One line of a table. */
export type FieldSpec<T> = readonly [name: keyof T & string, number: number, type: FieldType];

/** One field, ready for use. */
export interface Field {
  /** The name in the `.proto` file, which is also the name in memory. */
  readonly name: string;
  /** The camelCase name protojson reads as well. */
  readonly jsonName: string;
  readonly number: number;
  readonly label: Label;
  readonly type: ValueType;
}

/** A list field. */
export function repeated(type: ValueType): FieldType {
  return { label: 'repeated', type };
}

/** A map field with string keys. */
export function mapOf(type: ValueType): FieldType {
  return { label: 'map', type };
}

/** A field with explicit presence. */
export function optional(type: ValueType): FieldType {
  return { label: 'optional', type };
}

/** A field that is present in memory even when it holds its default. */
export function required(type: ValueType): FieldType {
  return { label: 'required', type };
}

/** A message: its full name and its fields in declaration order. `T` is the interface of its record. */
export class MessageType<T extends object = object> {
  readonly name: string;
  /** Exists for the compiler alone: ties a table to the interface of its records. */
  declare readonly record: T;
  private readonly specs: readonly (readonly [name: string, number: number, type: FieldType])[];
  private listed: readonly Field[] | undefined;
  private indexed: ReadonlyMap<string, Field> | undefined;

  constructor(name: string, specs: readonly FieldSpec<T>[]) {
    this.name = name;
    this.specs = specs;
  }

  /** The fields in declaration order. */
  get fields(): readonly Field[] {
    return (this.listed ??= this.specs.map(toField));
  }

  /** The field of this `.proto` or JSON name. */
  fieldNamed(name: string): Field | undefined {
    return this.index().get(name);
  }

  private index(): ReadonlyMap<string, Field> {
    // The .proto names come last: where both kinds of name collide they win.
    return (this.indexed ??= new Map([
      ...this.fields.map((field) => [field.jsonName, field] as const),
      ...this.fields.map((field) => [field.name, field] as const),
    ]));
  }
}

/** Declares a message; without an interface of its own its records are of any shape. */
export function message<T extends object = AnyRecord>(
  name: string,
  specs: readonly FieldSpec<NoInfer<T>>[],
): MessageType<T> {
  return new MessageType(name, specs);
}

/** Declares an enum; see EnumType. */
export function enumType(name: string, values: readonly (readonly [string, number])[]): EnumType {
  return new EnumType(name, values);
}

function toField([name, number, spec]: readonly [string, number, FieldType]): Field {
  const labelled = typeof spec === 'object' && 'label' in spec;
  return {
    name,
    jsonName: jsonNameOf(name),
    number,
    label: labelled ? spec.label : 'single',
    type: labelled ? spec.type : spec,
  };
}

/** protobuf's JSON name: each underscore goes and the letter after it becomes upper case. */
export function jsonNameOf(name: string): string {
  return name.replaceAll(/_([a-z]?)/g, (_, letter: string) => letter.toUpperCase());
}

/** True for a value that a record may hold for "not set". */
export function isUnset(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/**
 * True if the wire would not carry this field: not set, an empty list or map, or (without explicit
 * presence) a scalar's default. A message that is set is carried even when empty.
 */
export function isDefault(field: Field, value: unknown): boolean {
  if (isUnset(value)) return true;
  if (field.label === 'repeated') return (value as readonly unknown[]).length === 0;
  if (field.label === 'map') return Object.keys(value as object).length === 0;
  if (field.label === 'optional' || field.type instanceof MessageType) return false;
  if (field.type instanceof EnumType) return field.type.numberIn(value) === 0;
  return isScalarDefault(field.type, value);
}

function isScalarDefault(type: Scalar, value: unknown): boolean {
  if (type === 'string' || type === 'bytes') return value === '';
  return type === 'bool' ? value === false : value === 0 || value === '0' || value === 0n;
}
