import { UserError } from '../../lib/errors.ts';
import { parseKeyspaceShard, parseTabletAlias } from '../../lib/names.ts';
import { DURABILITY_POLICIES } from '../../topo/durability.ts';
import { Shard } from '../../topo/proto/messages-topodata.ts';
import { CreateShardResponse, Keyspace } from '../../topo/proto/messages-vtctldata.ts';
import { protojson } from '../../topo/proto/encode.ts';
import { createKeyspace, createShardRecord, deleteShard, deleteTablet, setShardIsPrimaryServing } from '../../workflow/places.ts';
import { aroundServer, clientSide } from '../client-error.ts';
import { withCluster } from '../cluster.ts';
import { letPass } from '../deviations.ts';
import { parseGoBool } from '../go-numbers.ts';
import type { Invocation } from '../spec.ts';
import { printRecord } from '../vtctl-output.ts';

/** Creates and deletes the records of keyspaces, shards and tablets. */
export function run(inv: Invocation): Promise<number> {
  switch (inv.path.at(-1)) {
    case 'CreateKeyspace':
      return makeKeyspace(inv);
    case 'CreateShard':
      return makeShard(inv);
    case 'DeleteShards':
      return deleteShards(inv);
    case 'DeleteTablets':
      return deleteTablets(inv);
    default:
      return setServing(inv);
  }
}

function makeKeyspace(inv: Invocation): Promise<number> {
  const { flags, io } = inv;
  const name = inv.args[0]!;
  checkKeyspaceFlags(inv);
  const durability = flags.str('durability-policy');
  const record = { durability_policy: durability, sidecar_db_name: flags.str('sidecar-db-name'), base_keyspace: flags.str('base-keyspace') };
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    if (!DURABILITY_POLICIES.includes(durability)) {
      letPass(cluster, 'unknown-durability', `there is no durability policy '${durability}'; there are: ${DURABILITY_POLICIES.join(', ')}`);
    }
    const set = Object.fromEntries(Object.entries(record).filter(([, value]) => value !== ''));
    const options = { force: flags.bool('force'), allowEmptyVSchema: flags.bool('allow-empty-vschema') };
    const keyspace = await createKeyspace(ctx, cluster, name, set, options);
    const json = protojson(Keyspace, { name, keyspace }, { compact: flags.bool('compact') });
    io.stdout.write(`Successfully created keyspace ${name}. Result:\n${json}\n`);
    return 0;
  });
}

/** vtctldclient's checks, in its order; then what is not built. */
function checkKeyspaceFlags({ flags }: Invocation): void {
  const type = flags.str('type').toUpperCase();
  if (type !== 'NORMAL' && type !== 'SNAPSHOT') throw new UserError(`invalid argument "${flags.str('type')}" for "--type" flag: unknown keyspace type: 0`);
  if (type === 'SNAPSHOT') {
    if (flags.given('durability-policy')) throw new UserError('--durability-policy cannot be specified while creating a snapshot keyspace');
    if (flags.str('base-keyspace') === '') throw new UserError('--base-keyspace is required for a snapshot keyspace');
    if (flags.str('snapshot-timestamp') === '') throw new UserError('--snapshot-timestamp is required for a snapshot keyspace');
  }
  const sidecar = flags.str('sidecar-db-name');
  if (sidecar === '') throw new UserError('--sidecar-db-name cannot be empty when creating a keyspace');
  if (sidecar !== '_vt') throw new UserError(`--sidecar-db-name ${sidecar} is not built: every keyspace here has _vt`);
  if (type === 'SNAPSHOT') throw new UserError('snapshot keyspaces are not built: there are no backups here to restore them from');
  if (flags.given('snapshot-timestamp')) throw new UserError('--snapshot-timestamp is for snapshot keyspaces, which are not built');
}

function makeShard(inv: Invocation): Promise<number> {
  const { keyspace, shard } = clientSide(() => parseKeyspaceShard(inv.args[0]!));
  const options = { force: inv.flags.bool('force'), includeParent: inv.flags.bool('include-parent') };
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    const made = await createShardRecord(ctx, cluster, keyspace, shard, options);
    printRecord(inv, CreateShardResponse, {
      keyspace: { name: keyspace, keyspace: made.keyspace },
      shard: { keyspace, name: shard, shard: made.shard.record },
      shard_already_exists: made.existed,
    });
    return 0;
  });
}

function deleteShards(inv: Invocation): Promise<number> {
  const { flags } = inv;
  const shards = inv.args.map((arg) => clientSide(() => parseKeyspaceShard(arg)));
  const options = { recursive: flags.bool('recursive'), evenIfServing: flags.bool('even-if-serving'), force: flags.bool('force') };
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    try {
      for (const { keyspace, shard } of shards) await deleteShard(ctx, cluster, keyspace, shard, options);
    } catch (error) {
      throw aroundServer(inv, error, (text) => `${text}: while deleting ${shards.length} shards; please inspect the topo`);
    }
    inv.io.stdout.write(`Successfully deleted ${shards.length} shards\n`);
    return 0;
  });
}

function deleteTablets(inv: Invocation): Promise<number> {
  const aliases = inv.args.map((arg) => clientSide(() => parseTabletAlias(arg)));
  const allowPrimary = inv.flags.bool('allow-primary');
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    try {
      for (const alias of aliases) await deleteTablet(ctx, cluster, alias, allowPrimary);
    } catch (error) {
      throw aroundServer(inv, error, (text) => `${text}: while deleting ${aliases.length} tablets; please inspect the topo`);
    }
    inv.io.stdout.write(`Successfully deleted ${aliases.length} tablets\n`);
    return 0;
  });
}

function setServing(inv: Invocation): Promise<number> {
  const { keyspace, shard } = clientSide(() => parseKeyspaceShard(inv.args[0]!), { prefix: 'cannot parse keyspace/shard: ' });
  const serving = clientSide(() => parseGoBool(inv.args[1]!), { prefix: 'cannot parse is_serving as bool: ' });
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    const info = await setShardIsPrimaryServing(ctx, cluster, keyspace, shard, serving);
    printRecord(inv, Shard, info.record);
    if (!inv.flags.bool('quiet')) inv.io.stderr.write(`hint: gates notice after: RebuildKeyspaceGraph ${keyspace}\n`);
    return 0;
  });
}
