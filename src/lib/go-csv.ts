/**
 * The value of one list flag. pflag reads it with Go's encoding/csv: commas separate, double quotes protect,
 * nothing is trimmed, and only the first line that is not empty counts.
 */
import { plainError } from './errors.ts';

/**
 * Splits the value of one list flag: `a,b` → `a` and `b`; the empty value is no element at all.
 *
 * @throws VtError (plain) with Go's text, columns in bytes:
 *   `parse error on line 1, column 2: bare " in non-quoted-field`,
 *   `parse error on line 1, column 3: extraneous or missing " in quoted-field`; `EOF` when there are only line ends
 */
export function parseCsvValue(text: string): string[] {
  if (text === '') return [];
  if (!/[",\r\n]/.test(text)) return [text];
  return new RecordReader(text).read();
}

/** Reads one record. Go: encoding/csv.Reader.Read with its default settings. */
class RecordReader {
  readonly #text: string;
  /** Where the next line starts. */
  #next = 0;
  #line = '';
  #lineNumber = 0;
  /** Where in the line reading goes on. */
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): string[] {
    do {
      if (!this.#nextLine()) throw plainError('EOF');
    } while (this.#line === '\n');
    const startLine = this.#lineNumber;
    const fields: string[] = [];
    do {
      const quoted = this.#line.startsWith('"', this.#at);
      fields.push(quoted ? this.#quotedField(startLine) : this.#bareField(startLine));
    } while (this.#comma());
    return fields;
  }

  /**
   * Takes the next line, its end as a line feed; a return that ends the text is dropped, and if that is all there is
   * to the line, it is none.
   */
  #nextLine(): boolean {
    const end = this.#text.indexOf('\n', this.#next);
    const raw = end < 0 ? this.#text.slice(this.#next) : this.#text.slice(this.#next, end + 1);
    const line = end < 0 ? raw.replace(/\r$/, '') : raw.replace(/\r\n$/, '\n');
    if (line === '') return false;
    this.#next += raw.length;
    this.#line = line;
    this.#lineNumber++;
    this.#at = 0;
    return true;
  }

  /** Steps over a separator; false at the end of the record. */
  #comma(): boolean {
    if (this.#line[this.#at] !== ',') return false;
    this.#at++;
    return true;
  }

  #bareField(startLine: number): string {
    const rest = this.#line.slice(this.#at);
    const field = /^[^,\n]*/.exec(rest)?.[0] ?? '';
    const quote = field.indexOf('"');
    if (quote >= 0) throw this.#error(startLine, this.#at + quote, 'bare " in non-quoted-field');
    this.#at += field.length;
    return field;
  }

  #quotedField(startLine: number): string {
    this.#at++;
    let field = '';
    for (;;) {
      const quote = this.#line.indexOf('"', this.#at);
      if (quote < 0) {
        field += this.#line.slice(this.#at);
        const end = this.#line.length;
        if (this.#nextLine()) continue;
        throw this.#error(startLine, end, 'extraneous or missing " in quoted-field');
      }
      field += this.#line.slice(this.#at, quote);
      this.#at = quote + 1;
      const after = this.#line[this.#at];
      if (after === undefined || after === ',' || after === '\n') return field;
      if (after !== '"') throw this.#error(startLine, quote, 'extraneous or missing " in quoted-field');
      field += '"';
      this.#at++;
    }
  }

  #error(startLine: number, at: number, what: string): Error {
    const column = new TextEncoder().encode(this.#line.slice(0, at)).length + 1;
    const record = startLine === this.#lineNumber ? '' : `record on line ${startLine}; `;
    return plainError(`${record}parse error on line ${this.#lineNumber}, column ${column}: ${what}`);
  }
}
