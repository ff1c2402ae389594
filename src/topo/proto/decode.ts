/**
 * Records from JSON that a person or another program wrote: either naming, enums by name or number, numbers in
 * quotes or not, as protojson reads them. What comes out is the form of `types.ts`.
 */
import { plainError } from '../../lib/errors.ts';
import { canonicalFloat, canonicalInteger, canonicalRecord, describeType, isInteger } from './canonical.ts';
import type { IntegerType } from './canonical.ts';
import { EnumType, MessageType } from './schema.ts';
import type { AnyRecord, Field, Scalar, ValueType } from './schema.ts';

/** How to take what the tables do not know. */
export interface DecodeOptions {
  /** Fields: carried along (the default), left out (as Vitess does), or an error. */
  readonly unknownFields?: 'keep' | 'drop' | 'refuse';
  /** Enum names: an error (the default), or taken as not set (as Vitess does). */
  readonly unknownEnums?: 'refuse' | 'drop';
  /** Told the path of every unknown field and enum name that is kept or dropped, as `tables["t"].pined`. */
  readonly onUnknown?: (path: string) => void;
}

/**
 * The record that a JSON value describes.
 *
 * Vitess: go/json2.UnmarshalPB.
 * @throws a plain error of one line that names the field's path, what was wanted and what was found
 */
export function fromProtojson<T extends object>(type: MessageType<T>, json: unknown, options: DecodeOptions = {}): T {
  // The table and the interface hold the same names and every value has been checked against the table.
  return decodeMessage(type, json, '', options) as T;
}

/** What decoding a dropped enum name gives; its field, element or entry is left out. */
const DROPPED = Symbol('dropped');

function decodeMessage(type: MessageType, json: unknown, path: string, options: DecodeOptions): AnyRecord {
  if (!isObject(json)) throw mismatch(path || type.name, 'an object', json);
  const values = new Map<string, unknown>();
  const extra: [string, unknown][] = [];
  for (const [name, held] of Object.entries(json)) {
    const field = type.fieldNamed(name);
    const at = path === '' ? name : `${path}.${name}`;
    if (field === undefined) takeUnknown(extra, name, held, at, options);
    else if (values.has(field.name)) throw plainError(`${at}: the field ${field.name} is given twice`);
    else if (held !== null) values.set(field.name, decodeField(field, held, at, options));
  }
  return canonicalRecord(type, withoutDropped(values), extra);
}

function takeUnknown(
  extra: [string, unknown][],
  name: string,
  value: unknown,
  path: string,
  options: DecodeOptions,
): void {
  if (options.unknownFields === 'refuse') throw plainError(`${path}: there is no such field`);
  options.onUnknown?.(path);
  if (options.unknownFields !== 'drop') extra.push([name, value]);
}

function decodeField(field: Field, json: unknown, path: string, options: DecodeOptions): unknown {
  if (field.label === 'repeated') {
    if (!Array.isArray(json)) throw mismatch(path, 'a list', json);
    return json
      .map((item, at) => decodeValue(field.type, item, `${path}[${at}]`, options))
      .filter((item) => item !== DROPPED);
  }
  if (field.label === 'map') {
    if (!isObject(json)) throw mismatch(path, 'an object', json);
    const entries = Object.entries(json).map(
      ([key, item]) => [key, decodeValue(field.type, item, `${path}[${JSON.stringify(key)}]`, options)] as const,
    );
    return Object.fromEntries(withoutDropped(new Map(entries)));
  }
  return decodeValue(field.type, json, path, options);
}

function withoutDropped(values: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  return new Map([...values].filter(([, value]) => value !== DROPPED));
}

function decodeValue(type: ValueType, json: unknown, path: string, options: DecodeOptions): unknown {
  if (type instanceof MessageType) return decodeMessage(type, json, path, options);
  if (type instanceof EnumType) return decodeEnum(type, json, path, options);
  const value = decodeScalar(type, json, path);
  if (value === undefined) throw mismatch(path, describeType(type), json);
  return value;
}

function decodeEnum(type: EnumType, json: unknown, path: string, options: DecodeOptions): unknown {
  if (typeof json === 'string') {
    const number = type.numberOf(json);
    if (number !== undefined) return type.nameOf(number);
    if (options.unknownEnums !== 'drop') throw mismatch(path, describeType(type), json);
    options.onUnknown?.(path);
    return DROPPED;
  }
  const number = typeof json === 'number' ? decodeInteger('int32', json, path) : undefined;
  if (typeof number !== 'number') throw mismatch(path, describeType(type), json);
  return type.nameOf(number);
}

/** The value in memory, or undefined if the JSON is none of this type. */
function decodeScalar(type: Scalar, json: unknown, path: string): unknown {
  if (type === 'string') return typeof json === 'string' ? json : undefined;
  if (type === 'bool') return typeof json === 'boolean' ? json : undefined;
  if (type === 'bytes') return decodeBytes(json);
  if (isInteger(type)) return decodeInteger(type, json, path);
  const number = decodeNumber(json);
  return number === undefined ? undefined : canonicalFloat(type, number);
}

function decodeInteger(type: IntegerType, json: unknown, path: string): number | string | undefined {
  if (typeof json === 'string' && /^-?(0|[1-9]\d*)$/.test(json)) return canonicalInteger(type, BigInt(json));
  const number = decodeNumber(json);
  if (number === undefined || !Number.isInteger(number)) return undefined;
  if (!Number.isSafeInteger(number)) {
    throw plainError(`${path}: put a number this large in quotes, or its last digits are lost`);
  }
  return canonicalInteger(type, BigInt(number));
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** A JSON number, the same in quotes, or one of protojson's words for what JSON cannot say. */
function decodeNumber(json: unknown): number | undefined {
  if (typeof json === 'number') return json;
  if (typeof json !== 'string') return undefined;
  const word = json === 'NaN' || json === 'Infinity' || json === '-Infinity';
  return word || NUMBER.test(json) ? Number(json) : undefined;
}

/** Standard or URL-safe base64, padded or not. */
function decodeBytes(json: unknown): string | undefined {
  if (typeof json !== 'string' || !/^([A-Za-z\d+/]*|[\w-]*)={0,2}$/.test(json)) return undefined;
  const digits = json.replace(/=+$/, '').length;
  if (digits % 4 === 1 || (json.length !== digits && json.length % 4 !== 0)) return undefined;
  return Buffer.from(json, 'base64').toString('base64');
}

function isObject(json: unknown): json is AnyRecord {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function mismatch(path: string, wanted: string, found: unknown): Error {
  return plainError(`${path}: want ${wanted}, got ${describe(found)}`);
}

/** A found value in a few words; long ones are cut. */
function describe(json: unknown): string {
  if (json === null || json === undefined) return 'null';
  if (Array.isArray(json)) return 'a list';
  if (typeof json === 'object') return 'an object';
  const text = JSON.stringify(json);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
