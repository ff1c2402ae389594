import { describe, expect, it } from 'vitest';
import { parseUuid } from '../../src/lib/uuid.ts';
import { formatDateTime, parseDateTime } from '../../src/lib/go-time.ts';

const UUID = 'c9b0f0e2-5d2f-4b3b-9f5f-2f2f1f3e4d5a';

describe('a UUID', () => {
  it.each([UUID, UUID.toUpperCase(), `urn:uuid:${UUID}`, `URN:UUID:${UUID}`, `{${UUID}}`, UUID.replaceAll('-', '')])('%s', (text) => {
    expect(parseUuid(text)).toBe(UUID);
  });

  it.each([
    ['abc', 'invalid UUID length: 3'],
    ['', 'invalid UUID length: 0'],
    ['é', 'invalid UUID length: 2'],
    [`${UUID}0`, 'invalid UUID length: 37'],
    [`urn:uuix:${UUID}`, 'invalid urn prefix: "urn:uuix:"'],
    [UUID.replace('c', 'g'), 'invalid UUID format'],
    [UUID.replaceAll('-', '0'), 'invalid UUID format'],
    ['z'.repeat(32), 'invalid UUID format'],
  ])('%s is none', (text, why) => {
    expect(() => parseUuid(text)).toThrow(why);
  });
});

it('a time is read as it is written', () => {
  expect(formatDateTime(Date.UTC(2026, 2, 7, 1, 2, 3, 999))).toBe('2026-03-07 01:02:03');
  expect(parseDateTime('2026-03-07 01:02:03')).toBe(Date.UTC(2026, 2, 7, 1, 2, 3));
  expect([parseDateTime(''), parseDateTime('2026-03-07')]).toEqual([Number.NaN, Number.NaN]);
});
