import { plainError } from '../lib/errors.ts';

/**
 * The words of a command line, by the rules of a POSIX shell for quotes and backslashes, and nothing else of a shell: what
 * a shell would act on is refused, so that no line means something other than it seems to. A program name in front
 * (`switchtraffic`, `vtctldclient`) is left out, for lines that were pasted. Throws VtError saying what is wrong.
 */
export function lineWords(line: string): string[] {
  const words = new WordReader(line).read();
  return words[0] === 'switchtraffic' || words[0] === 'vtctldclient' ? words.slice(1) : words;
}

/** What a shell would do with these, outside of quotes. */
const SHELL: Readonly<Record<string, string>> = {
  '|': 'a pipe',
  '>': 'a redirection',
  '<': 'a redirection',
  ';': 'a second command',
  '&': 'a second command',
  $: 'a variable',
  '`': 'another command',
  '(': 'a subshell',
  ')': 'a subshell',
  '\n': 'a second line',
};

class WordReader {
  readonly #line: string;
  #at = 0;
  #words: string[] = [];
  #word: string | undefined;

  constructor(line: string) {
    this.#line = line.trim();
  }

  read(): string[] {
    while (this.#at < this.#line.length) this.#next(this.#line[this.#at++]!);
    this.#endWord();
    return this.#words;
  }

  #next(char: string): void {
    if (char === ' ' || char === '\t') return this.#endWord();
    if (char === "'") return this.#add(this.#until("'"));
    if (char === '"') return this.#doubleQuoted();
    if (char === '\\') return this.#escaped();
    const acts = SHELL[char];
    if (acts !== undefined) throw notAShell(acts, char);
    this.#add(char);
  }

  /** A backslash before the end of the line joins it with the next, as in a runbook. */
  #escaped(): void {
    const char = this.#line[this.#at++];
    if (char !== '\n') this.#add(char ?? '');
  }

  #doubleQuoted(): void {
    this.#add('');
    for (;;) {
      const char = this.#line[this.#at++];
      if (char === undefined) throw plainError('a double quote is not closed');
      if (char === '"') return;
      if (char === '$' || char === '`') throw notAShell(SHELL[char]!, char);
      const escapes = char === '\\' && /["\\$`]/.test(this.#line[this.#at] ?? '');
      this.#add(escapes ? this.#line[this.#at++]! : char);
    }
  }

  #until(quote: string): string {
    const end = this.#line.indexOf(quote, this.#at);
    if (end < 0) throw plainError('a single quote is not closed');
    const text = this.#line.slice(this.#at, end);
    this.#at = end + 1;
    return text;
  }

  #add(text: string): void {
    this.#word = (this.#word ?? '') + text;
  }

  #endWord(): void {
    if (this.#word !== undefined) this.#words.push(this.#word);
    this.#word = undefined;
  }
}

function notAShell(acts: string, char: string): Error {
  return plainError(`no shell runs this line, so ${acts} (${JSON.stringify(char)}) means nothing here; if the character itself is meant, put it in single quotes`);
}
