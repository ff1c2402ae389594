import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { behaviourTable } from '../src/cli/commands/versions.ts';
import { DEVIATIONS } from '../src/cli/deviations.ts';
import { BEHAVIOURS } from '../src/lib/behaviours.ts';
import { differencesPage } from '../src/report/differences.ts';
import { clustersPage } from '../src/report/cluster-file/page.ts';
import { FILE_SCHEMAS, jsonSchemaText } from '../src/report/json-schemas.ts';
import { versionsPage } from '../src/report/versions.ts';

const GENERATED: readonly (readonly [name: string, text: () => string])[] = [
  ['docs/differences.md', () => differencesPage(DEVIATIONS, BEHAVIOURS)],
  ['docs/versions.md', () => versionsPage(behaviourTable())],
  ['docs/clusters.md', clustersPage],
  ...FILE_SCHEMAS.map((one) => [one.path, () => jsonSchemaText(one)] as const),
];

it.each(GENERATED)('%s is what the tables say; npm run docs writes it', (name, text) => {
  const path = fileURLToPath(new URL(`../${name}`, import.meta.url));
  expect(readFileSync(path, 'utf8')).toBe(text());
});
