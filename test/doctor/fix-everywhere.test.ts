import { describe, expect, it } from 'vitest';
import { makeShell } from '../../src/cli/shell.ts';
import { findRelease } from '../../src/lib/releases.ts';
import type { ProblemKind } from '../../src/lib/problems.ts';
import { lineWords } from '../../src/scenario/words.ts';
import { FULL_PATH, type SwitchPath } from '../../src/workflow/switch/path.ts';
import { planSteps } from '../../src/workflow/switch/plan.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { reshardingWithStreams } from '../helpers/other-streams.ts';
import { partialCluster, partialLine } from '../helpers/partial.ts';
import { reshardingCluster, reshardLine } from '../helpers/reshard.ts';
import { sample } from '../helpers/sample.ts';
import { shardedCluster } from '../helpers/sharded.ts';
import { forkCluster, forked, movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';
import { PARTIAL, reshardSubject, type Subject, TABLES, tenantSubject } from '../helpers/subjects.ts';
import { tenantCluster, tenantLine } from '../helpers/tenants.ts';
import { RUNS } from './runs.ts';

/** Something that is switched, on any release. */
interface Switched extends Pick<Subject, 'write'> {
  make(version: string): Promise<TestCluster>;
  line(flags: string): string;
  kind: SwitchPath['kind'];
}

const reversed = (name: string, { make, ...one }: Switched): Switched => ({
  ...one,
  make: (version) =>
    forked(`doctor, ${name} switched, ${version}`, async () => {
      const cluster = await make(version);
      await cluster.ok(one.line(''));
      return cluster;
    }),
  line: (flags) => one.line(flags).replace('switchtraffic', 'reversetraffic'),
});

const tables: Switched = { make: movingCluster, line: switchLine, kind: 'tables', write: TABLES.write };
const partial: Switched = { make: partialCluster, line: (flags) => partialLine('p80d', `switchtraffic ${flags}`), kind: 'partial', write: PARTIAL.write };
const reshard: Switched = { make: (version) => reshardingCluster('2 to 4', { rows: 6, version }), line: (flags) => reshardLine(`switchtraffic ${flags}`), kind: 'shards', write: reshardSubject('2 to 4').write };

const SUBJECTS: Readonly<Record<string, Switched>> = {
  tables,
  writes: { ...tables, line: (flags) => switchLine(`--tablet-types primary ${flags}`) },
  'tables to two shards': { ...tables, make: (version) => shardedCluster({ rows: 5, version }) },
  'tables, reversed': reversed('tables', tables),
  'one shard of two': partial,
  'one shard of two, reversed': reversed('partial', partial),
  'a tenant': { make: (version) => tenantCluster(version, 'sharded'), line: (flags) => tenantLine(1, `switchtraffic ${flags}`), kind: 'multi-tenant', write: tenantSubject('sharded').write },
  'a Reshard': reshard,
  'a Reshard, reversed': reversed('reshard', reshard),
  'a Reshard with streams of others': { ...reshard, make: (version) => reshardingWithStreams('2 to 4', version) },
};

const RELEASES = ['hardened', '18.0.8', '19.0.9', '21.0.2', '22.0.4', '24.0.0-SNAPSHOT'];
const FAULTS = ['return(INTERNAL)', 'panic', 'ctx(cancel)', 'lease(expire)'];

interface Case {
  version: string;
  subject: string;
  fault: string;
}

/** Every step of every switch on every release, and each way to fail there. Tenants came with v21. */
const CASES: Case[] = RELEASES.flatMap((version) =>
  Object.entries(SUBJECTS)
    .filter(([, { kind }]) => kind !== 'multi-tenant' || version === 'hardened' || Number.parseInt(version, 10) >= 21)
    .flatMap(([subject, { kind }]) =>
      planSteps({ ...FULL_PATH, kind }, findRelease(version).behaviours).flatMap((step) =>
        ['before', 'after'].flatMap((edge) => FAULTS.map((what) => ({ version, subject, fault: `${step.name}:${edge}#${step.occurrence}=${what}` }))),
      ),
    ),
);

/** Runs what `doctor` prints, as printed, until there is nothing to run. */
async function byHand(cluster: TestCluster): Promise<string[]> {
  const shell = makeShell(cluster.host);
  const run: string[] = [];
  for (let pass = 0; pass < 3; pass++) {
    const { exit, stdout } = await shell(['doctor', '--plan', '--format', 'json']);
    if (exit === 0) break;
    const { problems } = JSON.parse(stdout) as { problems: { repairs: { commands: string[] }[] }[] };
    for (const command of problems.flatMap(({ repairs }) => (repairs.length === 1 ? repairs[0]!.commands : []))) {
      const answer = await shell(lineWords(command));
      run.push(`${command} (${answer.exit})`);
    }
  }
  return run;
}

describe('doctor --fix after a switch that failed', () => {
  // Some 12 000 of them; `vitest run --mode every test/doctor` does them all.
  it.each(sample(CASES, 397, 29))('leaves all well: $version, $subject, $fault', async ({ version, subject, fault }) => {
    const { make, line, write } = SUBJECTS[subject]!;
    const cluster = forkCluster(await make(version));
    const { exit, stderr } = await cluster.run(line(`--fault '${fault}'`));
    expect(exit, stderr).not.toBe(2);
    const hand = forkCluster(cluster);
    const found = await cluster.run('doctor');
    const { stdout, exit: fixed } = await cluster.run('doctor --fix');
    if (fixed === 1) await choose(cluster);
    else expect(fixed, `${found.stdout}\n${stdout}`).toBe(0);
    expect([cluster.host.store.tickets, cluster.host.store.leases.size, intentsOf(cluster)]).toEqual([[], 0, []]);
    expect((await cluster.run('doctor')).exit).toBe(0);
    const after = fingerprint(cluster.host);
    await write(cluster);
    // The lock of a dead process ends in its own time; and what an intent prints goes on where a fix goes back.
    if (found.exit === 0 || fixed === 1 || fault.endsWith('=panic') || found.stdout.includes('SWT0308')) return;
    const run = await byHand(hand);
    expect(fingerprint(hand.host), run.join('\n')).toEqual(after);
  });
});

/** Where the operator has to choose: takes the first way of each, and says what is left besides. */
async function choose(cluster: TestCluster): Promise<void> {
  const { stdout } = await cluster.run('doctor --fix --format json');
  const { left } = JSON.parse(stdout) as { left: { why: string; problem: { repairs: { commands: string[] }[] } }[] };
  expect(left.filter(({ why }) => why !== 'choice' && why !== 'behind a choice'), stdout).toEqual([]);
  const shell = makeShell(cluster.host);
  for (const { problem } of left.filter(({ why }) => why === 'choice')) {
    for (const command of problem.repairs[0]!.commands) expect((await shell(lineWords(command))).exit, command).toBe(0);
  }
  const { exit, stdout: after } = await cluster.run('doctor --fix');
  expect(exit, `${stdout}\n${after}`).toBe(0);
}

function intentsOf({ host }: TestCluster): string[] {
  return [...host.store.cell('global').keys()].filter((path) => path.startsWith('switchtraffic/intent'));
}

/** No command of Vitess's ends these; a fix does. */
const OF_THE_DEAD: readonly ProblemKind[] = ['dead-lock-holder', 'lease-run-out', 'waiting-behind-dead', 'named-lock-of-dead'];

describe('doctor --fix of each kind of problem', () => {
  it.each(Object.keys(RUNS) as ProblemKind[])('%s', async (kind) => {
    const { make, repair } = RUNS[kind];
    const cluster = forkCluster(await make());
    const before = fingerprint(cluster.host);
    const { exit, stdout, stderr } = await cluster.run('doctor --fix');
    if (repair === 'clean' || OF_THE_DEAD.includes(kind)) {
      expect(exit, stdout + stderr).toBe(0);
      expect((await cluster.run('doctor')).exit).toBe(0);
      // Whoever lives and waits may go on waiting.
      expect(cluster.host.store.tickets.filter(({ token }) => token !== undefined)).toEqual([]);
      return;
    }
    expect(exit, stdout).toBe(1);
    expect(stdout).toMatch(repair === 'choice' ? /There is more than one way/ : /No command repairs this|Its repair was tried, and it is still there/);
    if (!stdout.includes('saved snapshot')) expect(fingerprint(cluster.host)).toEqual(before);
  });
});
