import { readFileSync } from 'node:fs';

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

// The generated files, path to text; the test of the docs reads them too.
export async function pages() {
  const { DEVIATIONS } = await import('../dist/cli/deviations.js');
  const { behaviourTable } = await import('../dist/cli/commands/versions.js');
  const { BEHAVIOURS } = await import('../dist/lib/behaviours.js');
  const { clustersPage } = await import('../dist/report/cluster-file/page.js');
  const { codesPage } = await import('../dist/report/doctor/explain.js');
  const { differencesPage } = await import('../dist/report/differences.js');
  const { codeBlock, embed } = await import('../dist/report/embed.js');
  const { FILE_SCHEMAS } = await import('../dist/report/json-schemas.js');
  const { scenarioTables } = await import('../dist/report/scenario-file/document.js');
  const { operatorTable } = await import('../dist/scenario/operator-table.js');
  const { topologiesPage } = await import('../dist/report/topologies.js');
  const { CHOSEN_IMPLEMENTATIONS, TOPO_IMPLEMENTATIONS } = await import('../dist/topo/conn/implementations.js');
  const { versionsPage } = await import('../dist/report/versions.js');
  const tables = { ...scenarioTables(), operators: operatorTable() };
  const parts = { table: (name) => tables[name], file: (path) => codeBlock('yaml', read(path)) };
  const page = (path) => ({ [path]: embed(read(path), (kind, name) => parts[kind]?.(name)) });
  return {
    'docs/differences.md': differencesPage(DEVIATIONS, BEHAVIOURS),
    'docs/versions.md': versionsPage(behaviourTable()),
    'docs/topologies.md': topologiesPage(Object.fromEntries(CHOSEN_IMPLEMENTATIONS.map((name) => [name, TOPO_IMPLEMENTATIONS[name]]))),
    'docs/clusters.md': clustersPage(),
    'docs/codes.md': codesPage(),
    ...page('docs/scenarios.md'),
    ...page('README.md'),
    ...Object.fromEntries(FILE_SCHEMAS.map(({ path, schema }) => [path, `${JSON.stringify(schema(), null, 2)}\n`])),
  };
}
