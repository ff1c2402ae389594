import type { VDIFF as ROWS } from '../../../src/lib/behaviours/vdiff.ts';
import type { BuiltName } from '../../../src/lib/behaviours.ts';
import { background } from '../../../src/runtime/context.ts';
import { lockKeyspace, lockName } from '../../../src/topo/locks.ts';
import { openCluster } from '../../helpers/open-cluster.ts';
import { movingCluster, type TestCluster } from '../../helpers/shell.ts';
import { diffed, shown, tamper, UUID, VDIFF, workedOnElsewhere } from '../../helpers/vdiff.ts';
import { type RunsOf, streams } from './see.ts';

const WORDS = 'VDiff --workflow w2c --target-keyspace customer';

/** True if the release knows a flag of create. */
async function knows(version: string, flag: string): Promise<boolean> {
  const { exit, stderr } = await (await movingCluster(version)).run(`${VDIFF} create ${flag}`);
  if (exit !== 0 && !stderr.startsWith(`unknown flag: ${flag.split('=')[0]}\n`)) throw new Error(stderr);
  return exit === 0;
}

/** A diff while somebody has the locks that a diff may want. */
async function lockedOut(version: string): Promise<string> {
  const cluster = await movingCluster(version);
  const { topo } = openCluster(cluster.host, version);
  const name = await lockName(background(), topo, 'customer/c2c', 'test');
  const keyspace = await lockKeyspace(name.ctx, topo, 'customer', 'test');
  await cluster.ok(`${VDIFF} create --auto-retry=false --lock-timeout 1s`);
  workedOnElsewhere(cluster);
  const { State, Errors = {} } = await shown(cluster);
  await keyspace.unlock(undefined);
  await name.unlock(undefined);
  return State === 'error' ? Object.values(Errors).join() : State;
}

/** A table that its source sorts by bytes and its target without regard to case: B D a c, and a B c D. */
async function sortedOtherwise(version: string): Promise<TestCluster> {
  const cluster = await movingCluster(version);
  const words = (collation: string): string => `create table words (word varchar(20) collate ${collation} primary key)`;
  await cluster.ok(`query --target commerce:0 "${words('utf8mb4_bin')}"`);
  await cluster.ok(`query --target commerce:0 "insert into words values ('a'), ('B'), ('c'), ('D')"`);
  await cluster.ok(`query --target customer:0 "${words('utf8mb4_0900_ai_ci')}"`);
  await cluster.ok('MoveTables --workflow w2c --target-keyspace customer create --source-keyspace commerce --tables words');
  await cluster.ok('MoveTables --workflow w2c --target-keyspace customer status');
  return cluster;
}

/** A Materialize of some rows of `corder`. */
async function some(version: string, select: string, table: string): Promise<TestCluster> {
  const cluster = await movingCluster(version);
  const settings = JSON.stringify([{ target_table: 'part', source_expression: select, create_ddl: table }]);
  await cluster.ok(`Materialize --workflow w2c --target-keyspace customer create --source-keyspace commerce --table-settings '${settings}'`);
  await cluster.ok('Workflow --keyspace customer list');
  return cluster;
}

export const VDIFF_RUNS: RunsOf<Extract<BuiltName, keyof typeof ROWS>> = {
  vdiffFlags: async (version) => {
    if (!(await knows(version, '--max-report-sample-rows=3'))) return 'few';
    return (await knows(version, '--auto-start=false')) ? 'all' : 'samples';
  },
  vdiffNeedsRunning: async (version) => {
    const cluster = await movingCluster(version);
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer stop');
    const { exit, stderr } = await cluster.run(`${VDIFF} create`);
    if (exit !== 0 && !stderr.startsWith('not all streams are running in workflow customer.c2c\n')) throw new Error(stderr);
    return exit !== 0;
  },
  vdiffLock: async (version) => {
    const end = await lockedOut(version);
    if (end.includes('/keyspaces/customer/locks')) return 'keyspace';
    return end.includes('named_locks') ? 'workflow, once' : 'workflow, again and again';
  },
  vdiffRestart: async (version) => {
    const cluster = await movingCluster(version);
    await cluster.ok(`${VDIFF} create ${UUID}`);
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer stop');
    await cluster.ok(`${VDIFF} resume ${UUID}`);
    return streams(cluster, 'c2c')[0]?.state === 'Running' ? 'all run' : 'as they were';
  },
  vdiffTargetRows: async (version) => {
    const ones = await some(version, 'select * from corder where customer_id = 1', 'create table part (order_id bigint primary key, customer_id bigint, sku varbinary(128), price bigint)');
    tamper(ones, 'customer/0', "INSERT INTO part VALUES (500, 2, 'of another', 1)");
    if ((await diffed(ones, '', WORDS)).HasMismatch) return 'all';
    const shaped = await some(version, 'select order_id as id from corder where price > 0', 'create table part (id bigint primary key)');
    return (await diffed(shaped, '', WORDS)).State === 'error' ? 'as written' : 'where it fits';
  },
  vdiffSecondLook: async (version) => {
    const { State, HasMismatch, RowsCompared } = await diffed(await sortedOtherwise(version), '', WORDS);
    if (State === 'error') return 'miscounts';
    if (!HasMismatch) return 'exact';
    return RowsCompared === 5 ? 'all-or-nothing' : 'counts';
  },
  vdiffSamples: async (version) => {
    const cluster = await movingCluster(version);
    tamper(cluster, 'customer/0', 'UPDATE customer SET email = ? WHERE customer_id = 1', 'y'.repeat(100));
    const { Reports } = await diffed(cluster);
    const email = Reports?.['customer']?.['0']?.MismatchedRowsSample?.[0]?.Target.Row?.['email'];
    if (email === `${'y'.repeat(30)}...[TRUNCATED]`) return 'short';
    return email === 'y'.repeat(100) ? 'characters' : 'hex';
  },
  vdiffPercent: async (version) => {
    const cluster = await movingCluster(version);
    await cluster.ok(`${VDIFF} create`);
    tamper(cluster, 'customer/0', `UPDATE "_vt.vdiff_table" SET state = 'started'`);
    tamper(cluster, 'customer/0', `UPDATE "_vt.vdiff" SET state = 'started'`);
    workedOnElsewhere(cluster);
    return /^Progress: +[\d.]+(%+)/m.exec(await cluster.ok(`${VDIFF} show last`))?.[1] === '%%' ? '%%' : '%';
  },
  vdiffShardSummaries: async (version) => (await diffed(await movingCluster(version))).ShardSummaries !== undefined,
};
