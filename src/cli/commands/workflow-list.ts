import { goJson } from '../../topo/proto/encode.ts';
import { getWorkflows } from '../../workflow/status.ts';
import { withCluster } from '../cluster.ts';
import type { Invocation } from '../spec.ts';

/** Prints the names of a keyspace's workflows. */
export async function run(inv: Invocation): Promise<number> {
  return withCluster(inv, {}, async ({ ctx, cluster }) => {
    const workflows = await getWorkflows(ctx, cluster, {
      keyspace: inv.flags.str('keyspace'),
      shards: inv.flags.strings('shards'),
      includeLogs: false,
    });
    inv.io.stdout.write(`${goJson({ list: 'plain' }, workflows.map((workflow) => workflow.name))}\n`);
    return 0;
  });
}
