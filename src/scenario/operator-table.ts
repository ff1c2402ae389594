import { OPERATORS } from './match.ts';

/** The operators as a table of docs/scenarios.md. */
export function operatorTable(): string {
  const rows = Object.entries(OPERATORS).map(([name, { about }]) => `| \`${name}\` | ${about} |`);
  return ['| operator | fits |', '|---|---|', ...rows].join('\n');
}
