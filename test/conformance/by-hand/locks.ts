import { expect } from 'vitest';
import { changeKeyspaceRoutingRules, getKeyspaceRoutingRules, keyspaceRoutingMap } from '../../../src/topo/rules.ts';
import { lockKeyspace } from '../../../src/topo/locks.ts';
import { topoWorld } from '../topo-world.ts';
import type { HandCases } from './helpers.ts';

export const lockCases: HandCases = {
  'locks.backend_lock_leaves_only_ephemeral_entries': async () => {
    const world = await topoWorld(['zone1'], { test_keyspace: [] });
    const { ctx, cluster } = world.engine();
    const names = async (): Promise<string[]> => (await cluster.topo.conn.listDir(ctx, 'keyspaces/test_keyspace')).filter(({ ephemeral }) => !ephemeral).map(({ name }) => name);
    const before = await names();
    await lockKeyspace(ctx, cluster.topo, 'test_keyspace', 'a case');
    expect(await names()).toEqual(before);
  },

  'locks.backend_lock_waiter_proceeds': async () => {
    const world = await topoWorld(['zone1'], { test_keyspace: [] });
    const [holder, waiter] = [world.engine(), world.engine()];
    const held = await lockKeyspace(holder.ctx, holder.cluster.topo, 'test_keyspace', 'holds');
    let got = false;
    const waiting = lockKeyspace(waiter.ctx, waiter.cluster.topo, 'test_keyspace', 'waits').then((locked) => {
      got = true;
      return locked;
    });
    await holder.cluster.world.clock.sleep(1000, holder.ctx);
    expect(got).toBe(false);
    await held.unlock(undefined);
    await (await waiting).unlock(undefined);
    expect(got).toBe(true);
  },

  'locks.concurrent_keyspace_rule_updates_all_survive': async () => {
    const world = await topoWorld(['zone1']);
    const writers = Array.from({ length: 100 }, (_, index) => ({ name: `ks${index}`, ...world.engine() }));
    const rounds = 3;
    await Promise.all(
      writers.map(async ({ name, ctx, cluster }) => {
        for (let round = 0; round < rounds; round++) {
          await changeKeyspaceRoutingRules(ctx, cluster.topo, [], 'a case', (rules) => void rules.set(`${name}.${round}`, name));
        }
      }),
    );
    const { ctx, cluster } = world.engine();
    expect(keyspaceRoutingMap(await getKeyspaceRoutingRules(ctx, cluster.topo)).size).toBe(100 * rounds);
  },
};
