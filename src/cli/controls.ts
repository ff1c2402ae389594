/** Text without line ends and other control characters: what was typed must not forge lines or colours. */
export function withoutControls(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}
