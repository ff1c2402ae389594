import { inspect } from 'node:util';

/** A case that cannot be driven: an adapter does not know a field or a value of it. Never a pass, and never a failure. */
export class Skipped extends Error {}

/** A case whose result is not the expected one. */
export class Mismatch extends Error {}

/** One line for a value of a case or of the engine. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : inspect(value, { depth: 8, breakLength: Infinity, compact: true, sorted: false });
}

type Json = Record<string, unknown>;

/** True for a YAML mapping. */
export function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A mapping of a case, which remembers what an adapter has read of it. What nobody has read at the end is a field that the
 * adapter does not know. Every reader throws Skipped for a value of another kind than it reads.
 */
export class Fields {
  readonly path: string;
  readonly #value: Json;
  readonly #read = new Set<string>();
  readonly #inner: Fields[] = [];

  constructor(value: unknown, path: string) {
    if (!isMap(value)) throw new Skipped(`${path} is no mapping: ${shown(value)}`);
    this.path = path;
    this.#value = value;
  }

  /** The names that are there, without reading them. */
  get names(): string[] {
    return Object.keys(this.#value);
  }

  /** A field without reading it. */
  peek(name: string): unknown {
    return this.has(name) ? this.#value[name] : undefined;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#value, name);
  }

  /** A field as it is, with all that is in it: for what is compared or handed on whole. Undefined where it is missing. */
  raw(name: string): unknown {
    this.#read.add(name);
    return this.has(name) ? this.#value[name] : undefined;
  }

  #of(name: string, kind: string, good: (value: unknown) => boolean): unknown {
    const value = this.raw(name);
    if (value === undefined) throw new Skipped(`${this.path}.${name} is missing`);
    if (!good(value)) throw new Skipped(`${this.path}.${name} is no ${kind}: ${shown(value)}`);
    return value;
  }

  need(name: string): unknown {
    return this.#of(name, 'value', () => true);
  }

  str(name: string): string;
  str(name: string, missing: string): string;
  str(name: string, missing?: string): string {
    if (missing !== undefined && !this.has(name)) return missing;
    return this.#of(name, 'text', (value) => typeof value === 'string') as string;
  }

  int(name: string): number;
  int(name: string, missing: number): number;
  int(name: string, missing?: number): number {
    if (missing !== undefined && !this.has(name)) return missing;
    return this.#of(name, 'whole number', (value) => Number.isSafeInteger(value)) as number;
  }

  bool(name: string): boolean;
  bool(name: string, missing: boolean): boolean;
  bool(name: string, missing?: boolean): boolean {
    if (missing !== undefined && !this.has(name)) return missing;
    return this.#of(name, 'true or false', (value) => typeof value === 'boolean') as boolean;
  }

  list(name: string): unknown[];
  list(name: string, missing: unknown[]): unknown[];
  list(name: string, missing?: unknown[]): unknown[] {
    if (missing !== undefined && !this.has(name)) return missing;
    return this.#of(name, 'list', Array.isArray) as unknown[];
  }

  strings(name: string): string[];
  strings(name: string, missing: string[]): string[];
  strings(name: string, missing?: string[]): string[] {
    if (missing !== undefined && !this.has(name)) return missing;
    return texts(this.list(name), `${this.path}.${name}`);
  }

  /** A mapping, whose own fields are then to be read. */
  map(name: string): Fields {
    return this.#keep(new Fields(this.#of(name, 'mapping', isMap), `${this.path}.${name}`));
  }

  /** A mapping where it is there. */
  maybe(name: string): Fields | undefined {
    return this.has(name) ? this.map(name) : undefined;
  }

  /** A list of mappings, whose own fields are then to be read. */
  maps(name: string): Fields[] {
    return this.list(name).map((value, index) => this.#keep(new Fields(value, `${this.path}.${name}[${index}]`)));
  }

  /** A mapping that stands in a value already read. */
  inner(value: unknown, name: string): Fields {
    return this.#keep(new Fields(value, `${this.path}.${name}`));
  }

  #keep(fields: Fields): Fields {
    this.#inner.push(fields);
    return fields;
  }

  /** The paths of what nobody has read. */
  unread(): string[] {
    const own = this.names.filter((name) => !this.#read.has(name)).map((name) => `${this.path}.${name}`);
    return [...own, ...this.#inner.flatMap((fields) => fields.unread())];
  }
}

/** A list of texts. Throws Skipped for another. */
export function texts(value: unknown, path: string): string[] {
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) {
    throw new Skipped(`${path} is no list of texts: ${shown(value)}`);
  }
  return value as string[];
}

/** One case: where it stands, what is given, done and expected. */
export interface Case {
  id: string;
  area: string;
  /** `when.op`, read already; a list of them is joined with ` + `. */
  op: string;
  given: Fields;
  when: Fields;
  then: Fields;
}

/** Says whether the engine does what the case expects; throws Mismatch where it does not. */
export type Check = () => void | Promise<void>;

/**
 * Drives every case of an area and operation. It reads the whole case before anything is done, and throws Skipped for what it does
 * not understand.
 */
export interface Adapter {
  area: string | readonly string[];
  op: string | RegExp;
  /** Where several operations have one name: whether this is the one. Reads nothing. */
  serves?(one: Case): boolean;
  read(one: Case): Check;
}
