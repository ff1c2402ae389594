import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idToHex } from '../../src/lib/key-range.ts';
import { unicodeLooseKey } from '../../src/vindex/unicode-loose.ts';

const key = (text: string): string => idToHex(unicodeLooseKey(Buffer.from(text)));

describe('unicodeLooseKey', () => {
  // The first ones from Vitess's tests, the others computed with golang.org/x/text/collate (Und, Loose).
  it.each([
    ['Test', '1816164c17f31816'],
    ['B\u00e9st', '1605164c17f31816'],
    [' Test', '01091816164c17f31816'],
    ['Test\t', '1816164c17f318160100'],
    ['T\u00e9stLooong', '1816164c17f318161711177117711771174f1691'],
    ['T', '1816'],
    ['Äpfel', '15ef17961684164c1711'],
    ['straße', '17f3181617bd15ef17f317f3164c'],
    ['ßœæøłđþı', '17f317f31771164c15ef164c17711711163118c416d1'],
    ['Москва', '1a541a771a9d1a2819ad1991'],
    ['й', '1a1f'],
    ['и\u0306', '1a1f'],
    ['Ελλάδα', '192e193919391929192d1929'],
    ['שלום', '1c5c1c531c4d1c54'],
    ['اسم', '1c9c1ce31d27'],
    ['日本語', '8165e581672c818a9e'],
    ['𠀀', '840000'],
    ['東京タワー', '816771814eac32cb32e813eb'],
    ['한국어', '316831d43235315631e13232316131d8'],
    ['col·lecció', '161d177117111711164c161d161d16cd1771'],
    ['½ € £ ₿', '14e704ac14e801091407010913f001098520bf'],
    ['😀🚀', '129712e3'],
    ['ＦＵＬＬ', '1684183617111711'],
    ['ﬁ', '168416cd'],
    ['—“x”', '011601f1187b01f2'],
    ['中', '814e2d'],
    ['\u00a0', '0109'],
    ['\u0000a\u007f\u200b', '15ef'],
    ['a   ', '15ef'],
    ['   ', ''],
    ['', ''],
  ])('%j', (text, hex) => {
    expect(key(text)).toBe(hex);
  });

  it('does not care for case, accents or form of ASCII and Latin letters', () => {
    const letter = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789_-.@');
    const mark = fc.constantFrom('', '\u0300', '\u0301', '\u0308', '\u0327');
    fc.assert(
      fc.property(fc.array(fc.tuple(letter, mark)), (parts) => {
        const plain = parts.map(([char]) => char).join('');
        const marked = parts.map(([char, accent]) => char + accent).join('');
        expect(key(marked)).toBe(key(plain));
        expect(key(marked.normalize('NFC'))).toBe(key(plain));
        expect(key(plain.toUpperCase())).toBe(key(plain));
      }),
    );
  });

  it('refuses a script whose weights it does not know', () => {
    expect(() => key('สวัสดี')).toThrow('no collation weight is known here for the character "ส" (U+0E2A)');
  });
});
