import { isTopoError, plainError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { type Cluster, watchedCluster } from '../../tablet/cluster.ts';
import { getShard } from '../../topo/keyspaces.ts';
import { paths } from '../../topo/paths.ts';
import type { Shard, SrvKeyspace, SrvVSchema } from '../../topo/proto/types.ts';
import { encodeRecord, findRecord } from '../../topo/server.ts';
import type { SwitchIntent } from './intent.ts';
import { restoredVSchema } from './undo-records.ts';
import { restoredServing } from './undo-serving.ts';

/** Those of these cells whose topology does not answer. */
export async function unreachableCells(ctx: Context, { topo }: Cluster, cells: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const cell of cells) {
    try {
      await topo.conn.forCell(cell).find(ctx, paths.srvVSchema);
    } catch (error) {
      if (!isTopoError(error, 'Timeout')) throw error;
      found.push(cell);
    }
  }
  return found;
}

/** A cell that is down can wait only if what its gates last saw is what they are to see: else the roll-back is not done yet. */
export async function refuseForgotten(ctx: Context, cluster: Cluster, cell: string, intent: SwitchIntent): Promise<void> {
  const conn = watchedCluster(cluster).topo.conn.forCell(cell);
  const image = intent.cells[cell];
  if (image === undefined) return;
  const same = (a: object, b: object): boolean => encodeRecord(a) === encodeRecord(b);
  const served = (await findRecord<SrvVSchema>(ctx, conn, paths.srvVSchema))?.record;
  const serving = (await findRecord<SrvKeyspace>(ctx, conn, paths.srvKeyspace(intent.targetKeyspace)))?.record;
  const before = image.serving;
  const own = before === undefined ? [] : await shardRecords(ctx, cluster, intent);
  const done =
    (served === undefined || same(restoredVSchema(served, intent, image), served)) &&
    (serving === undefined || before === undefined || same(restoredServing(serving, before, own), serving));
  if (!done) throw plainError(`the topology of cell ${cell} cannot be reached, and its gates still have rules of the switch`);
}

async function shardRecords(ctx: Context, { topo }: Cluster, intent: SwitchIntent): Promise<Shard[]> {
  const found: Shard[] = [];
  for (const { keyspace, shard } of [...intent.sources, ...intent.targets]) found.push((await getShard(ctx, topo, keyspace, shard)).record);
  return found;
}
