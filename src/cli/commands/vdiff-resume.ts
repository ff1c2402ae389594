import { resumeVDiffs } from '../../workflow/vdiff/change.ts';
import { withCluster } from '../cluster.ts';
import { outputFormat } from '../flags.ts';
import { refuseLaterFlag } from '../later-flags.ts';
import type { Invocation } from '../spec.ts';
import { advance, tellWaiting } from '../vdiff-advance.ts';
import { targetShards, uuidArgument } from '../vdiff-arguments.ts';
import { printDone } from '../vdiff-output.ts';
import { VDiffBar } from '../vdiff-progress.ts';

export function validate(inv: Invocation): void {
  uuidArgument(inv);
  targetShards(inv);
}

/** Goes on with a diff that was stopped or has ended. */
export async function run(inv: Invocation): Promise<number> {
  const format = outputFormat(inv);
  const { flags } = inv;
  const uuid = uuidArgument(inv);
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    refuseLaterFlag(inv, 'target-shards', cluster.release.behaviours.vdiffFlags === 'all');
    const change = { keyspace: flags.str('target-keyspace'), workflow: flags.str('workflow'), uuid, shards: targetShards(inv) };
    const sw = await resumeVDiffs(ctx, cluster, change);
    printDone(inv, 'resume', format);
    tellWaiting(inv, await advance(ctx, cluster, sw, inv, new VDiffBar(inv, { json: format === 'json' }), uuid));
    return 0;
  });
}
