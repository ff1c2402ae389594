import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Tests of the program as a process run what `src` says now, not what was built some time ago. */
export function setup(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const run = (...argv: string[]): void => void execFileSync(process.execPath, argv, { cwd: root, stdio: 'inherit' });
  run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json');
  run('scripts/bundle.js');
}
