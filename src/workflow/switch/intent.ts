import { UserError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import type { ProcessIdentity } from '../../runtime/processes.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { readStreams, type StreamRow } from '../../tablet/vreplication/streams.ts';
import { cellNames } from '../../topo/cells.ts';
import type { Writer } from '../../topo/conn/conn.ts';
import { heldLocks } from '../../topo/locks.ts';
import { paths } from '../../topo/paths.ts';
import type { MirrorRule, MirrorRules, RoutingRules, Shard, SrvVSchema, TabletControl } from '../../topo/proto/types.ts';
import { encodeRecord, findRecord, listNames } from '../../topo/server.ts';
import { type RoutingMap, routingMap } from '../../topo/rules.ts';
import type { TrafficSwitcher } from '../switcher.ts';
import type { SequenceImages } from './sequences-undo.ts';

/**
 * What a switch on `hardened` writes down before it changes anything: what was, and who is at it. A roll-back is
 * driven by it alone, so that another process can finish what a dead one began.
 */
export interface Intent {
  keyspace: string;
  workflow: string;
  /** For people: `SwitchTraffic c2c`. */
  command: string;
  /** How it was asked for, so that it can be asked for again. */
  asked: { keyspace: string; workflow: string; verb: 'switchtraffic' | 'reversetraffic'; tabletTypes: readonly string[] };
  owner: ProcessIdentity;
  /** Epoch milliseconds. */
  started: number;
  /** Fencing token per lock, when the intent was written. */
  tokens: Record<string, number>;
  /** Migration id: if a source has its journal, the only way is forward. */
  journal: string;
  sources: MemberImage[];
  targets: MemberImage[];
  sourceKeyspace: string;
  targetKeyspace: string;
  tables: string[];
  reverseWorkflow: string;
  /** Rules of the workflow's tables; null where there was none. */
  rules: Record<string, string[] | null>;
  mirrorRules: MirrorRule[];
  /** The same, in each cell's serving copy. */
  cells: Record<string, { rules: Record<string, string[] | null>; mirrorRules: MirrorRule[] }>;
  /** What the switch does to sequences; there once it is going to. */
  sequences?: SequenceImages;
}

/** A shard as it was: its tablet controls, and the streams of the workflow that live there. */
export interface MemberImage {
  keyspace: string;
  shard: string;
  controls: TabletControl[];
  streams: StreamRow[];
}

/** Every key under which the rules of these tables may stand. */
export function ruleKeys(intent: Pick<Intent, 'tables' | 'sourceKeyspace' | 'targetKeyspace'>): string[] {
  const { tables, sourceKeyspace, targetKeyspace } = intent;
  return tables.flatMap((table) =>
    ['', '@replica', '@rdonly'].flatMap((suffix) =>
      [table, `${targetKeyspace}.${table}`, `${sourceKeyspace}.${table}`].map((from) => `${from}${suffix}`),
    ),
  );
}

/** True for a mirror rule of the workflow. */
export function isOwnMirror(
  intent: Pick<Intent, 'tables' | 'sourceKeyspace' | 'targetKeyspace'>,
  rule: MirrorRule,
): boolean {
  return intent.tables.some(
    (table) =>
      rule.to_table === `${intent.targetKeyspace}.${table}` &&
      ['', '@replica', '@rdonly'].some((suffix) => rule.from_table === `${intent.sourceKeyspace}.${table}${suffix}`),
  );
}

/** Reads the state before the switch and writes it down. */
export async function recordIntent(
  ctx: Context,
  cluster: Cluster,
  sw: TrafficSwitcher,
  asked: Intent['asked'],
): Promise<Intent> {
  const { topo, world } = cluster;
  const scope = { tables: sw.tables, sourceKeyspace: sw.sourceKeyspace, targetKeyspace: sw.targetKeyspace };
  const cells = await cellNames(ctx, topo);
  const streamsOf = (db: TrafficSwitcher['sources'][number]['db'], workflow: string): StreamRow[] => readStreams(db, workflow);
  return topo.conn.atomically(ctx, {}, (writer) => {
    const image = (member: { info: { keyspace: string; name: string } }, streams: StreamRow[]): MemberImage => ({
      keyspace: member.info.keyspace,
      shard: member.info.name,
      controls: readShard(writer, member.info.keyspace, member.info.name)?.tablet_controls ?? [],
      streams,
    });
    const intent: Intent = {
      keyspace: sw.targetKeyspace,
      workflow: sw.workflow,
      command: `${asked.verb === 'switchtraffic' ? 'SwitchTraffic' : 'ReverseTraffic'} ${asked.workflow}`,
      asked,
      owner: world.processes.self,
      started: world.clock.now(),
      tokens: Object.fromEntries(heldLocks(ctx).map((lock) => [lock.resource, lock.token])),
      journal: sw.id,
      sources: sw.sources.map((source) => image(source, streamsOf(source.db, sw.reverseWorkflow))),
      targets: sw.targets.map((target) => image(target, streamsOf(target.db, sw.workflow))),
      ...scope,
      reverseWorkflow: sw.reverseWorkflow,
      rules: pickRules(routingMap(read<RoutingRules>(writer, 'global', paths.routingRules) ?? {}), scope),
      mirrorRules: pickMirrors(read<MirrorRules>(writer, 'global', paths.mirrorRules), scope),
      cells: {},
    };
    for (const cell of cells) {
      const served = read<SrvVSchema>(writer, cell, paths.srvVSchema);
      if (served === undefined) continue;
      intent.cells[cell] = {
        rules: pickRules(routingMap(served.routing_rules ?? {}), scope),
        mirrorRules: pickMirrors(served.mirror_rules, scope),
      };
    }
    writer.put('global', paths.intent(sw.targetKeyspace, sw.workflow), encodeRecord(intent));
    return intent;
  });
}

type Scope = Pick<Intent, 'tables' | 'sourceKeyspace' | 'targetKeyspace'>;

function pickRules(map: RoutingMap, scope: Scope): Record<string, string[] | null> {
  return Object.fromEntries(
    ruleKeys(scope).map((key) => {
      const to = map.get(key);
      return [key, to === undefined ? null : [...to]];
    }),
  );
}

function pickMirrors(rules: MirrorRules | undefined, scope: Scope): MirrorRule[] {
  return (rules?.rules ?? []).filter((rule) => isOwnMirror(scope, rule));
}

/** A record inside a transaction. */
export function read<T>(writer: Writer, cell: string, path: string): T | undefined {
  const node = writer.get(cell, path);
  return node === undefined ? undefined : (JSON.parse(node.contents) as T);
}

export function readShard(writer: Writer, keyspace: string, shard: string): Shard | undefined {
  return read<Shard>(writer, 'global', paths.shard(keyspace, shard));
}

/** The intent of a workflow, if one was left behind or is at work. */
export async function findIntent(ctx: Context, cluster: Cluster, keyspace: string, workflow: string): Promise<Intent | undefined> {
  return (await findRecord<Intent>(ctx, cluster.topo.conn, paths.intent(keyspace, workflow)))?.record;
}

/** Every intent of the cluster. */
export async function allIntents(ctx: Context, cluster: Cluster): Promise<Intent[]> {
  const { conn } = cluster.topo;
  const intents: Intent[] = [];
  for (const keyspace of await listNames(ctx, conn, paths.intents)) {
    for (const workflow of await listNames(ctx, conn, `${paths.intents}/${keyspace}`)) {
      const found = await findIntent(ctx, cluster, keyspace, workflow);
      if (found !== undefined) intents.push(found);
    }
  }
  return intents;
}

/** True while the process that wrote the intent may still be carrying it out. */
export function isAtWork(cluster: Cluster, intent: Intent): boolean {
  const { processes } = cluster.world;
  const own = intent.owner.pid === processes.self.pid && intent.owner.start === processes.self.start;
  return !own && processes.liveness(intent.owner) !== 'dead';
}

/** Why another command has to stand back from a workflow that a switch has left half done. */
export function interrupted(intent: Intent): UserError {
  return new UserError(`${intent.command} was interrupted, and what it had begun is not finished`, {
    next: `finish it by running it again: switchtraffic MoveTables --workflow ${intent.asked.workflow} --target-keyspace ${intent.asked.keyspace} ${intent.asked.verb} --tablet-types ${intent.asked.tabletTypes.join(',').toLowerCase()}`,
  });
}

/** Refuses to touch keyspaces in which a switch is half done. Only `hardened` knows. */
export async function refuseInterrupted(ctx: Context, cluster: Cluster, keyspaces: readonly string[]): Promise<void> {
  if (!cluster.release.behaviours.rollbackRestoresAll) return;
  for (const intent of await allIntents(ctx, cluster)) {
    if (keyspaces.includes(intent.sourceKeyspace) || keyspaces.includes(intent.targetKeyspace)) throw interrupted(intent);
  }
}

/** Strikes an intent that has been carried out, one way or the other. */
export async function dropIntent(ctx: Context, cluster: Cluster, intent: Intent): Promise<void> {
  await cluster.topo.conn.atomically(ctx, {}, (writer) => writer.remove('global', paths.intent(intent.keyspace, intent.workflow)));
}
