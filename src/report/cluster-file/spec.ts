import { findTabletType, formatTabletAlias, parseTabletAlias, type TabletType, validateShardName } from '../../lib/names.ts';
import type { ClusterSpec, KeyspaceSpec, ShardSpec, SqlSource, TabletSpec } from '../../tablet/bootstrap.ts';
import type { Keyspace, VSchemaKeyspace } from '../../topo/proto/types.ts';
import type { ClusterFile, KeyspaceEntry, ShardEntry } from './schema.ts';

const DEFAULT_CELLS = ['zone1'];
const DEFAULT_SHARDS = ['0'];

/** A cluster file in which every field stands for itself: VSchemas and rules are records, SQL is ready to be read. */
export interface ResolvedParts {
  vschema(keyspace: string): VSchemaKeyspace;
  sources(keyspace: string, field: 'schema' | 'rows'): SqlSource[];
  rules: Pick<ClusterSpec, 'routingRules' | 'shardRoutingRules' | 'keyspaceRoutingRules' | 'mirrorRules'>;
}

/** The cluster that a file describes, with everything filled in that it leaves out. The file is taken to be right. */
export function clusterSpec(file: ClusterFile, parts: ResolvedParts): ClusterSpec {
  const cells = file.cells ?? DEFAULT_CELLS;
  const uids = new FreeUids(file);
  const keyspaces = Object.entries(file.keyspaces).map(([name, entry]): KeyspaceSpec => {
    const entries = Object.entries(shardEntries(entry));
    // Where one does not serve, Vitess's guess for the others may not be what the file says.
    const explicit = entries.some(([, given]) => given.is_primary_serving === false);
    const shards = entries.map(([shard, given]) => ({
      ...shardSpec(shard, given, cells, uids),
      ...(explicit && { serving: given.is_primary_serving !== false }),
    }));
    return {
      name,
      record: keyspaceRecord(entry ?? {}),
      shards,
      vschema: parts.vschema(name),
      schema: parts.sources(name, 'schema'),
      rows: parts.sources(name, 'rows'),
    };
  });
  return { cells, keyspaces, ...parts.rules };
}

/** The shards of a keyspace by name, in the long form. */
export function shardEntries(entry: KeyspaceEntry | null): Record<string, ShardEntry> {
  const shards = entry?.shards ?? DEFAULT_SHARDS;
  if (Array.isArray(shards)) return Object.fromEntries(shards.map((name) => [name, {}]));
  return Object.fromEntries(Object.entries(shards).map(([name, given]) => [name, given ?? {}]));
}

/** An alias in either form, as text with ten digits. Throws VtError for one that is none. */
export function tabletAlias(alias: string | { cell: string; uid: number }): string {
  return formatTabletAlias(typeof alias === 'string' ? parseTabletAlias(alias) : parseTabletAlias(`${alias.cell}-${alias.uid}`));
}

function keyspaceRecord(entry: KeyspaceEntry): Keyspace {
  const { keyspace_type: type, base_keyspace: base, snapshot_time: time, durability_policy: policy, sidecar_db_name: sidecar } = entry;
  return {
    ...(type === 'SNAPSHOT' && { keyspace_type: type }),
    ...(base && { base_keyspace: base }),
    ...(time && { snapshot_time: time }),
    durability_policy: policy || 'none',
    sidecar_db_name: sidecar || '_vt',
  };
}

function shardSpec(name: string, given: ShardEntry, cells: readonly string[], uids: FreeUids): ShardSpec {
  const tablets = given.tablets?.map(({ alias, type }) => ({ alias: tabletAlias(alias), type: findTabletType(type) ?? 'REPLICA' }));
  const controls = given.tablet_controls ?? [];
  return {
    name: validateShardName(name).name,
    tablets: tablets ?? defaultTablets(cells, uids.next()),
    ...(controls.length > 0 && { controls }),
  };
}

/** What the first cell has, as in Vitess's local example; a shard is written in one cell only. */
const FIRST_CELL: readonly TabletType[] = ['PRIMARY', 'REPLICA', 'RDONLY'];
const OTHER_CELL: readonly TabletType[] = ['REPLICA', 'RDONLY'];

function defaultTablets(cells: readonly string[], firstUid: number): TabletSpec[] {
  const wanted = cells.flatMap((cell, index) => (index === 0 ? FIRST_CELL : OTHER_CELL).map((type) => ({ cell, type })));
  return wanted.map(({ cell, type }, index) => ({ alias: formatTabletAlias({ cell, uid: firstUid + index }), type }));
}

/** Hundreds for the tablets of one shard after the other: 100, 200, ..., without those that the file uses itself. */
class FreeUids {
  readonly #used = new Set<number>();
  #hundred = 0;

  constructor(file: ClusterFile) {
    for (const entry of Object.values(file.keyspaces)) {
      for (const { tablets = [] } of Object.values(shardEntries(entry))) {
        for (const { alias } of tablets) this.#used.add(Math.floor(parseTabletAlias(tabletAlias(alias)).uid / 100));
      }
    }
  }

  next(): number {
    do this.#hundred++;
    while (this.#used.has(this.#hundred));
    return this.#hundred * 100;
  }
}
