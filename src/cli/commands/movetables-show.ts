import { withCluster } from '../cluster.ts';
import { stringsOf } from '../flags.ts';
import type { Invocation } from '../spec.ts';
import { printWorkflows } from '../workflows-output.ts';

/** Prints a workflow in full. Always JSON; an unknown name is an empty list, as in Vitess. */
export async function run(inv: Invocation): Promise<number> {
  const { flags } = inv;
  return withCluster(inv, {}, ({ ctx, cluster }) =>
    printWorkflows(inv, ctx, cluster, {
      keyspace: flags.str('target-keyspace'),
      workflow: flags.str('workflow'),
      shards: stringsOf(inv, 'shards'),
      includeLogs: flags.bool('include-logs'),
    }),
  );
}
