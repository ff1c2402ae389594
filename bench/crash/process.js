// Command lines as processes of their own.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../build.js';

const BIN = join(root, 'bin/switchtraffic.js');
const HOOK = new URL('hook.js', import.meta.url).href;
/** The faults by which a command says its steps (hook.js). */
const SAYS = '**:before=print(crash);**:after=print(crash)';
/** No command of ours takes that long; one that does is ended, and counts as one that never ends. */
const MOST_MS = 90_000;

/** Runs a command line to its end. */
export function run(state, argv) {
  return start([BIN, '--state', state, ...argv], {});
}

/** The same, with its commits counted into `notes`, and killed where `kill` says so. */
export async function runHooked(state, argv, notes, kill) {
  const env = { SWITCHTRAFFIC_CRASH: JSON.stringify({ notes, kill }), SWITCHTRAFFIC_FAILPOINTS: SAYS };
  const ended = await start(['--import', HOOK, BIN, '--state', state, ...argv], env);
  if (!existsSync(notes)) throw new Error(`${argv.join(' ')} did not begin: exit ${ended.exit ?? ended.signal}\n${ended.stderr}`);
  return ended;
}

function start(argv, env) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, argv, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr, endless] = ['', '', false];
    child.stdout.on('data', (data) => (stdout += data));
    child.stderr.on('data', (data) => (stderr += data));
    const timer = setTimeout(() => {
      endless = true;
      child.kill('SIGKILL');
    }, MOST_MS);
    child.on('close', (exit, signal) => {
      clearTimeout(timer);
      resolve({ exit, signal, stdout, stderr, endless });
    });
  });
}
