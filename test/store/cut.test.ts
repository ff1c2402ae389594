import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import BetterSqlite3 from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { realClock } from '../../src/runtime/clock.ts';
import { cutFiles } from '../../src/store/cut.ts';
import { tempDir } from '../helpers/topo-world.ts';

let dir: ReturnType<typeof tempDir>;
beforeEach(() => (dir = tempDir()));
afterEach(() => dir.remove());

const NAMES = ['topology', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'];
const pathOf = (name: string): string => join(dir.path, `${name}.db`);

function make(): void {
  for (const name of NAMES) {
    const db = new BetterSqlite3(pathOf(name));
    db.exec('PRAGMA journal_mode = WAL; CREATE TABLE n (value INTEGER NOT NULL); INSERT INTO n VALUES (0)');
    db.close();
  }
}

/** Writes the next number to each file in turn, each time in a transaction of its own, as fast as it can. */
const WRITER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const BetterSqlite3 = require(workerData.driver);
  const files = workerData.paths.map((path) => new BetterSqlite3(path, { timeout: 5000 }));
  const writes = files.map((db) => db.prepare('UPDATE n SET value = value + 1'));
  for (const db of files) db.pragma('synchronous = OFF');
  let running = true;
  parentPort.on('message', () => { running = false; });
  const round = () => {
    if (!running) { for (const db of files) db.close(); parentPort.close(); return; }
    for (let i = 0; i < 50; i++) for (const write of writes) write.run();
    setImmediate(round);
  };
  parentPort.postMessage('ready');
  round();
`;

it('what is copied of several files is a state that was, whoever writes meanwhile', async () => {
  make();
  const paths = NAMES.map(pathOf);
  const worker = new Worker(WRITER, { eval: true, workerData: { paths, driver: fileURLToPath(import.meta.resolve('better-sqlite3')) } });
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  await new Promise((resolve) => worker.once('message', resolve));
  const seen: number[][] = [];
  for (let i = 0; i < 25; i++) {
    const cut = await cutFiles(realClock(), paths[0]!, () => paths.slice(1));
    const values: number[] = [];
    for (const path of [paths[0]!, paths.at(-1)!]) {
      const to = `${path}.copy-${i}`;
      await cut.copy(path, to);
      const copy = new BetterSqlite3(to, { readonly: true });
      values.push(copy.prepare('SELECT value FROM n').pluck().get() as number);
      copy.close();
    }
    cut.close();
    seen.push(values);
  }
  worker.postMessage('end');
  await ended;
  // Numbers go up from the first file to the last: the last is never ahead of the first, and by one behind at most.
  for (const values of seen) {
    expect(values).toEqual(values.toSorted((a, b) => b - a));
    expect(values[0]! - values.at(-1)!).toBeLessThanOrEqual(1);
  }
  expect(new Set(seen.map(([first]) => first)).size).toBeGreaterThan(1);
});

it('a file that comes while the cut is prepared is in it', async () => {
  make();
  let asked = 0;
  const cut = await cutFiles(realClock(), pathOf('topology'), () => (asked++ === 0 ? [pathOf('a')] : [pathOf('a'), pathOf('b')]));
  expect(cut.paths).toEqual(['topology', 'a', 'b'].map(pathOf));
  cut.close();
});

it('somebody who keeps a file locked is given up on, and nobody else is kept waiting', async () => {
  make();
  const other = new BetterSqlite3(pathOf('b'));
  other.exec('BEGIN IMMEDIATE');
  const real = realClock();
  // Half a second for twenty.
  const clock = { ...real, turn: () => real.turn(), monotonic: (() => { let now = 0; return () => (now += 100); })() };
  const trying = cutFiles(clock, pathOf('topology'), () => [pathOf('a'), pathOf('b')]);
  const free = new BetterSqlite3(pathOf('a'), { timeout: 1000 });
  await real.turn();
  expect(free.prepare('UPDATE n SET value = value + 1').run().changes).toBe(1);
  await expect(trying).rejects.toMatchObject({ exit: 75, message: `the state file ${pathOf('b')} is locked by another process` });
  other.exec('ROLLBACK');
  for (const db of [other, free]) db.close();
  (await cutFiles(real, pathOf('topology'), () => [pathOf('a'), pathOf('b')])).close();
});
