import { isGlob } from '../lib/glob.ts';
import { suggest } from '../lib/suggest.ts';
import { loading } from '../lib/loading.ts';
import type { Context } from '../runtime/context.ts';
import { targetMatcher, whyUnfired } from '../runtime/failpoints.ts';
import { badFault, type FaultSpec } from '../runtime/fault-grammar.ts';
import type { World } from '../runtime/world.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { cellNames } from '../topo/cells.ts';
import { leaseFaults } from '../topo/held-locks.ts';
import { findAllShards, keyspaceNames, shardText } from '../topo/keyspaces.ts';
import { ROOTS } from '../topo/paths.ts';
import { shortAlias } from '../topo/tablets.ts';
import { linesWithoutControls } from './controls.ts';
import { faultTexts, forEachFault } from './fault-input.ts';
import { onReleaseSignal } from './signals.ts';
import type { Invocation } from './spec.ts';

/**
 * Arms the faults of a command line in the cluster's world. A fault that can never fire is a mistake: steps and targets
 * have to exist. Throws UserError. What is to be told at the end goes to `late`; returns how to stop listening.
 */
export async function armFaults(
  ctx: Context,
  inv: Invocation,
  cluster: Cluster,
  options: { creating: boolean; late: string[] },
): Promise<() => void> {
  const { faults } = cluster.world;
  faults.leases = leaseFaults(cluster.topo);
  const texts = faultTexts(inv);
  if (texts.length === 0) return () => {};
  if (inv.flags.given('fault-seed')) faults.seed = inv.flags.int('fault-seed');
  const { everyPoint } = await loading(import('../workflow/points.ts'));
  const points = everyPoint(cluster.release.behaviours);
  // A cluster that is yet to be made has no targets to compare with.
  const there = options.creating ? undefined : await allTargets(ctx, cluster);
  if (there !== undefined && texts.some(({ text }) => /(?:^|[;\s])tablet\/[^=]*@/.test(text))) there.tablets = await allTablets(ctx, cluster);
  forEachFault(texts, ({ text }) => {
    for (const spec of faults.arm(text, points)) {
      if (there !== undefined) checkTarget(spec, there);
    }
  });
  if (faults.chancy && !inv.flags.given('fault-seed')) {
    options.late.push(`the chances of faults were drawn from --fault-seed ${faults.seed}`);
  }
  return announce(inv, cluster.world);
}

/** What a target may name. */
interface Targets {
  readonly places: readonly string[];
  tablets: readonly string[];
  readonly cells: readonly string[];
}

async function allTargets(ctx: Context, { topo }: Cluster): Promise<Targets> {
  const keyspaces = await keyspaceNames(ctx, topo);
  const shards = await Promise.all(keyspaces.map((keyspace) => findAllShards(ctx, topo, keyspace)));
  return { places: [...keyspaces, ...shards.flat().map(shardText)], tablets: [], cells: await cellNames(ctx, topo) };
}

/** Read only where a fault names one. */
async function allTablets(ctx: Context, { topo }: Cluster): Promise<string[]> {
  const { listTablets } = await loading(import('../topo/list-tablets.ts'));
  const all = await listTablets(ctx, topo, { aliases: [], keyspace: '', shard: '', cells: [], tabletType: 'UNKNOWN', strict: false });
  return all.map(({ alias }) => shortAlias(alias));
}

function checkTarget({ text, step, target }: FaultSpec, { places, tablets, cells }: Targets): void {
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
      if (event.kind !== 'fault' || event.action !== 'pause') return;
      const how = clock.virtual ? '' : `; go on: kill -USR2 ${processes.self.pid}; give up: Ctrl-C`;
      say(`paused at ${event.point}${how}`);
    }),
  ];
  if (!clock.virtual) stops.push(onReleaseSignal(() => void faults.release('**')));
  return () => stops.forEach((stop) => stop());
}

/** One line for each fault that was armed and never fired. */
export function unfiredFaults({ world }: Cluster): string[] {
  const unfired = world.faults.report().filter(({ fired }) => fired === 0);
  return unfired.map((fault) => `fault "${fault.text}" never fired: ${whyUnfired(fault)}`);
}
