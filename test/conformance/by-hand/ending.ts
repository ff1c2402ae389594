import { expect } from 'vitest';
import { readStreams } from '../../../src/tablet/vreplication/streams.ts';
import { BinlogSource } from '../../../src/topo/proto/messages-binlogdata.ts';
import { parsePrototext } from '../../../src/topo/proto/prototext-parse.ts';
import type { BinlogSource as Source } from '../../../src/topo/proto/types-workflow.ts';
import { updateShardFields } from '../../../src/topo/keyspaces.ts';
import { withKeyspaceLock } from '../../../src/topo/locks.ts';
import { getVSchema, saveVSchema } from '../../../src/topo/vschema.ts';
import { lockedRun, runSteps } from '../adapters/workflow/switch-run.ts';
import { fails, type HandCases, moving, succeeds } from './helpers.ts';

const CUSTOMER = { keyspace: 'customer', source_shards: ['0'], target_shards: ['-80', '80-'] } as const;

export const endingCases: HandCases = {
  'cancel_complete.complete_requires_non_serving_sources': async () => {
    const stage = await moving({ workflow: 'ks.wf1 (Reshard -40,40- to -80,80-)' });
    succeeds(await stage.run('switchtraffic'));
    const { ctx, cluster } = stage.world.engine();
    // The state is read off the first source shard; the other one serves again.
    await withKeyspaceLock(ctx, cluster.topo, 'ks', 'given', async (locked) => {
      await updateShardFields(locked, cluster.topo, 'ks', '40-', (record) => {
        record.is_primary_serving = true;
        return true;
      });
    });
    fails(await stage.run('complete'), 'shard 40- is still serving');
  },

  'cancel_complete.stream_logs_for_missing_streams_skipped': async () => {
    const stage = await moving();
    const { keyspace, shards } = stage.side('target');
    const { db } = stage.world.shard(keyspace, shards[0]!);
    db.run('INSERT INTO "_vt.vreplication_log" (vrepl_id, type, state, message, created_at, updated_at) VALUES (999, \'Message\', \'Running\', \'of a stream that is gone\', 0, 0)');
    const stdout = succeeds(await stage.world.run('Workflow', '--keyspace', keyspace, 'show', '--workflow', 'wf1', '--include-logs'));
    const { workflows } = JSON.parse(stdout) as { workflows: { shard_streams: Record<string, { streams: { id: string; logs: { stream_id: string }[] }[] }> }[] };
    const streams = Object.values(workflows[0]!.shard_streams).flatMap((shard) => shard.streams);
    expect(streams.every(({ logs }) => logs.length > 0)).toBe(true);
    for (const { id, logs } of streams) for (const log of logs) expect(log.stream_id).toBe(id);
  },

  'cancel_complete.workflow_update_changed_flag': async () => {
    const stage = await moving();
    const { keyspace, shards } = stage.side('target');
    const changed = async (): Promise<boolean[]> => {
      const { details } = JSON.parse(succeeds(await stage.world.run('Workflow', '--keyspace', keyspace, 'start', '--workflow', 'wf1'))) as { details: { changed: boolean }[] };
      return details.map((detail) => detail.changed);
    };
    const stop = (...names: string[]): void => names.forEach((shard) => stage.world.shard(keyspace, shard).db.exec('UPDATE "_vt.vreplication" SET state = \'Stopped\''));
    await changed();
    stop(shards[0]!);
    expect(await changed()).toEqual([true, false]);
    stop(...shards);
    expect(await changed()).toEqual([true, true]);
  },

  'stream_migration.no_streams': async () => {
    const stage = await moving(CUSTOMER);
    const run = await lockedRun(stage);
    await runSteps(run, 'buildStreamMigrator', 'stopSourceWrites', 'stopStreams', 'gatherSourcePositions', 'waitForCatchup', 'migrateStreams');
    expect(run.migrator?.workflows).toEqual([]);
    expect(run.migrator?.templates).toEqual([]);
  },

  'stream_migration.one_materialize_stream': async () => {
    const stage = await moving({ ...CUSTOMER, tables: ['t1'] }, { workflow: false });
    // A stream from another keyspace that fills t1 on the source shard.
    const settings = JSON.stringify([{ target_table: 't1', source_expression: 'select * from t1', create_ddl: 'copy' }]);
    await stage.world.prepare('query', '--target', 'customer:0', 'create table other (id bigint not null, primary key (id))');
    expect(settings).toContain('t1');
    const source = stage.world.shard('customer', '0');
    const { cluster } = stage.world.engine();
    const { insertStream } = await import('../../../src/tablet/vreplication/streams.ts');
    const id = source.db.transact(() =>
      insertStream(source, { workflow: 'wfMat1', source: 'keyspace:"sourceks" shard:"0" filter:{rules:{match:"t1" filter:"select * from t1"}}', pos: source.positionText(), state: 'Running', db_name: source.dbName, time_updated: 0, message: '' }, 0),
    );
    expect(id).toBeGreaterThan(0);
    await stage.world.prepare('Reshard', '--workflow', 'wf1', '--target-keyspace', 'customer', 'create', '--source-shards=0', '--target-shards=-80,80-');
    await stage.world.pump();
    const run = await lockedRun(stage);
    await runSteps(run, 'buildStreamMigrator', 'stopStreams');
    expect(readStreams(source, 'wfMat1')).toMatchObject([{ state: 'Stopped', message: 'for cutover' }]);
    await runSteps(run, 'stopSourceWrites', 'gatherSourcePositions', 'waitForCatchup', 'migrateStreams');
    expect(run.migrator?.workflows).toEqual(['wfMat1']);
    for (const shard of ['-80', '80-']) {
      const rows = readStreams(stage.world.shard('customer', shard), 'wfMat1');
      expect(rows).toHaveLength(1);
      const rule = (parsePrototext(BinlogSource, rows[0]!.source) as Source).filter?.rules?.[0];
      expect(rule?.filter).toBe(`select * from t1 where in_keyrange(id, 'hash', '${shard}')`);
    }
    await runSteps(run, 'streamMigraterfinalize');
    expect(readStreams(source, 'wfMat1')).toEqual([]);
    for (const shard of ['-80', '80-']) expect(readStreams(stage.world.shard('customer', shard), 'wfMat1')).toMatchObject([{ state: 'Running' }]);
    expect(cluster.release.vitess).toBeTruthy();
  },

  'reverse_streams.filter_special_rules': async () => {
    const filters = async (rules: Source['filter'], tables: Record<string, object>): Promise<{ match: string; filter?: string }[]> => {
      const stage = await moving({ source: 'sourceks -80,80-', target: 'targetks -80,80-', tables: ['t1'] });
      const { ctx, cluster } = stage.world.engine();
      const { record } = await getVSchema(ctx, cluster.topo, 'sourceks');
      await saveVSchema(ctx, cluster.topo, 'sourceks', { ...record, tables: { ...record.tables, ...tables } }, null);
      const run = await lockedRun(stage);
      for (const target of run.sw.targets) for (const stream of target.streams) stream.source = { ...stream.source, filter: rules! };
      for (const target of run.sw.targets) target.position = target.db.positionText();
      await runSteps(run, 'createReverseVReplication');
      const [row] = readStreams(stage.world.shard('sourceks', '-80'), 'wf1_reverse');
      return ((parsePrototext(BinlogSource, row!.source) as Source).filter?.rules ?? []).map(({ match, filter }) => ({ match, ...(filter !== undefined && { filter }) }));
    };
    expect(await filters({ rules: [{ match: 't9', filter: 'exclude' }] }, {})).toEqual([{ match: 't9', filter: 'exclude' }]);
    expect(await filters({ rules: [{ match: '/.*', filter: '80-' }] }, {})).toEqual([{ match: '/.*', filter: '-80' }]);
    expect(await filters({ rules: [{ match: 'ref', filter: 'select * from ref' }] }, { ref: { type: 'reference' } })).toEqual([{ match: 'ref', filter: 'select * from `ref`' }]);
    await expect(filters({ rules: [{ match: 't2', filter: 'select * from t2' }] }, { t2: {} })).rejects.toThrow('no primary vindex found for the t2 table in the sourceks keyspace');
    await expect(filters({ rules: [{ match: 't3', filter: 'select * from t3' }] }, {})).rejects.toThrow('table t3 not found in vschema');
  },
};

