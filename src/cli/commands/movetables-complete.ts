import { MoveTablesCompleteResponse } from '../../topo/proto/messages-vtctldata-workflow.ts';
import { completeMoveTables } from '../../workflow/complete.ts';
import { withCluster } from '../cluster.ts';
import { withEndingNotes } from '../ending-report.ts';
import { refuseLaterFlag } from '../later-flags.ts';
import { boolOf, hasFlag, outputFormat } from '../flags.ts';
import { unsentShards } from '../sent-shards.ts';
import type { Invocation } from '../spec.ts';
import { printRecord } from '../vtctl-output.ts';

/** Ends a switched workflow. */
export async function run(inv: Invocation): Promise<number> {
  const { flags } = inv;
  const format = outputFormat(inv);
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    if (hasFlag(inv, 'ignore-source-keyspace')) refuseLaterFlag(inv, 'ignore-source-keyspace', cluster.release.behaviours.ignoreSourceKeyspace);
    const request = {
      keyspace: flags.str('target-keyspace'),
      workflow: flags.str('workflow'),
      keepData: boolOf(inv, 'keep-data'),
      keepRoutingRules: boolOf(inv, 'keep-routing-rules'),
      ignoreSource: boolOf(inv, 'ignore-source-keyspace'),
      renameTables: boolOf(inv, 'rename-tables'),
      dryRun: boolOf(inv, 'dry-run'),
      shards: unsentShards(inv, cluster),
    };
    const response = await withEndingNotes(inv, () => completeMoveTables(ctx, cluster, request));
    if (format === 'json') printRecord(inv, MoveTablesCompleteResponse, response);
    else inv.io.stdout.write(`${[response.summary, '', ...response.dry_run_results.flatMap((line, i, all) => (i === all.length - 1 ? [line, ''] : [line]))].join('\n')}\n`);
    return 0;
  });
}
