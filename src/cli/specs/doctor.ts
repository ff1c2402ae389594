import { ownFormatFlag } from '../flags.ts';
import type { CommandSpec } from '../spec.ts';
import { ownCommand } from './build.ts';

/** `doctor`: what is wrong, why, and what puts it right. */
export const doctor: CommandSpec = ownCommand({
  name: 'doctor',
  about: 'find what is wrong with the cluster, say why, and print the commands that put it right',
  examples: ['doctor', 'doctor --explain SWT0201', 'doctor --fix', 'doctor --fix SWT0201 SWT0306','doctor --format json --skip SWT0901'],
  flags: [
    { kind: 'bool', name: 'plan', about: 'print what is wrong and what to do, and change nothing (what it does unless told otherwise)' },
    { kind: 'bool', name: 'fix', about: 'do it, for all problems or those of the codes: lock, look again, take a snapshot, repair, verify' },
    { kind: 'bool', name: 'dry-run', about: 'with --fix: print the plan and change nothing' },
    { kind: 'string', name: 'explain', placeholder: 'CODE', about: 'say what a code means; needs no cluster' },
    { kind: 'strings', name: 'only', placeholder: 'CODES', about: 'only these problems' },
    { kind: 'strings', name: 'skip', placeholder: 'CODES', about: 'all but these problems' },
    ownFormatFlag,
  ],
  args: { min: 0, max: Infinity, usage: '[CODE...]' },
  load: () => import('../commands/doctor.ts'),
});
