import fs, { cpSync, existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import fsp from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FileCluster, fileCluster } from '../helpers/file-cluster.ts';
import { sample } from '../helpers/sample.ts';
import { tempDir } from '../helpers/topo-world.ts';

/*
 * What a process leaves that is killed while it saves or restores: the folder is copied before each of its calls to the file system, which is
 * what a kill at that instant would leave there.
 */
const dir = tempDir();
afterAll(() => dir.remove());

/** Of a process that is certainly dead. */
const DEAD = 2 ** 22 + 1;
const state = join(dir.path, 'state');
const cluster = fileCluster(state);

beforeAll(async () => {
  await cluster.ok('init commerce');
  await cluster.ok('snapshot save one');
  await cluster.ok("query 'delete from customer where customer_id = 1'");
  await cluster.ok('snapshot save two');
});

let copied = 0;
const SYNC = ['renameSync', 'rmSync', 'rmdirSync', 'linkSync', 'mkdirSync', 'openSync', 'writeSync', 'closeSync'] as const;
const ASYNC = ['open', 'rm'] as const;

/** Runs a command line, and copies the folder before each call that may change something in it. Gives the copies. */
async function instants(line: string): Promise<string[]> {
  const copies: string[] = [];
  let copying = false;
  const copy = (args: unknown[]): void => {
    if (copying || typeof args[0] !== 'string' || !args[0].startsWith(state)) return;
    copying = true;
    const to = join(dir.path, `copy-${copied++}`);
    cpSync(state, to, { recursive: true });
    copies.push(to);
    copying = false;
  };
  const originals = [...SYNC.map((name) => [fs, name, fs[name]] as const), ...ASYNC.map((name) => [fsp, name, fsp[name]] as const)];
  for (const [module, name, original] of originals) {
    Object.assign(module, {
      [name]: (...args: unknown[]): unknown => {
        copy(args);
        return (original as (...all: unknown[]) => unknown)(...args);
      },
    });
  }
  syncBuiltinESMExports();
  try {
    await cluster.ok(line);
  } finally {
    for (const [module, name, original] of originals) Object.assign(module, { [name]: original });
    syncBuiltinESMExports();
  }
  for (const folder of copies) bury(folder);
  return copies;
}

/** What the process has claimed is a dead one's. */
function bury(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    if (name.endsWith('.making')) writeFileSync(join(folder, name), `${DEAD}\n`);
    const mine = `.making-${process.pid}`;
    if (name.includes(mine)) renameSync(join(folder, name), join(folder, name.replace(mine, `.making-${DEAD}`)));
  }
}

/** What is in a folder, apart from the snapshots that were kept and what SQLite makes and removes again. */
function unexpected(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).filter((name) => !/^(?:topology\.db|shards(?:-\d+)?|shards(?:-\d+)?\/[a-z]+\.0\.db|snapshots|snapshots\/[a-z]+(?:-[a-z]+-\d+)?\.swt-snapshot)$/.test(name));
}

/** How many customers there are: five at first, four later. */
async function customers(left: FileCluster): Promise<string> {
  return /(\d+) /.exec((await left.ok("query 'select count(*) from customer'")).split('\n')[3]!)![1]!;
}

/** One folder for each set of files that was left; what is in them, other tests look at. */
function different(copies: readonly string[]): string[] {
  const seen = new Map(copies.map((folder) => [(readdirSync(folder, { recursive: true }) as string[]).toSorted().join(), folder]));
  return [...seen.values()];
}

it('restore: the old cluster or the new one, and the next restore clears up', async () => {
  const copies = await instants('snapshot restore one --force');
  expect(copies.length).toBeGreaterThan(15);
  const found: string[] = [];
  for (const folder of copies) found.push(await customers(fileCluster(folder)));
  // First the old one, from some instant on the new one, and nothing else.
  expect([...new Set(found)]).toEqual(['4', '5']);
  expect(found.toSorted()).toEqual(found);
  for (const folder of sample(different(copies), 3)) {
    const left = fileCluster(folder);
    await left.ok('snapshot restore two --force');
    expect(await customers(left)).toBe('4');
    expect(unexpected(folder)).toEqual([]);
  }
});

it('save: no snapshot, or the whole one', async () => {
  const copies = await instants('snapshot save three');
  expect(copies.length).toBeGreaterThan(5);
  for (const folder of different(copies)) {
    const left = fileCluster(folder);
    if (existsSync(join(folder, 'snapshots', 'three.swt-snapshot'))) expect((await left.run('snapshot diff three')).exit).toBe(0);
    await left.ok('snapshot save three --force');
    expect(unexpected(folder)).toEqual([]);
    expect(readdirSync(join(folder, 'snapshots'))).toContain('three.swt-snapshot');
  }
});
