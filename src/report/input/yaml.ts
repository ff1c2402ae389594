import { type Document, isAlias, isMap, isPair, isScalar, isSeq, Lexer, type Node, parseDocument } from 'yaml';
import { FileError, type Place } from './place.ts';
import { type PlainYaml, readPlainYaml } from './plain-yaml.ts';

/** A key or an index on the way from the top of a file to a value. */
export type PathPart = string | number;

/** A YAML file as plain values, which knows where each of them stands. */
export interface YamlFile {
  readonly file: string;
  readonly value: unknown;
  /** Where the value at this path stands, or the nearest one above it. */
  placeOf(path: readonly PathPart[]): Place;
  /** Where the key at the end of this path stands. */
  placeOfKey(path: readonly PathPart[]): Place;
}

/** Nobody writes more by hand; a file of a few lines can hold billions of values by naming one again and again. */
const MOST_VALUES = 100_000;
const DEEPEST = 64;

/**
 * Reads one YAML document. Throws FileError with line and column for bad syntax, a key given twice, a tag, a value that
 * contains itself, a number that would lose digits, and for files made to exhaust the reader.
 */
export function readYaml(file: string, text: string): YamlFile {
  const plain = readPlainYaml(text);
  if (plain === undefined) return readAnyYaml(file, text);
  const at = placeIn(file, text);
  return { file, value: plain.value, placeOf: (path) => at(plainStart(plain, path)), placeOfKey: (path) => at(plainKeyStart(plain, path)) };
}

/** As `readYaml`, by the library that knows all of YAML. */
export function readAnyYaml(file: string, text: string): YamlFile {
  const at = placeIn(file, text);
  refuseHostile(file, text);
  // The parser compares each key with all others, for hours in a file of many: that is done below. It passes over a second
  // document when it is told to be silent.
  const document = parseDocument(text, { uniqueKeys: false, stringKeys: true, logLevel: 'error', prettyErrors: false });
  const [wrong] = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  if (wrong !== undefined) throw new FileError(at(wrong.pos[0]), syntaxProblem(wrong.code, wrong.message));
  const start = (node: unknown): number => (node as Node | null)?.range?.[0] ?? 0;
  const value = new Plain(document, (node, problem) => new FileError(at(start(node)), problem)).of(document.contents);
  return {
    file,
    value,
    placeOf: (path) => at(start(nodeAt(document, path))),
    placeOfKey: (path) => at(start(keyAt(document, path))),
  };
}

function placeIn(file: string, text: string): (offset: number) => Place {
  return (offset) => {
    const before = text.slice(0, offset);
    return { file, line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
  };
}

const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]/;
/** `- - - ...`: each opens a list in the last one. */
const LISTS_IN_A_ROW = new RegExp(`^[ \\t]*(?:[-?][ \\t]+){${DEEPEST + 1}}`, 'm');

