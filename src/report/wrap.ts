/**
 * A text in lines of at most `width` characters, broken at blanks; a word that is longer stands alone and is left whole.
 * Lines after the first begin with `hang`. A width of 0 is no limit.
 */
export function wrap(text: string, width: number, hang = ''): string[] {
  if (width <= 0 || text.length <= width) return [text];
  const lead = /^\s*/.exec(text)![0];
  const lines: string[] = [];
  let line = lead;
  let empty = true;
  for (const word of text.slice(lead.length).split(' ')) {
    const joined = empty ? line + word : `${line} ${word}`;
    if (joined.length > width && !empty) {
      lines.push(line);
      line = lead + hang + word;
    } else line = joined;
    empty = false;
  }
  return [...lines, line];
}
