import { errorText, plainError, vtError } from '../lib/errors.ts';
import type { TabletAlias, TabletType } from '../lib/names.ts';
import { type Context, withTimeout } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { aliasProto, changeType } from '../tablet/life.ts';
import { callTablet } from '../tablet/manager.ts';
import { checkDurability } from '../topo/durability.ts';
import { getKeyspace, getShard } from '../topo/keyspaces.ts';
import type { Tablet } from '../topo/proto/types.ts';
import { aliasText, getTablet } from '../topo/tablets.ts';

/** `topo.RemoteOperationTimeout`: how long vtctld waits for one call where it sets a limit at all. */
export const REMOTE_OPERATION_TIMEOUT_MS = 15_000;

const INTERCHANGEABLE: readonly string[] = ['REPLICA', 'RDONLY', 'SPARE', 'BACKUP', 'EXPERIMENTAL', 'DRAINED'];

/** Vitess: go/vt/topo/tablet.go IsTrivialTypeChange. */
function isTrivial(from: string, to: string): boolean {
  return (INTERCHANGEABLE.includes(from) && INTERCHANGEABLE.includes(to)) || (from === 'RESTORE' && to === 'SPARE');
}

/**
 * Changes the type of a tablet that is no primary. Unlike a backup that runs, the types BACKUP and RESTORE hold nothing.
 * Vitess: go/vt/vtctl/grpcvtctldserver/server.go ChangeTabletType.
 */
export async function changeTabletType(
  ctx: Context,
  cluster: Cluster,
  alias: TabletAlias,
  type: TabletType,
  dryRun: boolean,
): Promise<{ before: Tablet; after: Tablet }> {
  const limited = withTimeout(ctx, cluster.world.clock, REMOTE_OPERATION_TIMEOUT_MS);
  try {
    const before = await getTablet(limited.ctx, cluster.topo, alias);
    if (!isTrivial(before.type, type)) {
      throw plainError(`tablet ${aliasProto(alias)} type change ${before.type} -> ${type} is not an allowed transition for ChangeTabletType`);
    }
    if (dryRun) return { before, after: { ...before, type } };
    await checkPrimary(limited.ctx, cluster, before);
    await callTablet(limited.ctx, cluster, before, 'ChangeType', () => changeType(limited.ctx, cluster, before, type));
    return { before, after: await getTablet(limited.ctx, cluster.topo, alias) };
  } finally {
    limited.end();
  }
}

/** The shard must have a primary that is one, since semi-sync depends on it. */
async function checkPrimary(ctx: Context, { topo }: Cluster, { keyspace, shard, alias }: Tablet): Promise<void> {
  const { record } = await getShard(ctx, topo, keyspace, shard);
  checkDurability((await getKeyspace(ctx, topo, keyspace)).durability_policy);
  const primaryAlias = record.primary_alias;
  if (primaryAlias === undefined) throw vtError('FAILED_PRECONDITION', `no primary tablet for shard ${keyspace}/${shard}`);
  let primary: Tablet;
  try {
    primary = await getTablet(ctx, topo, primaryAlias);
  } catch (error) {
    throw plainError(`cannot lookup primary tablet ${aliasText(primaryAlias)} for shard ${keyspace}/${shard}: ${errorText(error)}`);
  }
  // Both texts are spelled as in Vitess.
  if (primary.type !== 'PRIMARY') {
    throw vtError('FAILED_PRECONDITION', `TopologyServer has incosistent state for shard primary ${aliasText(primaryAlias)}`);
  }
  if (primary.keyspace !== keyspace || primary.shard !== shard) {
    throw vtError(
      'FAILED_PRECONDITION',
      `primary ${aliasText(primaryAlias)} and potential replica ${aliasProto(alias)} not in same keypace shard (${keyspace}/${shard})`,
    );
  }
}
