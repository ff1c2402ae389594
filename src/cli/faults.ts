import { UserError } from '../lib/errors.ts';
import { isGlob } from '../lib/glob.ts';
import { suggest } from '../lib/suggest.ts';
import { loading } from '../lib/loading.ts';
import type { Context } from '../runtime/context.ts';
import { type FaultPoint, targetMatcher, whyUnfired } from '../runtime/failpoints.ts';
import { badFault, type FaultSpec } from '../runtime/fault-grammar.ts';
import type { World } from '../runtime/world.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { cellNames } from '../topo/cells.ts';
import type { Conn } from '../topo/conn/conn.ts';
import { leaseFaults } from '../topo/held-locks.ts';
import { type FaultRecord, keptFault, pauseDesk, readFaults } from '../topo/kept-faults.ts';
import { findAllShards, keyspaceNames, shardText } from '../topo/keyspaces.ts';
import { ROOTS } from '../topo/paths.ts';
import { shortAlias } from '../topo/tablets.ts';
import { linesWithoutControls } from './controls.ts';
import { faultTexts, forEachFault } from './fault-input.ts';
import { onReleaseSignal } from './signals.ts';
import type { Invocation } from './spec.ts';

/**
 * Arms the faults of a command line in the cluster's world, and those that are kept for the cluster. A fault that can never fire is
 * a mistake: steps and targets have to exist. Throws UserError. What is to be told at the end goes to `late`; returns how to stop listening.
 */
export async function armFaults(
  ctx: Context,
  inv: Invocation,
  cluster: Cluster,
  options: { creating: boolean; late: string[] },
): Promise<() => void> {
  const { world, topo } = cluster;
  const { faults } = world;
  faults.leases = leaseFaults(topo);
  const texts = faultTexts(inv);
  // The lines of a command have its faults already.
  const kept = options.creating || inv.parent !== undefined ? [] : await readFaults(topo.conn);
  if (texts.length + kept.length === 0) return () => {};
  if (inv.flags.given('fault-seed')) faults.seed = inv.flags.int('fault-seed');
  const { everyPoint } = await loading(import('../workflow/points.ts'));
  const points = everyPoint(cluster.release.behaviours);
  // A cluster that is yet to be made has no targets to compare with.
  const there = options.creating ? undefined : await targetsFor(ctx, cluster, texts.map(({ text }) => text));
  forEachFault(texts, ({ text }) => {
    for (const spec of faults.arm(text, points)) if (there !== undefined) checkTarget(spec, there);
  });
  const { conn } = topo;
  if (inv.parent === undefined && !options.creating) {
    armKept(cluster, conn, points, kept);
    faults.lookAgain = async () => {
      await faults.forgetKept();
      armKept(cluster, conn, points, await readFaults(conn));
    };
    if (!world.clock.virtual) faults.pauses.desk = pauseDesk(conn, world);
  }
  if (faults.chancy && !inv.flags.given('fault-seed')) {
    options.late.push(`the chances of faults were drawn from --fault-seed ${faults.seed}`);
  }
  return announce(inv, world);
}

/** Those that are kept for the cluster. One may have been set for another version, whose steps this one does not have. */
function armKept({ world, release }: Cluster, conn: Conn, points: readonly FaultPoint[], kept: readonly FaultRecord[]): void {
  for (const record of kept) {
    try {
      world.faults.arm(record.text, points, keptFault(conn, record));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      world.events.emit({ kind: 'warning', text: `the fault ${record.text}, which is set for this cluster, has no place in ${release.name}` });
    }
  }
}

/** What a target may name. */
export interface Targets {
  readonly places: readonly string[];
  readonly tablets: readonly string[];
  readonly cells: readonly string[];
}

/** What the targets of these faults may name. Tablets are read only where a fault names one. */
export async function targetsFor(ctx: Context, cluster: Pick<Cluster, 'topo'>, texts: readonly string[]): Promise<Targets> {
  const there = await allTargets(ctx, cluster);
  return texts.some((text) => /(?:^|[;\s])tablet\/[^=]*@/.test(text)) ? { ...there, tablets: await allTablets(ctx, cluster) } : there;
}

async function allTargets(ctx: Context, { topo }: Pick<Cluster, 'topo'>): Promise<Targets> {
  const keyspaces = await keyspaceNames(ctx, topo);
  const shards = await Promise.all(keyspaces.map((keyspace) => findAllShards(ctx, topo, keyspace)));
  return { places: [...keyspaces, ...shards.flat().map(shardText)], tablets: [], cells: await cellNames(ctx, topo) };
}

async function allTablets(ctx: Context, { topo }: Pick<Cluster, 'topo'>): Promise<string[]> {
  const { listTablets } = await loading(import('../topo/list-tablets.ts'));
  const all = await listTablets(ctx, topo, { aliases: [], keyspace: '', shard: '', cells: [], tabletType: 'UNKNOWN', strict: false });
  return all.map(({ alias }) => shortAlias(alias));
}

/** Throws UserError for a target that is not there. */
export function checkTarget({ text, step, target }: FaultSpec, { places, tablets, cells }: Targets): void {
  if (target === undefined) return;
  // A path may be yet to be made; where it begins is known.
  if (step.startsWith('topo/')) {
    const [root = ''] = target.split('/');
    if (isGlob(root) || ROOTS.includes(root) || cells.includes(root)) return;
    throw badFault(text, `no path begins with "${root}"; there are: ${[...ROOTS, ...cells].join(', ')}`);
  }
  const [there, what, next] = step.startsWith('tablet/') ? [tablets, 'tablet', 'switchtraffic GetTablets'] : [places, 'keyspace or shard', 'switchtraffic show keyspace'];
  const wanted = step.startsWith('tablet/') ? target.replace(/-0+(?=[\d?*])/, '-') : target;
  if (there.some(targetMatcher(wanted))) return;
  const near = suggest(wanted, there);
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  throw badFault(text, `there is no ${what} "${target}"${hint}`, next);
}

/** Says on stderr what faults print and where they wait, when it happens; a signal lets a pause go on. */
function announce({ io }: Invocation, world: World): () => void {
  const { faults, clock, processes, events } = world;
  const say = (text: string): void => io.stderr.write(`${linesWithoutControls(text).replaceAll('\n', ' ')}\n`);
  const stops = [
    events.listen((event) => {
      if (event.kind === 'print') say(`fault at ${event.point}: ${event.text}`);
      if (event.kind !== 'paused') return;
      const how = clock.virtual ? '' : `; go on: switchtraffic fault release '${event.point}', or kill -USR2 ${processes.self.pid}; give up: Ctrl-C`;
      say(`paused at ${event.point}${how}`);
    }),
  ];
  if (!clock.virtual) stops.push(onReleaseSignal(() => void faults.release('**')));
  return () => stops.forEach((stop) => stop());
}

/** One line for each fault that is set for the cluster and struck this command: nobody sees it on the command line. */
export function struckFaults({ world }: Cluster): string[] {
  return world.faults.keptFired().map((text) => `fault "${text}", which is set for this cluster, fired; to take it away: switchtraffic fault clear`);
}

/** One line for each fault that was armed and never fired. */
export function unfiredFaults({ world }: Cluster): string[] {
  const unfired = world.faults.report().filter(({ fired }) => fired === 0);
  return unfired.map((fault) => `fault "${fault.text}" never fired: ${whyUnfired(fault)}`);
}
