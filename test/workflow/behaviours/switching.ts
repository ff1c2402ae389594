import { expect } from 'vitest';
import type { SWITCHING } from '../../../src/lib/behaviours/switching.ts';
import type { BuiltName } from '../../../src/lib/behaviours.ts';
import { tableDef } from '../../../src/sql/schema-build.ts';
import { parseStatement } from '../../../src/sql/parser.ts';
import { createTable } from '../../../src/tablet/create-table.ts';
import { readStreams } from '../../../src/tablet/vreplication/streams.ts';
import { reshardingWithStreams } from '../../helpers/other-streams.ts';
import { reshardLine } from '../../helpers/reshard.ts';
import { movingCluster, switchLine, testCluster } from '../../helpers/shell.ts';
import { CATCH_UP, denied, diedWithWritesStopped, failedCatchUp, failedPositions, idle, LOCK_TABLES, REVERSE, ruleOf, type RunsOf, shared, STOP, streams, switchOn, switchWith } from './see.ts';

const RESTART = 'switchTraffic/rollback/restartTargetStreams';
const CREATE = 'MoveTables --workflow c2c --target-keyspace customer';

export const SWITCHING_RUNS: RunsOf<Extract<BuiltName, keyof typeof SWITCHING>> = {
  rollbackContext: async (version) => {
    if ((await failedCatchUp(version)).stderr.includes('(no locksInfo)')) return 'detached';
    const { cluster, exit } = await switchWith(version, [`${REVERSE}=ctx(cancel)`]);
    expect(exit).toBe(1);
    // Once the caller has gone, a roll-back on its context starts no stream again.
    return streams(cluster, 'c2c')[0]?.state === 'Running' ? 'inherited' : 'caller';
  },
  rollbackTimeoutMs: async (version) => {
    for (const [seconds, limit] of [[70, 60_000], [130, 120_000]] as const) {
      const { cluster } = await switchWith(version, [`${REVERSE}=return`, `${RESTART}=sleep(${seconds}s)`]);
      if (streams(cluster, 'c2c')[0]?.state !== 'Running') return limit;
    }
    return 0;
  },
  rollbackErrorsReturned: async (version) => {
    const { stderr } = await switchWith(version, [`${CATCH_UP}=return`, `${RESTART}=return`]);
    return stderr.includes('cancel migration failed, manual cleanup work may be necessary');
  },
  rollbackDirection: async (version) => {
    const { cluster } = await failedCatchUp(version);
    if (denied(cluster, 'commerce').length > 0) return 'forward';
    return denied(cluster, 'customer').length > 0 ? 'backward' : 'source-only';
  },
  rollbackRestoresAll: async (version) => ruleOf((await failedCatchUp(version)).cluster, 'corder@replica') === 'commerce.corder',
  reverseDeletesOriginal: async (version) => {
    const { cluster } = await switchWith(version, []);
    const { exit } = await cluster.run(`${CREATE} reversetraffic --fault '${CATCH_UP}=return'`);
    expect(exit).toBe(1);
    return streams(cluster, 'c2c').length === 0;
  },
  positionsErrorRollsBack: async (version) => {
    let failed = await failedPositions(version);
    // Until v20 positions are part of stopping the writes.
    if (failed.stderr.includes('there is no step')) failed = await switchWith(version, [`${STOP}:after=return`]);
    return denied(failed.cluster, 'commerce').length === 0;
  },
  lostLockRollsBack: async (version) => {
    const { cluster, stderr } = await switchWith(version, [`${LOCK_TABLES}#2=1*lease(expire)`]);
    expect(stderr).toContain('locks were lost');
    return denied(cluster, 'commerce').length === 0;
  },
  rebuildOnStopWrites: async (version) => {
    const { cluster } = await diedWithWritesStopped(version);
    return ruleOf(cluster, 'news', 'served') !== undefined;
  },
  rebuildAfterReads: async (version) => {
    const { cluster } = await switchWith(version, ['switchTraffic/writes/lockSource=panic']);
    expect(ruleOf(cluster, 'corder@replica')).toBe('customer.corder');
    return ruleOf(cluster, 'corder@replica', 'served') === 'customer.corder' ? 'always' : 'reads-only';
  },
  stopOrder: async (version) => {
    const cluster = await reshardingWithStreams('2 to 4', version);
    await cluster.run(reshardLine(`switchtraffic --fault '${STOP}=exit(3)'`));
    // It ends there, with nothing rolled back: are the other streams stopped by then?
    const stopped = readStreams(cluster.host.shards.open('customer', '-80'), 'sales').some(({ message }) => message === 'for cutover');
    return stopped ? 'streams-first' : 'writes-first';
  },
  stopWritesFreesTarget: async (version) => {
    const { cluster } = await diedWithWritesStopped(version);
    expect(denied(cluster, 'commerce')).toEqual(['corder', 'customer']);
    return denied(cluster, 'customer').length === 0;
  },
  lockTablesRounds: async (version) => {
    const cluster = await idle();
    const flags = `--tablet-types primary --vitess-version ${version}`;
    const { stderr } = await switchOn(cluster, [`${LOCK_TABLES}#9=return`], flags);
    const rounds = Number(/occurs (\d+) times at most/.exec(stderr)?.[1]);
    const failed = await switchOn(cluster, [`${LOCK_TABLES}#${rounds}=return`], flags);
    expect(failed.stderr).toContain(`failed to execute LOCK TABLES (attempt ${rounds} of ${rounds}) on sources`);
    return rounds;
  },
  positions: async (version) => {
    const { stderr } = await failedPositions(version);
    return stderr.includes('failed to gather replication positions on migration sources') ? 'after-lock-tables' : 'at-stop';
  },
  postJournal: async (version) => {
    const { exit } = await switchWith(version, ['switchTraffic/writes/allowTargetWrites=ctx(cancel)']);
    return exit === 0 ? 'bounded' : 'caller';
  },
  journalValueBytes: {
    at: ['22.0.4', '23.0.0'],
    see: async (version) => {
      const { refusedOn, accepted } = await shared('long journals', longJournals);
      return version === refusedOn ? 65_535 : accepted.includes(version) ? 4_294_967_295 : 0;
    },
  },
  resumeChecksLag: async (version) => {
    const { cluster } = await switchWith(version, ['switchTraffic/writes/allowTargetWrites=return']);
    cluster.machine.clock.advance(60_000);
    const { exit, stderr } = await cluster.run(switchLine());
    if (exit !== 0) expect(stderr).toContain('replication lag 60s is higher than allowed lag 30s');
    return exit !== 0;
  },
  reverseStart: async (version) => {
    const cluster = await movingCluster(version);
    await cluster.ok('query --target customer "create table notes (id bigint primary key)"');
    await cluster.ok('MoveTables --workflow other --target-keyspace commerce create --source-keyspace customer --tables notes --auto-start=false');
    await cluster.ok(switchLine());
    return streams(cluster, 'other', 'commerce')[0]?.state === 'Stopped' ? 'own-streams' : 'every-stream';
  },
};

