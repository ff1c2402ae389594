import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileHost } from '../../src/cli/host.ts';
import { makeShell } from '../../src/cli/shell.ts';
import { words } from './shell.ts';

/** The program as a process, and folders to run it in. */
const BIN = fileURLToPath(new URL('../../bin/switchtraffic.js', import.meta.url));

/** Holds every folder; `removeAll` removes it. */
export const root = mkdtempSync(join(tmpdir(), 'switchtraffic-process-'));
let folders = 0;

/** How a process ended. */
export interface Ended {
  exit: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A process that runs. */
export interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves once stderr has this text, and at the end. */
  said(text: string): Promise<void>;
}

/** A folder to run in, with a copy of a cluster unless it is to be empty. */
export function folder(of?: string): string {
  const path = join(root, `run-${folders++}`);
  // Another file of tests may have removed them all.
  mkdirSync(path, { recursive: true });
  if (of !== undefined) cpSync(join(root, of), path, { recursive: true });
  return path;
}

/** Starts a command line; colours are not inherited. */
export function start(cwd: string, line: string, env: Record<string, string> = {}): Running {
  const { NO_COLOR: _n, FORCE_COLOR: _f, ...inherited } = process.env;
  const child = spawn(process.execPath, [BIN, ...words(line)], { cwd, env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  return watch(child);
}

function watch(child: ChildProcess): Running {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr?.on('data', (data: Buffer) => (stderr += data.toString()));
  const ended = new Promise<Ended>((resolve) => child.on('close', (exit, signal) => resolve({ exit, signal, stdout, stderr })));
  const said = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (stderr.includes(text)) resolve();
      };
      child.stderr?.on('data', look);
      void ended.then(() => resolve());
      look();
    });
  return { child, ended, said };
}

/** Runs it to its end. */
export const run = (cwd: string, line: string, env?: Record<string, string>): Promise<Ended> => start(cwd, line, env).ended;

/** Runs it and throws unless it ends with 0. */
export async function ok(cwd: string, line: string): Promise<Ended> {
  const ended = await run(cwd, line);
  if (ended.exit !== 0) throw new Error(`${line}\nexit ${ended.exit}\n${ended.stdout}${ended.stderr}`);
  return ended;
}

/** A shell line, for pipes. */
export function bash(cwd: string, script: string): Promise<Ended> {
  const line = `set -o pipefail; st() { '${process.execPath}' '${BIN}' "$@"; }; ${script}`;
  return watch(spawn('bash', ['-c', line], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })).ended;
}

/** The same command in this process, over the same files: what it prints. */
export async function look(cwd: string, line: string): Promise<string> {
  const { exit, stdout, stderr } = await makeShell(fileHost('.switchtraffic', cwd))(words(line));
  if (exit !== 0) throw new Error(`${line}\nexit ${exit}\n${stderr}`);
  return stdout;
}

export function removeAll(): void {
  rmSync(root, { recursive: true, force: true });
}
