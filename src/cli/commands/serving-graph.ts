import { cellNames, connForCell } from '../../topo/cells.ts';
import { goJson } from '../../topo/proto/encode.ts';
import { SrvKeyspace } from '../../topo/proto/messages-topodata.ts';
import { NameList } from '../../topo/proto/messages-vtctldata.ts';
import type { SrvKeyspace as SrvKeyspaceRecord } from '../../topo/proto/types.ts';
import { listNames } from '../../topo/server.ts';
import { getSrvKeyspace, rebuildKeyspaceGraph } from '../../topo/srv-keyspace.ts';
import { aroundServer } from '../client-error.ts';
import { withCluster } from '../cluster.ts';
import { refuseUnknownCells } from '../places.ts';
import type { CommandScope } from '../scope.ts';
import type { Invocation } from '../spec.ts';

/** Prints the serving graph of the cells, or makes that of keyspaces anew. */
export function run(inv: Invocation): Promise<number> {
  switch (inv.path.at(-1)) {
    case 'GetSrvKeyspaceNames':
      return withCluster(inv, {}, (scope) => printNames(inv, scope));
    case 'GetSrvKeyspaces':
      return withCluster(inv, {}, (scope) => printServing(inv, scope));
    default:
      return withCluster(inv, { history: true }, (scope) => rebuild(inv, scope));
  }
}

async function printNames(inv: Invocation, { ctx, cluster: { topo } }: CommandScope): Promise<number> {
  const cells = inv.args.length > 0 ? inv.args : await cellNames(ctx, topo);
  const names: Record<string, NameListRecord> = {};
  for (const cell of cells) names[cell] = { names: await listNames(ctx, await connForCell(ctx, topo, cell), 'keyspaces') };
  inv.io.stdout.write(`${goJson({ map: NameList }, names)}\n`);
  return 0;
}

interface NameListRecord {
  names: string[];
}

async function printServing(inv: Invocation, { ctx, cluster }: CommandScope): Promise<number> {
  const { topo } = cluster;
  const [keyspace = '', ...given] = inv.args;
  await refuseUnknownCells(ctx, cluster, given);
  const cells = given.length > 0 ? given : await cellNames(ctx, topo);
  const found: Record<string, SrvKeyspaceRecord | null> = {};
  for (const cell of cells) {
    // A cell without a record: nothing, which gRPC turns into an empty message.
    found[cell] = (await getSrvKeyspace(ctx, topo, cell, keyspace)) ?? (inv.flags.str('server') === 'internal' ? null : {});
  }
  inv.io.stdout.write(`${goJson({ map: SrvKeyspace }, found)}\n`);
  return 0;
}

/** Prints nothing. Which shards a keyspace has does not depend on `--allow-partial`: there are no snapshot keyspaces. */
async function rebuild(inv: Invocation, { ctx, cluster }: CommandScope): Promise<number> {
  const cells = inv.flags.strings('cells');
  await refuseUnknownCells(ctx, cluster, cells);
  for (const keyspace of inv.args) {
    try {
      await rebuildKeyspaceGraph(ctx, cluster.topo, keyspace, cells);
    } catch (error) {
      throw aroundServer(inv, error, (text) => `RebuildKeyspaceGraph(${keyspace}) failed: ${text}`, { verbose: true });
    }
  }
  return 0;
}
