import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { errorText } from '../lib/errors.ts';
import type { Answer, Order } from './run-order.ts';
import type { Job, Outcome, RunSettings } from './scenario-runner.ts';

/** The compiled file that each thread runs. */
const WORKER = fileURLToPath(new URL('./run-worker.js', import.meta.url));
/** How many jobs a thread has in hand: it must not wait for the next while this thread is busy with one of its own. */
const IN_HAND = 3;

/** What is to be done. */
export interface Share {
  settings: RunSettings;
  jobs: readonly (Job & { ordinal: number })[];
  /** How many threads do it, this one among them. */
  threads: number;
  signal: AbortSignal;
  /** Does one job in this thread. */
  here(index: number): Promise<void>;
  /** Called as each job of another thread ends, in any order. */
  ended(index: number, outcome: Outcome): void;
}

/**
 * Runs jobs in this thread and in others, each taking the next that is left. A thread that dies costs the job it was at; another
 * takes its place. Resolves when every job has ended, or, once `signal` is aborted, when every thread is gone.
 */
export async function runInThreads(share: Share): Promise<void> {
  const queue = share.jobs.map((_, index) => index);
  const others = Array.from({ length: Math.min(share.threads, queue.length) - 1 }, () => work(share, queue));
  while (queue.length > 0 && !share.signal.aborted) {
    await share.here(queue.shift()!);
    // The loop turns: answers come in, orders go out, and a Ctrl-C is seen.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(others);
}

/** One place in which a thread works, and then the next if it has died. */
async function work(share: Share, queue: number[]): Promise<void> {
  while (queue.length > 0 && !share.signal.aborted) {
    const left = await workUntilDeath(share, queue);
    if (left === undefined || share.signal.aborted) continue;
    share.ended(left.index, lost(share.jobs[left.index]!, `the thread that ran it died (${left.how})`, 70));
  }
}

/** Resolves with the job that the thread died of; undefined when the queue is empty. */
function workUntilDeath({ settings, jobs, signal, ended }: Share, queue: number[]): Promise<{ index: number; how: string } | undefined> {
  return new Promise((resolve) => {
    const worker = new Worker(WORKER, { stdout: true });
    const stop = (): void => void worker.terminate();
    signal.addEventListener('abort', stop);
    const inHand: number[] = [];
    let how: string | undefined;
    const give = (): void => {
      while (inHand.length < IN_HAND && queue.length > 0 && !signal.aborted) {
        const index = queue.shift()!;
        inHand.push(index);
        worker.postMessage(order(settings, jobs[index]!, index));
      }
      if (inHand.length === 0) worker.postMessage('end');
    };
    worker.on('message', ({ id, outcome }: Answer) => {
      inHand.splice(inHand.indexOf(id), 1);
      ended(id, typeof outcome === 'string' ? lost(jobs[id]!, outcome, 2) : outcome);
      give();
    });
    worker.once('error', (error) => (how = errorText(error)));
    worker.once('exit', (code) => {
      signal.removeEventListener('abort', stop);
      // It was at the first that it had in hand; the others are anybody's again.
      const [index, ...rest] = inHand;
      queue.unshift(...rest);
      resolve(index === undefined ? undefined : { index, how: how ?? `exit ${code}` });
    });
    give();
  });
}

function order(settings: RunSettings, { scenario, ordinal, slug, alone, asked }: Share['jobs'][number], id: number): Order {
  return { id, settings, file: scenario.file, ordinal, slug, alone, asked };
}

function lost({ scenario: { file, name, label } }: Job, how: string, exit: number): Outcome {
  return { notRun: { file, name, label, reason: 'error', problem: `${file}: ${how}`, next: 'run it alone, with --jobs 1', exit } };
}
