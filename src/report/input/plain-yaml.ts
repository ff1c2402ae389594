/*
 * The YAML that people write in scenarios, read at once: maps, lists and texts, nothing that needs a second look. A library that
 * knows all of YAML takes several times as long, and thousands of scenarios are read where dozens of lines are run. What this
 * reader does not know it leaves to the library, and so does it with everything that is wrong: it never complains.
 * test/report/input/plain-yaml.test.ts holds that the two agree, on values and on places.
 */

/** A document and where its values stand. */
export interface PlainYaml {
  readonly value: unknown;
  /** Where things in a map or a list begin, by key or index. Offsets into the text. */
  readonly places: ReadonlyMap<unknown, Places>;
}

export interface Places {
  readonly start: number;
  readonly keys: ReadonlyMap<string | number, number>;
  readonly values: ReadonlyMap<string | number, number>;
}

/** Thrown for a document that the library should read instead; always the same, since that is no error. */
const UNSURE = new Error('not the plainest YAML');

const LONGEST = 100_000;
const DEEPEST = 24;

/** Reads one document; undefined where it may hold anything but the plainest YAML. */
export function readPlainYaml(text: string): PlainYaml | undefined {
  if (text.length > LONGEST || !text.endsWith('\n') || /[^\n\u0020-\u007e\u00a1-\u2027\u2030-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(text)) return undefined;
  try {
    return new Reader(text).read();
  } catch (error) {
    if (error === UNSURE) return undefined;
    throw error;
  }
}

function unsure(): never {
  throw UNSURE;
}

interface Line {
  indent: number;
  /** Offset of the first character that is not a space, and of the end of the line. */
  start: number;
  end: number;
}

/** A key, up to the colon: words that YAML cannot take for anything else. */
const KEY = /([A-Za-z_](?:[\w./@*:#-]*[\w./@*-])?|'[^'\n]*'|"[^"\\\n]*"):(?=[ \n]|$)/y;
/** A text without quotes: the first character tells it from everything else. */
const BLOCK_TEXT = /^[A-Za-z0-9_./(<=$+-]/;
const FLOW_TEXT = /[A-Za-z0-9_./(<=+-][^,[\]{}\n]*/y;
const WHOLE_NUMBER = /^-?(?:0|[1-9]\d{0,14})$/;
/** What might be a number, in one of YAML's many ways of writing them. */
const LIKE_A_NUMBER = /^[-+]?(?:0[ox][\da-f]*|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d*)?|\.(?:inf|nan))$/i;
const WORDS: Readonly<Record<string, unknown>> = { true: true, True: true, TRUE: true, false: false, False: false, FALSE: false, null: null, Null: null, NULL: null };

class Reader {
  readonly #text: string;
  readonly #lines: Line[] = [];
  readonly #places = new Map<unknown, Places>();
  /** The next line. */
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    for (let start = 0; start < text.length; ) {
      const newline = text.indexOf('\n', start);
      const end = newline < 0 ? text.length : newline;
      let first = start;
      while (first < end && text[first] === ' ') first++;
      this.#lines.push({ indent: first - start, start: first, end });
      start = end + 1;
    }
  }

  read(): PlainYaml {
    const line = this.#peek();
    if (line === undefined || line.indent !== 0) unsure();
    const value = this.#map(0, line.start);
    if (this.#peek() !== undefined) unsure();
    return { value, places: this.#places };
  }

  /** The next line that says anything. */
  #peek(): Line | undefined {
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at]!;
      if (line.start < line.end && this.#text[line.start] !== '#') return line;
    }
    return undefined;
  }

  /** A map whose keys stand `indent` in; the first at `start`, which may be behind a dash. */
  #map(indent: number, start: number): Record<string, unknown> {
    this.#enter();
    const map = Object.create(null) as Record<string, unknown>;
    const { keys, values } = this.#note(map, start);
    for (let at = start; ; ) {
      const line = this.#lines[this.#at]!;
      KEY.lastIndex = at;
      const match = KEY.exec(this.#text);
      if (match === null || KEY.lastIndex > line.end) unsure();
      const key = wordOf(match[1]!);
      if (Object.hasOwn(map, key)) unsure();
      keys.set(key, at);
      this.#at++;
      map[key] = this.#after(KEY.lastIndex, line.end, indent, (place) => values.set(key, place));
      const next = this.#peek();
      if (next === undefined || next.indent < indent) break;
      if (next.indent > indent || this.#isItem(next)) unsure();
      at = next.start;
    }
    this.#depth--;
    return map;
  }

  /** A list whose dashes stand `indent` in. */
  #list(indent: number, first: Line): unknown[] {
    this.#enter();
    const list: unknown[] = [];
    const { values } = this.#note(list, first.start);
    for (let line = first; ; ) {
      let start = line.start + 1;
      while (start < line.end && this.#text[start] === ' ') start++;
      const index = list.length;
      KEY.lastIndex = start;
      if (start === line.end) unsure();
      if (KEY.test(this.#text)) {
        values.set(index, start);
        list.push(this.#map(indent + start - line.start, start));
      } else {
        this.#at++;
        list.push(this.#inline(start, line.end, indent, (place) => values.set(index, place)));
      }
      const next = this.#peek();
      if (next === undefined || next.indent < indent || (next.indent === indent && !this.#isItem(next))) break;
      if (next.indent > indent) unsure();
      line = next;
    }
    this.#depth--;
    return list;
  }

  #isItem({ start, end }: Line): boolean {
    return this.#text[start] === '-' && (start + 1 === end || this.#text[start + 1] === ' ');
  }

  /** What follows a key: on its line, or below it. */
  #after(from: number, end: number, indent: number, place: (offset: number) => void): unknown {
    let start = from;
    while (start < end && this.#text[start] === ' ') start++;
    if (start < end && this.#text[start] !== '#') return this.#inline(start, end, indent, place);
    const next = this.#peek();
    // Nothing at all is a value too, at a place that only the library knows.
    if (next === undefined) unsure();
    if (this.#isItem(next) && next.indent >= indent) {
      place(next.start);
      return this.#list(next.indent, next);
    }
    if (next.indent <= indent) unsure();
    place(next.start);
    return this.#map(next.indent, next.start);
  }

  /** A value that begins on a line and is all of what is left of it, but for block texts, which go on below. */
  #inline(start: number, end: number, indent: number, place: (offset: number) => void): unknown {
    place(start);
    const first = this.#text[start]!;
    if (first === '|' || first === '>') return this.#blockText(this.#text.slice(start, end), indent);
    const [value, after] = first === '{' || first === '[' ? this.#flow(start) : first === "'" || first === '"' ? this.#quoted(start) : this.#bare(start, end);
    this.#expectEnd(after, end);
    // More of it on the next line: a text that goes on, or a mistake.
    const next = this.#peek();
    if (next !== undefined && next.indent > indent) unsure();
    return value;
  }

  #expectEnd(from: number, end: number): void {
    let at = from;
    while (at < end && this.#text[at] === ' ') at++;
    if (at < end && (this.#text[at] !== '#' || at === from)) unsure();
  }

  /** A text without quotes, up to the end of the line or a comment. */
  #bare(start: number, end: number): [unknown, number] {
    const line = this.#text.slice(start, end);
    if (!BLOCK_TEXT.test(line) || /^-(?: |$)/.test(line)) unsure();
    const comment = line.indexOf(' #');
    const text = (comment < 0 ? line : line.slice(0, comment)).trimEnd();
    if (/:(?: |$)/.test(text) || /^(?:---|\.\.\.)/.test(text)) unsure();
    return [scalarOf(text), start + text.length];
  }

  #quoted(start: number): [string, number] {
    const quote = this.#text[start]!;
    let end = this.#text.indexOf(quote, start + 1);
    while (quote === "'" && end > 0 && this.#text[end + 1] === "'") end = this.#text.indexOf("'", end + 2);
    const inside = this.#text.slice(start + 1, end);
    if (end < 0 || inside.includes('\n') || (quote === '"' && inside.includes('\\'))) unsure();
    return [quote === "'" ? inside.replaceAll("''", "'") : inside, end + 1];
  }

  /** `{ … }` or `[ … ]`, on one line. */
  #flow(start: number): [unknown, number] {
    this.#enter();
    const isMap = this.#text[start] === '{';
    const close = isMap ? '}' : ']';
    const made: Record<string, unknown> | unknown[] = isMap ? (Object.create(null) as Record<string, unknown>) : [];
    const { keys, values } = this.#note(made, start);
    let at = this.#skip(start + 1);
    while (this.#text[at] !== close) {
      let key: string | number;
      if (Array.isArray(made)) key = made.length;
      else {
        KEY.lastIndex = at;
        const match = KEY.exec(this.#text);
        if (match === null) unsure();
        key = wordOf(match[1]!);
        if (Object.hasOwn(made, key)) unsure();
        keys.set(key, at);
        at = this.#skip(KEY.lastIndex);
      }
      values.set(key, at);
      const [value, after] = this.#flowValue(at);
      (made as Record<string | number, unknown>)[key] = value;
      at = this.#skip(after);
      if (this.#text[at] === ',') {
        at = this.#skip(at + 1);
        if (this.#text[at] === close) unsure();
      } else if (this.#text[at] !== close) unsure();
    }
    this.#depth--;
    return [made, at + 1];
  }

  #flowValue(start: number): [unknown, number] {
    const first = this.#text[start];
    if (first === '{' || first === '[') return this.#flow(start);
    if (first === "'" || first === '"') return this.#quoted(start);
    FLOW_TEXT.lastIndex = start;
    const text = FLOW_TEXT.exec(this.#text)?.[0].trimEnd();
    if (text === undefined || /^-(?: |$)|: |:$| #/.test(text)) unsure();
    return [scalarOf(text), start + text.length];
  }

  #skip(from: number): number {
    let at = from;
    while (this.#text[at] === ' ') at++;
    return at;
  }

  /** `|` keeps its lines, `>` joins them; `-` drops the line feed at the end. */
  #blockText(head: string, indent: number): string {
    if (!/^[|>]-?$/.test(head)) unsure();
    const lines: string[] = [];
    let inner: number | undefined;
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at]!;
      if (line.start === line.end) {
        if (line.indent > 0 || inner === undefined) unsure();
        lines.push('');
        continue;
      }
      inner ??= line.indent;
      if (line.indent <= indent) break;
      if (line.indent < inner) unsure();
      lines.push(this.#text.slice(line.start - (line.indent - inner), line.end));
    }
    while (lines.at(-1) === '') lines.pop();
    if (lines.length === 0 || inner === undefined || inner <= indent) unsure();
    // A line further in, or an empty one, is joined by rules of its own.
    if (head.startsWith('>') && lines.some((line) => line === '' || line.startsWith(' '))) unsure();
    return lines.join(head.startsWith('>') ? ' ' : '\n') + (head.endsWith('-') ? '' : '\n');
  }

  #note(container: unknown, start: number): { keys: Map<string | number, number>; values: Map<string | number, number> } {
    const places = { start, keys: new Map<string | number, number>(), values: new Map<string | number, number>() };
    this.#places.set(container, places);
    return places;
  }

  #enter(): void {
    if (++this.#depth > DEEPEST) unsure();
  }
}

function wordOf(key: string): string {
  const quoted = key.startsWith("'") || key.startsWith('"');
  // A word that means something else than itself.
  if (!quoted && (Object.hasOwn(WORDS, key) || LIKE_A_NUMBER.test(key))) unsure();
  return quoted ? key.slice(1, -1) : key;
}

function scalarOf(text: string): unknown {
  if (Object.hasOwn(WORDS, text)) return WORDS[text];
  if (WHOLE_NUMBER.test(text)) return Object.is(Number(text), -0) ? unsure() : Number(text);
  return LIKE_A_NUMBER.test(text) ? unsure() : text;
}
