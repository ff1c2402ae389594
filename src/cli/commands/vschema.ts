import { connForCell } from '../../topo/cells.ts';
import { paths } from '../../topo/paths.ts';
import { Keyspace, SrvVSchema } from '../../topo/proto/messages-vschema.ts';
import type { SrvVSchema as SrvVSchemaRecord } from '../../topo/proto/types.ts';
import { readRecord } from '../../topo/server.ts';
import { getVSchema, rebuildSrvVSchema } from '../../topo/vschema.ts';
import { unknownCell } from '../../workflow/admin.ts';
import { withCluster } from '../cluster.ts';
import type { CommandScope } from '../scope.ts';
import { letPass } from '../deviations.ts';
import type { Invocation } from '../spec.ts';
import { printRecord } from '../vtctl-output.ts';

/** Prints a VSchema, prints what a cell's gates read, or makes that anew. */
export function run(inv: Invocation): Promise<number> {
  switch (inv.path.at(-1)) {
    case 'GetVSchema':
      return withCluster(inv, {}, (scope) => printVSchema(inv, scope));
    case 'GetSrvVSchema':
      return withCluster(inv, {}, (scope) => printSrvVSchema(inv, scope));
    default:
      return withCluster(inv, { history: true }, (scope) => rebuild(inv, scope));
  }
}

async function printVSchema(inv: Invocation, { ctx, cluster }: CommandScope): Promise<number> {
  printRecord(inv, Keyspace, (await getVSchema(ctx, cluster.topo, inv.args[0]!)).record);
  return 0;
}

async function printSrvVSchema(inv: Invocation, { ctx, cluster }: CommandScope): Promise<number> {
  const conn = await connForCell(ctx, cluster.topo, inv.args[0]!);
  printRecord(inv, SrvVSchema, (await readRecord<SrvVSchemaRecord>(ctx, conn, paths.srvVSchema)).record);
  return 0;
}

async function rebuild(inv: Invocation, { ctx, cluster }: CommandScope): Promise<number> {
  const cells = inv.flags.strings('cells');
  const mistake = await unknownCell(ctx, cluster.topo, cells);
  if (mistake !== undefined) letPass(cluster, mistake.kind, mistake.text);
  await rebuildSrvVSchema(ctx, cluster.topo, cells);
  inv.io.stdout.write('RebuildVSchemaGraph: ok\n');
  return 0;
}
