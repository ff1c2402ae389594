import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MOST_AUTOMATIC, saveSnapshot } from '../../../src/cli/snapshot/save.ts';
import { ETCD_NAMES } from '../../../src/topo/conn/directory.ts';
import { background } from '../../../src/runtime/context.ts';
import { tarHeader } from '../../../src/lib/tar.ts';
import { copyOf, fileCluster, type FileCluster, filesBelow } from '../../helpers/file-cluster.ts';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { movingCluster, switchLine, testCluster } from '../../helpers/shell.ts';
import { tempDir } from '../../helpers/topo-world.ts';

const dir = tempDir();
afterAll(() => dir.remove());
let folders = 0;
const folder = (): string => {
  const path = join(dir.path, String(folders++));
  mkdirSync(path);
  return path;
};

/** A cluster in files with a workflow that runs, its snapshot `before` on the shelf; made once, copied for each. */
let prepared: string;
beforeAll(async () => {
  const made = fileCluster(join(dir.path, 'prepared'));
  await made.ok('init commerce');
  await made.ok('MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder');
  await made.ok('MoveTables --workflow c2c --target-keyspace customer status');
  await made.ok('snapshot save before');
  prepared = made.folder;
});

function moving(): FileCluster {
  return fileCluster(copyOf(prepared, join(dir.path, `moving-${folders++}`)));
}

describe.each(['in memory', 'in files'])('a cluster %s', (where) => {
  const start = async (): Promise<Pick<FileCluster, 'ok' | 'run'>> => {
    if (where === 'in files') return moving();
    const cluster = await movingCluster();
    // As scenarios have it: what came after a mark is not committed.
    cluster.host.mark();
    await cluster.ok('snapshot save before');
    return cluster;
  };

  it('goes back to what it was, and to what it was then', async () => {
    const { ok, run } = await start();
    await ok(switchLine());
    const switched = await run('snapshot diff before');
    expect(switched).toMatchObject({ exit: 1, stderr: '' });
    expect(switched.stdout).toContain('  tables.customer: commerce.customer -> customer.customer\n');
    expect(switched.stdout).toContain('  customer.c2c/0 from commerce/0.state: Running -> Stopped\n');
    const restored = await ok('snapshot restore before --force');
    expect(restored).toContain('what it replaced is saved as before-restore-1; back to that: switchtraffic snapshot restore before-restore-1 --force');
    expect(await ok('snapshot diff before')).toMatch(/^before, saved \S+ and the cluster now are the same\n/);
    expect(await ok('GetRoutingRules')).toContain('"commerce.customer"');
    await ok('snapshot restore before-restore-1 --force --keep-old=false');
    expect(await ok('snapshot diff before-restore-1')).toContain('are the same');
    expect(await ok('show history')).toContain('switchtraffic');
    expect((await ok('snapshot list')).split('\n').map((line) => line.split(' ')[0])).toEqual(['NAME', 'before', 'before-restore-1', '']);
    // It goes on from there.
    await ok('MoveTables --workflow c2c --target-keyspace customer reversetraffic');
    expect(await ok("query 'select count(*) from customer'")).toContain('5');
  });

  it('is told apart row by row', async () => {
    const { ok, run } = await start();
    await ok("query 'delete from customer where customer_id = 1'");
    await ok(`query "update customer set email = 'new' where customer_id = 2"`);
    await ok(`query "insert into customer (email) values ('more')"`);
    const { exit, stdout } = await run('snapshot diff before');
    expect(exit).toBe(1);
    expect(stdout.split('\n').slice(2, -2).map((line) => line.trim())).toEqual([
      'rows',
      'commerce/0 customer: 5 rows as before',
      '1 gone',
      'customer_id 1',
      '1 new',
      expect.stringMatching(/^customer_id \d+$/) as string,
      '1 changed',
      'customer_id 2: email "bob@example.com" -> "new"',
      expect.stringContaining('not compared, since streams write them: customer/0 corder, customer/0') as string,
    ]);
    const { before, after, equal, areas, rows } = JSON.parse((await run('snapshot diff before --format json')).stdout) as Record<string, unknown>;
    expect([(before as { name: string }).name, (after as { name: null }).name, equal, areas]).toEqual(['before', null, false, expect.any(Array)]);
    expect(rows).toMatchObject([{ shard: 'commerce/0', table: 'customer', before: 5, after: 5, gone: { count: 1 }, come: { count: 1 }, changed: { count: 1 } }]);
  });

  it('keeps what an interrupted switch has written down, and nobody’s locks', async () => {
    const { ok, run } = await start();
    await run(switchLine("--fault 'switchTraffic/writes/waitForCatchup:before=panic'"));
    await ok('snapshot save broken');
    await ok(switchLine());
    expect((await run('snapshot restore broken --force')).exit).toBe(0);
    expect(await ok('show locks')).toContain('nobody holds a lock');
    const { stdout } = await run('snapshot diff before');
    expect(stdout).toContain('switches that are not finished');
    expect((await run('MoveTables --workflow c2c --target-keyspace customer complete')).stderr).toContain('was interrupted');
    await ok(switchLine());
    expect(await ok("query 'select count(*) from customer'")).toContain('5');
  });

  it('is not replaced without being asked, nor overwritten', async () => {
    const { ok, run } = await start();
    expect(await run('snapshot restore before')).toMatchObject({ exit: 2, stderr: expect.stringContaining('next: replace it: switchtraffic snapshot restore before --force') as string });
    expect(await run('snapshot save before')).toMatchObject({ exit: 2, stderr: expect.stringContaining('next: choose another name, or replace it with --force') as string });
    await ok('snapshot save before --force');
    expect(await run('snapshot restore befor --force')).toMatchObject({ exit: 2, stderr: expect.stringContaining('did you mean "before"?') as string });
    expect((await run('snapshot save')).stdout).toContain('Cluster saved as snapshot-1: ');
  });
});

