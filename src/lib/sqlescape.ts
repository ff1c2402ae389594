/** Names of SQL in backticks, with the error texts of Vitess's own functions. Vitess: go/sqlescape/ids.go. */
import { plainError } from './errors.ts';

/** A name in backticks; a backtick inside it is doubled. */
export function escapeId(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** A name without its backticks, if it has any. Throws `UnescapeID err: …` for one that is empty or half escaped. */
export function unescapeId(text: string): string {
  if (text === '' || text === '``' || text === '`') throw plainError(`UnescapeID err: invalid input identifier '${text}'`);
  const [first, last] = [text.startsWith('`'), text.endsWith('`')];
  if (first !== last) {
    throw plainError(`UnescapeID err: unexpected single backtick at position ${first ? 0 : Buffer.byteLength(text)} in '${text}'`);
  }
  if (!first) {
    if (text.includes('`')) throw plainError(`UnescapeID err: no outer backticks found in the identifier '${text}'`);
    return text;
  }
  const inner = text.slice(1, -1);
  const odd = oddBacktick(inner);
  if (odd !== undefined) {
    throw plainError(`UnescapeID err: unexpected single backtick at position ${Buffer.byteLength(inner.slice(0, odd))} in '${inner}'`);
  }
  return inner.replaceAll('``', '`');
}

/** A name in backticks, however it was written. Throws as `unescapeId`. */
export function ensureEscaped(text: string): string {
  return escapeId(unescapeId(text));
}

/** Where a backtick stands alone; one at the very end passes, as it does in Vitess. */
function oddBacktick(inner: string): number | undefined {
  for (let i = 0; i < inner.length - 1; i++) {
    if (inner[i] !== '`') continue;
    if (inner[i + 1] !== '`') return i;
    i++;
  }
  return undefined;
}

/** `keyspace.table`, each part with or without backticks; the keyspace is empty for a table alone. */
export function splitQualified(text: string): { keyspace: string; table: string } {
  const [, keyspace = '', table = text] = /^(`(?:[^`]|``)*`|[^.`]*)\.(.*)$/s.exec(text) ?? [];
  const plain = (part: string): string => (/^`(?:[^`]|``)+`$/.test(part) ? unescapeId(part) : part);
  return { keyspace: plain(keyspace), table: plain(table) };
}
