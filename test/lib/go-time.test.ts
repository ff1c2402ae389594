import { describe, expect, it } from 'vitest';
import {
  compactTimestamp,
  formatAnsic,
  formatRfc3339,
  formatRfc3339Nano,
  formatRfc822,
} from '../../src/lib/go-time.ts';

const at = (text: string): number => Date.parse(text);

describe('instants as Go prints them', () => {
  it('RFC822', () => {
    expect(formatRfc822(at('2026-03-27T23:29:59.999Z'))).toBe('27 Mar 26 23:29 UTC');
    expect(formatRfc822(at('2009-01-02T03:04:05Z'))).toBe('02 Jan 09 03:04 UTC');
  });

  it('RFC3339, whatever the fraction', () => {
    expect(formatRfc3339(at('2026-03-27T19:29:27Z'))).toBe('2026-03-27T19:29:27Z');
    expect(formatRfc3339(at('2026-03-27T19:29:27.999Z'))).toBe('2026-03-27T19:29:27Z');
  });

  it('RFC3339Nano, without trailing zeros', () => {
    expect(formatRfc3339Nano(at('2026-03-27T19:29:27Z'))).toBe('2026-03-27T19:29:27Z');
    expect(formatRfc3339Nano(at('2026-03-27T19:29:27.500Z'))).toBe('2026-03-27T19:29:27.5Z');
    expect(formatRfc3339Nano(at('2026-03-27T19:29:27.007Z'))).toBe('2026-03-27T19:29:27.007Z');
    expect(formatRfc3339Nano(1000.25)).toBe('1970-01-01T00:00:01.00025Z');
  });

  it('ANSIC, the day padded with a space', () => {
    expect(formatAnsic(at('2025-10-30T13:05:02Z'))).toBe('Thu Oct 30 13:05:02 2025');
    expect(formatAnsic(at('2026-06-01T00:00:00Z'))).toBe('Mon Jun  1 00:00:00 2026');
  });

  it('the number MySQL makes of it', () => {
    expect(compactTimestamp(at('2026-03-27T19:29:27.900Z'))).toBe(20260327192927);
    expect(compactTimestamp(at('2026-01-02T03:04:05Z'))).toBe(20260102030405);
  });
});
