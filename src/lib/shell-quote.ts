/** A word as a shell must be given it: quoted only where it has to be. */
export function shellQuote(word: string): string {
  return word !== '' && !/[^\w@%+=:,./-]/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
