import { findRelease, type Release } from '../../lib/releases.ts';
import { renderSteps, type StepFacts, type StepList } from '../../report/steps.ts';
import { background } from '../../runtime/context.ts';
import { readCluster } from '../../topo/cluster-record.ts';
import { CATALOGUE } from '../../workflow/switch/catalogue.ts';
import { FULL_PATH, type SwitchPath } from '../../workflow/switch/path.ts';
import { planRollback, type PlannedStep, planSteps } from '../../workflow/switch/plan.ts';
import { hostOf } from '../cluster.ts';
import { printFacts } from '../facts-output.ts';
import { colorLevel, createPaint } from '../paint.ts';
import type { Invocation } from '../spec.ts';
import { unknownName } from '../unknown-name.ts';
import { loading } from '../../lib/loading.ts';

const COMMANDS = ['switchtraffic', 'reversetraffic', 'rollback'] as const;

/** Lists the steps of a command, from the same plan that the command runs. Works without a cluster. */
export async function run(inv: Invocation): Promise<number> {
  const command = commandOf(inv.args[0] ?? 'switchtraffic');
  const list = listSteps(command, await releaseOf(inv));
  if (inv.flags.str('format') === 'json') {
    printFacts(inv, list);
    return 0;
  }
  const paint = await createPaint(colorLevel(inv.io.stdout, inv.flags, inv.io.env));
  inv.io.stdout.write(renderSteps(list, paint).map((line) => `${line}\n`).join(''));
  return 0;
}

/** `SwitchTraffic`, `switch-traffic`, `movetables switchtraffic` are all one. Throws UserError for another name. */
function commandOf(typed: string): (typeof COMMANDS)[number] {
  const wanted = typed.toLowerCase().replace(/^movetables\s+/, '').replace(/[-_\s]/g, '');
  const found = COMMANDS.find((command) => command === wanted);
  if (found !== undefined) return found;
  throw unknownName('list of steps for', typed, COMMANDS, `there are lists for ${COMMANDS.join(', ')}`);
}

/** The version asked for, else the cluster's, else `hardened`. */
async function releaseOf(inv: Invocation): Promise<Release> {
  const asked = inv.flags.str('vitess-version') || (inv.io.env['SWITCHTRAFFIC_VITESS_VERSION'] ?? '');
  return findRelease(asked || (await clusterVersion(inv)) || 'hardened');
}

/** Looks without letting streams run, as opening a cluster for a command would. */
async function clusterVersion(inv: Invocation): Promise<string | undefined> {
  const host = hostOf(inv);
  if (!host.exists()) return undefined;
  const { ETCD_NAMES } = await loading(import('../../topo/conn/directory.ts'));
  const world = host.world();
  const conn = host.openTopology(world, { names: ETCD_NAMES, renewed: false, reapDead: false }, false);
  const shards = host.openShards(world);
  try {
    return (await readCluster(background(), conn))?.vitess_version;
  } finally {
    host.release(conn, shards);
  }
}

function listSteps(command: (typeof COMMANDS)[number], release: Release): StepList {
  const { behaviours } = release;
  const planned = command === 'rollback' ? [] : planSteps(FULL_PATH, behaviours);
  const steps = planned.map(({ name, occurrence, entry, leadsTo, pointOfNoReturn }, index): StepFacts => {
    const occurrences = planned.filter((other) => other.name === name).length;
    return { number: index + 1, name, occurrence, occurrences, about: entry.about, leadsTo, undoneBy: undoneBy(release, entry, leadsTo), pointOfNoReturn };
  });
  const rollback = planRollback(behaviours).map(
    (name, index): StepFacts => ({
      number: index + 1,
      name,
      occurrence: 1,
      occurrences: 1,
      about: CATALOGUE[name].about,
      leadsTo: undefined,
      undoneBy: '',
      pointOfNoReturn: false,
    }),
  );
  const elsewhere = command === 'rollback' ? [] : otherPaths(release, planned);
  return { command: TITLES[command], vitessVersion: release.name, note: NOTES[command], steps, elsewhere, rollback };
}

/** A release leaves reads and mirror rules as they are, whatever rolls back. */
function undoneBy(release: Release, { undoneBy: how }: PlannedStep['entry'], leadsTo: PlannedStep['leadsTo']): string {
  return release.vitess && leadsTo === 'left as is' && how.startsWith('restoring') ? 'never' : how;
}

/** What changes the list, and how it is then said. */
const OTHER_PATHS: readonly { path: Partial<SwitchPath>; when: string }[] = [
  { path: { writes: false }, when: 'without the primary type' },
  { path: { resume: true }, when: 'when it completes a switch past its journal' },
  { path: { mirrored: true }, when: 'when traffic is mirrored' },
];

/** Steps that the usual switch does not have. */
function otherPaths({ behaviours }: Release, usual: readonly PlannedStep[]): StepList['elsewhere'] {
  const known = new Set<string>(usual.map((step) => step.name));
  return OTHER_PATHS.flatMap(({ path, when }) => {
    const steps = planSteps({ ...FULL_PATH, ...path }, behaviours);
    const extra = [...new Set(steps.map((step) => step.name))].filter((name) => !known.has(name));
    return extra.map((name) => ({ name, about: CATALOGUE[name].about, when }));
  });
}

const TITLES = { switchtraffic: 'MoveTables switchtraffic', reversetraffic: 'MoveTables reversetraffic', rollback: 'the roll-back of a switch' };

const NOTES = {
  switchtraffic: undefined,
  reversetraffic: 'it runs the reverse workflow forward: the same steps, with source and target changing places',
  rollback: undefined,
};
