import { errorText, isTopoError, plainError, vtError } from '../lib/errors.ts';
import { type TabletAlias, validateKeyspaceName, validateObjectName, validateShardName } from '../lib/names.ts';
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { makeEmpty } from '../tablet/empty-shard.ts';
import { recordTime } from '../tablet/life.ts';
import { forgetTablet } from '../tablet/process.ts';
import { cellNames } from '../topo/cells.ts';
import { servingCells } from '../topo/delete-shard.ts';
import { createKeyspaceRecord, createShard, ensureVSchema, getKeyspace, getShard, type ShardInfo, updateShardFields } from '../topo/keyspaces.ts';
import { lockShard, withKeyspaceLock } from '../topo/locks.ts';
import { paths } from '../topo/paths.ts';
import type { Keyspace, Tablet } from '../topo/proto/types.ts';
import { findRecord } from '../topo/server.ts';
import { aliasText, deleteTabletRecord, getTablet, readableTablets } from '../topo/tablets.ts';
import { rebuildSrvVSchema } from '../topo/vschema.ts';
import { refuseInterrupted } from './intent/stand-back.ts';

/**
 * Creates a keyspace's record, and its VSchema unless told not to, and tells the gates. `force`: one that is there stays.
 * Resolves to the record that is there in the end. Vitess: go/vt/vtctl/grpcvtctldserver/server.go CreateKeyspace.
 */
export async function createKeyspace(
  ctx: Context,
  { topo }: Cluster,
  name: string,
  record: Keyspace,
  options: { force: boolean; allowEmptyVSchema: boolean },
): Promise<Keyspace> {
  validateKeyspaceName(name, 'CreateKeyspace');
  try {
    await createKeyspaceRecord(ctx, topo, name, record);
  } catch (error) {
    if (!options.force || !isTopoError(error, 'NodeExists')) throw error;
  }
  if (!options.allowEmptyVSchema) await ensureVSchema(ctx, topo, name);
  try {
    await rebuildSrvVSchema(ctx, topo);
  } catch (error) {
    throw plainError(`RebuildSrvVSchema([]) = ${errorText(error)}`);
  }
  return getKeyspace(ctx, topo, name);
}

/** What CreateShard answers. */
export interface CreatedShard {
  keyspace: Keyspace;
  shard: ShardInfo;
  existed: boolean;
}

/** Creates a shard's record under the keyspace lock. Vitess: go/vt/topo/shard.go CreateShard. */
export async function createShardRecord(
  ctx: Context,
  cluster: Cluster,
  keyspace: string,
  shard: string,
  options: { force: boolean; includeParent: boolean },
): Promise<CreatedShard> {
  const { topo } = cluster;
  const passing = async (create: () => Promise<void>): Promise<boolean> => {
    try {
      await create();
      return false;
    } catch (error) {
      if (options.force && isTopoError(error, 'NodeExists')) return true;
      throw error;
    }
  };
  if (options.includeParent) {
    validateKeyspaceName(keyspace, 'CreateKeyspace');
    await passing(() => createKeyspaceRecord(ctx, topo, keyspace, {}));
  }
  validateObjectName(keyspace);
  validateShardName(shard);
  const existed = await passing(() =>
    withKeyspaceLock(ctx, topo, keyspace, 'CreateShard', async (locked) => {
      if ((await findRecord(locked, topo.conn, paths.shard(keyspace, shard))) === undefined) await makeEmpty(cluster, keyspace, shard);
      await createShard(locked, topo, keyspace, shard);
    }),
  );
  return { keyspace: await getKeyspace(ctx, topo, keyspace), shard: await getShard(ctx, topo, keyspace, shard), existed };
}

/** Says in a shard's record whether it serves; the serving graph is not touched. */
export function setShardIsPrimaryServing(ctx: Context, { topo }: Cluster, keyspace: string, shard: string, serving: boolean): Promise<ShardInfo> {
  const action = `SetShardIsPrimaryServing(${keyspace},${shard},${serving})`;
  return withKeyspaceLock(ctx, topo, keyspace, action, (locked) =>
    updateShardFields(locked, topo, keyspace, shard, (record) => {
      record.is_primary_serving = serving;
      return true;
    }),
  );
}

/** How DeleteShards was asked. */
export interface DeleteShardOptions {
  recursive: boolean;
  evenIfServing: boolean;
  force: boolean;
}

/**
 * Deletes a shard's record and replication graph, and with `recursive` its tablets; SrvKeyspace stays as it is. The rows of
 * the shard stay with its MySQL servers. Refused while something is half done in the keyspace. Vitess: go/vt/vtctl/grpcvtctldserver/topo.go deleteShard.
 */
