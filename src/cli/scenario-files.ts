import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { errorText, UserError } from '../lib/errors.ts';
import { decodeText, FileError } from '../report/input/place.ts';
import { readScenarios, type Scenario } from '../report/scenario-file/read.ts';
import { checkScenario } from '../scenario/check.ts';
import type { Rigs } from '../scenario/rig.ts';
import { checkNamedFiles } from './scenario-named-files.ts';

/** What scenario files are called, so that a folder may hold other things too. */
export const SCENARIO_ENDING = '.swt.yaml';
const LARGEST = 4 * 1024 * 1024;

/** The scenarios of files and folders, in order of their names, and what is wrong with those that cannot be read. */
export interface FoundScenarios {
  scenarios: Scenario[];
  errors: UserError[];
  files: string[];
}

/** Reads and checks scenario files; a folder stands for all below it. Throws UserError for a path that is not there. */
export function findScenarios(rigs: Rigs, cwd: string, named: readonly string[]): FoundScenarios {
  const files = filesNamed(cwd, named, (path) => path.endsWith(SCENARIO_ENDING));
  const scenarios: Scenario[] = [];
  const errors: UserError[] = [];
  for (const file of files) {
    try {
      scenarios.push(...checkedScenarios(rigs, cwd, file, readInputText(cwd, file)));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      errors.push(error);
    }
  }
  return { scenarios, errors, files };
}

/** The scenarios of a file's text. Throws FileError for everything that can be known to be wrong before they run. */
export function checkedScenarios(rigs: Rigs, cwd: string, file: string, text: string): Scenario[] {
  const found = readScenarios(file, text);
  for (const scenario of found) {
    checkScenario(rigs, scenario);
    checkNamedFiles(rigs, scenario, folderOf(cwd, file));
  }
  return found;
}

/** The folder that a scenario's files lie in. */
export function folderOf(cwd: string, file: string): string {
  return dirname(resolve(cwd, file));
}

/** The files meant: those named, and for a folder all below it that are `wanted`, by their paths. Each once. Throws UserError. */
export function filesNamed(cwd: string, named: readonly string[], wanted: (path: string) => boolean): string[] {
  const seen = new Set<string>();
  return named
    .flatMap((name) => filesAt(cwd, name, wanted))
    .filter((file) => {
      const path = resolve(cwd, file);
      return !seen.has(path) && seen.add(path);
    });
}

function filesAt(cwd: string, name: string, wanted: (path: string) => boolean): string[] {
  const path = resolve(cwd, name);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || name === '') throw new UserError(`there is no file or folder ${name === '' ? "''" : name}`, { exit: 2 });
  if (!stat.isDirectory()) return [name];
  const found = entriesBelow(path).filter((entry) => wanted(join(path, entry))).toSorted();
  if (found.length === 0) throw new UserError(`the folder ${name} holds no scenario`, { next: `scenario files end in ${SCENARIO_ENDING}`, exit: 2 });
  return found.map((entry) => relative(cwd, join(path, entry)) || entry);
}

/** Packages and hidden folders are somebody else's. */
function entriesBelow(path: string): string[] {
  const entries = readdirSync(path, { withFileTypes: true });
  return entries.flatMap((entry) => {
    if (!entry.isDirectory()) return [entry.name];
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) return [];
    return entriesBelow(join(path, entry.name)).map((below) => join(entry.name, below));
  });
}

/** The text of a file that a person wrote. Throws UserError, with the place where there is one. */
export function readInputText(cwd: string, file: string): string {
  const path = resolve(cwd, file);
  try {
    const stat = statSync(path);
    // A pipe or a device might never end.
    if (!stat.isFile()) throw new FileError({ file, line: 1, column: 1 }, 'is not a file');
    if (stat.size > LARGEST) throw new FileError({ file, line: 1, column: 1 }, `is larger than ${LARGEST / 1024 / 1024} MB; nobody writes so much by hand`);
    return decodeText(file, readFileSync(path));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${file}: ${errorText(error)}`, { exit: 2, cause: error });
  }
}
