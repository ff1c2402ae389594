// The JSON Schemas for editors: each file, and what makes it.
const SCHEMAS = {
  'fixtures/schemas/scenario.schema.json': async () => (await import('../dist/report/scenario-file/document.js')).scenarioJsonSchema(),
};

export async function schemas() {
  const made = Object.entries(SCHEMAS).map(async ([path, make]) => [path, `${JSON.stringify(await make(), null, 2)}\n`]);
  return Object.fromEntries(await Promise.all(made));
}
