import { plainError } from './errors.ts';
import { goQuote } from './go-quote.ts';

const CANONICAL = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const URN = 'urn:uuid:';

/**
 * Reads a UUID in any of the forms that Go's uuid package takes (with `urn:uuid:`, in braces, without dashes) and gives it in
 * lower case with dashes.
 *
 * @throws VtError (plain) `invalid UUID length: 3`, `invalid urn prefix: "…"`, `invalid UUID format`
 */
export function parseUuid(text: string): string {
  const bare = withoutDress(text);
  if (!CANONICAL.test(bare)) throw plainError('invalid UUID format');
  return bare.toLowerCase();
}

/** True if a text is a UUID in one of those forms. */
export function isUuid(text: string): boolean {
  try {
    parseUuid(text);
    return true;
  } catch {
    return false;
  }
}

function withoutDress(text: string): string {
  // Go counts bytes.
  const length = Buffer.byteLength(text);
  switch (length) {
    case 36:
      return text;
    case 45:
      if (text.slice(0, URN.length).toLowerCase() !== URN) throw plainError(`invalid urn prefix: ${goQuote(text.slice(0, URN.length))}`);
      return text.slice(URN.length);
    case 38:
      return text.slice(1, -1);
    case 32:
      return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    default:
      throw plainError(`invalid UUID length: ${length}`);
  }
}
