import type { Release } from '../../lib/releases.ts';
import { loading } from '../../lib/loading.ts';
import { type FaultList, type PointFacts, type PointList, renderFaultList } from '../../report/fault-list.ts';
import { background } from '../../runtime/context.ts';
import { Failpoints } from '../../runtime/failpoints.ts';
import { edgesOf, OUTER_EDGES } from '../../runtime/edges.ts';
import { type FaultRecord, readFaults, readPauses } from '../../topo/kept-faults.ts';
import { CATALOGUE, type StepEntry, type StepName } from '../../workflow/switch/catalogue.ts';
import { FULL_PATH } from '../../workflow/switch/path.ts';
import { planRollback, planSteps } from '../../workflow/switch/plan.ts';
import { everyPoint } from '../../workflow/points.ts';
import { faultPoints, pathsFrom } from '../../workflow/switch/points.ts';
import { rollbackZoneOf, zoneOf } from '../../workflow/switch/zones.ts';
import { createFaults } from '../create-lists.ts';
import { endingFaults } from '../ending-lists.ts';
import { printFacts } from '../facts-output.ts';
import { faultTexts, forEachFault } from '../fault-input.ts';
import { lookAtCluster, type OpenToLook } from '../look.ts';
import { colorLevel, createPaint } from '../paint.ts';
import { type PlannedCommand, plannedCommand, releaseAsked } from '../planned-commands.ts';
import type { Invocation } from '../spec.ts';

type Sides = FaultList['workflows'][number];

/** Lists the points for faults, from the same plan that a switch runs. Works without a cluster. */
export async function run(inv: Invocation): Promise<number> {
  const command = plannedCommand('list of faults for', inv.args[0] ?? 'switchtraffic');
  const release = await releaseAsked(inv);
  const points = everyPoint(release.behaviours);
  const faults = new Failpoints();
  forEachFault(faultTexts(inv), ({ text }) => void faults.arm(text, points));
  const seen = await look(inv, release);
  const { workflows = [], set = [], waiting = [] } = seen ?? {};
  // One may be of another version.
  for (const { text } of set) if (isKnown(text, points)) faults.arm(text, points);
  const counted = set.map(({ name, text, evaluated, fired }) => ({ name, text, evaluated, fired }));
  const list: FaultList = { ...listOf(command, release, workflows, faults), set: counted, waiting };
  if (inv.flags.str('format') === 'json') {
    printFacts(inv, list);
    return 0;
  }
  const paint = await createPaint(colorLevel(inv.io.stdout, inv.flags, inv.io.env));
  inv.io.stdout.write(renderFaultList(list, paint).map((line) => `${line}\n`).join(''));
  return 0;
}

function isKnown(text: string, points: ReturnType<typeof everyPoint>): boolean {
  try {
    new Failpoints().arm(text, points);
    return true;
  } catch {
    return false;
  }
}

/** What the cluster has: its workflows, the faults that are set, who is paused. */
function look(inv: Invocation, release: Release): Promise<{ workflows: Sides[]; set: FaultRecord[]; waiting: FaultList['waiting'] } | undefined> {
  return lookAtCluster(inv, async (open) => {
    const { conn, world } = open;
    const paused = await readPauses(conn, (owner) => world.processes.liveness(owner));
    const waiting = paused.map(({ point, since, owner }) => ({ point, since, process: `${owner.user}@${owner.host} pid ${owner.pid}` }));
    const here = world.faults.pauses.waiting.map((point) => ({ point, since: world.clock.now(), process: 'on this machine' }));
    return { workflows: await workflowSides(open, release), set: await readFaults(conn), waiting: [...waiting, ...here] };
  });
}

/** The keyspaces and shards on each side of every workflow: what @TARGET may name. */
async function workflowSides({ conn, shards, world }: OpenToLook, release: Release): Promise<Sides[]> {
  const { gatherWorkflows } = await loading(import('../../workflow/facts/workflow.ts'));
  const topo = { conn, release, world, lockTimeoutMs: 0, held: new Set<never>() };
  const found = await gatherWorkflows(background(), { world, release, topo, shards });
  return found.map(({ keyspace, workflow, sourceKeyspace, sources, targets }) => ({
    workflow: `${keyspace}.${workflow}`,
    source: sourceKeyspace === '' ? [] : [sourceKeyspace, ...sources],
    target: [keyspace, ...targets],
  }));
}

