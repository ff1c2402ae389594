import { readFileSync } from 'node:fs';
import { schemas } from './schemas.js';

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

// The generated pages, path to text; the test of the docs reads them too.
export async function pages() {
  const { DEVIATIONS } = await import('../dist/cli/deviations.js');
  const { BEHAVIOURS } = await import('../dist/lib/behaviours.js');
  const { differencesPage } = await import('../dist/report/differences.js');
  const { codeBlock, embed } = await import('../dist/report/embed.js');
  const { scenarioTables } = await import('../dist/report/scenario-file/document.js');
  const { operatorTable } = await import('../dist/scenario/operator-table.js');
  const tables = { ...scenarioTables(), operators: operatorTable() };
  const parts = { table: (name) => tables[name], file: (path) => codeBlock('yaml', read(path)) };
  const page = (path) => ({ [path]: embed(read(path), (kind, name) => parts[kind]?.(name)) });
  return {
    'docs/differences.md': differencesPage(DEVIATIONS, BEHAVIOURS),
    ...page('docs/scenarios.md'),
    ...page('README.md'),
    ...(await schemas()),
  };
}
