import { plainError, VtError, vtError, wrapError } from '../../lib/errors.ts';
import { ExitFault } from '../../lib/exit-fault.ts';
import { validateShardName } from '../../lib/names.ts';
import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { callTablet } from '../../tablet/manager.ts';
import { hasStreams } from '../../tablet/vreplication/streams.ts';
import { getShard, type ShardInfo } from '../../topo/keyspaces.ts';
import { LockLostError } from '../../topo/lost-locks.ts';
import { keyRangeFromProto } from '../../topo/proto/key-range.ts';
import { Tablet } from '../../topo/proto/messages-topodata.ts';
import { prototext } from '../../topo/proto/prototext.ts';
import { validateForReshard } from '../../topo/reshard-ranges.ts';
import { aliasText, getTablet } from '../../topo/tablets.ts';
import { getVSchema } from '../../topo/vschema.ts';
import { forAll } from '../fan-out.ts';
import type { Member } from './request.ts';
import { readReferences } from './reshard-references.ts';
import type { Resharder, ReshardRequest } from './reshard-request.ts';

/**
 * Checks that shards can be resharded, in Vitess's order: sources serve, targets have a primary and do not, both cover the same
 * range, targets have no streams. Vitess: go/vt/vtctl/workflow/resharder.go buildResharder.
 */
export async function buildResharder(ctx: Context, cluster: Cluster, request: ReshardRequest): Promise<Resharder> {
  return within('buildResharder', async () => {
    const sources = await readSources(ctx, cluster, request);
    const targets = await readTargets(ctx, cluster, request);
    await within('ValidateForReshard', () => validateForReshard(sources.map(rangeOf), targets.map(rangeOf)));
    await within('validateTargets', () => refuseStreams(ctx, cluster, targets));
    const { record: vschema } = await within('GetVSchema', () => getVSchema(ctx, cluster.topo, request.keyspace));
    const references = await within('readRefStreams', () => readReferences(ctx, cluster, sources, vschema));
    return { request, sources, targets, vschema, references };
  });
}

/** The key range of a shard; undefined for all. */
export function rangeOf(member: Pick<Member, 'info'>): ReturnType<typeof keyRangeFromProto> | undefined {
  const { key_range: range } = member.info.record;
  return range === undefined ? undefined : keyRangeFromProto(range);
}

async function readSources(ctx: Context, cluster: Cluster, { keyspace, sourceShards }: ReshardRequest): Promise<Member[]> {
  const sources: Member[] = [];
  for (const shard of sourceShards) {
    const info = await readShard(ctx, cluster, keyspace, shard);
    if (info.record.is_primary_serving !== true) throw plainError(`source shard ${shard} is not in serving state`);
    sources.push(await withPrimary(ctx, cluster, info));
  }
  return sources;
}

/** A panic in vtctld (#16284). Nothing goes before what it says. */
class Panic extends VtError {
  constructor() {
    super('uncaught panic: runtime error: invalid memory address or nil pointer dereference', { code: 'UNKNOWN', coded: false });
    this.name = 'Panic';
  }
}

async function readTargets(ctx: Context, cluster: Cluster, { keyspace, targetShards }: ReshardRequest): Promise<Member[]> {
  const targets: Member[] = [];
  for (const shard of targetShards) {
    const info = await readShard(ctx, cluster, keyspace, shard);
    if (info.record.primary_alias === undefined) {
      if (cluster.release.behaviours.targetWithoutPrimary === 'error') throw plainError(`target shard ${shard} has no primary tablet`);
      throw new Panic();
    }
    if (info.record.is_primary_serving === true) throw plainError(`target shard ${shard} is in serving state`);
    targets.push(await withPrimary(ctx, cluster, info));
  }
  return targets;
}

async function readShard(ctx: Context, cluster: Cluster, keyspace: string, shard: string): Promise<ShardInfo> {
  return within(`GetShard(${shard}) failed`, () => {
    validateShardName(shard);
    return getShard(ctx, cluster.topo, keyspace, shard);
  });
}

async function withPrimary(ctx: Context, cluster: Cluster, info: ShardInfo): Promise<Member> {
  const alias = info.record.primary_alias;
  const primary = await within(`GetTablet(${aliasText(alias)}) failed`, () => {
    if (alias === undefined) throw plainError('nil tablet alias');
    return getTablet(ctx, cluster.topo, alias);
  });
  return { info, primary, db: cluster.shards.open(info.keyspace, info.name) };
}

async function refuseStreams(ctx: Context, cluster: Cluster, targets: readonly Member[]): Promise<void> {
  await forAll(targets, async ({ db, primary }) => {
    const has = await within(`HasVReplicationWorkflows(${prototext(Tablet, primary)})`, () =>
      callTablet(ctx, cluster, primary, 'HasVReplicationWorkflows', () => hasStreams(db)),
    );
    if (!has) return;
    throw vtError('FAILED_PRECONDITION', 'some streams already exist in the target shards, please clean them up and retry the command');
  });
}

/** Puts a step's name before its error. A lost lock keeps its own words, which say what to do. */
export async function within<T>(step: string, body: () => T | Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw error instanceof LockLostError || error instanceof Panic || error instanceof ExitFault ? error : wrapError(error, step);
  }
}
