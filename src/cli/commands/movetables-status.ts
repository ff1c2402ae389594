import { workflowStatus } from '../../workflow/status.ts';
import { withCluster } from '../cluster.ts';
import { outputFormat, stringsOf } from '../flags.ts';
import { tellOfIntents } from '../left-intent.ts';
import type { Invocation } from '../spec.ts';
import { printStatus } from '../status-output.ts';

/** Prints streams, copy progress and traffic state of a workflow. */
export async function run(inv: Invocation): Promise<number> {
  const format = outputFormat(inv);
  const { flags } = inv;
  return withCluster(inv, {}, async (scope) => {
    const { ctx, cluster } = scope;
    await tellOfIntents(scope, flags.str('target-keyspace'), flags.str('workflow'));
    const status = await workflowStatus(ctx, cluster, flags.str('target-keyspace'), flags.str('workflow'), stringsOf(inv, 'shards'));
    printStatus(inv, status, format);
    return 0;
  });
}
