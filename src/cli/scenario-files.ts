import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { errorText, UserError } from '../lib/errors.ts';
import { FileError, decodeText } from '../report/input/place.ts';
import { readScenarios, type Scenario } from '../report/scenario-file/read.ts';
import { checkScenario } from '../scenario/check.ts';
import type { Rigs } from '../scenario/rig.ts';

/** What scenario files are called, so that a folder may hold other things too. */
const ENDING = '.swt.yaml';
const LARGEST = 4 * 1024 * 1024;

/** The scenarios of files and folders, in order of their names, and what is wrong with those that cannot be read. */
export interface FoundScenarios {
  scenarios: Scenario[];
  errors: UserError[];
  files: string[];
}

/** Reads and checks scenario files; a folder stands for all below it. Throws UserError for a path that is not there. */
export function findScenarios(rigs: Rigs, cwd: string, named: readonly string[]): FoundScenarios {
  const files = [...new Set(named.flatMap((name) => filesAt(cwd, name)))];
  const scenarios: Scenario[] = [];
  const errors: UserError[] = [];
  for (const file of files) {
    try {
      const found = readScenarios(file, readText(cwd, file));
      for (const scenario of found) checkScenario(rigs, scenario);
      scenarios.push(...found);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      errors.push(error);
    }
  }
  return { scenarios, errors, files };
}

/** The folder that a scenario's files lie in. */
export function folderOf(cwd: string, file: string): string {
  return dirname(resolve(cwd, file));
}

function filesAt(cwd: string, name: string): string[] {
  const path = resolve(cwd, name);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new UserError(`there is no file or folder ${name}`, { exit: 2 });
  if (!stat.isDirectory()) return [name];
  const found = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((entry) => entry.endsWith(ENDING))
    .toSorted();
  if (found.length === 0) throw new UserError(`the folder ${name} holds no scenario`, { next: `scenario files end in ${ENDING}`, exit: 2 });
  return found.map((entry) => relative(cwd, join(path, entry)) || entry);
}

function readText(cwd: string, file: string): string {
  const path = resolve(cwd, file);
  try {
    const { size } = statSync(path);
    if (size > LARGEST) throw new FileError({ file, line: 1, column: 1 }, `is larger than ${LARGEST / 1024 / 1024} MB; that is not a scenario`);
    return decodeText(file, readFileSync(path));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(errorText(error), { exit: 2, cause: error });
  }
}
