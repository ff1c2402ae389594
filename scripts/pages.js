// The generated pages, path to text; the test of the docs reads them too.
export async function pages() {
  const { DEVIATIONS } = await import('../dist/cli/deviations.js');
  const { behaviourTable } = await import('../dist/cli/commands/versions.js');
  const { BEHAVIOURS } = await import('../dist/lib/behaviours.js');
  const { differencesPage } = await import('../dist/report/differences.js');
  const { versionsPage } = await import('../dist/report/versions.js');
  return {
    'docs/differences.md': differencesPage(DEVIATIONS, BEHAVIOURS),
    'docs/versions.md': versionsPage(behaviourTable()),
  };
}
