import { errorText } from '../../src/lib/errors.ts';
import { type Fields, isMap, Mismatch, shown, Skipped, texts } from './fields.ts';

/** Throws Mismatch unless both are the same, whatever the order of keys. Numbers given as text are texts. */
export function same(expected: unknown, got: unknown, what: string): void {
  const where = difference(expected, got);
  if (where !== undefined) throw new Mismatch(`${what}${where}: expected ${shown(expected)}, got ${shown(got)}`);
}

/** Where two values differ first, as `.key[0]`; undefined where they do not. */
function difference(expected: unknown, got: unknown): string | undefined {
  if (Array.isArray(expected) && Array.isArray(got)) {
    if (expected.length !== got.length) return '';
    for (const [index, item] of expected.entries()) {
      const inner = difference(item, got[index]);
      if (inner !== undefined) return `[${index}]${inner}`;
    }
    return undefined;
  }
  if (isMap(expected) && isMap(got)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(got)])) {
      if (!Object.hasOwn(expected, key) || !Object.hasOwn(got, key)) return `.${key}`;
      const inner = difference(expected[key], got[key]);
      if (inner !== undefined) return `.${key}${inner}`;
    }
    return undefined;
  }
  return Object.is(expected, got) ? undefined : '';
}

/** Throws Mismatch unless all that is expected is there; the engine's value may hold more keys. */
export function subset(expected: unknown, got: unknown, what: string): void {
  if (isMap(expected) && isMap(got)) {
    for (const [key, value] of Object.entries(expected)) subset(value, got[key], `${what}.${key}`);
    return;
  }
  if (Array.isArray(expected) && Array.isArray(got) && expected.length === got.length) {
    for (const [index, value] of expected.entries()) subset(value, got[index], `${what}[${index}]`);
    return;
  }
  same(expected, got, what);
}

export function contains(part: string, got: string, what: string): void {
  if (!got.includes(part)) throw new Mismatch(`${what}: expected something with ${shown(part)}, got ${shown(got)}`);
}

/** What is expected of an error. */
export type ErrorCheck = (failure: unknown) => void;

const ERROR_FIELDS = ['error', 'error_contains', 'error_starts_with', 'error_matches', 'error_does_not_contain', 'implementation_error', 'implementation_error_contains'];

/** True if a mapping says anything of an error. */
export function saysError(then: Fields): boolean {
  return ERROR_FIELDS.some((name) => then.has(name));
}

/**
 * Reads what a mapping says of an error; undefined where it says nothing. `must` is the error's text, `null` a success, `any`
 * a failure of any wording; `implementation_error` is then the wording, which is held too.
 */
export function readError(then: Fields): ErrorCheck | undefined {
  if (!saysError(then)) return undefined;
  const checks: ((text: string) => void)[] = [];
  let needed = true;
  if (then.has('error')) {
    const error = then.raw('error');
    if (error === null) needed = false;
    else if (typeof error !== 'string') throw new Skipped(`${then.path}.error is no text: ${shown(error)}`);
    else if (error !== 'any' && error !== 'any for each') checks.push((text) => same(error, text, 'error'));
  }
  for (const name of ['implementation_error', 'error_contains', 'implementation_error_contains'] as const) {
    if (!then.has(name)) continue;
    const wanted = then.raw(name);
    const parts = typeof wanted === 'string' ? [wanted] : texts(wanted, `${then.path}.${name}`);
    for (const part of parts) {
      checks.push((text) => (name === 'implementation_error' ? same(part, text, name) : contains(part, text, name)));
    }
  }
  if (then.has('error_starts_with')) {
    const start = then.str('error_starts_with');
    checks.push((text) => same(start, text.slice(0, start.length), 'error_starts_with'));
  }
  if (then.has('error_matches')) {
    const pattern = new RegExp(then.str('error_matches'));
    checks.push((text) => {
      if (!pattern.test(text)) throw new Mismatch(`error_matches: expected ${pattern.source}, got ${shown(text)}`);
    });
  }
  if (then.has('error_does_not_contain')) {
    const wanted = then.raw('error_does_not_contain');
    const parts = typeof wanted === 'string' ? [wanted] : texts(wanted, `${then.path}.error_does_not_contain`);
    const only = checks.length === 0;
    // Alone it says only what the error is not: there may be none.
    if (only && !then.has('error')) needed = false;
    const absent = (text: string): void => {
      const found = parts.find((part) => text.includes(part));
      if (found !== undefined) throw new Mismatch(`error_does_not_contain: ${shown(found)} is in ${shown(text)}`);
    };
    if (only && !then.has('error')) return (failure) => absent(failure === undefined ? '' : errorText(failure));
    checks.push(absent);
  }
  return (failure) => {
    if (!needed) {
      if (failure !== undefined) throw new Mismatch(`error: expected none, got ${shown(errorText(failure))}`);
      return;
    }
    if (failure === undefined) throw new Mismatch('error: expected one, got none');
    for (const check of checks) check(errorText(failure));
  };
}

