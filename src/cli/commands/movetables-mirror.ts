import { WorkflowMirrorTrafficResponse } from '../../topo/proto/messages-vtctldata-workflow.ts';
import { mirrorTraffic } from '../../workflow/mirror.ts';
import { MIRRORED_TYPES } from '../../workflow/mirror-tables.ts';
import { withCluster } from '../cluster.ts';
import { letPass } from '../deviations.ts';
import { outputFormat } from '../flags.ts';
import { refuseLaterCommand } from '../later-flags.ts';
import type { Invocation } from '../spec.ts';
import { printRecord } from '../vtctl-output.ts';

/** Mirrors a part of the reads to the target, or ends that. */
export async function run(inv: Invocation): Promise<number> {
  const { flags } = inv;
  const format = outputFormat(inv);
  const tabletTypes = flags.tabletTypes('tablet-types');
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    refuseLaterCommand(inv, cluster.release.behaviours.mirrorTraffic);
    const wrong = tabletTypes.find((type) => !(MIRRORED_TYPES as readonly string[]).includes(type));
    // The words are those of a switch, which does look.
    if (wrong !== undefined) letPass(cluster, 'mirror-type', `invalid tablet type passed ${wrong}`);
    const response = await mirrorTraffic(ctx, cluster, {
      keyspace: flags.str('target-keyspace'),
      workflow: flags.str('workflow'),
      tabletTypes,
      percent: flags.float('percent'),
    });
    if (format === 'json') printRecord(inv, WorkflowMirrorTrafficResponse, response);
    else inv.io.stdout.write(`${response.summary}\n\nStart State: ${response.start_state}\nCurrent State: ${response.current_state}\n\n`);
    return 0;
  });
}
