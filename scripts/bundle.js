// Joins what tsc made, and the libraries, into few files: Node takes about a millisecond for every module it loads, and a
// command would load hundreds. What is imported late stays in files of its own.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const at = (path) => fileURLToPath(new URL(`../dist/${path}`, import.meta.url));

export async function bundle() {
  rmSync(at('bundle'), { recursive: true, force: true });
  const made = await rolldown({
    input: { main: at('cli/main.js'), io: at('cli/io.js'), 'run-worker': at('cli/run-worker.js'), version: at('version.js') },
    platform: 'node',
    // Compiled for the machine it runs on.
    external: ['better-sqlite3'],
  });
  await made.write({ dir: at('bundle'), format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'part-[name]-[hash].js' });
  await made.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
