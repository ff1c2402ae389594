// Joins what tsc made, and the libraries, into few files: Node takes about a millisecond for every module it loads, and a
// command would load hundreds. What is imported late stays in files of its own. CommonJS, since only that can be loaded
// together with code that is compiled already (bin/load.js).
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const at = (path) => fileURLToPath(new URL(`../dist/${path}`, import.meta.url));

export async function bundle() {
  rmSync(at('bundle'), { recursive: true, force: true });
  const made = await rolldown({
    input: { main: at('cli/main.js'), io: at('cli/io.js'), worker: at('cli/run-worker.js'), version: at('version.js') },
    platform: 'node',
    // Compiled for the machine it runs on.
    external: ['better-sqlite3'],
    // A part that several commands share would go into one of them, and load all of that with it.
    experimental: { chunkOptimization: { mergeCommonChunks: false } },
  });
  await made.write({ dir: at('bundle'), format: 'cjs', entryFileNames: '[name].js', chunkFileNames: 'part-[name]-[hash].js' });
  await made.close();
  writeFileSync(at('bundle/package.json'), '{ "type": "commonjs" }\n');
  // A process of its own, which is started by the name of this file.
  writeFileSync(at('bundle/run-worker.js'), `require('../../bin/load.js').load('worker.js');\n`);
  // One that fails has kept no code: the program works all the same, more slowly.
  spawnSync(process.execPath, [fileURLToPath(new URL('compile.js', import.meta.url))], { stdio: ['ignore', 'ignore', 'inherit'] });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
