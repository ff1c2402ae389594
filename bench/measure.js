// Side by side: A B A B, so that whatever else the machine does falls on both.
import { spawnSync } from 'node:child_process';
import { closeSync, cpSync, fsyncSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

/** The middle value. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Runs every case of `cases` (name to function, which may be async) in turn, `runs` times after one warm-up.
 * Returns what each answered, or how many milliseconds it took where it answered nothing.
 */
export async function interleave(cases, runs) {
  const results = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = 0; round <= runs; round++) {
    for (const [name, run] of Object.entries(cases)) {
      const start = performance.now();
      const answer = await run();
      const took = performance.now() - start;
      if (round > 0) results[name].push(answer ?? took);
    }
  }
  return results;
}

/** Runs a whole Node process and returns what it printed. Throws if it does not end with the status expected. */
export function node(args, { exit = 0 } = {}) {
  const done = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 });
  if (done.status !== exit) throw new Error(`node ${args.join(' ')}\nexit ${done.status ?? done.signal}\n${done.stdout}${done.stderr}`);
  return done.stdout;
}

/** Copies a folder and waits for the disk: otherwise the first commit in the copy would wait for all of it. */
export function copyFolder(from, to) {
  cpSync(from, to, { recursive: true });
  for (const entry of readdirSync(to, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = openSync(join(entry.path, entry.name), 'r+');
    fsyncSync(file);
    closeSync(file);
  }
}

/** A folder on the disk that temporary files go to, removed when `use` has ended. */
export async function withFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), 'switchtraffic-bench-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
