import { statSync } from 'node:fs';
import { errorText, UserError } from '../lib/errors.ts';
import { FileError } from '../report/input/place.ts';
import type { PathPart } from '../report/input/yaml.ts';
import type { Scenario } from '../report/scenario-file/read.ts';
import type { Rigs } from '../scenario/rig.ts';
import { lineWords } from '../scenario/words.ts';
import { parseArgv } from './argv.ts';
import { rootCommand } from './commands.ts';
import { EXAMPLE_NAME, isExample, unknownExample } from './examples.ts';
import { inputPath } from './input-path.ts';

/**
 * Looks at every file that a scenario names, before it runs: its cluster, golden files, files in command lines. They lie
 * in the scenario's folder. Throws FileError, with the place of the name, for one that does not, or is not there.
 */
export function checkNamedFiles(rigs: Rigs, scenario: Scenario, folder: string): void {
  const { doc, steps } = scenario;
  const at = (path: readonly PathPart[], check: () => void): void => {
    try {
      check();
    } catch (error) {
      if (error instanceof FileError) throw error;
      const next = error instanceof UserError ? error.next : undefined;
      throw new FileError(scenario.placeOf(path), errorText(error).split('\n')[0]!, next?.replaceAll(folder, "the scenario's folder"));
    }
  };
  at(['given', 'cluster'], () => checkCluster(folder, doc.given.cluster));
  for (const [index, line] of (doc.given.run ?? []).entries()) at(['given', 'run', index], () => checkLineFiles(line, folder));
  for (const { index, step } of steps) {
    if (step.run !== undefined) at(['steps', index, 'run'], () => checkLineFiles(step.run!, folder));
    for (const [nth, { run }] of (step.parallel ?? []).entries()) {
      if (run !== undefined) at(['steps', index, 'parallel', nth, 'run'], () => checkLineFiles(run, folder));
    }
    for (const { path, name } of goldenNames(step, ['steps', index])) at(path, () => void rigs.readText(folder, name));
  }
  for (const { path, name } of goldenNames(doc.always, ['always'])) at(path, () => void rigs.readText(folder, name));
}

function checkCluster(folder: string, name: string): void {
  if (!EXAMPLE_NAME.test(name)) return checkFile(folder, name);
  if (!isExample(name)) throw unknownExample(name);
}

/** Flags whose value is a file end in `-file`. A release's mistakes do not matter here: the line was checked before. */
function checkLineFiles(line: string, folder: string): void {
  const parsed = parseArgv(rootCommand, lineWords(line), { hardened: false, warn: () => {} });
  if (parsed.kind !== 'run') return;
  const command = parsed.chain.at(-1)!;
  const files = command.flags.filter((flag) => flag.kind === 'string' && flag.name.endsWith('-file') && parsed.flags.given(flag.name));
  for (const { name } of files) checkFile(folder, parsed.flags.str(name));
  if (parsed.chain[1]?.name === 'init') for (const name of parsed.args) checkCluster(folder, name);
}

function checkFile(folder: string, name: string): void {
  const path = inputPath({ cwd: folder, within: folder }, name);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new UserError(`there is no file ${name} in the scenario's folder`, { exit: 2 });
  if (!stat.isFile()) throw new UserError(`${name} is not a file`, { exit: 2 });
}

/** Every `golden: NAME` of a text test, wherever one may stand. */
function goldenNames(value: unknown, path: readonly PathPart[]): { path: readonly PathPart[]; name: string }[] {
  if (typeof value !== 'object' || value === null || value instanceof RegExp) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    const isTextTest = ['stdout', 'stderr', 'refused'].includes(String(path.at(-1)));
    return key === 'golden' && isTextTest && typeof inner === 'string' ? [{ path: at, name: inner }] : goldenNames(inner, at);
  });
}
