import type { BuiltName } from '../../../src/lib/behaviours.ts';
import type { RESHARD } from '../../../src/lib/behaviours/reshard.ts';
import { reshardingCluster, reshardLine } from '../../helpers/reshard.ts';
import type { RunsOf } from './see.ts';

export const RESHARD_RUNS: RunsOf<Extract<BuiltName, keyof typeof RESHARD>> = {
  reshardCancel: async (version) => {
    const cluster = await reshardingCluster('1 to 2', { version });
    await cluster.ok(reshardLine('cancel'));
    if (cluster.host.store.cell('global').get('keyspaces/customer/shards/-80/Shard') === undefined) return 'removes shards';
    return cluster.host.shards.open('customer', '-80').tableNames().length === 0 ? 'drops tables' : ('neither' as never);
  },
};
