import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Tests of the program as a process run what `src` says now, not what was built some time ago. */
export function setup(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], { cwd: root, stdio: 'inherit' });
}