it('a cluster goes from memory into files and back, as it was', async () => {
  const from = await movingCluster();
  await from.run(switchLine("--fault 'switchTraffic/writes/checkLocks=lease(expire)'"));
  expect(from.host.store.lockEvents).not.toEqual([]);
  const place = folder();
  const file = join(place, 'x.swt-snapshot');
  await from.ok(`snapshot save ${file}`);
  const to = fileCluster(join(place, 'state'));
  await to.ok(`snapshot restore ${file}`);
  await to.ok(`snapshot save ${join(place, 'y.swt-snapshot')}`);
  const back = testCluster();
  await back.ok(`snapshot restore ${join(place, 'y.swt-snapshot')}`);
  expect(fingerprint(back.host)).toEqual(fingerprint(from.host));
  // The lock rows are the topology's too.
  expect([back.host.store.revision, back.host.store.fences, back.host.store.lockEvents]).toEqual([from.host.store.revision, from.host.store.fences, from.host.store.lockEvents]);
});

it('a snapshot is a tar, and unpacked a state folder', async () => {
  const { ok, folder: state } = moving();
  await ok('snapshot restore before --force');
  await ok('snapshot save ./x.tar');
  const unpacked = folder();
  execFileSync('tar', ['xf', join(state, 'x.tar'), '-C', unpacked]);
  expect(await fileCluster(unpacked).ok('show workflow')).toContain('customer.c2c');
});

it('of snapshots that nobody asked for a bounded number is kept', async () => {
  const cluster = await movingCluster();
  for (let i = 0; i < MOST_AUTOMATIC + 2; i++) await saveSnapshot(cluster.host, cluster.host.world(), { automatic: 'before-fix' });
  await cluster.ok('snapshot save before-fix-x');
  const names = (await cluster.host.shelf()).names();
  expect(names).toHaveLength(MOST_AUTOMATIC + 1);
  expect([names.includes('before-fix-2'), names.includes(`before-fix-${MOST_AUTOMATIC + 2}`)]).toEqual([false, true]);
});

