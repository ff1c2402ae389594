import { validateShardName } from '../../src/lib/names.ts';
import type { Context } from '../../src/runtime/context.ts';
import type { Cluster } from '../../src/tablet/cluster.ts';
import { updateShardFields } from '../../src/topo/keyspaces.ts';
import { withKeyspaceLock } from '../../src/topo/locks.ts';
import { paths } from '../../src/topo/paths.ts';
import type { SrvKeyspace, TabletControl } from '../../src/topo/proto/types.ts';
import { encodeRecord } from '../../src/topo/server.ts';
import { isMap, shown, Skipped } from './fields.ts';
import { makeWorld, type World } from './world.ts';

/** Clusters of cases about the topology alone: keyspaces with shards, and no tablets. */

/** A cluster with these cells and keyspaces; their shards have no tablets. */
export function topoWorld(cells: readonly string[], keyspaces: Readonly<Record<string, readonly string[]>> = {}): Promise<World> {
  return makeWorld({
    cells: [...cells],
    keyspaces: Object.entries(keyspaces).map(([name, shards]) => ({
      name,
      record: {},
      shards: shards.map((shard) => ({ name: validateShardName(shard).name, tablets: [] })),
      vschema: {},
      schema: [],
      rows: [],
    })),
  });
}

/** `keyspace/shard`. Throws Skipped for another text. */
export function shardPath(text: string): { keyspace: string; shard: string } {
  const [keyspace, shard, ...more] = text.split('/');
  if (!keyspace || !shard || more.length > 0) throw new Skipped(`not a shard: ${shown(text)}`);
  return { keyspace, shard };
}

/** Sets the tablet controls of a shard. */
export async function setControls(ctx: Context, { topo }: Cluster, keyspace: string, shard: string, controls: readonly TabletControl[]): Promise<void> {
  await withKeyspaceLock(ctx, topo, keyspace, 'given', (locked) =>
    updateShardFields(locked, topo, keyspace, shard, (record) => {
      if (controls.length > 0) record.tablet_controls = structuredClone([...controls]);
      else delete record.tablet_controls;
      return true;
    }),
  );
}

const CONTROL_FIELDS = ['tablet_type', 'cells', 'denied_tables', 'allow_reads', 'frozen'];

/** Tablet controls as a case has them. Throws Skipped for a field that there is not. */
export function readControls(value: unknown): TabletControl[] {
  if (!Array.isArray(value)) throw new Skipped(`not a list of tablet controls: ${shown(value)}`);
  return value.map((control: unknown) => {
    if (!isMap(control)) throw new Skipped(`not a tablet control: ${shown(control)}`);
    const unknown = Object.keys(control).find((field) => !CONTROL_FIELDS.includes(field));
    if (unknown !== undefined) throw new Skipped(`a tablet control has no field ${unknown}`);
    return control as unknown as TabletControl;
  });
}

/** Writes a serving record as it is. */
export async function putSrvKeyspace(ctx: Context, { topo }: Cluster, cell: string, keyspace: string, record: SrvKeyspace): Promise<void> {
  await topo.conn.forCell(cell).update(ctx, paths.srvKeyspace(keyspace), encodeRecord(record), null);
}