export async function deleteShard(ctx: Context, cluster: Cluster, keyspace: string, shard: string, options: DeleteShardOptions): Promise<void> {
  const { topo } = cluster;
  await refuseInterrupted(ctx, cluster, [keyspace]);
  let locked: Awaited<ReturnType<typeof lockShard>> | undefined;
  try {
    locked = await lockShard(ctx, topo, keyspace, shard, 'DeleteShard');
  } catch (error) {
    if (!options.force) {
      throw plainError(`failed to lock ${keyspace}/${shard}; if you really want to delete this shard, re-run with Force=true: ${errorText(error)}`);
    }
  }
  let failure: unknown;
  try {
    await deleteLocked(locked?.ctx ?? ctx, cluster, keyspace, shard, options);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    await locked?.unlock(failure);
  }
}

async function deleteLocked(ctx: Context, cluster: Cluster, keyspace: string, shard: string, { recursive, evenIfServing }: DeleteShardOptions): Promise<void> {
  const { topo } = cluster;
  try {
    await getShard(ctx, topo, keyspace, shard);
  } catch (error) {
    if (isTopoError(error, 'NoNode')) return;
    throw error;
  }
  if (!evenIfServing && (await servingCells(ctx, topo, { keyspace, name: shard })).length > 0) {
    throw vtError('FAILED_PRECONDITION', `shard ${keyspace}/${shard} is still serving; cannot delete it; use EvenIfServing = true to delete anyway`);
  }
  for (const cell of await cellNames(ctx, topo)) {
    const { tablets, error } = await readableTablets(ctx, topo, { keyspace, name: shard }, [cell]);
    if (error !== undefined) throw plainError(`GetShardReplication(${cell}, ${keyspace}, ${shard}) failed: ${errorText(error)}`);
    if (tablets.length > 0 && !recursive) {
      const text = `Shard ${keyspace}/${shard} still hase ${tablets.length} tablets in cell ${cell}; use Recursive = true or remove them manually`;
      throw vtError('FAILED_PRECONDITION', text);
    }
    for (const tablet of tablets) await removeTablet(ctx, cluster, tablet);
  }
  for (const cell of await cellNames(ctx, topo)) await topo.conn.forCell(cell).delete(ctx, paths.shardReplication(keyspace, shard), null).catch(ignoreMissing);
  await topo.conn.delete(ctx, paths.shard(keyspace, shard), null);
}

function ignoreMissing(error: unknown): void {
  if (!isTopoError(error, 'NoNode')) throw error;
}

/** The record goes, and the tablet with it: a vttablet whose record vanishes ends. */
async function removeTablet(ctx: Context, cluster: Cluster, tablet: Tablet): Promise<void> {
  await deleteTabletRecord(ctx, cluster.topo, tablet);
  await forgetTablet(cluster.shards.open(tablet.keyspace, tablet.shard), cluster.world, aliasText(tablet.alias));
}

/**
 * Deletes a tablet's record and its place in the replication graph; of a primary, its shard's record forgets it.
 * Vitess: go/vt/vtctl/grpcvtctldserver/topo.go deleteTablet.
 */
export async function deleteTablet(ctx: Context, cluster: Cluster, alias: TabletAlias, allowPrimary: boolean): Promise<void> {
  const { topo, world } = cluster;
  const tablet = await getTablet(ctx, topo, alias);
  if (!(await isPrimary(ctx, cluster, tablet))) return removeTablet(ctx, cluster, tablet);
  const text = aliasText(alias);
  if (!allowPrimary) throw vtError('FAILED_PRECONDITION', `cannot delete tablet ${text} as it is a primary, pass AllowPrimary = true`);
  const { keyspace, shard } = tablet;
  await refuseInterrupted(ctx, cluster, [keyspace]);
  const locked = await lockShard(ctx, topo, keyspace, shard, `DeleteTablet(${text})`);
  let failure: unknown;
  try {
    await updateShardFields(
      locked.ctx,
      topo,
      keyspace,
      shard,
      (record) => {
        if (aliasText(record.primary_alias) !== text) return false;
        delete record.primary_alias;
        record.primary_term_start_time = recordTime(world.clock.now());
        return true;
      },
      [],
    );
    await removeTablet(locked.ctx, cluster, tablet);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    await locked.unlock(failure);
  }
}

/** Vitess: go/vt/topotools/tablet.go IsPrimaryTablet. */
async function isPrimary(ctx: Context, { topo }: Cluster, tablet: Tablet): Promise<boolean> {
  if (tablet.type !== 'PRIMARY') return false;
  const { record } = await getShard(ctx, topo, tablet.keyspace, tablet.shard);
  if (aliasText(record.primary_alias) === aliasText(tablet.alias)) return true;
  return Number(tablet.primary_term_start_time?.seconds ?? 0) > Number(record.primary_term_start_time?.seconds ?? 0);
}
