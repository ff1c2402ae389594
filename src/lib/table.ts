/** Tables for a terminal: plain aligned columns, and the boxed form in which vtctldclient prints query results. */

/** Cell contents that take no room: colour codes, combining marks, joiners and other invisible characters. */
// oxlint-disable-next-line no-control-regex -- a colour code starts with the escape character
const WITHOUT_WIDTH = /\u001b\[[0-9;]*m|\p{Mn}|\p{Me}|\p{Cf}|\p{Cc}/gu;

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;

/** Columns that a terminal needs for this text on one line. Colour codes take none, wide characters two. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const char of text.replace(WITHOUT_WIDTH, '')) width += WIDE.test(char) ? 2 : 1;
  return width;
}

/** How to lay out a plain table. */
export interface TableOptions {
  /** Printed above the rows, in the same columns. */
  readonly header?: readonly string[];
  /** Columns (from 0) whose contents are moved to the right, such as counts. */
  readonly right?: readonly number[];
  /** Put before each line. */
  readonly indent?: string;
  /** Spaces between columns; 2 unless said. */
  readonly gap?: number;
}

/**
 * Rows as aligned columns, without rules or boxes, no space at the end of a line.
 *
 * @returns one line per row, joined by line feeds, without one at the end; '' when there is nothing to print
 */
export function formatTable(rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const all = options.header === undefined ? rows : [options.header, ...rows];
  const widths = columnWidths(all);
  const gap = ' '.repeat(options.gap ?? 2);
  const line = (row: readonly string[]): string => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return options.right?.includes(column) === true ? padStart(cell, width) : padEnd(cell, width);
    });
    return ((options.indent ?? '') + cells.join(gap)).trimEnd();
  };
  return all.map(line).join('\n');
}

function columnWidths(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
    });
  }
  return widths;
}

/** The text with spaces after it, up to this many columns. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** The text with spaces before it, up to this many columns. */
export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - displayWidth(text))) + text;
}

/** Room for words in a cell: 30 columns with the space on either side. */
const BOX_WRAP = 28;

/**
 * Rows in a box, a rule between all of them, heads centred, cells wrapped between words.
 *
 * Vitess: WriteQueryResultTable in go/cmd/vtctldclient/cli/query.go, with tablewriter's ASCII style.
 *
 * @returns lines joined by line feeds, without one at the end
 */
export function formatBoxedTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const heads = header.map((head) => head.trim());
  const wrapped = rows.map((row) => heads.map((_, column) => wrapCell(row[column] ?? '')));
  const widths = heads.map((head, column) =>
    Math.max(displayWidth(head), ...wrapped.map((row) => widest(row[column] ?? []))),
  );
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`;
  const lines = [rule, boxLine(heads.map((head, column) => centre(head, widths[column] ?? 0))), rule];
  for (const row of wrapped) {
    const height = Math.max(...row.map((cell) => cell.length));
    for (let i = 0; i < height; i++) {
      lines.push(boxLine(row.map((cell, column) => padEnd(cell[i] ?? '', widths[column] ?? 0))));
    }
    lines.push(rule);
  }
  return lines.join('\n');
}

function widest(lines: readonly string[]): number {
  return Math.max(0, ...lines.map(displayWidth));
}

function boxLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function centre(text: string, width: number): string {
  const space = width - displayWidth(text);
  return padEnd(' '.repeat(Math.floor(space / 2)) + text, width);
}

function wrapCell(text: string): string[] {
  const lines = text.split('\n').flatMap((line) => wrapWords(line.split(/\s+/).filter((word) => word !== '')));
  return lines.length === 0 ? [''] : lines;
}

/**
 * Breaks words into lines so that the squares of the space left over add up to the least; the last line does not
 * count. A word longer than the limit widens it.
 */
function wrapWords(words: readonly string[]): string[] {
  const widths = words.map(displayWidth);
  const limit = Math.max(BOX_WRAP, ...widths);
  // cost[i] and breakAt[i]: the best way to lay out the words from the i-th on.
  const cost: number[] = Array.from({ length: words.length + 1 }, () => 0);
  const breakAt: number[] = [];
  for (let first = words.length - 1; first >= 0; first--) {
    cost[first] = Infinity;
    let width = -1;
    for (let next = first + 1; next <= words.length; next++) {
      width += 1 + (widths[next - 1] ?? 0);
      if (width > limit) break;
      const last = next === words.length;
      const total = last ? 0 : (limit - width) ** 2 + (cost[next] ?? 0);
      if (last || total < (cost[first] ?? 0)) {
        cost[first] = total;
        breakAt[first] = next;
      }
    }
  }
  const lines: string[] = [];
  for (let at = 0; at < words.length; at = breakAt[at] ?? words.length) {
    lines.push(words.slice(at, breakAt[at]).join(' '));
  }
  return lines;
}
