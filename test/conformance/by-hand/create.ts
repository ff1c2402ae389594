import { expect } from 'vitest';
import { getVSchema } from '../../../src/topo/vschema.ts';
import { readStreams } from '../../../src/tablet/vreplication/streams.ts';
import { migrationId } from '../../../src/lib/fnv.ts';
import { createLine } from '../world.ts';
import type { Stage } from '../adapters/workflow/stage.ts';
import { fails, type HandCases, moving, ONE_SHARD, succeeds } from './helpers.ts';

async function targetVSchema(stage: Stage): Promise<unknown> {
  const { ctx, cluster } = stage.world.engine();
  return (await getVSchema(ctx, cluster.topo, stage.scene.workflow.target)).record;
}

/** `Materialize create` of one table. */
function materialize(stage: Stage, settings: object): Promise<Awaited<ReturnType<Stage['run']>>> {
  return stage.world.run('Materialize', '--workflow', 'mat', '--target-keyspace', 'targetks', 'create', '--source-keyspace', 'sourceks', '--table-settings', JSON.stringify([settings]));
}

export const createCases: HandCases = {
  'movetables_create.schema_copy_errors': async () => {
    const stage = await moving(ONE_SHARD, { workflow: false });
    fails(await materialize(stage, { target_table: 't1', source_expression: 'select * from t2', create_ddl: 'copy' }), 'source and target table names must match for copying schema: t2 vs t1');
    fails(await materialize(stage, { target_table: 't3', source_expression: 'select * from t3', create_ddl: 'copy' }), 'source table t3 does not exist');
    fails(await materialize(stage, { target_table: 't1', source_expression: 'select * from t1', create_ddl: '' }), 'target table t1 does not exist and there is no create ddl defined');
    const { cluster } = stage.world.engine();
    const path = 'keyspaces/sourceks/shards/0/Shard';
    const node = stage.world.host.store.cell('global').get(path)!;
    const { primary_alias: _primary, ...record } = JSON.parse(node.contents) as Record<string, unknown>;
    stage.world.host.store.cell('global').set(path, { ...node, contents: JSON.stringify(record) });
    expect(cluster.release.name).toBe('24.0.0-SNAPSHOT');
    fails(await materialize(stage, { target_table: 't1', source_expression: 'select * from t1', create_ddl: 'copy' }), 'source shard must have a primary for copying schema: 0');
  },

  'movetables_create.stopped_when_auto_start_false': async () => {
    const stage = await moving(ONE_SHARD, { workflow: false });
    const flags = ['--auto-start=false', '--stop-after-copy', '--no-routing-rules', '--on-ddl', 'STOP', '--tablet-types', 'primary,rdonly', '--tablet-types-in-preference-order=true', '--all-cells'];
    succeeds(await stage.world.run(...createLine(stage.scene), ...flags));
    const db = stage.world.shard('targetks', '0');
    const state = (): string | undefined => readStreams(db, 'wf1')[0]?.state;
    expect(state()).toBe('Stopped');
    succeeds(await stage.run('start'));
    await stage.world.pump();
    // The copy is done, and the stream stops again.
    expect(state()).toBe('Stopped');
    db.db.run("UPDATE \"_vt.vreplication\" SET source = replace(source, ' stop_after_copy:true', '')");
    succeeds(await stage.run('start'));
    await stage.world.pump();
    expect(state()).toBe('Running');
    expect(await stage.world.routingRules()).toEqual({});
  },

  'movetables_create.vschema_restored_on_late_failure': async () => {
    for (const target of ['targetks (unsharded)', 'targetks (-80,80-)']) {
      const stage = await moving({ ...ONE_SHARD, target_keyspace: target }, { workflow: false });
      const before = await targetVSchema(stage);
      const { keyspace, shards } = stage.side('target');
      // A journal of an earlier run is found after the streams were made.
      const id = String(migrationId(keyspace, shards.map((shard) => `${shard}:1`)));
      const source = stage.world.shard('sourceks', '0');
      source.db.run('INSERT INTO "_vt.resharding_journal" VALUES (?, ?, ?)', id, source.dbName, '');
      fails(await stage.world.run(...createLine(stage.scene)), 'found an entry from a previous run');
      expect(await targetVSchema(stage)).toEqual(before);
      for (const shard of shards) expect(readStreams(stage.world.shard(keyspace, shard))).toEqual([]);
      expect(readStreams(source)).toEqual([]);
    }
  },
};
