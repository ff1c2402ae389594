import type { BuiltName } from '../../../src/lib/behaviours.ts';
import type { TABLETS } from '../../../src/lib/behaviours/tablets.ts';
import { during } from '../../helpers/during.ts';
import { movingCluster, switchLine } from '../../helpers/shell.ts';
import { CATCH_UP, type RunsOf } from './see.ts';

export const TABLETS_RUNS: RunsOf<Extract<BuiltName, keyof typeof TABLETS>> = {
  deadTabletWaitMs: async (version) => {
    const cluster = await movingCluster(version);
    await cluster.ok('tablet stop zone1-101');
    const start = cluster.machine.clock.now();
    await cluster.run('RefreshState zone1-101 --action-timeout 10m');
    const waited = cluster.machine.clock.now() - start;
    return waited === 600_000 ? 0 : waited;
  },
  stalePrimary: async (version) => {
    const cluster = await movingCluster(version);
    const reparent = (): Promise<string> => cluster.ok('PlannedReparentShard commerce/0 --new-primary zone1-101');
    const { exit, stderr } = await during(cluster, switchLine(), CATCH_UP, reparent);
    if (exit === 0) return 'looked up again';
    return stderr.includes('on zone1-0000000100: vreplication engine is closed') ? 'called' : ('neither' as never);
  },
  targetsAtJournal: async (version) => {
    const cluster = await movingCluster(version);
    const stop = (): Promise<string> => cluster.ok('tablet stop zone1-200');
    await during(cluster, switchLine(), 'switchTraffic/writes/createJournals', stop);
    const journals = cluster.host.shards.open('commerce', '0').db.all('SELECT 1 FROM "_vt.resharding_journal"');
    return journals.length > 0 ? 'not asked' : 'asked';
  },
  unrefreshedTablets: async (version) => {
    const cluster = await movingCluster(version);
    const stop = (): Promise<string> => cluster.ok('tablet stop zone1-202');
    const { exit, stderr } = await during(cluster, switchLine(), 'switchTraffic/writes/allowTargetWrites', stop);
    if (exit !== 0) return 'fail';
    return stderr.includes('customer/0 is not refreshed in full: tablet zone1-0000000202 does not answer') ? 'passed over' : ('neither' as never);
  },
};
