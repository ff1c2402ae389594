import { errorText, plainError, VtError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { type Cluster, watchedCluster } from '../../tablet/cluster.ts';
import { refreshState } from '../../tablet/manager.ts';
import { isStopped } from '../../tablet/process.ts';
import { answers } from '../../tablet/reach.ts';
import { refreshTabletsByShard } from '../../tablet/refresh.ts';
import { cellNames } from '../../topo/cells.ts';
import { type ShardInfo, shardText, updateShardFields } from '../../topo/keyspaces.ts';
import { PartitionError } from '../../topo/partitions.ts';
import { checkServedTypes, migrateServedType, moveServedTypes, sameRange, validateSrvKeyspace } from '../../topo/served-types.ts';
import { getSrvKeyspace, partitionOf, updateDisableQueryService } from '../../topo/srv-keyspace.ts';
import type { Tablet } from '../../topo/proto/types.ts';
import { aliasText, getTablet } from '../../topo/tablets.ts';
import type { DenyOptions } from '../denied.ts';
import { forAll } from '../fan-out.ts';
import type { MigrationSource, MigrationTarget } from '../switcher.ts';
import { readTypes } from './effects-reads.ts';
import { writesServe } from './outage.ts';
import type { SwitchRun } from './run.ts';

/** What Reshard does where MoveTables has routing rules and denied tables: the serving graph and the query service of shards. */

const shardsOf = (members: readonly { info: ShardInfo }[]): ShardInfo[] => members.map(({ info }) => info);

/**
 * Turns the query service of primaries on or off in every cell, and has them notice.
 * Vitess: trafficSwitcher.changeShardsAccess.
 */
export async function changeShardsAccess(
  run: SwitchRun,
  ctx: Context,
  members: readonly (MigrationSource | MigrationTarget)[],
  disable: boolean,
  { scope, passOver = false, force = false }: DenyOptions = {},
): Promise<void> {
  const { cluster, sw } = run;
  const shards = shardsOf(members);
  await updateDisableQueryService(ctx, cluster.topo, { keyspace: sw.sourceKeyspace, shards, tabletType: 'PRIMARY', cells: [], disable });
  const failures: string[] = [];
  await forAll<MigrationSource | MigrationTarget>(members, async ({ info }) => {
    const refresh = (): Promise<void> => refreshPrimary(run, ctx, info, { passOver, force });
    try {
      await (scope === undefined ? refresh() : scope.onTarget(shardText(info), refresh));
    } catch (error) {
      if (!(error instanceof VtError)) throw error;
      failures.push(errorText(error));
    }
  });
  // Vitess keeps the code of none of them where there are several.
  if (failures.length > 0) throw plainError(failures.join(';'));
}

async function refreshPrimary({ cluster }: SwitchRun, ctx: Context, shard: ShardInfo, { passOver = false, force = false }: DenyOptions): Promise<void> {
  const alias = shard.record.primary_alias;
  if (alias === undefined) throw plainError(`shard ${shardText(shard)} has no primary`);
  const primary = await getTablet(ctx, cluster.topo, alias);
  if (cluster.release.behaviours.unrefreshedTablets === 'passed over' && isPassable(cluster, primary, { passOver, force })) {
    const text = `tablet ${aliasText(alias)} does not answer; it reads its records when it starts`;
    cluster.world.events.emit({ kind: 'warning', text: `${shardText(shard)} is not refreshed in full: ${text}` });
    return;
  }
  try {
    await refreshState(ctx, cluster, primary);
  } catch (error) {
    if (!force || !cluster.release.vitess) throw error;
    cluster.world.events.emit({ kind: 'warning', text: `${aliasText(alias)} encountered error on tablet refresh: ${errorText(error)}` });
  }
}

/** One that is only busy serves on by what it read before: no harm where a shard is opened again, or the writes have gone. */
function isPassable(cluster: Cluster, primary: Tablet, { passOver, force }: DenyOptions): boolean {
  if (passOver === true) return !answers(cluster, primary, 'RefreshState');
  return force === true && isStopped(cluster.shards.open(primary.keyspace ?? '', primary.shard ?? ''), aliasText(primary.alias));
}

interface Sides {
  from: ShardInfo[];
  to: ShardInfo[];
}

function sidesOf({ sw, direction }: SwitchRun): Sides {
  const [sources, targets] = [shardsOf(sw.sources), shardsOf(sw.targets)];
  return direction === 'forward' ? { from: sources, to: targets } : { from: targets, to: sources };
}

/**
 * Why the serving graph of some cell cannot take what the switch would make of it. A release finds out while it writes, for the
 * writes past the journal (vitessio/vitess#7481); `hardened` looks first.
 */
export async function graphReason(run: SwitchRun): Promise<string | undefined> {
  const { cluster, sw, ctx, path, request } = run;
  if (path.kind !== 'shards' || !cluster.release.behaviours.fencedWrites) return undefined;
  const move = { keyspace: sw.targetKeyspace, ...sidesOf(run) };
  try {
    if (path.reads) await checkServedTypes(ctx, cluster.topo, { ...move, cells: request.cells }, await readTypes(run));
    if (path.writes) await checkServedTypes(ctx, cluster.topo, { ...move, cells: [] }, ['PRIMARY']);
    return undefined;
  } catch (error) {
    if (!(error instanceof PartitionError)) throw error;
    return `the serving graph would be corrupt, with what stands in it now: ${errorText(error)}; look at it with GetSrvKeyspaces, and make it anew with RebuildKeyspaceGraph`;
  }
}

/** Serves the reads from the shards of the other side, type by type; `hardened` in one transaction. */
export async function switchShardReads(run: SwitchRun): Promise<void> {
  const { cluster, sw, ctx } = run;
  const { topo } = cluster;
  const { cells } = run.request;
  const { from, to } = sidesOf(run);
  const keyspace = sw.targetKeyspace;
  const corrupt = `found SrvKeyspace for ${keyspace} is corrupt in cell ${cells.join(',')}`;
  await validateSrvKeyspace(ctx, topo, keyspace, cells, `Before switching shard reads, ${corrupt}`);
  const types = await readTypes(run);
  if (topo.release.behaviours.fencedWrites) {
    await moveServedTypes(ctx, topo, { keyspace, from, to, cells }, types);
    for (const shard of [...to, ...from]) await refreshShard(run, shard, cells);
  } else {
    for (const tabletType of types) {
      await updateDisableQueryService(ctx, topo, { keyspace, shards: from, tabletType, cells, disable: true });
      await updateDisableQueryService(ctx, topo, { keyspace, shards: to, tabletType, cells, disable: false });
      // Those that lose the type are never told (K36).
      for (const shard of to) await refreshShard(run, shard, cells);
      await migrateServedType(ctx, topo, { keyspace, from, to, tabletType, cells });
    }
  }
  await validateSrvKeyspace(ctx, topo, keyspace, cells, `after switching shard reads, ${corrupt}`);
}

async function refreshShard({ cluster, ctx }: SwitchRun, shard: ShardInfo, cells: readonly string[]): Promise<void> {
  const { partial, details } = await refreshTabletsByShard(ctx, cluster, shard, { cells, passOver: cluster.release.behaviours.unrefreshedTablets === 'passed over' });
  if (!partial) return;
  const where = `RefreshTabletsByShard(${shardText(shard)}, cells=[${cells.join(' ')}])`;
  cluster.world.events.log('warning', `${where} failed with ${details}; continuing ...`);
}

/** The check after the reads have moved. */
export async function validateReadGraph({ cluster, sw, ctx, request }: SwitchRun): Promise<void> {
  const what = `after switching shard reads, found SrvKeyspace for ${sw.targetKeyspace} is corrupt in cell ${request.cells.join(',')}`;
  await validateSrvKeyspace(ctx, cluster.topo, sw.targetKeyspace, request.cells, what);
}

/** True if every asked cell serves the read types from the side that this switch wants. */
export async function areShardReadsSwitched(run: SwitchRun): Promise<boolean> {
  const { sw, ctx, request, direction } = run;
  // Whether or not a cell can be reached: what it serves by is what its gates have seen.
  const { topo } = watchedCluster(run.cluster);
  const wanted = direction === 'forward' ? sw.targets : sw.sources;
  for (const cell of request.cells.length > 0 ? request.cells : await cellNames(ctx, topo)) {
    const record = await getSrvKeyspace(ctx, topo, cell, sw.targetKeyspace);
    if (record === undefined) continue;
    for (const type of await readTypes(run)) {
      const references = partitionOf(record, type)?.shard_references ?? [];
      if (!wanted.every(({ info }) => references.some((reference) => sameRange(reference, info.record)))) return false;
    }
  }
  return true;
}

/** Makes the target shards the ones that serve writes, in the shard records and in every cell. Vitess: changeShardRouting. */
export async function changeShardRouting(run: SwitchRun): Promise<void> {
  const { cluster, sw, ctx } = run;
  const { topo } = cluster;
  const keyspace = sw.targetKeyspace;
  const corrupt = `found SrvKeyspace for ${keyspace} is corrupt`;
  await validateSrvKeyspace(ctx, topo, keyspace, [], `Before changing shard routes, ${corrupt}`);
  const serve = (shards: readonly ShardInfo[], serving: boolean): Promise<void> =>
    forAll(shards, async (shard) => {
      await updateShardFields(ctx, topo, keyspace, shard.name, (record) => {
        record.is_primary_serving = serving;
        return true;
      });
    });
  await serve(shardsOf(sw.sources), false);
  await serve(shardsOf(sw.targets), true);
  await migrateServedType(ctx, topo, { keyspace, from: shardsOf(sw.sources), to: shardsOf(sw.targets), tabletType: 'PRIMARY', cells: [] });
  await validateSrvKeyspace(ctx, topo, keyspace, [], `after changing shard routes, ${corrupt}`);
  writesServe(run, sw.targetKeyspace);
  // A release leaves the tablets of the source with what they read when writes stopped (#6822). Here only the primaries stay off.
  if (!cluster.release.vitess) for (const shard of shardsOf(sw.sources)) await refreshShard(run, shard, []);
}
