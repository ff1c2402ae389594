import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MemoryHost, memoryHost } from '../../src/cli/host.ts';
import { makeShell } from '../../src/cli/shell.ts';
import { parsePosition } from '../../src/lib/gtid.ts';
import { formatTabletAlias, validateShardName } from '../../src/lib/names.ts';
import { findRelease } from '../../src/lib/releases.ts';
import { background, type Context } from '../../src/runtime/context.ts';
import type { WorldEvent } from '../../src/runtime/events.ts';
import { VirtualMachine } from '../../src/runtime/world.ts';
import { formatName } from '../../src/sql/format-expr.ts';
import { type ClusterSpec, createCluster, type KeyspaceSpec } from '../../src/tablet/bootstrap.ts';
import type { Cluster } from '../../src/tablet/cluster.ts';
import { textSource } from '../../src/tablet/dump/source.ts';
import type { ShardDb } from '../../src/tablet/shard-db.ts';
import { pumpAll } from '../../src/tablet/vreplication/pump-all.ts';
import { writeCluster } from '../../src/topo/cluster-record.ts';
import { withOutages } from '../../src/topo/conn/outages.ts';
import { leasePolicyOf } from '../../src/topo/conn/implementations.ts';
import { createShard, getShard } from '../../src/topo/keyspaces.ts';
import { startTablet } from '../../src/tablet/start-tablet.ts';
import type { VSchemaKeyspace } from '../../src/topo/proto/types.ts';
import { keyspaceRoutingMap, mirrorMap, ruleMap, shardRoutingMap } from './rule-maps.ts';
import { getKeyspaceRoutingRules, getMirrorRules, getRoutingRules, getShardRoutingRules } from '../../src/topo/rules.ts';
import { getSrvVSchema } from '../../src/topo/vschema.ts';
import { Skipped } from './fields.ts';
import type { Scene, SceneKeyspace } from './scene.ts';

/** What every case is held against. */
export const RELEASE = '24.0.0-SNAPSHOT';
/** Upstream's unit tests run on a topology in memory, which names its nodes by their paths and cannot lose a lock. */
const TOPOLOGY = 'memorytopo';

/** What a command line ended with. */
export interface Answer {
  exit: number;
  stdout: string;
  stderr: string;
  /** The error, as `readError` wants it; undefined for a success. */
  failure: Error | undefined;
}

/** A cluster of a case, in memory, on a virtual clock. */
export class World {
  readonly host: MemoryHost;
  readonly machine: VirtualMachine;
  /** What every process has logged, oldest first. */
  readonly events: WorldEvent[] = [];
  readonly #died: { end: () => void };

  constructor(host: MemoryHost, machine: VirtualMachine, died: { end: () => void }) {
    this.host = host;
    this.machine = machine;
    this.#died = died;
    const makeWorld = host.world;
    host.world = () => {
      const world = makeWorld();
      world.events.listen((event) => this.events.push(event));
      return world;
    };
  }

  /** The engine as one more process sees it. */
  engine(lockTimeoutMs = 45_000): { ctx: Context; cluster: Cluster } {
    const world = this.host.world();
    const release = findRelease(RELEASE);
    const conn = withOutages(this.host.openTopology(world, leasePolicyOf(release, TOPOLOGY), true), world.clock);
    return { ctx: background(), cluster: { world, release, topo: { conn, release, world, lockTimeoutMs, held: new Set() }, shards: this.host.openShards(world) } };
  }

