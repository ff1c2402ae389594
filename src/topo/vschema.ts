import { plainError, wrapError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import type { Version, WriteOptions } from './conn/conn.ts';
import { knownCells } from './cells.ts';
import { keyspaceNames } from './keyspaces.ts';
import { paths } from './paths.ts';
import type { SrvVSchema, VSchemaKeyspace } from './proto/types.ts';
import { getKeyspaceRoutingRules, getMirrorRules, getRoutingRules, getShardRoutingRules } from './rules.ts';
import { encodeRecord, findRecord, findShared, readRecord, type TopoServer, type Versioned } from './server.ts';

/** A keyspace's vschema and its version. Throws NoNode. */
export function getVSchema(ctx: Context, topo: TopoServer, keyspace: string): Promise<Versioned<VSchemaKeyspace>> {
  return readRecord<VSchemaKeyspace>(ctx, topo.conn, paths.vschema(keyspace));
}

/** Saves a vschema; with a version, only over that one (`bad node version`). */
export async function saveVSchema(
  ctx: Context,
  topo: TopoServer,
  keyspace: string,
  vschema: VSchemaKeyspace,
  version: Version | null,
  options: WriteOptions = {},
): Promise<void> {
  await topo.conn.update(ctx, paths.vschema(keyspace), encodeRecord(vschema), version, options);
}

/** What the gate of a cell reads: every vschema and all rules. */
export async function getSrvVSchema(ctx: Context, topo: TopoServer, cell: string): Promise<SrvVSchema | undefined> {
  return findShared<SrvVSchema>(ctx, topo.conn.forCell(cell), paths.srvVSchema);
}

/**
 * Copies vschemas and rules into the serving record of each cell (all of them if none is named).
 * No lock, no check. Throws the last cell's error. Vitess: go/vt/topo/srv_vschema.go RebuildSrvVSchema.
 */
export async function rebuildSrvVSchema(ctx: Context, topo: TopoServer, cells: readonly string[] = []): Promise<void> {
  const wanted = cells.length > 0 ? cells : await knownCells(ctx, topo);
  const contents = encodeRecord(await buildSrvVSchema(ctx, topo));
  let failure: unknown;
  for (const cell of wanted) {
    try {
      if ((await findRecord(ctx, topo.conn, paths.cellInfo(cell))) === undefined) {
        await topo.conn.get(ctx, paths.cellInfo(cell));
      }
      await topo.conn.forCell(cell).update(ctx, paths.srvVSchema, contents, null);
    } catch (error) {
      failure = error;
    }
  }
  if (failure !== undefined) throw failure;
}

async function buildSrvVSchema(ctx: Context, topo: TopoServer): Promise<SrvVSchema> {
  const part = async <T>(name: string, read: Promise<T>): Promise<T> => {
    try {
      return await read;
    } catch (error) {
      throw wrapError(error, `${name} failed`);
    }
  };
  const names = await part('GetKeyspaces', keyspaceNames(ctx, topo));
  const keyspaces: Record<string, VSchemaKeyspace> = {};
  for (const name of names) {
    keyspaces[name] = (await findRecord<VSchemaKeyspace>(ctx, topo.conn, paths.vschema(name)))?.record ?? {};
  }
  const record: SrvVSchema = {
    keyspaces,
    routing_rules: await part('GetRoutingRules', getRoutingRules(ctx, topo)),
    shard_routing_rules: await part('GetShardRoutingRules', getShardRoutingRules(ctx, topo)),
    mirror_rules: await part('GetMirrorRules', getMirrorRules(ctx, topo)),
  };
  const byKeyspace = await part('GetKeyspaceRoutingRules', getKeyspaceRoutingRules(ctx, topo));
  if (byKeyspace !== undefined) record.keyspace_routing_rules = byKeyspace;
  return record;
}

/** The tables of a vschema; throws where a keyspace has none at all. */
export function vschemaTables(vschema: VSchemaKeyspace | undefined, keyspace: string): string[] {
  if (vschema === undefined) throw plainError(`no vschema found for target keyspace ${keyspace}`);
  return Object.keys(vschema.tables ?? {});
}
