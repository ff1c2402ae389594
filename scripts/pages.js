// The generated files, path to text; the test of the docs reads them too.
export async function pages() {
  const { DEVIATIONS } = await import('../dist/cli/deviations.js');
  const { behaviourTable } = await import('../dist/cli/commands/versions.js');
  const { BEHAVIOURS } = await import('../dist/lib/behaviours.js');
  const { differencesPage } = await import('../dist/report/differences.js');
  const { clustersPage } = await import('../dist/report/cluster-file/page.js');
  const { FILE_SCHEMAS, jsonSchemaText } = await import('../dist/report/json-schemas.js');
  const { versionsPage } = await import('../dist/report/versions.js');
  return {
    'docs/differences.md': differencesPage(DEVIATIONS, BEHAVIOURS),
    'docs/versions.md': versionsPage(behaviourTable()),
    'docs/clusters.md': clustersPage(),
    ...Object.fromEntries(FILE_SCHEMAS.map((one) => [one.path, jsonSchemaText(one)])),
  };
}
