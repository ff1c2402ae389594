import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantError, errorVerbose } from '../../src/lib/errors.ts';
import { formatDuration, parseDuration } from '../../src/lib/duration.ts';

const DAY = 86_400_000;

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['0s', 0],
    ['5s', 5000],
    ['+5s', 5000],
    ['5.s', 5000],
    ['.5s', 500],
    ['-.5s', -500],
    ['1h', 3_600_000],
    ['1.5h', 5_400_000],
    ['1m30s', 90_000],
    ['1s1s', 2000],
    ['100ms', 100],
    ['1us', 0.001],
    ['1µs', 0.001],
    ['1μs', 0.001],
    ['1ns', 0.000001],
    ['0.1ns', 0],
    ['1.123456789s', 1123.456789],
    ['1.0000000000000000000001s', 1000],
    ['876000h', 36_500 * DAY],
    ['2562047h47m16.854775807s', 9_223_372_036_854.775],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    ['', 'time: invalid duration ""'],
    ['abc', 'time: invalid duration "abc"'],
    ['.', 'time: invalid duration "."'],
    ['-', 'time: invalid duration "-"'],
    ['.s', 'time: invalid duration ".s"'],
    [' 1s', 'time: invalid duration " 1s"'],
    ['é', 'time: invalid duration "\\xc3\\xa9"'],
    ['30', 'time: missing unit in duration "30"'],
    ['00', 'time: missing unit in duration "00"'],
    ['1s2', 'time: missing unit in duration "1s2"'],
    ['5x', 'time: unknown unit "x" in duration "5x"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['1 s', 'time: unknown unit " s" in duration "1 s"'],
    ['5"s', 'time: unknown unit "\\"s" in duration "5\\"s"'],
    ['1constructor', 'time: unknown unit "constructor" in duration "1constructor"'],
    ['3000000h', 'time: invalid duration "3000000h"'],
    ['9223372036854775808ns', 'time: invalid duration "9223372036854775808ns"'],
    ['99999999999999999999x', 'time: invalid duration "99999999999999999999x"'],
  ])('refuses %j', (text, message) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ message: message }));
  });

  it('takes the most negative duration, which has no counterpart', () => {
    expect(parseDuration('-9223372036854775808ns')).toBeLessThan(-9.2e12);
  });

  it('throws errors without a code', () => {
    let caught: unknown;
    try {
      parseDuration('30');
    } catch (error) {
      caught = error;
    }
    expect(errorVerbose(caught)).toBe('time: missing unit in duration "30"');
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [-0, '0s'],
    [0.000001, '1ns'],
    [0.0011, '1.1µs'],
    [1.5, '1.5ms'],
    [100, '100ms'],
    [1000, '1s'],
    [1500, '1.5s'],
    [-1500, '-1.5s'],
    [60_000, '1m0s'],
    [90_000, '1m30s'],
    [245_001, '4m5.001s'],
    [3_600_000, '1h0m0s'],
    [18_367_001, '5h6m7.001s'],
    [DAY, '24h0m0s'],
    [Infinity, '2562047h47m16.854775807s'],
  ])('%d', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('refuses what is no number', () => {
    expect(() => formatDuration(NaN)).toThrow(InvariantError);
  });

  it('is undone by parseDuration for whole milliseconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: -9_000_000_000_000, max: 9_000_000_000_000 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});
