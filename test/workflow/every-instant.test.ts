import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { findRelease } from '../../src/lib/releases.ts';
import { edgesOf } from '../../src/runtime/edges.ts';
import { CREATE_STEPS, planCreate } from '../../src/workflow/create/steps.ts';
import { END_STEPS, type EndStep, planEnding } from '../../src/workflow/end/steps.ts';
import { CATALOGUE } from '../../src/workflow/switch/catalogue.ts';
import { planSteps } from '../../src/workflow/switch/plan.ts';
import { useAside, withAside } from '../helpers/aside.ts';
import { createSubjects } from '../helpers/create-subjects.ts';
import { END_SUBJECTS, endStart } from '../helpers/end-subjects.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { sample } from '../helpers/sample.ts';
import type { TestCluster } from '../helpers/shell.ts';
import {
  PARTIAL,
  PARTIAL_REVERSED,
  reshardReversed,
  reshardSubject,
  type Subject,
  TABLES,
  TABLES_REVERSED,
  TABLES_TO_SHARDS,
  TABLES_WRITES,
  TENANT_READS,
  tenantSubject,
} from '../helpers/subjects.ts';

/*
 * A command of `hardened` that is killed at any instant: what it wrote down is told by `show` and `status`, other keyspaces are not
 * disturbed, other commands on these are refused with the line that finishes it and change nothing, and that line comes to what an
 * undisturbed run comes to. `npm test` has a sample, `npm run test:all` every instant.
 */
interface Killed {
  name: string;
  make(): Promise<TestCluster>;
  /** Its command line, with more flags. */
  line(flags?: string): string;
  /** The workflow's name, and what any other command on it is. */
  workflow: string;
  other: string;
  points: string[];
}

const { behaviours } = findRelease('hardened');

function switched(subject: Subject): Killed {
  const steps = planSteps(subject.path, behaviours);
  const line = (flags?: string): string => subject.line(flags);
  const command = /^\S+ --workflow (\S+) --target-keyspace \S+/.exec(line())!;
  return {
    name: `${subject.name}, switched`,
    make: subject.make,
    line,
    workflow: command[1]!,
    other: `${command[0]} cancel`,
    points: steps.flatMap(({ name, occurrence }) => edgesOf(CATALOGUE[name]).map((edge) => `${name}:${edge}#${occurrence}`)),
  };
}

function ended(name: string, verb: 'complete' | 'cancel'): Killed {
  const subject = END_SUBJECTS[name]!;
  const line = (flags = ''): string => subject.line(`${verb} ${flags}`.trim());
  const steps = planEnding({ verb, kind: subject.kind, keepData: false, keepRoutingRules: false, ignoreSource: false }, behaviours);
  return {
    name: `${verb} of ${name}`,
    make: () => endStart(name, verb, 'hardened'),
    line,
    workflow: /--workflow (\S+)/.exec(line())![1]!,
    other: subject.line('switchtraffic'),
    points: steps.flatMap(({ name: step, occurrence }) => {
      const { perTarget, side }: EndStep = END_STEPS[step];
      const middle = perTarget === true && side === 'target' && subject.first !== undefined ? [`${step}:after#${occurrence}@${subject.first}`] : [];
      return [...edgesOf(END_STEPS[step]).map((edge) => `${step}:${edge}#${occurrence}`), ...middle];
    }),
  };
}

const created = createSubjects().map(
  ({ name, make, line, path, first }): Killed => ({
    name: `create of ${name}`,
    make,
    line,
    workflow: /--workflow (\S+)/.exec(line())![1]!,
    other: line().replace(/ create .*$/, ' cancel'),
    points: planCreate(path, behaviours).flatMap((step) => [...edgesOf(CREATE_STEPS[step]).map((edge) => `${step}:${edge}`), ...(first === undefined ? [] : first(step))]),
  }),
);

const MOVED = reshardSubject('2 to 4', { streams: true });
const ALL: Killed[] = [
  ...[
    TABLES,
    TABLES_WRITES,
    TABLES_REVERSED,
    TABLES_TO_SHARDS,
    PARTIAL,
    PARTIAL_REVERSED,
    tenantSubject('sharded'),
    TENANT_READS,
    MOVED,
    reshardReversed(MOVED),
    reshardSubject('1 to 2', { flags: '--tablet-types replica,rdonly', path: { writes: false } }),
  ].map(switched),
  ...Object.keys(END_SUBJECTS).flatMap((name) => (['complete', 'cancel'] as const).map((verb) => ended(name, verb))),
  ...created,
];

const INSTANTS = ALL.flatMap((killed) => killed.points.map((point) => ({ ...killed, point })));

describe('hardened, killed', () => {
  const after = new Map<string, Promise<Record<string, unknown>>>();

  it.each(sample(INSTANTS, 37))('$name at $point', async ({ name, make, line, workflow, other, point }) => {
    const start = (): Promise<TestCluster> => withAside(name, make);
    const undisturbed = async (): Promise<Record<string, unknown>> => {
      const cluster = await start();
      await cluster.ok(line());
      return state(cluster);
    };
    const wanted = after.get(name) ?? undisturbed();
    after.set(name, wanted);

    const cluster = await start();
    const killed = await cluster.run(line(`--fault '${point}=panic'`));
    // Of one target there is no middle, and some steps find nothing to write: test/workflow/edges.test.ts has each of these edges.
    if (/:(?:mid|commit)/.test(point) && killed.stderr.includes('never fired')) return;
    expect(killed.exit, killed.stderr).toBe(137);
    const left = intents(cluster);
    expect(left.length).toBeLessThanOrEqual(1);
    await useAside(cluster);
    if (left.length > 0) await isToldAndGuarded(cluster, workflow, other);
    // All was done, with nothing left but to let the locks go: that is not asked for again.
    if (left.length === 0 && isDeepStrictEqual(await state(cluster), await wanted)) return;
    const again = await cluster.run(line());
    expect(again.exit, again.stderr).toBe(0);
    expect(intents(cluster)).toEqual([]);
    expect(await state(cluster)).toEqual(await wanted);
  });
});

async function isToldAndGuarded(cluster: TestCluster, workflow: string, other: string): Promise<void> {
  const before = fingerprint(cluster.host);
  const told = oneLine(await cluster.ok('show workflow'));
  expect(told).toMatch(/by vitess@virtual pid \d+, begun at \S+, broke off at \S+/);
  expect(told).toContain(workflow.replace(/_reverse$/, ''));
  expect(oneLine(await cluster.ok('show keyspace'))).toContain('broke off at');
  if (!other.startsWith('Materialize')) {
    const status = await cluster.run(other.replace(/ \S+$/, ' status'));
    expect(oneLine(status.stderr)).toMatch(/warning: .* broke off at .* finish it: switchtraffic /);
  }
  const refused = await cluster.run(other);
  expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining('was interrupted, and what it had begun is not finished\nnext: finish it by running it again: switchtraffic ')]);
  expect(clean(fingerprint(cluster.host))).toEqual(clean(before));
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ');

function intents(cluster: TestCluster): string[] {
  return [...cluster.host.store.cell('global').keys()].filter((path) => path.startsWith('switchtraffic/intents/'));
}

/** Once more after the streams have had their time. */
async function state(cluster: TestCluster): Promise<Record<string, unknown>> {
  await cluster.ok('show locks');
  return clean(fingerprint(cluster.host));
}

/** A dead process's tickets stay until somebody wants what they hold; what was used aside leaves its trace there. */
function clean(print: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(print).filter(([key]) => key !== 'locks' && !/^(?:aside|beside)\//.test(key)));
}