it('nothing is restored while a command may be at work', async () => {
  const cluster = moving();
  const { host, machine } = cluster;
  const world = machine.world();
  const conn = host.openTopology(world, { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
  const lock = await conn.lock(background(), { dir: 'keyspaces/commerce', contents: '{}', ttlMs: 60_000, mustExist: true });
  const { exit, stderr } = await cluster.run('snapshot restore before --force');
  expect([exit, stderr]).toEqual([75, expect.stringMatching(/^switchtraffic: a command is at work on the cluster in .*: .* holds the lock on keyspaces\/commerce\nnext: /) as string]);
  // It is no obstacle to saving.
  await cluster.ok('snapshot save meanwhile');
  await lock.unlock(background());
  conn.close();
  await cluster.ok('snapshot restore meanwhile --force');
});

it('who still has a cluster open that was replaced finds nothing in it, and spoils nothing', async () => {
  const cluster = moving();
  const world = cluster.machine.world();
  const late = cluster.host.openTopology(world, { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
  await cluster.ok('snapshot restore before --force');
  await expect(late.get(background(), 'keyspaces/commerce/Keyspace')).rejects.toThrow("node doesn't exist");
  late.close();
  expect(await cluster.ok('snapshot diff before')).toContain('are the same');
});

describe('a file that is no good is refused in a line, and nothing is changed', () => {
  const whole = (): Buffer => readFileSync(join(prepared, 'snapshots', 'before.swt-snapshot'));
  const flipped = (at: number): Buffer => {
    const bytes = whole();
    bytes[at]! ^= 0x10;
    return bytes;
  };
  /** Where a part's contents begin. */
  const startOf = (name: string): number => whole().indexOf(name) + 512;
  const header = (changes: object): Buffer => {
    const bytes = whole();
    const { length } = JSON.stringify(changes);
    const text = Buffer.from(JSON.stringify(changes));
    return Buffer.concat([tarHeader({ name: 'switchtraffic-snapshot.json', size: length }, 0), text, Buffer.alloc(512 - length), bytes.subarray(startOf('topology.db') - 512)]);
  };
  const told = { format: 1, version: '9.9.9', schema: { topology: 1, shard: 1 }, vitess_version: 'hardened', made_from: 'x', saved_at: '2026-01-01T00:00:00Z' };
  const cases: [string, () => Buffer | undefined, RegExp][] = [
    ['empty', () => Buffer.alloc(0), /is empty/],
    ['a text', () => Buffer.from('hello'), /is not a snapshot of switchtraffic/],
    ['zeros', () => Buffer.alloc(4096), /is not a snapshot of switchtraffic/],
    ['another tar', () => Buffer.concat([tarHeader({ name: 'a', size: 0 }, 0), Buffer.alloc(1024)]), /is not a snapshot of switchtraffic/],
    ['a SQLite file', () => readFileSync(join(prepared, 'topology.db')), /is not a snapshot of switchtraffic/],
    ['of a newer format', () => header({ ...told, format: 2 }), /was made by switchtraffic 9\.9\.9, which is newer than this one/],
    ['of a newer schema', () => header({ ...told, schema: { topology: 99, shard: 1 } }), /was made by switchtraffic 9\.9\.9/],
    ['with another header', () => header(told), /is damaged: switchtraffic-snapshot\.json is not what was saved/],
    ['without sense in its header', () => header({ format: 1 }), /is damaged: its switchtraffic-snapshot\.json cannot be read/],
    ...[700, 1100, 20_000, 200_000].map((at): [string, () => Buffer, RegExp] => [`cut off at ${at}`, () => whole().subarray(0, at), /is damaged: it ends too early|is damaged/]),
    ['cut off before its checksums', () => whole().subarray(0, whole().indexOf('checksums.json')), /is damaged: it ends too early/],
    ['without its end', () => Buffer.concat([whole().subarray(0, whole().indexOf('checksums.json')), Buffer.alloc(1024)]), /is damaged: it has no checksums/],
    ...['topology.db', 'shards/commerce.0.db', 'shards/customer.0.db'].map((name): [string, () => Buffer, RegExp] => [
      `with one bit of ${name} changed`,
      () => flipped(startOf(name) + 5000),
      new RegExp(`is damaged: ${name} is not what was saved`),
    ]),
    ['with a broken header inside', () => flipped(startOf('shards/commerce.0.db') - 500), /is damaged/],
    ['a folder', () => undefined, /is not a file/],
  ];

  it.each(cases)('%s', async (_name, contents, text) => {
    const cluster = await movingCluster();
    const before = fingerprint(cluster.host);
    const place = folder();
    const file = join(place, 'bad.swt-snapshot');
    const bytes = contents();
    if (bytes === undefined) mkdirSync(file);
    else writeFileSync(file, bytes);
    for (const line of [`snapshot restore ${file} --force`, `snapshot diff ${file}`]) {
      const { exit, stdout, stderr } = await cluster.run(line);
      expect([exit, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(text);
      expect(stderr.split('\n').length).toBeLessThanOrEqual(3);
    }
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('nor is anything left beside a cluster in files', async () => {
    const cluster = moving();
    writeFileSync(join(cluster.folder, 'bad'), flipped(startOf('shards/customer.0.db') + 1));
    const before = filesBelow(cluster.folder);
    expect((await cluster.run('snapshot restore ./bad --force --keep-old=false')).exit).toBe(2);
    expect(filesBelow(cluster.folder)).toEqual(before);
    expect(readdirSync(join(cluster.folder, 'snapshots'))).toEqual(['before.swt-snapshot']);
  });

  it('nor does one reach out of a scenario’s folder', async () => {
    const scenario = folder();
    const { makeShell } = await import('../../../src/cli/shell.ts');
    const cluster = await movingCluster();
    const shell = makeShell(cluster.host, { cwd: scenario, within: scenario });
    for (const argv of [['save', '../x.tar'], ['restore', '../x.tar', '--force'], ['diff', '/etc/passwd']]) {
      expect(await shell(['snapshot', ...argv])).toMatchObject({ exit: 2, stderr: expect.stringContaining("outside of the scenario's folder") as string });
    }
    expect((await shell(['snapshot', 'save', './x.tar'])).exit).toBe(0);
    expect(readdirSync(scenario)).toEqual(['x.tar']);
  });
});
