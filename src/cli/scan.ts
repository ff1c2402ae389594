/**
 * The last value of a flag anywhere on a command line, for what must be known although, or before, the line is
 * read: how to print its errors, and whose mistakes to let pass. A value of another flag that looks like this
 * flag is taken for it; nothing but those two depends on it.
 */
export function scanFlag(argv: readonly string[], name: string): string | undefined {
  const spellings = [`--${name}`, `--${name.replaceAll('-', '_')}`];
  let found: string | undefined;
  for (const [index, word] of argv.entries()) {
    if (word === '--') break;
    if (spellings.includes(word)) found = argv[index + 1] ?? found;
    const inline = spellings.find((spelling) => word.startsWith(`${spelling}=`));
    if (inline !== undefined) found = word.slice(inline.length + 1);
  }
  return found;
}
