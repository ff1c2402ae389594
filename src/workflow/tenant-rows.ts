/** The rows of one tenant in the tables that all share. */
import { plainError, wrapError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { callTablet, writeTablet } from '../tablet/manager.ts';
import type { ShardDb } from '../tablet/shard-db.ts';
import { deleteRows } from '../tablet/where-rows.ts';
import { sourceOf } from '../tablet/vreplication/stream-source.ts';
import { readStreams } from '../tablet/vreplication/streams.ts';
import { getVSchema } from '../topo/vschema.ts';
import type { MigrationTarget } from './switcher.ts';
import { tenantPredicate } from './tenant.ts';

type Member = Pick<MigrationTarget, 'primary' | 'db'>;

/** Rows of a transaction where none are asked for. Vitess: movetables.DefaultDeleteBatchSize. */
export const DELETE_BATCH = 1000;

/**
 * Deletes a tenant's rows from the target's tables, in batches, one shard after the other. What was deleted stays so when the
 * context ends: it can be called again. Vitess: go/vt/vttablet/tabletmanager/rpc_vreplication.go DeleteTableData.
 */
export async function deleteTenantRows(
  ctx: Context,
  cluster: Cluster,
  { targetKeyspace, tenantId }: { targetKeyspace: string; tenantId: string },
  targets: readonly Member[],
  tables: readonly string[],
  batch = DELETE_BATCH,
): Promise<void> {
  const { record } = await getVSchema(ctx, cluster.topo, targetKeyspace);
  const predicate = tenantPredicate(tenantId, record, !cluster.release.vitess);
  for (const { primary, db } of targets) {
    await callTablet(ctx, cluster, primary, 'DeleteTableData', async () => {
      for (const table of tables.toSorted()) {
        if (db.findTable(table) === undefined) continue;
        await deleteRows(ctx, cluster.world, db, table, predicate, {
          batch: batch < 1 ? DELETE_BATCH : batch,
          write: (fn) => writeTablet(ctx, cluster, db, fn),
          between: () => refuseEnded(ctx),
        });
      }
    });
  }
}

function refuseEnded(ctx: Context): void {
  const ended = ctx.err();
  if (ended !== undefined) throw wrapError(plainError(ended.message), 'context expired while deleting data');
}

/** True if a stream there writes to a table. */
export function isSharedTable(db: ShardDb, table: string): boolean {
  return readStreams(db).some((row) => (sourceOf(db, row).filter?.rules ?? []).some((rule) => rule.match === table));
}
