import { describe, expect, it } from 'vitest';
import { findRelease } from '../../src/lib/releases.ts';
import { type Edge, edgesOf } from '../../src/runtime/edges.ts';
import { CREATE_STEPS, planCreate, planTakeBack } from '../../src/workflow/create/steps.ts';
import { END_STEPS, type EndVerb, planEnding } from '../../src/workflow/end/steps.ts';
import { CATALOGUE } from '../../src/workflow/switch/catalogue.ts';
import { planRollback, planSteps } from '../../src/workflow/switch/plan.ts';
import { createSubjects } from '../helpers/create-subjects.ts';
import { END_SUBJECTS, endStart } from '../helpers/end-subjects.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { twoByTwo } from '../helpers/partial.ts';
import { sample } from '../helpers/sample.ts';
import { forked, movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';
import { PARTIAL, reshardReversed, reshardSubject, type Subject, TABLES, TABLES_TO_SHARDS, tenantSubject } from '../helpers/subjects.ts';

/*
 * The edges `mid` and `commit`, which only some steps have: what fails there on `hardened` is taken back, or done by the next run.
 * Generated from the tables of steps; `npm test` has a sample, `npm run test:all` every edge, and that each of them is reached.
 */
interface Run {
  name: string;
  make(): Promise<TestCluster>;
  line(flags?: string): string;
  points: string[];
  /** What fails first, for the steps of a roll-back. */
  first?: string;
}

const { behaviours } = findRelease('hardened');

function inner(step: { about: string; perTarget?: boolean; looks?: boolean }): Edge[] {
  return edgesOf(step).filter((edge) => edge === 'mid' || edge === 'commit');
}

function switched(subject: Subject): Run[] {
  const forward = planSteps(subject.path, behaviours).flatMap(({ name, occurrence }) => inner(CATALOGUE[name]).map((edge) => `${name}:${edge}#${occurrence}`));
  const back = planRollback(subject.path.kind, behaviours).flatMap((name) => inner(CATALOGUE[name]).map((edge) => `${name}:${edge}`));
  return [
    { ...subject, points: forward },
    { ...subject, name: `${subject.name}, going back`, points: back, first: 'switchTraffic/writes/createReverseVReplication:after=return' },
  ];
}

function ended(name: string, verb: EndVerb): Run {
  const subject = END_SUBJECTS[name]!;
  const steps = planEnding({ verb, kind: subject.kind, keepData: false, keepRoutingRules: false, ignoreSource: false }, behaviours);
  return {
    name: `${verb} of ${name}`,
    make: () => endStart(name, verb, 'hardened'),
    line: (flags = '') => subject.line(`${verb} ${flags}`.trim()),
    points: steps.flatMap(({ name: step, occurrence }) => inner(END_STEPS[step]).map((edge) => `${step}:${edge}#${occurrence}`)),
  };
}

const created = createSubjects().flatMap(({ name, make, line, path }): Run[] => {
  const points = (steps: readonly (keyof typeof CREATE_STEPS)[]): string[] => steps.flatMap((step) => inner(CREATE_STEPS[step]).map((edge) => `${step}:${edge}`));
  return [
    { name: `create of ${name}`, make, line, points: points(planCreate(path, behaviours)) },
    { name: `create of ${name}, taken back`, make, line, points: points(planTakeBack(path.type)), first: 'create/createStreams:after=return' },
  ];
});

const ALL = 'MoveTables --workflow all --target-keyspace customer2';
const twoToTwo: Subject = {
  ...TABLES,
  name: 'tables, from two shards to two',
  make: () =>
    forked('tables from two shards to two, moving', async () => {
      const cluster = await twoByTwo();
      await cluster.ok(`${ALL} create --source-keyspace customer --all-tables`);
      await cluster.ok(`${ALL} status`);
      return cluster;
    }),
  line: (flags = '') => `${ALL} switchtraffic ${flags}`.trim(),
};
const MOVED = reshardSubject('2 to 4', { streams: true });
const RUNS: Run[] = [
  ...[TABLES, TABLES_TO_SHARDS, twoToTwo, PARTIAL, tenantSubject('sharded'), MOVED, reshardReversed(MOVED)].flatMap(switched),
  ...Object.keys(END_SUBJECTS).flatMap((name) => (['complete', 'cancel'] as const).map((verb) => ended(name, verb))),
  ...created,
];
const POINTS = RUNS.flatMap((run) => run.points.map((point) => ({ ...run, point })));

/** What none of the runs comes to: sequence tables that move, mirrored tables, a sequence that has to be put back. */
const ELSEWHERE = ['switchTraffic/writes/resetSequences:commit', 'complete/mirrorOff:commit', 'cancel/mirrorOff:commit', 'switchTraffic/rollback/restoreSequences:commit'];

describe('hardened, failing in the middle', () => {
  const reached = new Set<string>();

  it.each(sample(POINTS, 7))('$name at $point', async ({ make, line, point, first }) => {
    const cluster = await make();
    const before = print(cluster);
    const fault = first === undefined ? '' : `--fault '${first}' `;
    const { stderr, stdout, exit } = await cluster.run(line(`${fault}--fault '${point}=return(INTERNAL,struck)'`));
    if (stderr.includes(`fault "${point}=return(INTERNAL,struck)" never fired`)) return;
    reached.add(point.replace(/#\d+$/, ''));
    // On a journal that is there on some sources the switch goes on, and says so.
    if (exit === 0) expect(stdout + stderr).toContain('struck');
    const left = print(cluster);
    if (JSON.stringify(left) === JSON.stringify(before)) return;
    if (exit !== 0) {
      const again = await cluster.run(line());
      expect([again.exit, again.stderr], stderr).toEqual([0, expect.anything()]);
    }
    const undisturbed = await make();
    await undisturbed.ok(line());
    expect(await settled(cluster)).toEqual(await settled(undisturbed));
  });

  it.runIf(sample([0, 1], 2).length === 2)('at every edge that the tables say there is', () => {
    const said = new Set(POINTS.map(({ point }) => point.replace(/#\d+$/, '')));
    expect([...said].filter((point) => !reached.has(point) && !ELSEWHERE.includes(point))).toEqual([]);
  });
});

function print({ host }: TestCluster): Record<string, unknown> {
  const { locks: _locks, ...rest } = fingerprint(host);
  return rest;
}

/** After the streams have had their time. */
async function settled(cluster: TestCluster): Promise<Record<string, unknown>> {
  await cluster.ok('show locks');
  return print(cluster);
}

describe('between targets', () => {
  it.each([
    ['mid=return', ['-80']],
    ['mid=1*off->1*return', ['-80', '80-']],
    ['mid@customer2/80-=return', ['-80']],
    ['mid@customer2/-80=return', ['-80', '80-']],
  ])('%s leaves the streams frozen on %j', async (fault, frozen) => {
    const cluster = await twoToTwo.make();
    await cluster.run(twoToTwo.line(`--fault 'switchTraffic/writes/freezeTargetVReplication:${fault}'`));
    const is = (shard: string): boolean => cluster.host.shards.open('customer2', shard).db.get('SELECT 1 FROM "_vt.vreplication" WHERE message = \'FROZEN\'') !== undefined;
    expect(['-80', '80-'].filter(is)).toEqual(frozen);
  });

  it('a failure is told once, however many targets it keeps from their turn', async () => {
    const cluster = await MOVED.make();
    const { stderr } = await cluster.run(MOVED.line("--fault 'switchTraffic/writes/freezeTargetVReplication:mid=1*return(INTERNAL,between)'"));
    expect(stderr.match(/between/g)).toHaveLength(1);
  });
});

describe('an edge that a step does not have', () => {
  it.each([
    ['switchTraffic/writes/checkLocks:commit', 'switchTraffic/writes/checkLocks has no edge commit (it writes nothing); there are: before, after'],
    ['switchTraffic/writes/changeRouting:mid', 'switchTraffic/writes/changeRouting has no edge mid (it does not work target by target); there are: before, commit, after'],
    ['switchTraffic/prepare/*:commit', 'no step like switchTraffic/prepare/* has the edge commit; there are: before, after'],
  ])('%s', async (point, why) => {
    const cluster = await movingCluster();
    const { exit, stderr } = await cluster.run(switchLine(`--fault '${point}=return'`));
    expect([exit, stderr]).toEqual([1, expect.stringContaining(why)]);
  });

  it.each(['sleep(1s)', 'pause', 'yield', 'ctx(cancel)', 'lease(expire)'])('a transaction is not left open for %s', async (action) => {
    const cluster = await movingCluster();
    const { exit, stderr } = await cluster.run(switchLine(`--fault 'switchTraffic/writes/changeRouting:commit=${action}'`));
    expect([exit, stderr]).toEqual([1, expect.stringContaining('a transaction is not left open')]);
  });
});

it.each(['return', 'panic', 'exit(9)'])('what a transaction has written is gone after %s', async (action) => {
  const cluster = await movingCluster('22');
  const rules = cluster.host.store.cell('global').get('RoutingRules');
  await cluster.run(switchLine(`--tablet-types primary --fault 'switchTraffic/writes/changeRouting:commit=${action}'`));
  expect(cluster.host.store.cell('global').get('RoutingRules')).toEqual(rules);
});
