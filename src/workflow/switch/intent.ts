import { UserError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import type { ProcessIdentity } from '../../runtime/processes.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { cellNames } from '../../topo/cells.ts';
import { guarded, heldLocks } from '../../topo/locks.ts';
import { paths } from '../../topo/paths.ts';
import { encodeRecord, findRecord, listNames } from '../../topo/server.ts';
import { commandOf, type MigrationKind, type TrafficSwitcher } from '../switcher.ts';
import { type CellImage, cellImage, globalRules, type MemberImage, memberImage, type RulesImage, scopeOf } from './intent-images.ts';
import type { SequenceImages } from './sequences-undo.ts';

/**
 * What a switch on `hardened` writes down before it changes anything: what was, and who is at it. A roll-back is
 * driven by it alone, so that another process can finish what a dead one began.
 */
export interface Intent extends RulesImage {
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
  /** By which records its traffic is switched. */
  kind: MigrationKind;
  sources: MemberImage[];
  targets: MemberImage[];
  sourceKeyspace: string;
  targetKeyspace: string;
  tables: string[];
  reverseWorkflow: string;
  /** What each cell serves by. */
  cells: Record<string, CellImage>;
  /** What the switch does to sequences; there once it is going to. */
  sequences?: SequenceImages;
}

/** Reads the state before the switch and writes it down. Throws LockLostError: who has lost its locks must not begin. */
export async function recordIntent(
  ctx: Context,
  cluster: Cluster,
  sw: TrafficSwitcher,
  asked: Intent['asked'],
): Promise<Intent> {
  const { topo, world } = cluster;
  const scope = scopeOf(sw);
  const cells = await cellNames(ctx, topo);
  return guarded(ctx, topo, [], (options) =>
    topo.conn.atomically(ctx, options, (writer) => {
      const { kind, sourceKeyspace, targetKeyspace } = sw;
      const intent: Intent = {
        keyspace: targetKeyspace,
        workflow: sw.workflow,
        command: `${asked.verb === 'switchtraffic' ? 'SwitchTraffic' : 'ReverseTraffic'} ${asked.workflow}`,
        asked,
        owner: world.processes.self,
        started: world.clock.now(),
        tokens: Object.fromEntries(heldLocks(ctx).map((lock) => [lock.resource, lock.token])),
        journal: sw.id,
        kind,
        sources: sw.sources.map((source) => memberImage(writer, source, sw.reverseWorkflow, kind)),
        targets: sw.targets.map((target) => memberImage(writer, target, sw.workflow, kind)),
        sourceKeyspace,
        targetKeyspace,
        tables: sw.tables,
        reverseWorkflow: sw.reverseWorkflow,
        ...globalRules(writer, scope),
        cells: {},
      };
      for (const cell of cells) {
        const image = cellImage(writer, cell, scope);
        if (image !== undefined) intent.cells[cell] = image;
      }
      writer.put('global', paths.intent(targetKeyspace, sw.workflow), encodeRecord(intent));
      return intent;
    }),
  );
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
    next: `finish it by running it again: switchtraffic ${commandOf(intent.kind)} --workflow ${intent.asked.workflow} --target-keyspace ${intent.asked.keyspace} ${intent.asked.verb} --tablet-types ${intent.asked.tabletTypes.join(',').toLowerCase()}`,
  });
}

/** Why another command has to wait for a switch that is being made. */
function atWork(intent: Intent): UserError {
  return new UserError(`${intent.command} is at work on these keyspaces`, { next: 'try again when it has ended; who it is: switchtraffic lock show' });
}

/** Refuses to touch keyspaces in which a switch is half done, or under way. Only `hardened` knows. Throws UserError. */
export async function refuseInterrupted(ctx: Context, cluster: Cluster, keyspaces: readonly string[]): Promise<void> {
  if (!cluster.release.behaviours.rollbackRestoresAll) return;
  for (const intent of await allIntents(ctx, cluster)) {
    if (keyspaces.includes(intent.sourceKeyspace) || keyspaces.includes(intent.targetKeyspace)) {
      throw cluster.world.processes.liveness(intent.owner) === 'alive' ? atWork(intent) : interrupted(intent);
    }
  }
}

/** Strikes an intent that has been carried out, one way or the other. */
export async function dropIntent(ctx: Context, cluster: Cluster, intent: Intent): Promise<void> {
  await cluster.topo.conn.atomically(ctx, {}, (writer) => writer.remove('global', paths.intent(intent.keyspace, intent.workflow)));
}
