/** Patterns over names with slashes, as shells and build tools write them. */

/** True if a text has any of the characters that make a pattern. */
export function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}

/**
 * Matches whole names: `?` is one character and `*` any number of them, both within one part of the name; `**` goes over
 * slashes too, and `**` followed by a slash may also stand for nothing. Everything else stands for itself.
 */
export function globMatcher(pattern: string): (name: string) => boolean {
  if (!isGlob(pattern)) return (name) => name === pattern;
  const source = pattern.replace(/\*\*\/|\*{2,}|\*|\?|[^*?]+/g, (piece) => PIECES[piece] ?? wildOrLiteral(piece));
  const expression = new RegExp(`^${source}$`, 's');
  return (name) => expression.test(name);
}

const PIECES: Readonly<Record<string, string>> = { '**/': '(?:.*/)?', '*': '[^/]*', '?': '[^/]' };

function wildOrLiteral(piece: string): string {
  return piece.startsWith('*') ? '.*' : piece.replace(/[\\^$.|+()[\]{}]/g, '\\$&');
}
