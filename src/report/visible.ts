/**
 * Text as every reader of a report takes it: control characters, line breaks and tabs apart, stand as `\x1b`, halves of
 * a surrogate pair and the two code points that XML forbids as U+FFFD. A report must not be able to move a cursor.
 */
export function visible(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g, (char) => {
      const code = char.charCodeAt(0);
      return code > 0xff ? `\\u${code.toString(16)}` : `\\x${code.toString(16).padStart(2, '0')}`;
    })
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\ufffe\uffff]/g, '\ufffd');
}

/** The same on one line. */
export function visibleLine(text: string): string {
  return visible(text.replace(/\s*\n\s*/g, ' ').replace(/\t/g, ' '));
}
