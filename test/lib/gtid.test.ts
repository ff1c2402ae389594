import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../src/lib/errors.ts';
import {
  EMPTY_POSITION,
  type Position,
  addTransaction,
  formatGtidSet,
  formatPosition,
  isEmptyPosition,
  parsePosition,
  parseServerUuid,
  positionAtLeast,
  positionsEqual,
} from '../../src/lib/gtid.ts';

const A = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const B = '00010203-0405-0607-0809-0a0b0c0d0e0f';

describe('reading and printing', () => {
  it.each([
    [`MySQL56/${A}:1-5`, `${A}:1-5`],
    [`${A}:1-5`, `${A}:1-5`],
    [`${A}:7`, `${A}:7`],
    [`${A}:7-7`, `${A}:7`],
    [`MySQL56/${A.toUpperCase()}:1-5`, `${A}:1-5`],
    [`${A}:1-5,${B}:3`, `${B}:3,${A}:1-5`],
    [`${A}:1-5, \n ${B}:3,`, `${B}:3,${A}:1-5`],
    [`${A}:10-20:1-5`, `${A}:1-5:10-20`],
    [`${A}:1-5,${A}:10-20`, `${A}:1-5:10-20`],
    [`${A}:1-5:6-9:8-12`, `${A}:1-12`],
    [`${A}:5-3:7`, `${A}:7`],
    [`${A}:5-3`, ''],
    ['MySQL56/', ''],
    ['', ''],
  ])('%s', (text, set) => {
    const position = parsePosition(text);
    expect(formatGtidSet(position)).toBe(set);
    expect(formatPosition(position)).toBe(set === '' ? '' : `MySQL56/${set}`);
    expect(isEmptyPosition(position)).toBe(set === '');
  });

  it.each([
    [`foo/${A}:1`, 'parse error: unknown GTIDSet flavor "foo"'],
    [A, `invalid MySQL 5.6 GTID set ("${A}"): expected uuid:interval`],
    ['x:1', 'invalid MySQL 5.6 GTID set ("x:1"): invalid MySQL 5.6 SID "x"'],
    [
      `z${A.slice(1)}:1`,
      `invalid MySQL 5.6 GTID set ("z${A.slice(1)}:1"): invalid MySQL 5.6 SID "z${A.slice(1)}": encoding/hex: invalid byte: U+007A 'z'`,
    ],
    [
      `${A}:a`,
      `invalid MySQL 5.6 GTID set ("${A}:a"): invalid interval ("a"): strconv.ParseUint: parsing "a": invalid syntax`,
    ],
    [
      `${A}:1-b`,
      `invalid MySQL 5.6 GTID set ("${A}:1-b"): invalid interval ("1-b"): strconv.ParseUint: parsing "b": invalid syntax`,
    ],
    [`${A}:0-5`, `invalid MySQL 5.6 GTID set ("${A}:0-5"): invalid interval ("0-5"): start must be > 0`],
  ])('refuses %s', (text, message) => {
    expect(() => parsePosition(text)).toThrow(expect.objectContaining({ message: message }));
  });

  it('gives the same object for the same text', () => {
    const text = `MySQL56/${A}:1-99`;
    expect(parsePosition(text)).toBe(parsePosition(text));
  });

  it('reads thousands of positions, each right', () => {
    for (let n = 2; n < 2000; n++) expect(formatGtidSet(parsePosition(`${A}:1-${n}`))).toBe(`${A}:1-${n}`);
  });

  it('lower-cases a server', () => {
    expect(parseServerUuid(A.toUpperCase())).toBe(A);
  });
});

describe('adding', () => {
  const add = (text: string, uuid: string, n: number): string =>
    formatGtidSet(addTransaction(parsePosition(text), uuid, n));

  it.each([
    ['', A, 1, `${A}:1`],
    [`${A}:1-5`, A, 6, `${A}:1-6`],
    [`${A}:1-5`, A, 7, `${A}:1-5:7`],
    [`${A}:1-5:7`, A, 6, `${A}:1-7`],
    [`${A}:3-5`, A, 2, `${A}:2-5`],
    [`${A}:3-5`, A, 1, `${A}:1:3-5`],
    [`${A}:1-5`, B, 1, `${B}:1,${A}:1-5`],
    [`${B}:1,${A}:1-5`, A, 6, `${B}:1,${A}:1-6`],
  ])('%s + %s:%d', (text, uuid, n, wanted) => {
    expect(add(text, uuid, n)).toBe(wanted);
  });

  it('leaves the old position alone, and gives it back when nothing is new', () => {
    const before = parsePosition(`${A}:1-5`);
    const after = addTransaction(before, A, 6);
    expect(formatGtidSet(before)).toBe(`${A}:1-5`);
    expect(addTransaction(after, A, 3)).toBe(after);
    const two = addTransaction(after, B, 1);
    expect(addTransaction(two, A, 3)).toBe(two);
  });

  it.each([0, -1, 1.5, NaN])('refuses %d', (n) => {
    expect(() => addTransaction(EMPTY_POSITION, A, n)).toThrow(InvariantError);
  });
});

describe('as sets of transactions', () => {
  const transactions = fc.array(fc.tuple(fc.constantFrom(A, B), fc.integer({ min: 1, max: 30 })), { maxLength: 40 });
  const build = (all: [string, number][]): Position =>
    all.reduce((position, [uuid, n]) => addTransaction(position, uuid, n), EMPTY_POSITION);
  const asSet = (all: [string, number][]): Set<string> => new Set(all.map(([uuid, n]) => `${uuid}:${n}`));

  it('order of adding does not matter, and text keeps everything', () => {
    fc.assert(
      fc.property(transactions, (all) => {
        const position = build(all);
        expect(positionsEqual(build(all.toReversed()), position)).toBe(true);
        expect(positionsEqual(parsePosition(formatPosition(position)), position)).toBe(true);
        expect(formatGtidSet(parsePosition(formatGtidSet(position)))).toBe(formatGtidSet(position));
      }),
    );
  });

  it('at least means contains', () => {
    fc.assert(
      fc.property(transactions, transactions, fc.boolean(), (some, others, extend) => {
        const left = extend ? [...some, ...others] : some;
        const a = build(left);
        const b = build(others);
        const have = asSet(left);
        const contained = [...asSet(others)].every((one) => have.has(one));
        expect(positionAtLeast(a, b)).toBe(contained);
        expect(positionsEqual(a, b)).toBe(contained && have.size === asSet(others).size);
      }),
    );
  });

  it('everything is at least the empty position', () => {
    expect(positionAtLeast(EMPTY_POSITION, EMPTY_POSITION)).toBe(true);
    expect(positionAtLeast(EMPTY_POSITION, parsePosition(`${A}:1`))).toBe(false);
    expect(positionAtLeast(parsePosition(`${A}:1`), EMPTY_POSITION)).toBe(true);
  });
});
