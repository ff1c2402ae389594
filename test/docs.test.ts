import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { differencesPage } from '../src/report/differences.ts';
import { BEHAVIOURS } from '../src/lib/behaviours.ts';
import { DEVIATIONS } from '../src/cli/deviations.ts';

it('docs/differences.md is what the tables say; npm run docs writes it', () => {
  const path = fileURLToPath(new URL('../docs/differences.md', import.meta.url));
  expect(readFileSync(path, 'utf8')).toBe(differencesPage(DEVIATIONS, BEHAVIOURS));
});
