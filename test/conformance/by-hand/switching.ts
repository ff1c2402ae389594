import { expect } from 'vitest';
import { readStreamLogs, readStreams } from '../../../src/tablet/vreplication/streams.ts';
import { derivedState } from '../../../src/workflow/lag.ts';
import type { StreamRow } from '../../../src/tablet/vreplication/streams.ts';
import type { Stage } from '../adapters/workflow/stage.ts';
import { stateOf } from '../adapters/workflow/states.ts';
import { lockedRun, runSteps } from '../adapters/workflow/switch-run.ts';
import { cancelMigration } from '../../../src/workflow/switch/cancel-migration.ts';
import { fails, type HandCases, moving, ONE_SHARD, succeeds } from './helpers.ts';

/** The steps that the last command ran, by their short names. */
function stepsOf(stage: Stage): string[] {
  const entries = [...stage.world.host.store.cell('global')].filter(([path]) => path.startsWith('switchtraffic/history/')).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const last = JSON.parse(entries.at(-1)![1].contents) as { steps: string[] };
  return last.steps.map((step) => step.replace(/^switchTraffic\//, '').replace(/ .*$/, ''));
}

const LEGACY = { cells: ['cell1', 'cell2'], source: 'ks1 -40,40-', target: 'ks2 -80,80-', tables: ['t1', 't2'] } as const;

export const switchingCases: HandCases = {
  'can_switch.stream_state_derivation': () => {
    const derive = (row: Partial<StreamRow>, copying = false): string => derivedState({ message: '', state: 'Running', ...row } as StreamRow, copying);
    expect(derive({ message: 'test error' })).toBe('Error');
    expect(derive({}, true)).toBe('Copying');
    expect(derive({ state: 'Stopped' })).toBe('Stopped');
    // Upstream's test feeds seconds of the minute for times; of a stream with real ones nothing becomes Lagging.
    expect(derive({ time_updated: 11 })).toBe('Running');
  },

  'can_switch.tablet_refresh_failure': async () => {
    // Upstream's fake primaries refuse this one call; here tablets are down that are not read from.
    const stage = await moving({ source_keyspace: 'sourceks (unsharded)', target_keyspace: 'targetks (-80,80-)', refresh_error_on: ['sourceks/0 replica', 'targetks/-80 rdonly'] });
    const answer = await stage.run('switchtraffic', '--force=false');
    fails(answer, 'cannot switch traffic for workflow wf1 at this time: could not refresh all of the tablets involved in the operation:', 'sourceks/0', 'targetks/-80');
    expect(answer.failure?.message).not.toContain('targetks/80-');
  },

  'switch_traffic.cutover_sidecar_writes': async () => {
    const stage = await moving();
    succeeds(await stage.run('switchtraffic'));
    const { shards, keyspace } = stage.side('target');
    for (const shard of shards) {
      const db = stage.world.shard(keyspace, shard);
      const [row] = readStreams(db, 'wf1');
      expect(row).toMatchObject({ state: 'Stopped', message: 'FROZEN' });
      const messages = readStreamLogs(db, row!.id).map(({ message }) => message);
      expect(messages.indexOf('stopped for cutover')).toBeGreaterThan(-1);
      expect(messages.indexOf('FROZEN')).toBeGreaterThan(messages.indexOf('stopped for cutover'));
    }
    const source = stage.world.shard('sourceks', '0');
    expect(readStreams(source, 'wf1_reverse')).toHaveLength(shards.length);
    const steps = stepsOf(stage).filter((step) => /checkJournals|lockTables|createReverse|createJournals/.test(step));
    expect(steps.map((step) => step.replace(/#\d+$/, ''))).toEqual([
      'writes/checkJournals',
      'writes/lockTables',
      'writes/lockTables',
      'writes/createReverseVReplication',
      'writes/createJournals',
    ]);
    expect(source.db.all('SELECT id FROM "_vt.resharding_journal"')).toHaveLength(1);
  },

  'switch_traffic.lock_tables_run_twice_on_source': async () => {
    const stage = await moving(ONE_SHARD);
    succeeds(await stage.run('switchtraffic', '--tablet-types', 'primary'));
    expect(stepsOf(stage).filter((step) => step.startsWith('writes/lockTables'))).toHaveLength(2);
  },

  'switch_traffic.journal_exists_resumes': async () => {
    const stage = await moving({ ...LEGACY, workflow_state: 'All Reads Switched. Writes Not Switched' });
    // The journal is written on the first of the two sources alone.
    fails(await stage.run('switchtraffic', '--tablet-types', 'primary', '--fault', 'switchTraffic/writes/createJournals:before@ks1/40-=return(UNKNOWN,it broke)'), 'it broke');
    const journals = (shard: string): number => stage.world.shard('ks1', shard).db.all('SELECT id FROM "_vt.resharding_journal"').length;
    expect([journals('-40'), journals('40-')]).toEqual([1, 0]);
    succeeds(await stage.run('switchtraffic', '--tablet-types', 'primary'));
    const steps = stepsOf(stage).join(' ');
    for (const skipped of ['stopSourceWrites', 'waitForCatchup', 'createReverseVReplication']) expect(steps).not.toContain(skipped);
    expect([journals('-40'), journals('40-')]).toEqual([1, 1]);
    const rules = await stage.world.routingRules();
    expect(rules).toMatchObject({ t1: ['ks2.t1'], t2: ['ks2.t2'], 'ks1.t1': ['ks2.t1'], 'ks1.t2': ['ks2.t2'] });
    for (const shard of ['-80', '80-']) {
      expect(await stage.world.denied('ks2', shard)).toEqual([]);
      for (const row of readStreams(stage.world.shard('ks2', shard), 'wf1')) expect(row.message).toBe('FROZEN');
    }
  },

  'switch_traffic.vreplication_permissions': async () => {
    const stage = await moving();
    // A primary that does not answer, then one whose user may not, then one that may.
    fails(await stage.run('switchtraffic', '--fault', 'switchTraffic/writes/validateReverse:before=return(UNKNOWN,tmc throws error)'), 'tmc throws error');
    await stage.world.prepare('tablet', 'privileges', '--allow', 'select,insert', 'cell-100');
    fails(await stage.run('switchtraffic', '--tablet-types', 'primary'), 'vt_filtered', 'does not have');
    await stage.world.prepare('tablet', 'privileges', 'cell-100');
    succeeds(await stage.run('switchtraffic', '--tablet-types', 'primary'));
  },

  'cancel_on_error.catchup_timeout_cancels_cleanly': async () => {
    const stage = await moving(ONE_SHARD);
    await stage.world.prepare('query', '--session', 'a', '--target', 'targetks:0', 'lock tables t1 write');
    await stage.world.prepare('query', '--target', 'sourceks:0', "insert into t1 (id, val) values (50, 'x')");
    const answer = await stage.run('switchtraffic', '--tablet-types', 'primary', '--timeout', '6s');
    fails(answer, 'failed to sync up replication between the source and target');
    expect(answer.stderr).not.toContain('cancel migration failed');
    expect(await stage.world.prepare('query', '--target', 'sourceks:0', 'select val from t1 where id = 50')).toContain('x');
    await stage.world.prepare('query', '--target', 'sourceks:0', "insert into t1 (id, val) values (51, 'y')");
    await stage.world.prepare('query', '--session', 'a', 'unlock tables');
    await stage.world.pump();
    expect(readStreams(stage.world.shard('targetks', '0'), 'wf1')).toMatchObject([{ state: 'Running', message: '' }]);
    expect(stage.world.shard('targetks', '0').db.all('SELECT id FROM t1 WHERE id >= 50 ORDER BY id')).toEqual([{ id: 50 }, { id: 51 }]);
  },

  'cancel_on_error.precheck_failure_does_not_start': async () => {
    for (const fields of [ONE_SHARD, { keyspace: 'ks', source_shards: ['0'], target_shards: ['-80', '80-'] }]) {
      const stage = await moving(fields);
      const { keyspace } = stage.side('source');
      const target = stage.side('target');
      // The target refuses tables before the switch, also to those who would alter them.
      for (const shard of target.shards) stage.world.shard(target.keyspace, shard).db.exec('CREATE UNIQUE INDEX broken ON t1 (val)');
      await stage.world.prepare('query', '--target', `${keyspace}:0`, "insert into t1 (id, val) values (60, 'a'), (61, 'a'), (62, 'a'), (63, 'a')");
      await stage.world.pump();
      const { ctx, cluster } = stage.world.engine();
      await cluster.world.clock.sleep(9000, ctx);
      const answer = await stage.run('switchtraffic', '--tablet-types', 'primary', '--max-replication-lag-allowed', '3s');
      expect(answer.failure?.message).toMatch(/^cannot switch traffic for workflow .+ at this time: replication lag [0-9]+s is higher than allowed lag 3s$/);
      expect(answer.stderr).not.toContain('cancel migration failed');
      expect(await stage.world.prepare('query', '--target', `${keyspace}:0`, 'select id from t1 where id = 60')).toContain('60');
    }
  },

  'cancel_on_error.journal_failure_is_past_no_return': async () => {
    const stage = await moving({ ...ONE_SHARD, workflow_state: 'All Reads Switched. Writes Not Switched' });
    const answer = await stage.run('switchtraffic', '--tablet-types', 'primary', '--fault', 'switchTraffic/writes/createJournals:before=return(UNKNOWN,journaling intentionally failed)');
    fails(answer, 'journaling intentionally failed');
    // Nothing was rolled back: the streams stand, the reverse ones are there, the source takes no writes.
    expect(readStreams(stage.world.shard('targetks', '0'), 'wf1')).toMatchObject([{ state: 'Stopped', message: 'stopped for cutover' }]);
    expect(readStreams(stage.world.shard('sourceks', '0'), 'wf1_reverse')).toHaveLength(1);
    expect(await stage.world.denied('sourceks', '0')).toEqual(['t1']);
  },

  'cancel_on_error.rollback_itself_fails': async () => {
    const stage = await moving(ONE_SHARD);
    const answer = await stage.run(
      'switchtraffic',
      '--tablet-types',
      'primary',
      '--fault',
      'switchTraffic/writes/createReverseVReplication:after=return(UNKNOWN,it broke)',
      '--fault',
      'switchTraffic/rollback/restartTargetStreams:before=return(UNKNOWN,no)',
    );
    fails(answer, 'cancel migration failed, manual cleanup work may be necessary', 'could not restart vreplication: ');
    expect(readStreams(stage.world.shard('sourceks', '0'), 'wf1_reverse')).toEqual([]);
  },

  'cancel_on_error.explicit_cancel': async () => {
    const stage = await moving({ ...ONE_SHARD, workflow_state: 'All Reads Switched. Writes Not Switched' });
    // The engine's roll-back, called for a switch in which nothing failed.
    const run = await lockedRun(stage);
    await runSteps(run, 'stopSourceWrites', 'gatherSourcePositions', 'waitForCatchup', 'createReverseVReplication');
    expect(await cancelMigration(run)).toBeUndefined();
    expect(readStreams(stage.world.shard('targetks', '0'), 'wf1')).toMatchObject([{ state: 'Running', message: '' }]);
    expect(readStreams(stage.world.shard('sourceks', '0'), 'wf1_reverse')).toEqual([]);
    expect(await stateOf(stage.world, 'targetks', 'wf1')).toBe('All Reads Switched. Writes Not Switched');
  },

  'cancel_on_error.works_with_expired_caller_context': async () => {
    const stage = await moving(ONE_SHARD);
    const answer = await stage.run('switchtraffic', '--tablet-types', 'primary', '--fault', 'switchTraffic/writes/waitForCatchup:before=ctx(deadline)');
    fails(answer, 'context deadline exceeded');
    expect(answer.failure?.message).not.toContain('cancel migration failed');
    expect(await stage.world.denied('sourceks', '0')).toEqual([]);
    expect(readStreams(stage.world.shard('targetks', '0'), 'wf1')).toMatchObject([{ state: 'Running', message: '' }]);
    const { cluster } = stage.world.engine();
    expect(cluster.topo.conn.locks()).toEqual([]);
  },
};
