/**
 * Records as JSON in the two ways vtctldclient prints them.
 *
 * Vitess: go/cmd/vtctldclient/cli/json.go: a proto message goes through protojson, a list or map of
 * messages through Go's own encoding/json, and the two disagree on almost everything. Neither prints
 * fields that the tables do not know.
 */
import { InvariantError, plainError } from '../../lib/errors.ts';
import { floatValue, integerText, jsonFloat } from './number-text.ts';
import { EnumType, MessageType, isDefault, isUnset } from './schema.ts';
import type { AnyRecord, Field, Scalar, ValueType } from './schema.ts';
import { compareUtf8 } from './utf8-order.ts';

/** What the two encoders differ in. */
interface Style {
  /** Print fields that hold their default. */
  readonly emitDefaults: boolean;
  readonly enumText: (type: EnumType, number: number) => string;
  readonly int64Text: (digits: string) => string;
  readonly floatText: (value: number, bits: 32 | 64) => string;
  readonly quote: (text: string) => string;
  /** Print a message missing from a list or map as `null` rather than as an empty one. */
  readonly nullElements: boolean;
  readonly oneLine: boolean;
}

/** How `protojson` prints. */
export interface ProtojsonOptions {
  /** Leave out fields that hold their default (`--compact`). */
  readonly compact?: boolean;
  /** Everything on one line, without spaces. */
  readonly oneLine?: boolean;
}

/**
 * A record as protojson: names of the `.proto` file in its order, every field (absent messages as `null`;
 * fields with explicit presence only when set), enums by name, 64-bit integers in quotes, two-space indent.
 * Unset as a whole, it is an empty message. No line feed at the end.
 */
export function protojson<T extends object>(
  type: MessageType<T>,
  value: NoInfer<T> | null | undefined,
  options: ProtojsonOptions = {},
): string {
  const style: Style = {
    ...PROTOJSON,
    emitDefaults: options.compact !== true,
    oneLine: options.oneLine === true,
  };
  return messageText(type, value ?? {}, style, '');
}

/**
 * What `goJson` prints: a message, a list or map of one shape, or `plain`: JavaScript values as they are
 * (an object is a Go struct and keeps its order, a Map is a Go map and is sorted).
 */
export type GoShape = MessageType | { readonly list: GoShape } | { readonly map: GoShape } | 'plain';

/** How `goJson` prints. */
export interface GoJsonOptions {
  /** As Go's `json.Marshal`, which a few commands use: one line, without spaces. */
  readonly oneLine?: boolean;
}

/**
 * A value as Go's encoding/json prints it: fields that hold their default left out, enums and 64-bit
 * integers as bare numbers, `<`, `>` and `&` escaped, map keys sorted, two-space indent. A missing value (Go's
 * nil) is `null`, at the top as inside. No line feed at the end.
 *
 * @throws a plain error for a float that JSON cannot say, as Go does
 */
export function goJson(shape: GoShape, value: unknown, options: GoJsonOptions = {}): string {
  return shapeText(shape, value, { ...GO_JSON, oneLine: options.oneLine === true }, '');
}

const PROTOJSON: Style = {
  emitDefaults: true,
  enumText: (type, number) => {
    const name = type.nameOf(number);
    return typeof name === 'string' ? `"${name}"` : String(name);
  },
  int64Text: (digits) => `"${digits}"`,
  floatText: (value, bits) => (Number.isFinite(value) ? jsonFloat(value, bits) : `"${String(value)}"`),
  quote: (text) => JSON.stringify(text.toWellFormed()),
  nullElements: false,
  oneLine: false,
};

