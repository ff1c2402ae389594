import { parseCsvValue } from '../lib/go-csv.ts';
import { parseDuration } from '../lib/duration.ts';
import { InvariantError, plainError } from '../lib/errors.ts';
import { parseGoBool, parseGoFloat32, parseGoInt } from './go-numbers.ts';
import type { FlagKind, Flags, FlagSpec } from './spec.ts';
import { findTabletType, type TabletType } from '../lib/names.ts';

/** A flag's value: durations are milliseconds, tablet types are names. */
export type FlagValue = boolean | string | number | readonly string[] | readonly TabletType[];

/**
 * Reads one occurrence of a flag. `before` is what earlier occurrences gave: lists of strings grow, everything
 * else is replaced.
 *
 * @throws VtError (plain) with the reason in Go's words
 */
export function readFlagValue(spec: FlagSpec, text: string, before: FlagValue | undefined): FlagValue {
  switch (spec.kind) {
    case 'bool':
      return parseGoBool(text);
    case 'string':
      if (spec.choices !== undefined && !spec.choices.includes(text)) {
        throw plainError(`must be one of ${spec.choices.join(', ')}`);
      }
      return text;
    case 'strings':
      return [...(Array.isArray(before) ? before : []), ...(spec.raw === true ? [text] : parseCsvValue(text))];
    case 'duration':
      return parseDuration(text);
    case 'tablet-types':
      return text === '' ? [] : text.split(',').map(readTabletType);
    case 'tablet-type':
      return [readTabletType(text)];
    case 'int':
      return parseGoInt(text);
    case 'float':
      return parseGoFloat32(text);
  }
}

function readTabletType(word: string): TabletType {
  const type = findTabletType(word);
  if (type === undefined) throw plainError(`unknown TabletType ${word}`);
  return type;
}

/** The flags of one command line: what the command accepts, what was given. */
export class FlagValues implements Flags {
  readonly #specs: ReadonlyMap<string, FlagSpec>;
  readonly #given: ReadonlyMap<string, FlagValue>;

  constructor(specs: ReadonlyMap<string, FlagSpec>, given: ReadonlyMap<string, FlagValue>) {
    this.#specs = specs;
    this.#given = given;
  }

  given(name: string): boolean {
    this.#spec(name);
    return this.#given.has(name);
  }

  bool(name: string): boolean {
    return (this.#value(name, 'bool') ?? false) as boolean;
  }

  str(name: string): string {
    return (this.#value(name, 'string') ?? '') as string;
  }

  strings(name: string): readonly string[] {
    return (this.#value(name, 'strings') ?? []) as readonly string[];
  }

  duration(name: string): number {
    const value = this.#value(name, 'duration') ?? 0;
    return typeof value === 'string' ? parseDuration(value) : (value as number);
  }

  tabletTypes(name: string): readonly TabletType[] {
    return (this.#value(name, 'tablet-types', 'tablet-type') ?? []) as readonly TabletType[];
  }

  int(name: string): number {
    return (this.#value(name, 'int') ?? 0) as number;
  }

  float(name: string): number {
    return (this.#value(name, 'float') ?? 0) as number;
  }

  #spec(name: string): FlagSpec {
    const spec = this.#specs.get(name);
    if (spec === undefined) throw new InvariantError(`this command has no flag --${name}`);
    return spec;
  }

  #value(name: string, ...kinds: FlagKind[]): FlagValue | undefined {
    const spec = this.#spec(name);
    if (!kinds.includes(spec.kind)) throw new InvariantError(`flag --${name} is a ${spec.kind}, not a ${kinds[0]}`);
    return this.#given.get(name) ?? spec.default;
  }
}
