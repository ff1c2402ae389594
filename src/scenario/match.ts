/**
 * Compares what a scenario expects with what is there, as trees: of a map only the keys named have to be there, a list is
 * compared entry by entry, `null` is "nothing there". A map made of operators alone is a test of the value itself.
 */

/** Where two trees part. */
export interface Mismatch {
  path: string;
  expected: string;
  actual: string;
}

type Test = (argument: unknown, actual: unknown, path: string) => Mismatch[];

/** What may stand in place of a value. */
export const OPERATORS: Readonly<Record<string, { about: string; test: Test }>> = {
  contains: {
    about: 'a text that holds this; a list that has an entry like this',
    test: (wanted, actual, path) => check(containsAll(actual, wanted), path, `contains ${show(wanted)}`, actual),
  },
  lacks: {
    about: 'the opposite of contains',
    test: (wanted, actual, path) => check(!containsAny(actual, wanted), path, `lacks ${show(wanted)}`, actual),
  },
  matches: {
    about: 'a text that matches this regular expression',
    test: (wanted, actual, path) => check(typeof actual === 'string' && new RegExp(String(wanted), 'm').test(actual), path, `matches ${show(wanted)}`, actual),
  },
  min: {
    about: 'a number not below this',
    test: (wanted, actual, path) => check(isNumeric(actual) && Number(actual) >= Number(wanted), path, `${String(wanted)} or more`, actual),
  },
  max: {
    about: 'a number not above this',
    test: (wanted, actual, path) => check(isNumeric(actual) && Number(actual) <= Number(wanted), path, `${String(wanted)} or less`, actual),
  },
  not: {
    about: 'anything but this',
    test: (wanted, actual, path) => check(matchTree(wanted, actual, path).length > 0, path, `not ${show(wanted)}`, actual),
  },
  count: {
    about: 'a list of so many entries',
    test: (wanted, actual, path) => matchTree(wanted, Array.isArray(actual) ? actual.length : undefined, `${path} (count)`),
  },
  any: {
    about: 'a list of which one entry is like this',
    test: (wanted, actual, path) => check(entries(actual).some((entry) => fits(wanted, entry)), path, `an entry like ${show(wanted)}`, actual),
  },
  all: {
    about: 'a list of which every entry is like this',
    test: (wanted, actual, path) => entries(actual).flatMap((entry, index) => matchTree(wanted, entry, `${path}[${index}]`)),
  },
  none: {
    about: 'a list of which no entry is like this',
    test: (wanted, actual, path) => check(!entries(actual).some((entry) => fits(wanted, entry)), path, `no entry like ${show(wanted)}`, actual),
  },
  unordered: {
    about: 'a list of these entries, in any order',
    test: (wanted, actual, path) => check(sameInAnyOrder(entries(wanted), entries(actual)), path, `in any order ${show(wanted)}`, actual),
  },
};

/** Everything in which `actual` is not what is expected. */
export function matchTree(expected: unknown, actual: unknown, path: string): Mismatch[] {
  if (isMap(expected)) return matchMap(expected, actual, path);
  if (Array.isArray(expected)) return matchList(expected, actual, path);
  if (expected === null) return check(actual === null || actual === undefined, path, 'nothing there', actual);
  const same = typeof expected === 'string' ? actual !== null && typeof actual !== 'object' && expected === String(actual) : expected === actual;
  return check(same, path, show(expected), actual);
}

function matchMap(expected: Record<string, unknown>, actual: unknown, path: string): Mismatch[] {
  const keys = Object.keys(expected);
  // A record may have a field of an operator's name: then it is the field that is meant.
  const isTest = keys.length > 0 && keys.every((key) => Object.hasOwn(OPERATORS, key) && !(isMap(actual) && Object.hasOwn(actual, key)));
  if (isTest) return keys.flatMap((key) => OPERATORS[key]!.test(expected[key], actual, path));
  if (!isMap(actual)) return check(false, path, show(expected), actual);
  return keys.flatMap((key) => matchTree(expected[key], actual[key], path === '' ? key : `${path}.${key}`));
}

function matchList(expected: readonly unknown[], actual: unknown, path: string): Mismatch[] {
  if (!Array.isArray(actual)) return check(false, path, show(expected), actual);
  if (expected.length !== actual.length) return check(false, path, show(expected), actual);
  return expected.flatMap((entry, index) => matchTree(entry, actual[index], `${path}[${index}]`));
}

function check(good: boolean, path: string, expected: string, actual: unknown): Mismatch[] {
  return good ? [] : [{ path, expected, actual: show(actual) }];
}

function fits(expected: unknown, actual: unknown): boolean {
  return matchTree(expected, actual, '').length === 0;
}

function containsAll(actual: unknown, wanted: unknown): boolean {
  const all = Array.isArray(wanted) ? wanted : [wanted];
  if (typeof actual === 'string') return all.every((part) => actual.includes(String(part)));
  return Array.isArray(actual) && all.every((part) => actual.some((entry) => fits(part, entry)));
}

function containsAny(actual: unknown, wanted: unknown): boolean {
  const all = Array.isArray(wanted) ? wanted : [wanted];
  return all.some((part) => containsAll(actual, [part]));
}

function sameInAnyOrder(expected: readonly unknown[], actual: readonly unknown[]): boolean {
  if (expected.length !== actual.length) return false;
  const left = [...actual];
  return expected.every((entry) => {
    const index = left.findIndex((candidate) => fits(entry, candidate));
    if (index >= 0) left.splice(index, 1);
    return index >= 0;
  });
}

function entries(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isNumeric(value: unknown): boolean {
  return (typeof value === 'number' || (typeof value === 'string' && value.trim() !== '')) && Number.isFinite(Number(value));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value on one line, cut where it is long. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return 'nothing there';
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 300 ? `${text.slice(0, 297)}...` : text;
}
