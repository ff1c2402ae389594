/** The commands that a failed switch printed for what to do next, without the program's name, in order. */
export function printedCommands(stderr: string): string[] {
  const lines = stderr.split('\n');
  const start = lines.findIndex((line) => line.startsWith('next: '));
  if (start < 0) return [];
  const inline = /: switchtraffic (.+)$/.exec(lines[start]!)?.[1];
  if (inline !== undefined) return [inline];
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => !line.startsWith('  switchtraffic '));
  return rest.slice(0, end < 0 ? undefined : end).map((line) => line.replace('  switchtraffic ', ''));
}
