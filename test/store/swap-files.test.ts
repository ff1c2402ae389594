import { join } from 'node:path';
import type BetterSqlite3 from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realClock } from '../../src/runtime/clock.ts';
import { openFile } from '../../src/store/raw.ts';
import { swapFile } from '../../src/store/swap-files.ts';
import { tempDir } from '../helpers/topo-world.ts';

let dir: ReturnType<typeof tempDir>;
let path: string;
beforeEach(() => {
  dir = tempDir();
  path = join(dir.path, 'state.db');
});
afterEach(() => dir.remove());

/** A closed file with one row that says which it is. */
function make(file: string, name: string): void {
  const raw = openFile(file);
  raw.exec('CREATE TABLE t (v TEXT)');
  raw.prepare('INSERT INTO t VALUES (?)').run(name);
  raw.close();
}

const values = (raw: BetterSqlite3.Database): unknown[] => raw.prepare('SELECT v FROM t').pluck().all();

describe('a file that is swapped while somebody opens it', () => {
  it('is not written to through the log of the new one', async () => {
    make(path, 'old');
    make(`${path}.new`, 'new');
    let swapped: Promise<void> | undefined;
    // Between opening the file and looking for its log, which SQLite does when it is first asked something.
    const raw = openFile(path, () => (swapped ??= swapFile(`${path}.new`, path, realClock(), () => {}, 'DELETE FROM t')));
    await swapped;
    raw.prepare('INSERT INTO t VALUES (?)').run('late');
    const fresh = openFile(path);
    try {
      expect(values(fresh)).toEqual(['new', 'late']);
      expect(values(raw)).toEqual(['new', 'late']);
      expect(fresh.pragma('integrity_check', { simple: true })).toBe('ok');
    } finally {
      fresh.close();
      raw.close();
    }
  });
});
