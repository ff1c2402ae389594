import { UserError } from '../../lib/errors.ts';
import { WorkflowUpdateResponse } from '../../topo/proto/messages-vtctldata-workflow.ts';
import { updateWorkflow } from '../../workflow/update.ts';
import { withCluster } from '../cluster.ts';
import { configOverrides, ON_DDL, onDdlOf } from '../create-options.ts';
import { refuseLaterFlag } from '../later-flags.ts';
import { refuseUnknownCells } from '../places.ts';
import { sentShards } from '../sent-shards.ts';
import type { Invocation } from '../spec.ts';
import { printRecord } from '../vtctl-output.ts';

/** vtctldclient's own checks, which come before the one for required flags. */
export function validate({ flags }: Invocation): void {
  if (flags.given('tablet-types') && flags.tabletTypes('tablet-types').length === 0) {
    throw new UserError('invalid tablet-types value, at least one valid tablet type must be specified');
  }
  const onDdl = flags.str('on-ddl');
  if (flags.given('on-ddl') && !ON_DDL.includes(onDdl.toUpperCase())) throw new UserError(`invalid on-ddl value: ${onDdl}`);
  const changes = ['cells', 'tablet-types', 'on-ddl'].some((name) => flags.given(name)) || flags.strings('config-overrides').length > 0;
  if (!changes) throw new UserError('no configuration options specified to update');
}

/** Changes where a workflow copies from, what it does with DDL, and its settings. Always JSON. */
export async function run(inv: Invocation): Promise<number> {
  const { flags } = inv;
  const config = configOverrides(inv);
  const cells = flags.strings('cells').map((cell) => cell.trim());
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    const { behaviours } = cluster.release;
    refuseLaterFlag(inv, 'config-overrides', behaviours.configOverrides);
    await refuseUnknownCells(ctx, cluster, cells);
    const response = await updateWorkflow(ctx, cluster, {
      keyspace: flags.str('keyspace'),
      workflow: flags.str('workflow'),
      shards: sentShards(inv, cluster, behaviours.updateShards),
      ...(flags.given('cells') && { cells }),
      ...(flags.given('tablet-types') && { tabletTypes: flags.tabletTypes('tablet-types') }),
      inOrder: flags.given('tablet-types-in-order') ? flags.bool('tablet-types-in-order') : 'kept',
      ...(flags.given('on-ddl') && { onDdl: onDdlOf(inv) }),
      ...(flags.given('config-overrides') && { config }),
    });
    printRecord(inv, WorkflowUpdateResponse, response);
    return 0;
  });
}
