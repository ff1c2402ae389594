/**
 * Reads protobuf's text format, of any layout: what a stream's `source` column holds, ours or Go's (whose spacing
 * varies on purpose).
 *
 * Vitess: google.golang.org/protobuf/encoding/prototext.Unmarshal.
 */
import { plainError } from '../../lib/errors.ts';
import { canonicalFloat, canonicalInteger, canonicalRecord, describeType, isInteger } from './canonical.ts';
import { PrototextScanner } from './prototext-scanner.ts';
import { EnumType, MessageType } from './schema.ts';
import type { AnyRecord, Field, Scalar, ValueType } from './schema.ts';

/**
 * The record that a prototext describes.
 *
 * @throws a plain error, with line and column, for bad syntax, an unknown field, a repeated single field or a value
 * of the wrong type
 */
export function parsePrototext<T extends object>(type: MessageType<T>, text: string): T {
  const scanner = new PrototextScanner(text);
  // Every value has been checked against the table, whose names are those of the interface.
  return parseMessage(type, scanner, '') as T;
}

function parseMessage(type: MessageType, scanner: PrototextScanner, close: string): AnyRecord {
  const values = new Map<string, unknown>();
  while (!scanner.takeEnd(close)) {
    const start = scanner.offset;
    const name = scanner.takeName();
    const field = fieldOf(type, name);
    if (field === undefined) throw plainError(`proto: ${scanner.place(start)}: unknown field: ${name}`);
    const colon = scanner.take(':');
    if (!colon && !(field.type instanceof MessageType || field.label === 'map')) scanner.fail("missing ':'");
    if (values.has(field.name) && field.label !== 'repeated' && field.label !== 'map') {
      throw plainError(`proto: ${scanner.place(start)}: non-repeated field ${JSON.stringify(name)} is repeated`);
    }
    values.set(field.name, parseField(field, scanner, values.get(field.name)));
    if (!scanner.take(',')) scanner.take(';');
  }
  return canonicalRecord(type, values);
}

/** Prototext knows the names of the `.proto` file only. */
function fieldOf(type: MessageType, name: string): Field | undefined {
  const field = type.fieldNamed(name);
  return field?.name === name ? field : undefined;
}

function parseField(field: Field, scanner: PrototextScanner, before: unknown): unknown {
  if (field.label === 'repeated') {
    // Added to, not copied: a stream's source has one rule per table.
    const list = (before ?? []) as unknown[];
    list.push(...parseOneOrMore(scanner, () => parseValue(field.type, scanner)));
    return list;
  }
  if (field.label === 'map') {
    const entries = parseOneOrMore(scanner, () => parseEntry(field.type, scanner));
    return Object.fromEntries([...Object.entries((before ?? {}) as AnyRecord), ...entries]);
  }
  return parseValue(field.type, scanner);
}

/** One value, or several in brackets. */
function parseOneOrMore<V>(scanner: PrototextScanner, parse: () => V): V[] {
  if (!scanner.take('[')) return [parse()];
  const items: V[] = [];
  while (!scanner.take(']')) {
    if (items.length > 0 && !scanner.take(',')) scanner.fail("missing ',' in a list");
    items.push(parse());
  }
  return items;
}

/** A map's entry is written as a message of a key and a value. */
function parseEntry(type: ValueType, scanner: PrototextScanner): [string, unknown] {
  const entry = parseMessage(entryType(type), scanner, scanner.takeOpen()) as { key: string; value: unknown };
  return [entry.key, entry.value];
}

const entryTypes = new Map<ValueType, MessageType>();

function entryType(type: ValueType): MessageType {
  const known = entryTypes.get(type);
  if (known !== undefined) return known;
  const made = new MessageType<{ key: string; value: unknown }>('map entry', [
    ['key', 1, { label: 'required', type: 'string' }],
    ['value', 2, { label: 'required', type }],
  ]);
  entryTypes.set(type, made);
  return made;
}

function parseValue(type: ValueType, scanner: PrototextScanner): unknown {
  if (type instanceof MessageType) return parseMessage(type, scanner, scanner.takeOpen());
  if (type === 'string') return scanner.takeString().toString('utf8');
  if (type === 'bytes') return scanner.takeString().toString('base64');
  const start = scanner.offset;
  const word = scanner.takeWord();
  const value = type instanceof EnumType ? enumValue(type, word) : scalarValue(type, word);
  if (value === undefined) throw plainError(`proto: ${scanner.place(start)}: want ${describeType(type)}, got ${word}`);
  return value;
}

function enumValue(type: EnumType, word: string): string | number | undefined {
  const number = type.numberOf(word) ?? scalarValue('int32', word);
  return typeof number === 'number' ? type.nameOf(number) : undefined;
}

function scalarValue(type: Scalar, word: string): unknown {
  if (type === 'bool') return BOOLEANS.get(word);
  if (isInteger(type)) return INTEGER.test(word) ? canonicalInteger(type, integerOf(word)) : undefined;
  const number = floatOf(word.toLowerCase());
  return number === undefined ? undefined : canonicalFloat(type as 'float' | 'double', number);
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'True', 't', '1'].map((word) => [word, true] as const),
  ...['false', 'False', 'f', '0'].map((word) => [word, false] as const),
]);

const INTEGER = /^-?(0|[1-9]\d*|0[xX][\da-fA-F]+|0[0-7]+)$/;

function integerOf(word: string): bigint {
  const digits = word.replace(/^-/, '').replace(/^0(?=[0-7])/, '0o');
  return word.startsWith('-') ? -BigInt(digits) : BigInt(digits);
}

function floatOf(word: string): number | undefined {
  if (word === 'nan') return Number.NaN;
  const infinite = /^(-?)inf(inity)?f?$/.exec(word);
  if (infinite) return infinite[1] === '-' ? -Infinity : Infinity;
  return /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?f?$/.test(word) ? Number(word.replace(/f$/, '')) : undefined;
}
