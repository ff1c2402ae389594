import { InvariantError } from '../lib/errors.ts';

const BLOCK = /(<!-- (\S+): (\S+) -->\n)[\s\S]*?(<!-- end -->)/g;

/**
 * A page with its generated parts put in anew: what stands between `<!-- KIND: NAME -->` and `<!-- end -->` is replaced
 * by the text for it. Throws InvariantError for a part that nothing makes.
 */
export function embed(page: string, textOf: (kind: string, name: string) => string | undefined): string {
  return page.replace(BLOCK, (_, start: string, kind: string, name: string, end: string) => {
    const text = textOf(kind, name);
    if (text === undefined) throw new InvariantError(`a page asks for ${kind}: ${name}, which nothing makes`);
    return `${start}\n${text.trimEnd()}\n\n${end}`;
  });
}

/** A file in a page, as a block of code. */
export function codeBlock(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}
