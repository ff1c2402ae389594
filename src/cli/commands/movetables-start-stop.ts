import { WorkflowUpdateResponse } from '../../topo/proto/messages-vtctldata-workflow.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { updateWorkflow } from '../../workflow/update.ts';
import { withCluster } from '../cluster.ts';
import { hasFlag } from '../flags.ts';
import { refuseLaterFlag } from '../later-flags.ts';
import type { Invocation } from '../spec.ts';
import { printRecord } from '../vtctl-output.ts';

/** Starts or stops a workflow's streams. Always JSON. */
export function run(inv: Invocation): Promise<number> {
  return startOrStop(inv, inv.flags.str('target-keyspace'));
}

/** The same for `Workflow --keyspace K start|stop`. */
export function startOrStop(inv: Invocation, keyspace: string): Promise<number> {
  const { flags, path } = inv;
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    const shards = shardsOf(inv, cluster);
    const response = await updateWorkflow(ctx, cluster, {
      keyspace,
      workflow: flags.str('workflow'),
      state: path.at(-1) === 'start' ? 'Running' : 'Stopped',
      shards,
    });
    printRecord(inv, WorkflowUpdateResponse, response);
    return 0;
  });
}

/** The shards named, as far as the release has the flag and sends it. */
function shardsOf(inv: Invocation, { release, world }: Cluster): readonly string[] {
  if (!hasFlag(inv, 'shards')) return [];
  const { behaviours, name } = release;
  const how = inv.path[0] === 'Workflow' ? behaviours.workflowShards : behaviours.moveTablesShards;
  refuseLaterFlag(inv, 'shards', how !== 'unknown');
  if (how !== 'ignored' || !inv.flags.given('shards')) return inv.flags.strings('shards');
  world.events.emit({ kind: 'warning', text: `vtctldclient ${name} does not send --shards of ${inv.path.join(' ')}: every shard is meant` });
  return [];
}
