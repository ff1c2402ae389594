/** LIKE: `%` any text, `_` one character, an escape character (backslash unless said). */

interface PatternPart {
  kind: 'any' | 'one' | 'text';
  text: string;
}

/** A pattern's parts, escapes resolved. */
function partsOf(pattern: string, escape: string): PatternPart[] {
  const parts: PatternPart[] = [];
  const characters = [...pattern];
  for (let i = 0; i < characters.length; i += 1) {
    const char = characters[i] ?? '';
    if (char === escape && i + 1 < characters.length) {
      i += 1;
      parts.push({ kind: 'text', text: characters[i] ?? '' });
    } else parts.push({ kind: char === '%' ? 'any' : char === '_' ? 'one' : 'text', text: char });
  }
  return parts;
}

/** Whether a text matches; ASCII letters of either case are equal unless `exact`. */
export function matchesLike(text: string, pattern: string, escape: string, exact: boolean): boolean {
  const source = partsOf(pattern, escape)
    .map((part) => {
      if (part.kind !== 'text') return part.kind === 'any' ? '[^]*' : '[^]';
      const literal = part.text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
      return !exact && /[a-z]/i.test(part.text) ? `[${part.text.toLowerCase()}${part.text.toUpperCase()}]` : literal;
    })
    .join('');
  return new RegExp(`^${source}$`, 'u').test(text);
}

/** The same pattern for SQLite's GLOB, which tells cases apart. */
export function globOf(pattern: string, escape: string): string {
  return partsOf(pattern, escape)
    .map((part) => {
      if (part.kind !== 'text') return part.kind === 'any' ? '*' : '?';
      return '*?['.includes(part.text) ? `[${part.text}]` : part.text;
    })
    .join('');
}
