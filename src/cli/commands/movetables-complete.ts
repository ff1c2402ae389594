import { UserError } from '../../lib/errors.ts';
import { MoveTablesCompleteResponse } from '../../topo/proto/messages-vtctldata-workflow.ts';
import { completeMoveTables } from '../../workflow/complete.ts';
import { withCluster } from '../cluster.ts';
import { outputFormat } from '../flags.ts';
import type { Invocation } from '../spec.ts';
import { printRecord } from '../vtctl-output.ts';

/** Ends a switched workflow. */
export async function run(inv: Invocation): Promise<number> {
  const { flags } = inv;
  const format = outputFormat(inv);
  if (flags.bool('ignore-source-keyspace')) throw new UserError('--ignore-source-keyspace is not built yet', { next: 'leave it out' });
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    const response = await completeMoveTables(ctx, cluster, {
      keyspace: flags.str('target-keyspace'),
      workflow: flags.str('workflow'),
      keepData: flags.bool('keep-data'),
      keepRoutingRules: flags.bool('keep-routing-rules'),
      renameTables: flags.bool('rename-tables'),
      dryRun: flags.bool('dry-run'),
    });
    if (format === 'json') printRecord(inv, MoveTablesCompleteResponse, response);
    else inv.io.stdout.write(`${[response.summary, '', ...response.dry_run_results.flatMap((line, i, all) => (i === all.length - 1 ? [line, ''] : [line]))].join('\n')}\n`);
    return 0;
  });
}
