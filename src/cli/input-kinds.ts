import { readClusterFile } from '../report/cluster-file/read.ts';
import type { Rigs } from '../scenario/rig.ts';
import { filesBeside } from './input-files.ts';
import { checkedScenarios, readInputText, SCENARIO_ENDING } from './scenario-files.ts';

/** A kind of file that people write for us. */
export interface InputKind {
  name: 'scenario' | 'cluster';
  /** Checks a file's text as far as that is possible without running anything. Throws FileError for the first problem. */
  check(rigs: Rigs, cwd: string, file: string, text: string): void;
}

const SCENARIO: InputKind = {
  name: 'scenario',
  check: (rigs, cwd, file, text) => void checkedScenarios(rigs, cwd, file, text),
};

const CLUSTER: InputKind = {
  name: 'cluster',
  check: (_rigs, cwd, file, text) => void readClusterFile(file, Buffer.from(text), filesBeside({ cwd }, file)),
};

/** What a file is by its name and first keys. What cannot be read is a scenario: its reader says why. */
export function kindOfFile(file: string, text: string): InputKind {
  return !file.endsWith(SCENARIO_ENDING) && !/^["']?scenario["']?\s*:/m.test(text) && hasKeyspaces(text) ? CLUSTER : SCENARIO;
}

/** Whether a file found in a folder is one of ours: other YAML may lie there too. */
export function isInput(cwd: string, file: string): boolean {
  if (file.endsWith(SCENARIO_ENDING)) return true;
  if (!/\.ya?ml$/.test(file)) return false;
  try {
    return hasKeyspaces(readInputText(cwd, file));
  } catch {
    return false;
  }
}

function hasKeyspaces(text: string): boolean {
  return /^keyspaces\s*:/m.test(text);
}