/** What the parser would let pass, or take minutes over: characters that are not text, and nesting without end. */
function refuseHostile(file: string, text: string): void {
  const refuse = (offset: number, problem: string): FileError => {
    const before = text.slice(0, offset).split('\n');
    return new FileError({ file, line: before.length, column: before.at(-1)!.length + 1 }, problem);
  };
  const control = CONTROL.exec(text);
  if (control !== null) throw refuse(control.index, `holds a control character (U+${control[0].charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()})`);
  const row = LISTS_IN_A_ROW.exec(text);
  if (row !== null) throw refuse(row.index, `nested deeper than ${DEEPEST} levels`);
  const brackets = (text.match(/[[{]/g) ?? []).length;
  const deep = brackets > DEEPEST ? deepBracket(text) : undefined;
  if (deep !== undefined) throw refuse(deep, `nested deeper than ${DEEPEST} levels`);
}

/** Where the first bracket stands that opens one level too many; those in texts do not count. */
function deepBracket(text: string): number | undefined {
  let [depth, offset] = [0, 0];
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    if (depth > DEEPEST) return offset;
    // Some tokens only mark a place: they are control characters, of which the text has none.
    if (!CONTROL.test(token)) offset += token.length;
  }
  return undefined;
}

/** What the parser says, in words for somebody who did not write a parser. */
function syntaxProblem(code: string, message: string): string {
  switch (code) {
    case 'MULTIPLE_DOCS':
      return 'one document a file; remove the "---"';
    case 'TAG_RESOLVE_FAILED':
      return 'tags (!name) are not used here; remove it';
    case 'NON_STRING_KEY':
      return 'keys are plain words; put this one in quotes';
    case 'RESOURCE_EXHAUSTION':
      return `nested deeper than ${DEEPEST} levels`;
    default:
      return `bad YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
  }
}

type Complain = (node: unknown, problem: string) => FileError;

/** Turns nodes into plain values within bounds. */
class Plain {
  readonly #document: Document;
  readonly #complain: Complain;
  readonly #open = new Set<unknown>();
  #count = 0;

  constructor(document: Document, complain: Complain) {
    this.#document = document;
    this.#complain = complain;
  }

  of(node: unknown): unknown {
    if (++this.#count > MOST_VALUES) throw this.#complain(node, `more than ${MOST_VALUES} values`);
    if (isScalar(node)) return this.#scalar(node);
    if (isAlias(node)) return this.#alias(node);
    if (!isMap(node) && !isSeq(node)) return null;
    if (node.tag !== undefined && !['tag:yaml.org,2002:map', 'tag:yaml.org,2002:seq'].includes(node.tag)) {
      throw this.#complain(node, 'tags (!name) are not used here; remove it');
    }
    if (this.#open.has(node)) throw this.#complain(node, 'this value contains itself');
    if (this.#open.size >= DEEPEST) throw this.#complain(node, `nested deeper than ${DEEPEST} levels`);
    this.#open.add(node);
    const value = isMap(node) ? this.#map(node.items) : node.items.map((item) => this.of(item));
    this.#open.delete(node);
    return value;
  }

  #alias(node: { source: string; resolve: (document: Document) => unknown }): unknown {
    const target = node.resolve(this.#document);
    if (target === undefined) throw this.#complain(node, `there is no anchor &${node.source} before this`);
    return this.of(target);
  }

  #map(items: readonly unknown[]): Record<string, unknown> {
    // Without a prototype, so that a key such as __proto__ is a key like any other.
    const map = Object.create(null) as Record<string, unknown>;
    for (const pair of items) {
      if (!isPair(pair)) continue;
      const key = isScalar(pair.key) ? String(pair.key.value) : undefined;
      if (key === undefined) throw this.#complain(pair.key, 'keys are plain words');
      if (Object.hasOwn(map, key)) throw this.#complain(pair.key, 'this key was given before in the same map');
      map[key] = this.of(pair.value);
    }
    return map;
  }

  #scalar(node: { value: unknown; tag?: string; source?: string }): unknown {
    const { value, tag, source } = node;
    if (tag !== undefined && !tag.startsWith('tag:yaml.org,2002:')) throw this.#complain(node, 'tags (!name) are not used here; remove it');
    if (value instanceof Uint8Array || value instanceof Date) throw this.#complain(node, 'tags (!name) are not used here; remove it');
    if (typeof value === 'bigint') return this.#large(node, String(value));
    if (typeof value !== 'number') return value ?? null;
    if (!Number.isFinite(value)) throw this.#complain(node, `${source ?? value} is not a number that can be used here`);
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) return this.#large(node, source ?? String(value));
    return value;
  }

  #large(node: unknown, text: string): never {
    throw this.#complain(node, `${text.slice(0, 40)} is too large to be kept exactly; put it in quotes`);
  }
}

/** Where the value at a path begins, or the deepest one above it that there is. */
function plainStart({ value, places }: PlainYaml, path: readonly PathPart[]): number {
  let { start, values } = places.get(value)!;
  let inside = value;
  for (const part of path) {
    const key = Array.isArray(inside) ? Number(part) : part;
    const found = values.get(key);
    if (found === undefined) break;
    start = found;
    inside = (inside as Record<string | number, unknown>)[key];
    values = places.get(inside)?.values ?? new Map();
  }
  return start;
}

function plainKeyStart(plain: PlainYaml, path: readonly PathPart[]): number {
  let inside = plain.value;
  for (const part of path.slice(0, -1)) inside = (inside as Record<string | number, unknown> | undefined)?.[part];
  return plain.places.get(inside)?.keys.get(path.at(-1) ?? '') ?? plainStart(plain, path);
}

/** The node at a path, or the deepest one above it that there is. */
function nodeAt(document: Document, path: readonly PathPart[]): unknown {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (node !== undefined && node !== null) return node;
  }
  return document.contents;
}

function keyAt(document: Document, path: readonly PathPart[]): unknown {
  const parent = path.length <= 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return nodeAt(document, path);
  const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === path.at(-1));
  return pair?.key ?? nodeAt(document, path);
}
