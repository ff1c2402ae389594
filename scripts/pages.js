// The generated pages, path to text; the test of the docs reads them too.
export async function pages() {
  const { DEVIATIONS } = await import('../dist/cli/deviations.js');
  const { BEHAVIOURS } = await import('../dist/lib/behaviours.js');
  const { differencesPage } = await import('../dist/report/differences.js');
  return { 'docs/differences.md': differencesPage(DEVIATIONS, BEHAVIOURS) };
}
