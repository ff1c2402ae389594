// Runs the conformance cases that can be driven (test/conformance), of the file that CONFORMANCE_CASES names. The TypeScript is
// joined into a folder of its own first, since Node 20 cannot run it as it is.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
// Inside the project, where the libraries are found.
mkdirSync(`${root}dist`, { recursive: true });
const made = mkdtempSync(`${root}dist/conformance-`);
try {
  const bundle = await rolldown({ input: `${root}test/conformance/main.ts`, platform: 'node', external: ['better-sqlite3'], logLevel: 'silent' });
  await bundle.write({ dir: made, format: 'esm', entryFileNames: '[name].js' });
  await bundle.close();
  const { conformance, OWN } = await import(pathToFileURL(`${made}/main.js`).href);
  process.exitCode = await conformance(process.env.CONFORMANCE_CASES || `${root}${OWN}`, (line) => process.stdout.write(`${line}\n`));
} finally {
  rmSync(made, { recursive: true, force: true });
}
