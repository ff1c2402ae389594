import { isTopoError, vtError, wrapError } from '../lib/errors.ts';
import { intersects } from '../lib/key-range.ts';
import { validateShardName } from '../lib/names.ts';
import type { Context } from '../runtime/context.ts';
import type { Version } from './conn/conn.ts';
import { guarded } from './locks.ts';
import { paths } from './paths.ts';
import { keyRangeFromProto, keyRangeToProto } from './proto/key-range.ts';
import type { Keyspace, Shard } from './proto/types.ts';
import { encodeRecord, findRecord, listNames, readRecord, type TopoServer } from './server.ts';

/** A shard record, where it belongs and the version it was read at. Vitess: go/vt/topo/shard.go ShardInfo. */
export interface ShardInfo {
  keyspace: string;
  name: string;
  record: Shard;
  version: Version;
}

/** `keyspace/shard` as texts print it. */
export function shardText(info: { keyspace: string; name: string }): string {
  return `${info.keyspace}/${info.name}`;
}

/** Keyspaces by name. */
export function keyspaceNames(ctx: Context, topo: TopoServer): Promise<string[]> {
  return listNames(ctx, topo.conn, 'keyspaces');
}

/** Throws NoNode for an unknown keyspace. */
export async function getKeyspace(ctx: Context, topo: TopoServer, keyspace: string): Promise<Keyspace> {
  return (await readRecord<Keyspace>(ctx, topo.conn, paths.keyspace(keyspace))).record;
}

/** What a starting vttablet writes of a keyspace that is not there yet. */
const NEW_KEYSPACE: Keyspace = { durability_policy: 'none', sidecar_db_name: '_vt' };

/** Creates a keyspace with an empty vschema, as a starting vttablet does. Existing ones are left alone. */
export async function ensureKeyspace(ctx: Context, topo: TopoServer, keyspace: string, record = NEW_KEYSPACE): Promise<void> {
  await createUnlessThere(ctx, topo, paths.keyspace(keyspace), record);
  await ensureVSchema(ctx, topo, keyspace);
}

/** Creates a keyspace's record. Throws NodeExists. */
export async function createKeyspaceRecord(ctx: Context, topo: TopoServer, keyspace: string, record: Keyspace): Promise<void> {
  await topo.conn.create(ctx, paths.keyspace(keyspace), encodeRecord(record));
}

/** Gives a keyspace an empty VSchema where it has none. */
export function ensureVSchema(ctx: Context, topo: TopoServer, keyspace: string): Promise<void> {
  return createUnlessThere(ctx, topo, paths.vschema(keyspace), {});
}

async function createUnlessThere(ctx: Context, topo: TopoServer, path: string, record: unknown): Promise<void> {
  try {
    await topo.conn.create(ctx, path, encodeRecord(record));
  } catch (error) {
    if (!isTopoError(error, 'NodeExists')) throw error;
  }
}

/** Creates a shard. It serves unless its range overlaps a shard that is there. Throws NodeExists. */
export async function createShard(ctx: Context, topo: TopoServer, keyspace: string, name: string): Promise<void> {
  const { keyRange } = validateShardName(name);
  const others = await allShards(ctx, topo, keyspace);
  const overlaps = others.some((other) => {
    const range = keyRangeFromProto(other.record.key_range);
    return keyRange === undefined || range === undefined || intersects(range, keyRange);
  });
  const record: Shard = { is_primary_serving: !overlaps };
  if (keyRange !== undefined) record.key_range = keyRangeToProto(keyRange);
  await topo.conn.create(ctx, paths.shard(keyspace, name), encodeRecord(record));
}

/** Throws NoNode for an unknown shard. */
export function getShard(ctx: Context, topo: TopoServer, keyspace: string, name: string): Promise<ShardInfo> {
  return readRecord<Shard>(ctx, topo.conn, paths.shard(keyspace, name)).then(({ record, version }) => ({ keyspace, name, record, version }));
}

/** Every shard of a keyspace by name; empty for a keyspace without any. */
async function allShards(ctx: Context, topo: TopoServer, keyspace: string): Promise<ShardInfo[]> {
  const shards: ShardInfo[] = [];
  for (const name of await listNames(ctx, topo.conn, paths.shards(keyspace))) shards.push(await getShard(ctx, topo, keyspace, name));
  return shards;
}

/**
 * Every shard of a keyspace by name. The name may stand in backticks, as VSchemas quote it: until v20 they were `kept` as a part of
 * it (#16160). For a keyspace that does not exist the error is Vitess's
 * `FindAllShardsInKeyspace(KS): List: node doesn't exist: keyspaces/KS/shards`.
 */
export async function findAllShards(ctx: Context, topo: TopoServer, name: string, backticks: 'off' | 'kept' = 'off'): Promise<ShardInfo[]> {
  const keyspace = (backticks === 'off' && /^`(.*)`$/.exec(name)?.[1]?.replaceAll('``', '`')) || name;
  const shards = await allShards(ctx, topo, keyspace);
  if (shards.length > 0 || (await findRecord(ctx, topo.conn, paths.keyspace(keyspace))) !== undefined) return shards;
  try {
    await topo.conn.list(ctx, paths.shards(keyspace));
    return shards;
  } catch (error) {
    throw wrapError(error, `FindAllShardsInKeyspace(${keyspace}): List`);
  }
}

/** The shards that serve, by key range. Throws `KS has no serving shards`. */
export async function servingShards(ctx: Context, topo: TopoServer, keyspace: string): Promise<ShardInfo[]> {
  let shards: ShardInfo[];
  try {
    shards = await findAllShards(ctx, topo, keyspace);
  } catch (error) {
    throw wrapError(error, `failed to get list of shards for keyspace '${keyspace}'`);
  }
  const serving = shards.filter((shard) => shard.record.is_primary_serving === true);
  if (serving.length === 0) throw vtError('FAILED_PRECONDITION', `${keyspace} has no serving shards`);
  return serving.toSorted((a, b) => (rangeStart(a) < rangeStart(b) ? -1 : 1));
}

function rangeStart(shard: ShardInfo): string {
  return keyRangeFromProto(shard.record.key_range)?.start ?? '';
}

/**
 * Reads a shard, lets `change` edit the copy, and writes it, again and again until nobody wrote in between.
 * `change` returns false for "no update needed". On `hardened` it needs the locks of the keyspaces in `locks`: its own,
 * but for what a tablet itself writes. Vitess: go/vt/topo/shard.go UpdateShardFields.
 */
export async function updateShardFields(
  ctx: Context,
  topo: TopoServer,
  keyspace: string,
  name: string,
  change: (record: Shard) => boolean | Promise<boolean>,
  locks: readonly string[] = [keyspace],
): Promise<ShardInfo> {
  for (;;) {
    const found = await getShard(ctx, topo, keyspace, name);
    const record = structuredClone(found.record);
    if (!(await change(record))) return found;
    try {
      const version = await guarded(ctx, topo, locks, (options) =>
        topo.conn.update(ctx, paths.shard(keyspace, name), encodeRecord(record), found.version, options),
      );
      return { keyspace, name, record, version };
    } catch (error) {
      if (!isTopoError(error, 'BadVersion')) throw error;
    }
  }
}