const GO_JSON: Style = {
  emitDefaults: false,
  enumText: (_, number) => String(number),
  int64Text: (digits) => digits,
  floatText: (value, bits) => {
    if (Number.isFinite(value)) return jsonFloat(value, bits);
    throw plainError(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`);
  },
  quote: htmlSafe,
  nullElements: true,
  oneLine: false,
};

/** Go's encoding/json makes every string safe to stand inside HTML and JavaScript. */
function htmlSafe(text: string): string {
  const quoted = JSON.stringify(text.toWellFormed());
  return quoted.replaceAll(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function shapeText(shape: GoShape, value: unknown, style: Style, pad: string): string {
  if (shape === 'plain') return plainText(value, style, pad);
  if (isUnset(value)) return 'null';
  if (shape instanceof MessageType) return messageText(shape, value as object, style, pad);
  const inner = `${pad}  `;
  if ('list' in shape) {
    const items = (value as readonly unknown[]).map((item) => shapeText(shape.list, item, style, inner));
    return block('[]', items, style, pad);
  }
  return mapText(value as AnyRecord, (item) => shapeText(shape.map, item, style, inner), style, pad);
}

function plainText(value: unknown, style: Style, pad: string): string {
  if (isUnset(value)) return 'null';
  if (typeof value === 'string') return style.quote(value);
  if (typeof value === 'number') return style.floatText(value, 64);
  if (typeof value !== 'object') return String(value);
  const inner = (item: unknown): string => plainText(item, style, `${pad}  `);
  if (Array.isArray(value)) return block('[]', value.map(inner), style, pad);
  if (value instanceof Map) return mapText(Object.fromEntries(value) as AnyRecord, inner, style, pad);
  const members = Object.entries(value).filter(([, item]) => item !== undefined);
  return block(
    '{}',
    members.map(([key, item]) => member(key, inner(item), style)),
    style,
    pad,
  );
}

function messageText(type: MessageType, value: object, style: Style, pad: string): string {
  const record = value as AnyRecord;
  const members: string[] = [];
  for (const field of type.fields) {
    const held = record[field.name];
    if (field.label === 'optional' ? isUnset(held) : !style.emitDefaults && isDefault(field, held)) continue;
    members.push(member(field.name, fieldText(field, held, style, `${pad}  `), style));
  }
  return block('{}', members, style, pad);
}

function fieldText(field: Field, value: unknown, style: Style, pad: string): string {
  const inner = `${pad}  `;
  if (field.label === 'repeated') {
    const items = ((value ?? []) as readonly unknown[]).map((item) => elementText(field.type, item, style, inner));
    return block('[]', items, style, pad);
  }
  if (field.label === 'map') {
    return mapText((value ?? {}) as AnyRecord, (item) => elementText(field.type, item, style, inner), style, pad);
  }
  if (field.type instanceof MessageType && isUnset(value)) return 'null';
  return elementText(field.type, value, style, pad);
}

function elementText(type: ValueType, value: unknown, style: Style, pad: string): string {
  if (type instanceof MessageType) {
    if (isUnset(value) && style.nullElements) return 'null';
    return messageText(type, (value ?? {}) as object, style, pad);
  }
  if (type instanceof EnumType) return style.enumText(type, type.numberIn(value));
  return scalarText(type, value, style);
}

function scalarText(type: Scalar, value: unknown, style: Style): string {
  switch (type) {
    case 'string':
      return style.quote(expectString(value ?? ''));
    case 'bytes':
      return `"${expectString(value ?? '')}"`;
    case 'bool':
      return value === true ? 'true' : 'false';
    case 'float':
      return style.floatText(floatValue(value ?? 0), 32);
    case 'double':
      return style.floatText(floatValue(value ?? 0), 64);
    case 'int32':
    case 'uint32':
      return integerText(value ?? 0);
    default:
      return style.int64Text(integerText(value ?? 0));
  }
}

function expectString(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new InvariantError(`not a string: ${String(value)}`);
}

function mapText(map: AnyRecord, itemText: (item: unknown) => string, style: Style, pad: string): string {
  const keys = Object.keys(map).toSorted(compareUtf8);
  return block(
    '{}',
    keys.map((key) => member(key, itemText(map[key]), style)),
    style,
    pad,
  );
}

function member(name: string, text: string, style: Style): string {
  return `${style.quote(name)}:${style.oneLine ? '' : ' '}${text}`;
}

function block(brackets: '{}' | '[]', items: readonly string[], style: Style, pad: string): string {
  if (items.length === 0) return brackets;
  const [open, close] = [brackets.charAt(0), brackets.charAt(1)];
  if (style.oneLine) return open + items.join(',') + close;
  const inner = `\n${pad}  `;
  return `${open}${inner}${items.join(`,${inner}`)}\n${pad}${close}`;
}