/** So many tables with names so long that a journal outgrows 64 KB; MySQL takes 64 characters of up to 3 bytes. */
const TABLES = 340;
const tableName = (i: number): string => `${String(i).padStart(4, '0')}${'表'.repeat(60)}`;

/**
 * One workflow of many tables: switched on v22, which fails and is put right by hand, on v23, and back on `hardened`. Each
 * switch writes a journal of its own.
 */
async function longJournals(): Promise<{ refusedOn: string; accepted: string[] }> {
  const cluster = testCluster();
  await cluster.ok('init commerce');
  const source = cluster.host.shards.open('commerce', '0');
  source.db.transact(() => {
    for (let i = 0; i < TABLES; i++) {
      const made = parseStatement(`create table \`${tableName(i)}\` (id bigint primary key)`);
      if (made.kind === 'create-table') createTable(source, tableDef(made));
    }
  });
  await cluster.ok(`${CREATE} create --source-keyspace commerce --all-tables`);
  await cluster.ok(`${CREATE} status`);

  const failed = await cluster.run(switchLine('--tablet-types primary --vitess-version 22.0.4'));
  expect(failed.exit).toBe(1);
  expect(failed.stderr.split('\n')[0]).toBe(
    "failed to create the journal: rpc error: code = InvalidArgument desc = TabletManager.VReplicationExec on zone1-0000000100: Data too long for column 'val' at row 1 (errno 1406) (sqlstate 22001)",
  );
  // F43: nothing rolls back, and every source is denied.
  expect(denied(cluster, 'commerce').length).toBeGreaterThan(TABLES);
  expect(streams(cluster, 'c2c').map((row) => row.state)).toEqual(['Stopped']);
  expect(streams(cluster, 'c2c_reverse', 'commerce').map((row) => row.state)).toEqual(['Stopped']);
  expect(failed.stderr).toContain('23.0.7');

  await cluster.ok('SetShardTabletControl --remove commerce/0 primary');
  await cluster.ok('RefreshStateByShard commerce/0');
  await cluster.ok('Workflow --keyspace customer start --workflow c2c');
  await cluster.ok(switchLine('--tablet-types primary --vitess-version 23.0.0'));
  await cluster.ok(`${CREATE} reversetraffic --tablet-types primary`);
  return { refusedOn: '22.0.4', accepted: ['23.0.0', 'hardened'] };
}
