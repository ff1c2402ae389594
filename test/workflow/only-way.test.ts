import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { World } from '../../src/runtime/world.ts';
import { CREATE_STEPS } from '../../src/workflow/create/steps.ts';
import { END_STEPS } from '../../src/workflow/end/steps.ts';
import { CATALOGUE } from '../../src/workflow/switch/catalogue.ts';
import { createSubjects } from '../helpers/create-subjects.ts';
import { END_SUBJECTS, endStart } from '../helpers/end-subjects.ts';
import { shardsOf } from '../helpers/fingerprint.ts';
import { parseSource, readSources, type SourceFile } from '../helpers/source.ts';
import type { TestCluster } from '../helpers/shell.ts';
import { PARTIAL, reshardSubject, type Subject, TABLES_TO_SHARDS, tenantSubject } from '../helpers/subjects.ts';

/*
 * The step wrapper is the only way to the stores: what a workflow writes, it writes in a step, by the ways that are guarded.
 */
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Writes that no guard has seen, by file, with why each may be. */
const RAW: Readonly<Record<string, Record<string, string>>> = {
  'src/workflow/create/copy-schema.ts': { 'db.transact': 'a savepoint inside of what writeTablet writes' },
  'src/workflow/ending.ts': { 'db.exec': 'called in what writeTablet writes', 'db.run': 'called in what writeTablet writes' },
  'src/workflow/switch/effects-writes.ts': { 'db.run': 'inside of what writeTablet writes' },
  'src/workflow/switch/sequences-undo.ts': { 'db.write': "strikes notes of the switch's own, when it is over", 'conn.atomically': 'guarded' },
  'src/workflow/switch/undo-records.ts': { 'conn.atomically': 'guarded' },
  'src/workflow/switch/undo.ts': { 'conn.atomically': 'only looks whose the intent is' },
  'src/workflow/create/take-back.ts': { 'conn.atomically': 'guarded, and a look whose the intent is' },
  'src/workflow/intent/record.ts': { 'conn.atomically': 'the intent itself, with the note of each step' },
  'src/workflow/places.ts': { 'conn.delete': 'DeleteShard, which is a command of one call' },
  'src/workflow/vdiff/run.ts': { 'db.write': "VDiff's own records" },
  'src/workflow/vdiff/create.ts': { 'db.write': "VDiff's own records" },
  'src/workflow/vdiff/change.ts': { 'db.write': "VDiff's own records" },
};

/** `FILE: WAY` for each way in which a file writes itself. */
function rawWrites(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, code }) => {
    const ways = Array.from(code.matchAll(/\b(db\.(?:run|exec|write|transact|writeBeside)|conn(?:\.forCell\([^()]*\))?\.(?:create|update|delete|atomically))\(/g), ([, way]) => way!.replace(/\.forCell\([^()]*\)/, ''));
    return [...new Set(ways)].map((way) => `${path}: ${way}`);
  });
}

describe('the source of workflows', () => {
  it('writes to the stores by the guarded ways alone', () => {
    const known = Object.entries(RAW).flatMap(([path, ways]) => Object.keys(ways).map((way) => `${path}: ${way}`));
    expect(rawWrites(readSources(ROOT, 'src/workflow')).toSorted()).toEqual(known.toSorted());
  });

  it.each([
    ["target.db.db.run('x')", ['db.run']],
    ['await topo.conn.forCell(cell).update(ctx, path, text, null)', ['conn.update']],
    ['conn.get(ctx, path); db.all(sql); // conn.delete(', []],
  ])('would be told of %s', (code, ways) => {
    expect(rawWrites([parseSource('src/workflow/x.ts', code)])).toEqual(ways.map((way) => `src/workflow/x.ts: ${way}`));
  });
});

interface Run {
  name: string;
  make(): Promise<TestCluster>;
  line: string;
}

const BACK = "--fault 'switchTraffic/writes/createReverseVReplication:after=return'";
const switched = (subject: Subject): Run[] => [
  { name: subject.name, make: subject.make, line: subject.line() },
  { name: `${subject.name}, going back`, make: subject.make, line: subject.line(BACK) },
];
const RUNS: Run[] = [
  ...[TABLES_TO_SHARDS, PARTIAL, tenantSubject('sharded'), reshardSubject('2 to 4', { streams: true })].flatMap(switched),
  ...Object.keys(END_SUBJECTS).flatMap((name) =>
    (['complete', 'cancel'] as const).map((verb): Run => ({ name: `${verb} of ${name}`, make: () => endStart(name, verb, 'hardened'), line: END_SUBJECTS[name]!.line(verb) })),
  ),
  ...createSubjects().flatMap(({ name, make, line }): Run[] => [
    { name: `create of ${name}`, make, line: line() },
    { name: `create of ${name}, taken back`, make, line: line("--fault 'create/createStreams:after=return'") },
  ]),
];
const RELEASES: Run[] = ['18', '22'].flatMap((version) =>
  RUNS.filter(({ name }) => !name.startsWith('create') && !name.includes(' of ')).map(({ name, make, line }): Run => ({ name: `${name}, on ${version}`, make, line: `${line} --vitess-version ${version}` })),
);

/** What a step may write. */
const STEPS: Readonly<Record<string, { about: string; looks?: boolean }>> = { ...CATALOGUE, ...END_STEPS, ...CREATE_STEPS };

it.each([...RUNS, ...RELEASES])('$name writes in its steps, and in none that only looks', async ({ make, line }) => {
  const cluster = await make();
  const writes = watchWrites(cluster);
  await cluster.run(line);
  expect(writes.length).toBeGreaterThan(2);
  // LOCK TABLES takes and lets go locks, which is all that it writes.
  expect(writes.filter(({ step }) => step === undefined || (STEPS[step]?.looks === true && !step.endsWith('/lockTables')))).toEqual([]);
});

interface Write {
  what: string;
  /** The step that it was written in. */
  step: string | undefined;
  by: string;
}

/** Hears of everything that code of workflows writes, but for what it notes of itself. */
function watchWrites({ host }: TestCluster): Write[] {
  const writes: Write[] = [];
  let world: World | undefined;
  const makeWorld = host.world;
  host.world = () => (world = makeWorld());
  const note = (what: string): void => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 60;
    const by = /src\/workflow\/\S+/.exec(new Error().stack ?? '')?.[0];
    Error.stackTraceLimit = limit;
    if (by !== undefined) writes.push({ what, step: world?.faults.current?.name, by });
  };
  const { store } = host;
  const { put, remove } = store;
  const isNote = (path: string): boolean => path.startsWith('switchtraffic/');
  store.put = (cell, path, contents) => {
    if (!isNote(path)) note(path);
    return put.call(store, cell, path, contents);
  };
  store.remove = (cell, path) => {
    if (!isNote(path)) note(path);
    remove.call(store, cell, path);
  };
  for (const [keyspace, shard] of shardsOf(host)) {
    const { db } = host.shards.open(keyspace, shard);
    const transact = db.transact.bind(db);
    db.transact = (fn) => {
      if (!db.inTransaction) note(`${keyspace}/${shard}`);
      return transact(fn);
    };
  }
  return writes;
}
