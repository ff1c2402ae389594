import { withCluster } from '../cluster.ts';
import type { Invocation } from '../spec.ts';
import { printWorkflows } from '../workflows-output.ts';

/** Prints a keyspace's workflows in full. Always JSON. */
export async function run(inv: Invocation): Promise<number> {
  const { flags, args } = inv;
  return withCluster(inv, {}, ({ ctx, cluster }) =>
    printWorkflows(inv, ctx, cluster, {
      keyspace: args[0] ?? '',
      includeLogs: flags.bool('include-logs'),
      activeOnly: !flags.bool('show-all'),
    }),
  );
}