function listOf(command: PlannedCommand, release: Release, workflows: readonly Sides[], faults: Failpoints): PointList {
  const { verb } = command;
  if (verb === 'create') return createFaults(command, release, workflows, faults);
  return verb === 'complete' || verb === 'cancel' ? endingFaults(command, verb, release, workflows, faults) : listFaults(command, release, workflows, faults);
}

function listFaults(command: PlannedCommand, release: Release, workflows: readonly Sides[], faults: Failpoints): PointList {
  const { behaviours } = release;
  const names = faultPoints(behaviours).map((point) => point.name as StepName);
  const backwards = planRollback(command.kind, behaviours);
  const forward = command.verb === 'rollback' ? [] : names.filter((name) => !name.startsWith('switchTraffic/rollback/'));
  const fact = (name: StepName, sides: readonly ('source' | 'target')[], more: Pick<PointFacts, 'when' | 'zones' | 'targets'>): PointFacts => ({
    name,
    about: CATALOGUE[name].about,
    edges: edgesOf(CATALOGUE[name]),
    sides,
    armed: faults.armedAt(name),
    ...more,
  });
  return {
    command: command.title,
    vitessVersion: release.name,
    note: command.note,
    workflows,
    points: inOrder(command, forward, release).map((name) => {
      const sides = sidesOf(CATALOGUE[name]);
      return fact(name, sides, { ...forwardZones(command, name, release), targets: targetsOf(sides, workflows) });
    }),
    rollback: backwards.map((name) => {
      // Of what is not done shard by shard, only the roll-back by an intent says what it touches: the keyspaces.
      const perTarget = (CATALOGUE[name] as StepEntry).perTarget === true;
      const sides = perTarget ? sidesOf(CATALOGUE[name]) : behaviours.rollbackRestoresAll ? (['source', 'target'] as const) : [];
      const targets = targetsOf(sides, workflows).filter((target) => perTarget || !target.includes('/'));
      const [before, after] = OUTER_EDGES.map((edge) => rollbackZoneOf(behaviours, { ...FULL_PATH, kind: command.kind }, { step: name, edge }));
      return fact(name, sides, { when: undefined, targets, zones: [{ occurrence: 1, before: before!, after: after! }] });
    }),
  };
}

/** The usual switch's steps as it runs them, then those of others. */
function inOrder({ kind }: PlannedCommand, names: readonly StepName[], { behaviours }: Release): StepName[] {
  const planned = pathsFrom(kind).flatMap(({ path }) => planSteps(path, behaviours).map((step) => step.name));
  return [...new Set(planned)].filter((name) => names.includes(name));
}

function sidesOf({ side }: StepEntry): ('source' | 'target')[] {
  return side === undefined ? ['source', 'target'] : [side];
}

function targetsOf(sides: readonly ('source' | 'target')[], workflows: readonly Sides[]): string[] {
  return [...new Set(workflows.flatMap((workflow) => sides.flatMap((side) => workflow[side])))];
}

/** The zones of a step in the first of the switches that has it. */
function forwardZones({ kind }: PlannedCommand, name: StepName, { behaviours }: Release): Pick<PointFacts, 'when' | 'zones'> {
  const first = pathsFrom(kind).find(({ path }) => planSteps(path, behaviours).some((step) => step.name === name));
  if (first === undefined) return { when: undefined, zones: [] };
  const occurrences = planSteps(first.path, behaviours).filter((step) => step.name === name);
  return {
    when: first.when,
    zones: occurrences.map(({ occurrence }) => {
      const [before, after] = OUTER_EDGES.map((edge) => zoneOf(behaviours, first.path, { step: name, occurrence, edge }));
      return { occurrence, before: before!, after: after! };
    }),
  };
}
