import { expect } from 'vitest';
import type { PARTIAL } from '../../../src/lib/behaviours/partial.ts';
import type { TENANTS } from '../../../src/lib/behaviours/tenants.ts';
import type { BuiltName } from '../../../src/lib/behaviours.ts';
import { background } from '../../../src/runtime/context.ts';
import { ETCD_NAMES } from '../../../src/topo/conn/directory.ts';
import type { KeyspaceRoutingRules } from '../../../src/topo/proto/types.ts';
import { partialCluster, partialLine } from '../../helpers/partial.ts';
import type { TestCluster } from '../../helpers/shell.ts';
import { createTenant, tenantCluster, tenantKeyspaces, tenantLine } from '../../helpers/tenants.ts';
import { CATCH_UP, denied, record, type RunsOf } from './see.ts';

const READS = '--tablet-types replica,rdonly';

/** True where a release takes the flag; before that it does not know it. */
async function takesTenants(version: string): Promise<boolean> {
  const { exit, stderr } = await (await tenantKeyspaces(version)).run(createTenant(1));
  if (exit !== 0) expect(stderr).toMatch(/^unknown flag: --tenant-id\n/);
  return exit === 0;
}

/** Where the reads of a tenant's keyspace lead. */
function readsOf(cluster: TestCluster, keyspace: string): string | undefined {
  return record<KeyspaceRoutingRules>(cluster, 'global', 'routing_rules/keyspace/Rules')?.rules?.find((rule) => rule.from_keyspace === `${keyspace}@replica`)?.to_keyspace;
}

/** A switch of one tenant that fails at catch-up. */
async function failedSwitch(version: string): Promise<TestCluster> {
  const cluster = await tenantCluster(version);
  const { exit } = await cluster.run(tenantLine(1, `switchtraffic --tablet-types primary --fault '${CATCH_UP}=return'`));
  expect(exit).toBe(1);
  return cluster;
}

export const TENANTS_RUNS: RunsOf<Extract<BuiltName, keyof typeof TENANTS | keyof typeof PARTIAL>> = {
  tenantMoves: takesTenants,
  keyspaceRulesLock: async (version) => {
    if (!(await takesTenants(version))) return false;
    const cluster = await tenantCluster(version);
    const other = cluster.host.openTopology(cluster.machine.world(), { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
    const lock = await other.lock(background(), { dir: 'routing_rules', contents: '{}', ttlMs: 60_000, mustExist: true });
    const { exit, stderr } = await cluster.run(`--lock-timeout 1s ${tenantLine(1, `switchtraffic ${READS}`)}`);
    await lock.unlock(background());
    if (exit !== 0) expect(stderr.split('\n')[0]).toMatch(/^failed to switch read traffic, from source keyspace s1 to target keyspace mt, workflow w1: deadline exceeded: .*routing_rules/);
    return exit !== 0;
  },
  tenantRollback: {
    // Those that switch forward in a roll-back deny nothing on the target either way.
    at: ['19.0.10', '20.0.6', '20.0.7', '21.0.3', '21.0.4', '22.0.0'],
    see: async (version) => {
      if (!(await takesTenants(version))) return 'none';
      const cluster = await failedSwitch(version);
      return denied(cluster, 'mt').length > 0 ? 'as others' : 'left alone';
    },
  },
  tenantReadCells: async (version) => {
    if (!(await takesTenants(version))) return 'none';
    const { exit, stderr } = await (await tenantCluster(version)).run(tenantLine(1, `switchtraffic ${READS} --cells zone1,zone1`));
    expect(exit).toBe(1);
    return stderr.includes('; all cells: zone1, requested cells: zone1,zone1') ? 'all' : 'as many';
  },
  tenantReversal: async (version) => {
    if (!(await takesTenants(version))) return 'none';
    const cluster = await tenantCluster(version);
    await cluster.ok(tenantLine(1, `switchtraffic ${READS}`));
    const { exit, stderr } = await cluster.run(tenantLine(1, `reversetraffic ${READS}`));
    if (exit === 0) return readsOf(cluster, 's1') === 's1' ? 'works' : 'no effect';
    return stderr.startsWith('no streams found in keyspace s1 for w1_reverse') ? 'looked for' : 'refused';
  },
  tenantCancel: async (version) => {
    if (!(await takesTenants(version))) return 'none';
    const cluster = await tenantCluster(version);
    await cluster.ok(tenantLine(1, 'cancel'));
    return cluster.host.shards.open('mt', '0').findTable('t1') === undefined ? 'drops tables' : 'deletes rows';
  },
  partialWrites: async (version) => {
    const cluster = await partialCluster(version);
    await cluster.ok(partialLine('p80d', 'switchtraffic'));
    const again = await cluster.run(partialLine('p80d', 'switchtraffic'));
    const complete = await cluster.run(partialLine('p80d', 'complete --dry-run'));
    expect(again.exit === 0).toBe(complete.exit === 0);
    if (complete.exit !== 0) {
      expect(again.stderr).toContain('cannot switch traffic for workflow p80d at this time: workflow is frozen');
      expect(complete.stderr).toContain('cannot complete workflow because you have not yet switched all read and write traffic');
    }
    return complete.exit === 0 ? 'by its shards' : 'never known';
  },
};