/** An entry of `errors` or `results` that may be a text of an error, `null`, or a mapping about an error. */
export function readErrorEntry(then: Fields, value: unknown, name: string): ErrorCheck {
  if (value === null) return (failure) => noError(failure, name);
  if (typeof value === 'string') {
    return (failure) => {
      if (failure === undefined) throw new Mismatch(`${name}: expected ${shown(value)}, got no error`);
      if (value !== 'any') same(value, errorText(failure), name);
    };
  }
  const check = readError(then.inner(value, name));
  if (check === undefined) throw new Skipped(`${then.path}.${name} says nothing of an error`);
  return check;
}

function noError(failure: unknown, what: string): void {
  if (failure !== undefined) throw new Mismatch(`${what}: expected no error, got ${shown(errorText(failure))}`);
}

/** What a call ended with: its value, or its failure. */
export interface Outcome<T> {
  value?: T;
  failure?: unknown;
}

export function outcome<T>(call: () => T): Outcome<T> {
  try {
    return { value: call() };
  } catch (failure) {
    return { failure: fatal(failure) };
  }
}

export async function outcomeOf<T>(call: () => Promise<T> | T): Promise<Outcome<T>> {
  try {
    return { value: await call() };
  } catch (failure) {
    return { failure: fatal(failure) };
  }
}

/** A mistake in an adapter or a bug of the program is no answer of the engine. */
function fatal(failure: unknown): unknown {
  if (failure instanceof Skipped || failure instanceof Mismatch) throw failure;
  if (failure instanceof TypeError || failure instanceof ReferenceError || failure instanceof RangeError || failure === undefined) throw failure;
  return failure;
}

/** The value of a call that has to succeed. */
export function succeeded<T>(result: Outcome<T>, what: string): T {
  noError(result.failure, what);
  return result.value as T;
}

/**
 * Compares each result of a list with the entry of `then.results` (or another name) that stands in its place: a value, or what
 * is to be said of an error.
 */
export function readResults<T>(then: Fields, name: string, count: number, compare: (expected: unknown, got: T, what: string) => void = same): (results: readonly Outcome<T>[]) => void {
  const expected = then.list(name);
  const checks = expected.map((value, index): ((result: Outcome<T>) => void) => {
    const what = `${name}[${index}]`;
    if (isMap(value) && Object.keys(value).length > 0 && Object.keys(value).every((key) => ERROR_FIELDS.includes(key))) {
      const check = readErrorEntry(then, value, what);
      return (result) => check(result.failure);
    }
    return (result) => compare(value, succeeded(result, what), what);
  });
  if (expected.length !== count) throw new Skipped(`${then.path}.${name} has ${expected.length} entries for ${count} inputs`);
  return (results) => {
    for (const [index, result] of results.entries()) checks[index]!(result);
  };
}
