import { stopVDiffs } from '../../workflow/vdiff/change.ts';
import { withCluster } from '../cluster.ts';
import { letPass } from '../deviations.ts';
import { outputFormat } from '../flags.ts';
import { refuseLaterFlag } from '../later-flags.ts';
import type { Invocation } from '../spec.ts';
import { targetShards, uuidArgument } from '../vdiff-arguments.ts';
import { printDone } from '../vdiff-output.ts';

export function validate(inv: Invocation): void {
  uuidArgument(inv);
  targetShards(inv);
}

/** Stops a diff, also one that another process works on. */
export async function run(inv: Invocation): Promise<number> {
  const format = outputFormat(inv);
  const { flags } = inv;
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    refuseLaterFlag(inv, 'target-shards', cluster.release.behaviours.vdiffFlags === 'all');
    const change = { keyspace: flags.str('target-keyspace'), workflow: flags.str('workflow'), uuid: uuidArgument(inv), shards: targetShards(inv) };
    await stopVDiffs(ctx, cluster, change, (problem) => letPass(cluster, 'vdiff-absent', problem));
    printDone(inv, 'stop', format);
    return 0;
  });
}
