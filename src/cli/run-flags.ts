import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { errorText, UserError } from '../lib/errors.ts';
import { globalFlags } from './global-flags.ts';
import type { Invocation } from './spec.ts';

/** Flags that every command takes and that mean nothing for scenarios: each has worlds and faults of its own. */
const NOT_OURS: readonly { flag: string; why: string; next: string }[] = [
  { flag: 'state', why: 'each scenario has a cluster of its own', next: "keep those of scenarios that do not pass: --keep DIR; begin with another: the scenario's given.cluster" },
  { flag: 'fault', why: 'the faults of a scenario stand in its file', next: 'put it under the step it is for: faults: { STEP: ACTION }' },
  { flag: 'faults-file', why: 'the faults of a scenario stand in its file', next: 'put them under the steps they are for: faults: { STEP: ACTION }' },
];

/** More processes than this are a slip of the finger. */
const MOST_JOBS = 256;

/** Refuses what `run` cannot be asked, before anything runs. Throws UserError. */
export function checkRunFlags(inv: Invocation): void {
  const { flags, io } = inv;
  const wrong = NOT_OURS.find(({ flag }) => globalFlags.some(({ name }) => name === flag) && flags.given(flag));
  if (wrong !== undefined) throw new UserError(`--${wrong.flag} has no meaning for ${inv.path.join(' ')}: ${wrong.why}`, { next: wrong.next, exit: 2 });
  const seed = flags.int('seed');
  if (seed < 0 || seed > 0x7fffffff) throw new UserError(`--seed ${seed} is not a number from 0 to ${0x7fffffff}`, { exit: 2 });
  const jobs = flags.int('jobs');
  if (jobs < 1 || jobs > MOST_JOBS) throw new UserError(`--jobs ${jobs} is not a number from 1 to ${MOST_JOBS}`, { exit: 2 });
  if (flags.bool('update') && isSet(io.env['CI'])) {
    throw new UserError('--update writes golden files, and this is a CI job: nobody would look at them', {
      next: 'run it at home and commit what it wrote; to do it here all the same: CI= switchtraffic run ... --update',
      exit: 2,
    });
  }
  if (flags.given('keep')) checkKeep(io.cwd, flags.str('keep'));
}

function isSet(value = ''): boolean {
  return value !== '' && value !== '0' && value !== 'false';
}

function checkKeep(cwd: string, name: string): void {
  if (name === '') throw new UserError('--keep has no folder', { next: '--keep DIR', exit: 2 });
  // The nearest folder that is there is the one that the rest would be made in.
  for (let path = resolve(cwd, name); ; path = resolve(path, '..')) {
    try {
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat === undefined) continue;
      if (!stat.isDirectory()) throw new UserError(`--keep ${name}: ${path} is not a folder`, { next: 'name another folder', exit: 2 });
      accessSync(path, constants.W_OK);
      return;
    } catch (error) {
      if (error instanceof UserError) throw error;
      // Below a file there is nothing: the file itself says so.
      if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') continue;
      throw new UserError(`--keep ${name} cannot be written: ${errorText(error)}`, { exit: 2 });
    }
  }
}
