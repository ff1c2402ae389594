import { describe, expect, it } from 'vitest';
import { convertTz, isTimeZone } from '../../src/sql/time-zone.ts';

describe('CONVERT_TZ', () => {
  it.each([
    ['2006-01-02 15:04:05', 'US/Pacific', 'UTC', '2006-01-02 23:04:05'],
    ['2006-07-02 15:04:05', 'us/pacific', 'UTC', '2006-07-02 22:04:05'],
    ['2004-01-01 12:00:00', 'GMT', 'MET', '2004-01-01 13:00:00'],
    ['2004-01-01 12:00:00', '+00:00', '+10:00', '2004-01-01 22:00:00'],
    ['2004-01-01 12:00:00.123', '+05:30', 'UTC', '2004-01-01 06:30:00.123'],
    ['2004-12-31 23:30:00', '-01:00', 'SYSTEM', '2005-01-01 00:30:00'],
    ['2024-03-10 01:59:59', 'America/New_York', 'UTC', '2024-03-10 06:59:59'],
    // The clock goes from 2 to 3: what is between is when it did.
    ['2024-03-10 02:30:00', 'America/New_York', 'UTC', '2024-03-10 07:00:00'],
    ['2024-03-10 03:00:00', 'America/New_York', 'UTC', '2024-03-10 07:00:00'],
    // From 2 back to 1: the first of two.
    ['2024-11-03 01:30:00', 'America/New_York', 'UTC', '2024-11-03 05:30:00'],
    ['2024-11-03 02:00:00', 'America/New_York', 'UTC', '2024-11-03 07:00:00'],
    // What no TIMESTAMP can be stays as it is.
    ['1969-01-01 00:00:00', 'US/Pacific', 'UTC', '1969-01-01 00:00:00'],
    ['9999-12-31 23:59:59', 'US/Pacific', 'UTC', '9999-12-31 23:59:59'],
  ])('%s of %s in %s', (text, from, to, expected) => expect(convertTz(text, from, to)).toBe(expected));

  it.each(['Nowhere/City', '', '+15:00', '-14:00', '+1', 'US', 'a b', "x'"])('knows no zone %j', (name) => {
    expect(isTimeZone(name)).toBe(false);
    expect(convertTz('2006-01-02 15:04:05', name, 'UTC')).toBeNull();
  });

  it.each(['0000-00-00 00:00:00', '2006-00-10 00:00:00', '2006-01-02', 'x'])('makes NULL of %s', (text) => expect(convertTz(text, 'UTC', '+01:00')).toBeNull());

  it('there and back is where it began, but for an hour of the year', () => {
    for (let hour = 0; hour < 24 * 366; hour += 7) {
      const text = new Date(Date.UTC(2024, 0, 1, hour)).toISOString().slice(0, 19).replace('T', ' ');
      const there = convertTz(text, 'UTC', 'Europe/Paris')!;
      if (!text.startsWith('2024-10-27 01')) expect(convertTz(there, 'Europe/Paris', 'UTC')).toBe(text);
    }
  });
});
