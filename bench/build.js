// The benchmarks measure dist, so dist must say what src says.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Runs a program of ours and ends this one if it fails. What it prints goes to stderr: stdout is the answer. */
function must(args) {
  const done = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (done.status !== 0) process.exit(done.status ?? 1);
}

/** Installs and builds what is missing, and builds again where a source is newer than what was built of it. */
export function ensureBuilt() {
  must(['scripts/set-up.js']);
  if (!isStale()) return;
  process.stderr.write('building ...\n');
  must(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']);
  must(['scripts/bundle.js']);
}

function isStale() {
  for (const entry of readdirSync(join(root, 'src'), { recursive: true })) {
    if (!entry.endsWith('.ts')) continue;
    const built = join(root, 'dist', entry.replace(/\.ts$/, '.js'));
    if (!existsSync(built) || statSync(built).mtimeMs < statSync(join(root, 'src', entry)).mtimeMs) return true;
  }
  return false;
}
