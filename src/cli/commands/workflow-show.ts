import { withCluster } from '../cluster.ts';
import type { Invocation } from '../spec.ts';
import { printWorkflows } from '../workflows-output.ts';

/** Prints workflows of a keyspace in full. Bare `Workflow KEYSPACE` lists all of them. */
export async function run(inv: Invocation): Promise<number> {
  const { flags, path, args } = inv;
  return withCluster(inv, {}, ({ ctx, cluster }) =>
    path.length === 1
      ? printWorkflows(inv, ctx, cluster, { keyspace: args[0] ?? '', activeOnly: true })
      : printWorkflows(inv, ctx, cluster, {
          keyspace: flags.str('keyspace'),
          workflow: flags.str('workflow'),
          shards: flags.strings('shards'),
          includeLogs: flags.bool('include-logs'),
        }),
  );
}
