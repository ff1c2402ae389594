import { expect } from 'vitest';
import { createMoveTables } from '../../../src/workflow/create/move-tables.ts';
import type { MoveTablesRequest } from '../../../src/workflow/create/request.ts';
import { createLine } from '../world.ts';
import type { Stage } from '../adapters/workflow/stage.ts';
import { type HandCases, moving, succeeds } from './helpers.ts';

const TENANT = { source_keyspace: 's1', target_keyspace: 'mt (unsharded)', workflow: 'mt.wf1', tenant_id: '1', multi_tenant_spec: { tenant_id_column_name: 'tenant_id', tenant_id_column_type: 'INT64' }, tables: ['t1'] } as const;

async function refusal(stage: Stage, more: Partial<MoveTablesRequest>): Promise<string> {
  const { ctx, cluster } = stage.world.engine();
  const request = { workflow: 'wf1', sourceKeyspace: 's1', targetKeyspace: 'mt', tables: ['t1'], allTables: false, excludeTables: [], cells: [], tabletTypes: ['PRIMARY'], inOrder: true, onDdl: 'IGNORE', sourceShards: [], shards: [], tenantId: '1', globalKeyspace: '', config: {}, ...more };
  try {
    await createMoveTables(ctx, cluster, request as unknown as MoveTablesRequest);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

export const partialCases: HandCases = {
  'partial_migration.cancel_reverse_workflows_cleans_everything': async () => {
    const fields = { source_keyspace: 'customer (-80,80-)', target_keyspace: 'customer2 (-80,80-)', workflow: 'customer2.partial80Dash', source_shards: ['80-'], tables: ['customer'], second_workflow: 'customer2.partialDash80' };
    const stage = await moving(fields);
    succeeds(await stage.run('switchtraffic'));
    succeeds(await stage.world.run('MoveTables', '--workflow', 'partialDash80', '--target-keyspace', 'customer2', 'switchtraffic'));
    expect(await stage.world.shardRoutingRules()).toEqual({ 'customer.-80': 'customer2', 'customer.80-': 'customer2' });
    for (const name of ['partialDash80_reverse', 'partial80Dash_reverse']) {
      succeeds(await stage.world.run('MoveTables', '--workflow', name, '--target-keyspace', 'customer', 'cancel', '--keep-data'));
    }
    expect(succeeds(await stage.world.run('GetRoutingRules', '--compact'))).toBe('{}\n');
    expect(await stage.world.shardRoutingRules()).toEqual({});
  },

  'multi_tenant.cancel_deletes_only_tenant_rows': async () => {
    for (const after of ['create', 'switching reads']) {
      const stage = await moving(TENANT);
      const db = stage.world.shard('mt', '0');
      const rows = (): number => db.db.all('SELECT id FROM t1').length;
      expect(rows()).toBeGreaterThan(0);
      if (after !== 'create') succeeds(await stage.run('switchtraffic', '--tablet-types', 'replica,rdonly'));
      // The rows of another tenant stay.
      db.db.exec("INSERT INTO t1 (id, tenant_id) VALUES (99, 2)");
      succeeds(await stage.run('cancel'));
      expect(rows()).toBe(1);
      expect(db.findTable('t1')).toBeDefined();
      expect(await stage.world.keyspaceRoutingRules()).toEqual({});
    }
  },

  'multi_tenant.create_flag_conflicts': async () => {
    const stage = await moving(TENANT, { workflow: false });
    expect(await refusal(stage, { noRoutingRules: true })).toBe('cannot use --no-routing-rules in a multi-tenant migration');
    expect(await refusal(stage, { sourceShards: ['0'] })).toBe('cannot run partial shard migration along with multi-tenant migration');
    expect((await stage.world.run(...createLine(stage.scene), '--no-routing-rules')).failure?.message).toContain('cannot use --no-routing-rules in a multi-tenant migration');
  },
};

