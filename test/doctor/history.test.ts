import { expect, it } from 'vitest';
import { diagnosisOf, inShort } from '../helpers/doctor.ts';
import { reshardCreate, reshardingCluster, reshardLine } from '../helpers/reshard.ts';
import { shardedCluster } from '../helpers/sharded.ts';
import { movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';

/*
 * Where no record says how something came about, the history of commands does; what was refused, finished by somebody else, or is about
 * another thing of the same name says nothing.
 */
const c2c = (rest: string): string => switchLine().replace('switchtraffic', rest);
const MAIN = '24.0.0-SNAPSHOT';

async function isHealthy(cluster: TestCluster): Promise<void> {
  expect(inShort(await diagnosisOf(cluster))).toEqual([]);
}

it.each(['hardened', MAIN])('a create that was refused because the workflow is there says nothing against it: %s', async (version) => {
  const cluster = await reshardingCluster('1 to 2', { version, rows: 6, reference: false });
  await cluster.ok(reshardLine('switchtraffic --tablet-types replica'));
  expect((await cluster.run(reshardCreate('1 to 2'))).stderr).toContain('some streams already exist');
  await isHealthy(cluster);
  expect(await cluster.ok('doctor --fix')).toContain('healthy');
  expect(await cluster.ok('show workflow')).toContain('cust2cust');
});

it('a Reshard whose create broke off is whole once all of its streams are started', async () => {
  const cluster = await reshardingCluster('1 to 2', { version: MAIN, rows: 6, reference: false });
  await cluster.ok(reshardLine('cancel'));
  expect((await cluster.run(reshardCreate('1 to 2', "--fault 'create/startStreams=return'"))).exit).toBe(1);
  expect((await diagnosisOf(cluster)).problems.map(({ kind }) => kind)).toEqual(['half-created']);
  await cluster.ok(reshardLine('start'));
  await cluster.ok(reshardLine('status'));
  await isHealthy(cluster);
});

it("a VDiff's create is no create of the workflow", async () => {
  const cluster = await shardedCluster({ version: 'hardened', rows: 5 });
  await cluster.ok(c2c('cancel'));
  await cluster.ok(c2c('create --source-keyspace commerce --tables customer,corder --auto-start=false'));
  expect((await cluster.run('VDiff --workflow c2c --target-keyspace customer create')).exit).toBe(1);
  await isHealthy(cluster);
});

it('what a reversal that was finished by the doctor gave back is not gone when the workflow is cancelled', async () => {
  const cluster = await movingCluster();
  await cluster.ok(switchLine());
  expect((await cluster.run(c2c("reversetraffic --fault 'switchTraffic/writes/startReverseVReplication=panic'"))).exit).toBe(137);
  await cluster.ok('doctor --fix');
  await cluster.ok(c2c('cancel'));
  await isHealthy(cluster);
});

it('nor on a release where the reversal was killed when all was done', async () => {
  const cluster = await movingCluster(MAIN);
  await cluster.ok(switchLine());
  expect((await cluster.run(c2c("reversetraffic --fault 'switchTraffic/writes/unlockTarget:before=panic'"))).exit).toBe(137);
  await cluster.run('doctor --fix');
  await cluster.ok(c2c('cancel'));
  await isHealthy(cluster);
});

const DEAD: [what: string, version: string, make: (version: string) => Promise<TestCluster>, lines: string[]][] = [
  ['a cancel between two shards', MAIN, (version) => shardedCluster({ version, rows: 5 }), [c2c("cancel --fault 'cancel/removeTargetTables:after@customer/-80=panic'")]],
  ['a cancel, where what is gone is an error', 'v19.0.10', movingCluster, [c2c("cancel --fault 'cancel/removeTargetTables:after=panic'")]],
  ['a cancel between two shards, where what is gone is an error', 'v19.0.10', (version) => shardedCluster({ version, rows: 5 }), [c2c("cancel --fault 'cancel/removeTargetTables:after@customer/-80=panic'")]],
  ['a complete, where what is gone is an error', 'v19.0.10', movingCluster, [switchLine(), c2c("complete --fault 'complete/removeSourceTables:after=panic'")]],
];

it.each(DEAD)('a process that died at an ending left its locks, which tell of it: %s on %s', async (_what, version, make, lines) => {
  const cluster = await make(version);
  for (const line of lines) await cluster.run(line);
  expect((await diagnosisOf(cluster)).problems.map(({ kind }) => kind)).toContain('half-ended');
  await cluster.ok('doctor --fix');
  expect(await cluster.ok('show workflow')).not.toContain('customer.c2c');
  const side = lines.length === 1 ? 'commerce' : 'customer';
  await cluster.ok(`query --target ${side} "insert into customer (customer_id, email) values (6, 'after@example.com')"`);
});

it('tables that were to be renamed are not dropped by what finishes it', async () => {
  const cluster = await movingCluster(MAIN);
  await cluster.ok(switchLine());
  expect((await cluster.run(c2c("complete --rename-tables --fault 'complete/removeSourceTables:after=panic'"))).exit).toBe(137);
  const [problem] = (await diagnosisOf(cluster)).problems.filter(({ kind }) => kind === 'half-ended');
  expect(problem?.repairs[0]?.commands).toEqual([`vtctldclient ${c2c('complete --rename-tables')}`]);
  await cluster.ok('doctor --fix');
});
