/** Text without line ends and other control characters: what was typed must not forge lines or colours. */
export function withoutControls(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

/** The same for a text that may have lines: those of a statement, or of several errors in one. */
export function linesWithoutControls(text: string): string {
  return text.replace(/[^\P{Cc}\n]+/gu, ' ');
}
