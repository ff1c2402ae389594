import { errorText, grpcCodeName, VtError, type VtCode, vtError, wrapError } from '../lib/errors.ts';
import { formatTabletAlias } from '../lib/names.ts';
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import type { QueryTablet } from '../tablet/query/request.ts';
import { isStopped } from '../tablet/process.ts';
import { readView } from '../tablet/view.ts';
import { paths } from '../topo/paths.ts';
import type { Shard, Tablet } from '../topo/proto/types.ts';
import { findRecord } from '../topo/server.ts';
import { aliasText, shardTablets } from '../topo/tablets.ts';
import type { Place } from './query-scope.ts';

/** `commerce.0.primary`, as errors name a place. */
export function placeText({ keyspace, shard, tabletType }: Place): string {
  return `${keyspace}.${shard}.${tabletType.toLowerCase()}`;
}

/**
 * The tablet that answers for a place: the shard's primary; else the first tablet of the type that serves, the gate's
 * cell before the others. Throws UNAVAILABLE `target: …: no healthy tablet available for '…'`.
 * Vitess: go/vt/vtgate/tabletgateway.go.
 */
export async function chooseTablet(ctx: Context, cluster: Cluster, cell: string, place: Place): Promise<QueryTablet> {
  const tablet = await findTablet(ctx, cluster, cell, place);
  if (tablet !== undefined) return { alias: aliasText(tablet.alias), shard: cluster.shards.open(place.keyspace, place.shard) };
  const type = place.tabletType === 'UNKNOWN' ? '' : ` tablet_type:${place.tabletType}`;
  const target = `keyspace:"${place.keyspace}" shard:"${place.shard}"${type}`;
  throw wrapError(vtError('UNAVAILABLE', `no healthy tablet available for '${target}'`), `target: ${placeText(place)}`);
}

async function findTablet(ctx: Context, cluster: Cluster, cell: string, place: Place): Promise<Tablet | undefined> {
  const { conn } = cluster.topo;
  const shard = await findRecord<Shard>(ctx, conn, paths.shard(place.keyspace, place.shard));
  if (shard === undefined) return undefined;
  if (place.tabletType === 'PRIMARY' && place.alias === undefined) {
    const alias = shard.record.primary_alias;
    if (alias === undefined) return undefined;
    const tablet = (await findRecord<Tablet>(ctx, conn.forCell(alias.cell), paths.tablet(aliasText(alias))))?.record;
    if (tablet !== undefined && isStopped(cluster.shards.open(place.keyspace, place.shard), aliasText(alias))) throw primaryNotServing(place);
    return tablet !== undefined && isUp(tablet) ? tablet : undefined;
  }
  const wanted = place.alias === undefined ? undefined : formatTabletAlias(place.alias);
  const tablets = await shardTablets(ctx, cluster.topo, { keyspace: place.keyspace, name: place.shard });
  const fitting = tablets.filter((tablet) => {
    if (tablet.type !== place.tabletType || !isUp(tablet) || isStopped(cluster.shards.open(tablet.keyspace, tablet.shard), aliasText(tablet.alias))) return false;
    return wanted === undefined ? isServing(cluster, tablet) : aliasText(tablet.alias) === wanted;
  });
  return fitting.find((tablet) => tablet.alias.cell === cell) ?? fitting[0];
}

/** A primary whose health check has ended: the gate buffers, if it buffers. Vitess: buffer.ClusterEventReparentInProgress. */
function primaryNotServing(place: Place): Error {
  const text = 'primary is not serving, there may be a reparent operation in progress';
  return wrapError(vtError('CLUSTER_EVENT', text), `target: ${placeText(place)}`);
}

/** A tablet that was shut down keeps its record without a host. */
function isUp(tablet: Tablet): boolean {
  return (tablet.hostname ?? '') !== '';
}

/** Healthy tablets are those that say that they serve. */
function isServing(cluster: Cluster, tablet: Tablet): boolean {
  return readView(cluster.shards.open(tablet.keyspace, tablet.shard), aliasText(tablet.alias))?.serving === true;
}

/**
 * A tablet's error as the client gets it: `target: KS.SHARD.TYPE: vttablet: rpc error: code = C desc = TEXT`. Errors
 * that are none of a tablet's are passed on.
 */
export function gateError(error: unknown, place: Place): unknown {
  if (!(error instanceof VtError)) return error;
  const text = `vttablet: rpc error: code = ${rpcCode(error.code)} desc = ${errorText(error)}`;
  return wrapError(vtError(error.code, text), `target: ${placeText(place)}`);
}

/** Codes that gRPC does not know come out as their number. */
function rpcCode(code: VtCode): string {
  if (code === 'CLUSTER_EVENT') return 'Code(17)';
  if (code === 'READ_ONLY') return 'Code(18)';
  return grpcCodeName(code);
}
