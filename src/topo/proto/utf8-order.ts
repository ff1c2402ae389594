/** Go's order of strings: by their UTF-8 bytes, which is not JavaScript's once characters beyond U+FFFF occur. */
export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0;
  for (let at = 0; ; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left === right) continue;
    if (Number.isNaN(left) || Number.isNaN(right)) return Number.isNaN(left) ? -1 : 1;
    return utf8Rank(left) - utf8Rank(right);
  }
}

/** Puts the halves of characters beyond U+FFFF (surrogates) after every other code unit, as UTF-8 does. */
function utf8Rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
