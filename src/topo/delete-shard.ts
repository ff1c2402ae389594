import { errorText, plainError, TopoError, vtError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import { cellNames } from './cells.ts';
import { getShard, shardText } from './keyspaces.ts';
import { guarded } from './locks.ts';
import { paths } from './paths.ts';
import type { TopoServer } from './server.ts';
import { getSrvKeyspace } from './srv-keyspace.ts';
import { aliasText, shardTablets } from './tablets.ts';

/** A shard to be deleted with its tablets. */
export interface ShardToDelete {
  keyspace: string;
  name: string;
}

/** The cells whose serving record names a shard. Throws PartialResult where a cell cannot be read. Vitess: go/vt/topo/srv_keyspace.go GetShardServingCells. */
export async function servingCells(ctx: Context, topo: TopoServer, { keyspace, name }: ShardToDelete): Promise<string[]> {
  const failures: string[] = [];
  const found: string[] = [];
  for (const cell of await cellNames(ctx, topo)) {
    try {
      const serving = await getSrvKeyspace(ctx, topo, cell, keyspace);
      const references = (serving?.partitions ?? []).flatMap((partition) => partition.shard_references ?? []);
      if (references.some((reference) => reference.name === name)) found.push(cell);
    } catch (error) {
      failures.push(errorText(error));
    }
  }
  if (failures.length > 0) throw new TopoError('PartialResult', failures.join(';'));
  return found;
}

/**
 * Deletes shards, their tablets and their places in the replication graph: the shards that a Reshard has left. Throws while one is
 * still in a serving record. On `hardened` all of it is one guarded transaction; a release goes record by record.
 * Vitess: go/vt/vtctl/workflow/server.go DeleteShard.
 */
export async function deleteShards(ctx: Context, topo: TopoServer, keyspace: string, shards: readonly ShardToDelete[]): Promise<void> {
  for (const shard of shards) {
    await getShard(ctx, topo, shard.keyspace, shard.name);
    if ((await servingCells(ctx, topo, shard)).length === 0) continue;
    throw vtError('UNKNOWN', `shard ${shardText(shard)} is still serving, cannot delete it, use the even-if-serving flag if needed`);
  }
  const doomed = await recordsOf(ctx, topo, shards);
  if (topo.release.behaviours.fencedWrites) {
    await guarded(ctx, topo, [keyspace], (options) =>
      topo.conn.atomically(ctx, options, (writer) => {
        for (const { cell, path } of doomed) writer.remove(cell, path);
      }),
    );
    return;
  }
  for (const { cell, path } of doomed) {
    const conn = topo.conn.forCell(cell);
    if ((await conn.find(ctx, path)) !== undefined) await conn.delete(ctx, path, null);
  }
}

async function recordsOf(ctx: Context, topo: TopoServer, shards: readonly ShardToDelete[]): Promise<{ cell: string; path: string }[]> {
  const records: { cell: string; path: string }[] = [];
  for (const shard of shards) {
    for (const { alias } of await shardTablets(ctx, topo, shard)) {
      if (alias === undefined) throw plainError(`a tablet of ${shardText(shard)} has no alias`);
      records.push({ cell: alias.cell, path: paths.tablet(aliasText(alias)) });
    }
    for (const cell of await cellNames(ctx, topo)) records.push({ cell, path: paths.shardReplication(shard.keyspace, shard.name) });
    records.push({ cell: 'global', path: paths.shard(shard.keyspace, shard.name) });
  }
  return records;
}
