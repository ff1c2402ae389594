import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Answer, type Order, READY } from './run-order.ts';
import type { Job, Outcome, RunSettings } from './scenario-runner.ts';

/** The compiled file that each process runs. */
const WORKER = fileURLToPath(new URL('./run-worker.js', import.meta.url));

/** What the processes are given to do. */
export interface Share {
  settings: RunSettings;
  jobs: readonly (Job & { ordinal: number })[];
  /** How many processes. */
  processes: number;
  signal: AbortSignal;
  /** Called as each job ends, in any order. */
  ended(index: number, outcome: Outcome): void;
}

/**
 * Runs jobs in processes of their own, each taking the next that is left. One that dies costs the job it was at; another
 * takes its place. Resolves when every job has ended, or, once `signal` is aborted, when every process is gone.
 */
export async function runInProcesses(share: Share): Promise<void> {
  const queue = share.jobs.map((_, index) => index);
  const workers = Array.from({ length: Math.min(share.processes, queue.length) }, () => work(share, queue));
  await Promise.all(workers);
}

/** One place in which a process works, and then the next if it has died. */
async function work(share: Share, queue: number[]): Promise<void> {
  while (queue.length > 0 && !share.signal.aborted) {
    const left = await workUntilDeath(share, queue);
    if (left === undefined || share.signal.aborted) continue;
    share.ended(left.index, lost(share.jobs[left.index]!, `the process that ran it died (${left.how})`, 70));
  }
}

/** Resolves with the job that the process died of; undefined when the queue is empty. */
function workUntilDeath({ settings, jobs, signal, ended }: Share, queue: number[]): Promise<{ index: number; how: string } | undefined> {
  return new Promise((resolve) => {
    const child = fork(WORKER, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const stop = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', stop);
    let current: number | undefined;
    let finished = false;
    const next = (): void => {
      current = signal.aborted ? undefined : queue.shift();
      finished = current === undefined;
      if (current === undefined) child.disconnect();
      else send(child, order(settings, jobs[current]!, current));
    };
    const gone = (how: string): void => {
      signal.removeEventListener('abort', stop);
      // One that dies before it takes a job costs one too, or the next would die in its turn, and so on for ever.
      const index = current ?? (finished ? undefined : queue.shift());
      resolve(index === undefined ? undefined : { index, how });
    };
    child.on('message', (answer: Answer | typeof READY) => {
      if (answer === READY) return next();
      const { id, outcome } = answer;
      ended(id, typeof outcome === 'string' ? lost(jobs[id]!, outcome, 2) : outcome);
      next();
    });
    child.once('error', (error) => gone(error.message));
    child.once('exit', (code, by) => gone(by ?? `exit ${code}`));
  });
}

/** A process that is gone cannot be told anything; that it is gone is seen by its exit. */
function send(child: ChildProcess, message: Order): void {
  child.send(message, () => {});
}

function order(settings: RunSettings, { scenario, ordinal, slug, alone, asked }: Share['jobs'][number], id: number): Order {
  return { id, settings, file: scenario.file, ordinal, slug, alone, asked };
}

function lost({ scenario: { file, name, label } }: Job, how: string, exit: number): Outcome {
  return { notRun: { file, name, label, reason: 'error', problem: `${file}: ${how}`, next: 'run it alone, without --jobs', exit } };
}
