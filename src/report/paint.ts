/** Colours, as a renderer uses them. Where there are none every function gives its text back. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

const same = (text: string): string => text;

/** No colours. */
export const PLAIN: Paint = { bold: same, dim: same, red: same, green: same, yellow: same };
