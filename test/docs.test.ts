import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { behaviourTable } from '../src/cli/commands/versions.ts';
import { DEVIATIONS } from '../src/cli/deviations.ts';
import { BEHAVIOURS } from '../src/lib/behaviours.ts';
import { differencesPage } from '../src/report/differences.ts';
import { versionsPage } from '../src/report/versions.ts';

it.each([
  ['docs/differences.md', () => differencesPage(DEVIATIONS, BEHAVIOURS)],
  ['docs/versions.md', () => versionsPage(behaviourTable())],
])('%s is what the tables say; npm run docs writes it', (page, text) => {
  const path = fileURLToPath(new URL(`../${page}`, import.meta.url));
  expect(readFileSync(path, 'utf8')).toBe(text());
});