  /** Runs a command line. */
  async run(...argv: string[]): Promise<Answer> {
    const shell = makeShell(this.host, { died: () => new Promise((resolve) => (this.#died.end = resolve)) });
    const result = await shell(['--quiet', ...argv]);
    const text = result.stderr.replace(/(?:^|\n)(?:warning|next): [^\n]*/g, '').replace(/\n$/, '');
    return { ...result, failure: result.exit === 0 ? undefined : new Error(text) };
  }

  /** Runs a line that prepares the case: where it fails, the case cannot be driven. */
  async prepare(...argv: string[]): Promise<string> {
    const { exit, stdout, stderr } = await this.run(...argv);
    if (exit !== 0) throw new Error(`${argv.join(' ')}: ${stderr.trim()}`);
    return stdout;
  }

  /** Runs a line that names a file with this text. */
  async runWithFile(text: string, line: (path: string) => string[]): Promise<Answer> {
    const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
    try {
      const path = join(folder, 'file.json');
      writeFileSync(path, text);
      return await this.run(...line(path));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Lets every stream do what it has to do. */
  async pump(): Promise<void> {
    const { ctx, cluster } = this.engine();
    await pumpAll(ctx, cluster);
  }

  shard(keyspace: string, shard: string): ShardDb {
    return this.host.shards.open(keyspace, shard);
  }

  /** The texts logged at any level. */
  get logged(): string[] {
    return this.events.flatMap((event) => (event.kind === 'log' ? [event.text] : []));
  }

  async routingRules(): Promise<Record<string, string[]>> {
    const { ctx, cluster } = this.engine();
    return ruleMap(await getRoutingRules(ctx, cluster.topo));
  }

  async shardRoutingRules(): Promise<Record<string, string>> {
    const { ctx, cluster } = this.engine();
    return shardRoutingMap(await getShardRoutingRules(ctx, cluster.topo));
  }

  async keyspaceRoutingRules(): Promise<Record<string, string>> {
    const { ctx, cluster } = this.engine();
    return keyspaceRoutingMap((await getKeyspaceRoutingRules(ctx, cluster.topo)) ?? {});
  }

  async mirrorRules(): Promise<Record<string, Record<string, number>>> {
    const { ctx, cluster } = this.engine();
    return mirrorMap(await getMirrorRules(ctx, cluster.topo));
  }

  /** The routing rules that the gates of a cell see. */
  async cellRules(cell: string): Promise<Record<string, string[]>> {
    const { ctx, cluster } = this.engine();
    return ruleMap((await getSrvVSchema(ctx, cluster.topo, cell))?.routing_rules ?? {});
  }

  /** The tables that a shard's primary refuses. */
  async denied(keyspace: string, shard: string): Promise<string[]> {
    const { ctx, cluster } = this.engine();
    const { record } = await getShard(ctx, cluster.topo, keyspace, shard);
    return [...(record.tablet_controls?.find((control) => control.tablet_type === 'PRIMARY')?.denied_tables ?? [])].toSorted();
  }

  fork(): World {
    const died = { end: () => {} };
    const { host, machine } = this.host.fork(() => died.end());
    return new World(host, machine, died);
  }
}

/** Makes an empty world, and a cluster in it. */
export async function makeWorld(spec: ClusterSpec): Promise<World> {
  const machine = new VirtualMachine(1);
  const died = { end: () => {} };
  const made = new World(memoryHost(machine, () => died.end()), machine, died);
  const { ctx, cluster } = made.engine();
  await createCluster(ctx, cluster, spec);
  await writeCluster(ctx, cluster.topo.conn, { vitess_version: RELEASE, topo_implementation: TOPOLOGY, made_from: 'a case', made_at: cluster.world.clock.now() });
  return made;
}

const made = new Map<string, Promise<World>>();

/** A world like another that was made by these words, made once. */
export async function worldFor(key: string, make: () => Promise<World>): Promise<World> {
  let first = made.get(key);
  if (first === undefined) {
    first = make();
    made.set(key, first);
  }
  return (await first).fork();
}

/** A cluster with the scene's keyspaces and, in its source, its tables with a few rows. No workflow yet. */
export function sceneWorld(scene: Scene): Promise<World> {
  return worldFor(JSON.stringify(['scene', scene]), async () => {
    const world = await makeWorld(sceneSpec(scene));
    for (const keyspace of scene.keyspaces) await addIdleShards(world, scene, keyspace);
    return world;
  });
}

/** Shards that do not serve are made after those that do, and are empty. */
async function addIdleShards(world: World, { cells }: Scene, { name, shards, uids, idle = [], bare = [] }: SceneKeyspace): Promise<void> {
  const { ctx, cluster } = world.engine();
  for (const shard of idle) {
    if (bare.includes(shard)) await createShard(ctx, cluster.topo, name, shard);
    else await startTablet(ctx, cluster, { alias: { cell: cells[0] ?? 'cell', uid: uids[shards.indexOf(shard)]! }, keyspace: name, shard, type: 'PRIMARY' });
  }
}

/** A cluster in which the scene's workflow runs, and has copied everything. */
export function movingWorld(scene: Scene, flags: readonly string[] = []): Promise<World> {
  return worldFor(JSON.stringify(['moving', scene, flags]), async () => {
    const world = await sceneWorld(scene);
    await world.prepare(...createLine(scene), ...flags);
    await world.pump();
    return world;
  });
}

/** The words that create the scene's workflow. */
export function createLine({ workflow, tenant }: Scene): string[] {
  if (workflow.type === 'Reshard') {
    return [...workflowWords(workflow), 'create', `--source-shards=${workflow.sourceShards?.join(',') ?? ''}`, `--target-shards=${workflow.targetShards?.join(',') ?? ''}`];
  }
  return [
    ...workflowWords(workflow),
    'create',
    '--source-keyspace',
    workflow.source,
    ...workflow.tables.flatMap((table) => ['--tables', csv(table)]),
    ...(workflow.sourceShards === undefined ? [] : [`--source-shards=${workflow.sourceShards.join(',')}`]),
    ...(tenant === undefined ? [] : ['--tenant-id', tenant.id]),
  ];
}

/** The words before the subcommand. */
export function workflowWords({ type, name, target }: { type: string; name: string; target: string }): string[] {
  return [type, '--workflow', name, '--target-keyspace', target];
}

/** A value as one element of a flag that takes a list. */
export function csv(value: string): string {
  return /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

const REPLICAS = ['REPLICA', 'RDONLY'] as const;

function sceneSpec(scene: Scene): ClusterSpec {
  return { cells: scene.cells, keyspaces: scene.keyspaces.map((keyspace) => keyspaceSpec(scene, keyspace)) };
}

/** A keyspace with one shard for everything has no vindexes. */
export const isSharded = (shards: readonly string[]): boolean => !shards.every((shard) => shard === '0' || shard === '-');

function keyspaceSpec(scene: Scene, { name, shards: all, uids: allUids, cell: home, idle = [] }: SceneKeyspace): KeyspaceSpec {
  const { workflow, cells, replicas } = scene;
  const holds = name === workflow.source;
  const shards = all.filter((shard) => !idle.includes(shard));
  const uids = shards.map((shard) => allUids[all.indexOf(shard)]!);
  return {
    name,
    record: { durability_policy: 'none', sidecar_db_name: '_vt' },
    shards: shards.map((shard, index) => ({
      name: validateShardName(shard).name,
      tablets: [
        { alias: formatTabletAlias({ cell: home ?? cells[0] ?? 'cell', uid: uids[index]! }), type: 'PRIMARY' },
        ...(replicas ? cells.flatMap((cell, at) => REPLICAS.map((type, more) => ({ alias: formatTabletAlias({ cell, uid: uids[index]! + 1 + at * 2 + more }), type }))) : []),
      ],
    })),
    vschema: { ...sceneVSchema(scene, name, all), ...scene.vschema?.[name] },
    schema: holds ? [textSource('schema', scene.ddl === undefined ? workflow.tables.map((table) => createSql(table, scene.tenant)).join('\n') : `${scene.ddl.replace(/;?\s*$/, '')};`)] : [],
    rows: holds && scene.ddl === undefined ? [textSource('rows', workflow.tables.map((table) => insertSql(table, scene.tenant)).join('\n'))] : [],
  };
}

type Tenant = Scene['tenant'];

/** A few rows, in every shard of two. */
function insertSql(table: string, tenant: Tenant): string {
  const [column, value] = tenant === undefined ? ['', ''] : [`, ${formatName(tenant.column)}`, `, '${tenant.id}'`];
  const rows = ['a', 'b', 'c', 'd'].map((text, index) => `(${index + 1}, ${index + 1}, ${index + 1}, '${text}'${value})`);
  return `insert into ${formatName(table)} (id, c1, cid, val${column}) values ${rows.join(', ')};`;
}

function createSql(table: string, tenant: Tenant): string {
  const [column, key] = tenant === undefined ? ['', ''] : [`, ${formatName(tenant.column)} ${tenant.type === 'INT64' ? 'bigint' : 'varchar(64)'} not null`, `${formatName(tenant.column)}, `];
  return `create table ${formatName(table)} (id bigint not null, c1 bigint, cid bigint, val varchar(64)${column}, primary key (${key}id));`;
}

function sceneVSchema(scene: Scene, name: string, shards: readonly string[]): VSchemaKeyspace {
  const { workflow } = scene;
  const { column, vindex } = name === workflow.target && name !== workflow.source ? (scene.targetVindex ?? scene) : scene;
  const own = name === workflow.source || name === workflow.target;
  if (scene.tenant !== undefined && name === workflow.target) return tenantVSchema(scene, shards);
  if (!isSharded(shards)) return name === workflow.source && scene.bareSource !== true ? { tables: Object.fromEntries(workflow.tables.map((table) => [table, {}])) } : {};
  return {
    sharded: true,
    vindexes: { [vindex]: { type: vindex } },
    tables: own ? Object.fromEntries(workflow.tables.map((table) => [table, { column_vindexes: [{ column, name: vindex }], ...(name === workflow.target && scene.autoIncrement !== undefined && { auto_increment: scene.autoIncrement }) }])) : {},
  };
}

/** A keyspace of many tenants. */
function tenantVSchema({ workflow, tenant, column, vindex }: Scene, shards: readonly string[]): VSchemaKeyspace {
  const spec = { multi_tenant_spec: { tenant_id_column_name: tenant!.column, tenant_id_column_type: tenant!.type } } as VSchemaKeyspace;
  if (!isSharded(shards)) return { ...spec, tables: Object.fromEntries(workflow.tables.map((table) => [table, {}])) };
  const tables = Object.fromEntries(workflow.tables.map((table) => [table, { column_vindexes: [{ column: column === 'id' ? tenant!.column : column, name: vindex }] }]));
  return { ...spec, sharded: true, vindexes: { [vindex]: { type: vindex } }, tables };
}

/** Gives a shard a position, of another server too. Its streams keep what they have. */
export function setPosition(world: World, keyspace: string, shard: string, text: string): World {
  const [server, ...more] = parsePosition(text).servers;
  const [interval, ...gaps] = server?.intervals ?? [];
  if (server === undefined || more.length > 0 || interval?.start !== 1 || gaps.length > 0) throw new Skipped(`a shard cannot be at the position ${text}`);
  const { db } = world.shard(keyspace, shard);
  db.transact(() => {
    db.run('UPDATE _meta SET value = ? WHERE key = ?', server.uuid, 'uuid');
    db.run('UPDATE _meta SET value = ? WHERE key = ?', String(interval.end), 'sequence');
  });
  // A shard reads its server's name when it is opened.
  return world.fork();
}
