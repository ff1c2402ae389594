/**
 * Records as one line of protobuf's text format, as Go prints them: fields in declaration order with one
 * space between, map entries sorted by key, defaults left out. It is what streams keep in their `source` column and
 * what error texts and `GetTopologyPath` show of a record.
 *
 * Vitess calls google.golang.org/protobuf/encoding/prototext and disables its random extra spaces.
 */
import { floatValue, integerText, textFloat } from './number-text.ts';
import { EnumType, MessageType, isDefault } from './schema.ts';
import type { AnyRecord, Field, Scalar, ValueType } from './schema.ts';
import { compareUtf8 } from './utf8-order.ts';

/** A record as one line of prototext; an empty text for an empty or unset one. */
export function prototext<T extends object>(type: MessageType<T>, value: NoInfer<T> | null | undefined): string {
  return messageText(type, value ?? {});
}

function messageText(type: MessageType, value: object): string {
  const record = value as AnyRecord;
  const parts: string[] = [];
  for (const field of type.fields) {
    const held = record[field.name];
    if (!isDefault(field, held)) parts.push(...fieldTexts(field, held));
  }
  return parts.join(' ');
}

/** One text per occurrence: a list and a map have one for each element. */
function fieldTexts(field: Field, value: unknown): string[] {
  const { name, type } = field;
  if (field.label === 'repeated') {
    return (value as readonly unknown[]).map((item) => `${name}:${valueText(type, item)}`);
  }
  if (field.label === 'map') {
    const map = value as AnyRecord;
    const keys = Object.keys(map).toSorted(compareUtf8);
    return keys.map((key) => `${name}:{key:${quoteString(key)} value:${valueText(type, map[key])}}`);
  }
  return [`${name}:${valueText(type, value)}`];
}

function valueText(type: ValueType, value: unknown): string {
  if (type instanceof MessageType) return `{${messageText(type, (value ?? {}) as object)}}`;
  if (type instanceof EnumType) return String(type.nameOf(type.numberIn(value)));
  return scalarText(type, value);
}

function scalarText(type: Scalar, value: unknown): string {
  switch (type) {
    case 'string':
      return quoteString(String(value));
    case 'bytes':
      return quote(Buffer.from(String(value), 'base64'));
    case 'bool':
      return String(value === true);
    case 'float':
      return textFloat(floatValue(value), 32);
    case 'double':
      return textFloat(floatValue(value), 64);
    default:
      return integerText(value);
  }
}

/** Nothing in it needs an escape. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quoteString(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : quote(Buffer.from(text));
}

/** The characters of valid UTF-8, or else single bytes, in text where each byte is one character. */
const RUNES =
  /[^\x80-\xff]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g;

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** A string or bytes field in quotes; bytes that are not UTF-8 and control characters are escaped. */
function quote(bytes: Buffer): string {
  const escaped = bytes.toString('latin1').replaceAll(RUNES, (rune) => {
    if (rune.length > 1) return escapeWide(Buffer.from(rune, 'latin1').toString('utf8'));
    const short = SHORT_ESCAPES[rune];
    if (short !== undefined) return short;
    return rune >= ' ' && rune < '\x7f' ? rune : `\\x${hex(rune, 2)}`;
  });
  return `"${escaped}"`;
}

/** Of the characters beyond ASCII only the control characters up to U+009F are escaped. */
function escapeWide(rune: string): string {
  return rune <= '\u009f' ? `\\u${hex(rune, 4)}` : rune;
}

function hex(char: string, width: number): string {
  return char.charCodeAt(0).toString(16).padStart(width, '0');
}
