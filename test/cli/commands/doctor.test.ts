import { describe, expect, it } from 'vitest';
import { makeShell } from '../../../src/cli/shell.ts';
import { diagnosisOf, inShort, repairAll } from '../../helpers/doctor.ts';
import { during } from '../../helpers/during.ts';
import { movingCluster, switchLine, testCluster } from '../../helpers/shell.ts';

const CATCH_UP = 'switchTraffic/writes/waitForCatchup';
const failing = switchLine(`--tablet-types primary --fault '${CATCH_UP}=return(UNAVAILABLE)'`);

describe('doctor', () => {
  it('says first that all is well', async () => {
    const cluster = await movingCluster();
    const { exit, stdout, stderr } = await cluster.run('doctor');
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).toBe('healthy: every query is served where it is routed, and nothing was left behind\n\nok shards 2/2  ok tablets 6/6  ok cells 1/1  ok workflows 1/1\n');
  });

  it('tells a problem with its evidence, its cause, the way out and the way back', async () => {
    const cluster = await movingCluster('v21.0.2');
    await cluster.run(failing);
    const { exit, stdout } = await cluster.run('doctor');
    expect(exit).toBe(1);
    expect(stdout).toMatchInlineSnapshot(`
      "1 problem in commerce, customer: writes of corder, customer: nobody serves them

       x SWT0201 queries are routed to where they are refused                 BLOCKING
          commerce/0, since 2026-03-27T12:00:00Z (200ms)
          Impact    writes of corder, customer: nobody serves them
          Evidence  writes of corder, customer are routed to commerce and refused
                    there: denied on commerce/0
          Also      SWT0203 customer/0 does not deny corder, customer, which commerce
                    serves (customer.c2c)
          Cause     MoveTables --workflow c2c --target-keyspace customer switchtraffic
                    --tablet-types primary (pid 1004) failed at
                    switchTraffic/writes/waitForCatchup, 2026-03-27T12:00:00Z: failed
                    to sync up replication between the source and target: rpc error:
                    code = Unavailable desc = injected at
                    switchTraffic/writes/waitForCatchup:before
          Repair    go back: the shards that refuse serve again; nothing is lost, and
                    whatever broke off can be begun anew
            vtctldclient SetShardTabletControl --denied-tables=corder,customer --remove commerce/0 primary
            vtctldclient RefreshStateByShard commerce/0
            vtctldclient SetShardTabletControl --denied-tables=corder,customer customer/0 primary
            vtctldclient RefreshStateByShard customer/0
            vtctldclient Workflow --keyspace customer start --workflow c2c
            vtctldclient RebuildVSchemaGraph
          Undo      to take it back:
            vtctldclient Workflow --keyspace customer stop --workflow c2c
            vtctldclient SetShardTabletControl --denied-tables=corder,customer --remove customer/0 primary
            vtctldclient RefreshStateByShard customer/0
            vtctldclient SetShardTabletControl --denied-tables=corder,customer commerce/0 primary
            vtctldclient RefreshStateByShard commerce/0

      shards 1/2  ok tablets 6/6  ok cells 1/1  workflows 0/1

      Afterwards: switchtraffic doctor; what a code means: switchtraffic doctor
        --explain SWT0201
      vtctldclient lines are for any cluster; here: alias vtctldclient=switchtraffic
      "
    `);
    for (const line of stdout.split('\n')) if (!/(?:switchtraffic|vtctldclient) /.test(line)) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('says so for a cluster elsewhere, too: every line can be pasted', async () => {
    const cluster = await movingCluster('v21.0.2');
    await cluster.run(failing);
    const { stdout } = await cluster.run("doctor --state 'a b'");
    const lines = stdout.split('\n').filter((line) => /^ {6}(?:switchtraffic|vtctldclient)/.test(line));
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines) expect(line).toMatch(/^ {6}vtctldclient --state 'a b' \S/);
  });

  it('prints one document for programs, with or without --only and --skip', async () => {
    const cluster = await movingCluster('v21.0.2');
    await cluster.run(failing);
    await cluster.ok('tablet set-type zone1-102 backup');
    expect(inShort(await diagnosisOf(cluster)).map((text) => text.slice(0, 7))).toEqual(['SWT0902', 'SWT0201']);
    expect(inShort(await diagnosisOf(cluster, '--only SWT0201,SWT0303')).map((text) => text.slice(0, 7))).toEqual(['SWT0201']);
    expect(inShort(await diagnosisOf(cluster, '--skip swt0201 --skip SWT0902'))).toEqual([]);
    const { problems, verdict } = await diagnosisOf(cluster, '--only SWT0201');
    expect(verdict).toBe('1 problem in commerce, customer: writes of corder, customer: nobody serves them');
    expect(problems[0]).toMatchObject({ severity: 'blocking', title: 'queries are routed to where they are refused', keyspaces: ['commerce', 'customer'], workflows: ['customer/c2c'] });
  });

  it('names who is at work, and that it may pass', async () => {
    const cluster = await movingCluster();
    let told = '';
    const switched = await during(cluster, switchLine(), CATCH_UP, async () => void (told = (await cluster.run('doctor')).stdout));
    expect(switched.exit).toBe(0);
    expect(told).toMatch(/At work {3}vitess@virtual pid \d+: this may pass/);
    expect(await cluster.ok('doctor')).toContain('healthy');
  });

  it('finds the cause of what a killed process left in the history of its locks', async () => {
    const cluster = await movingCluster('v22');
    await cluster.run(switchLine(`--tablet-types primary --fault '${CATCH_UP}=panic'`));
    const at = (await diagnosisOf(cluster)).problems.map(({ code, cause, since }) => [code, cause, since !== undefined]);
    const cause = expect.stringMatching(/^MoveTables --workflow c2c --target-keyspace customer switchtraffic --tablet-types primary \(vitess@virtual pid \d+\) died at switchTraffic\/writes\/waitForCatchup, 2026/) as string;
    expect(at).toEqual([['SWT0106', cause, true], ['SWT0201', cause, true]]);
    // Its locks are gone, what it left is not; and the cause is known still.
    await cluster.machine.clock.sleep(25 * 60 * 60_000);
    await cluster.run(switchLine('--dry-run'));
    const later = (await diagnosisOf(cluster)).problems.find(({ kind }) => kind === 'refused');
    expect(later?.cause).toMatch(/switchtraffic --tablet-types primary \(vitess@virtual pid \d+\) died at switchTraffic\/writes\/waitForCatchup/);
  });

  it('explains codes, without a cluster too', async () => {
    const shell = makeShell(testCluster().host);
    const { exit, stdout } = await shell(['doctor', '--explain', 'swt0201']);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^SWT0201 queries are routed to where they are refused\n/);
    expect(stdout).toContain('vitessio/vitess#17620');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    const json = await shell(['doctor', '--explain', 'SWT0201', '--format', 'json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ kind: 'refused', code: 'SWT0201', severity: 'blocking' });
    const wrong = await shell(['doctor', '--explain', 'SWT0200']);
    expect([wrong.exit, wrong.stderr]).toEqual([2, 'switchtraffic: there is no code "SWT0200" (did you mean "SWT0201"?)\nnext: every code: docs/codes.md\n']);
  });

  it('has no cluster to look at', async () => {
    expect(await testCluster().run('doctor')).toEqual({ exit: 2, stdout: '', stderr: 'switchtraffic: there is no cluster in memory\nnext: switchtraffic init commerce\n' });
  });

  it('draws in colour on a terminal', async () => {
    const cluster = await movingCluster('v21.0.2');
    await cluster.run(failing);
    expect((await cluster.run('doctor --color always')).stdout).toContain('\u001b[');
    expect((await cluster.run('doctor')).stdout).not.toContain('\u001b');
  });
});

describe('the code of what a failure leaves', () => {
  it.each([
    ['v21.0.2', failing, 'SWT0201 queries are routed to where they are refused'],
    ['v23.0.7', switchLine(`--fault 'switchTraffic/writes/startReverseVReplication=return(UNAVAILABLE)'`), 'SWT0301 past the point of no return, unfinished'],
  ])('is the last line on %s', async (version, line, code) => {
    const cluster = await movingCluster(version);
    const { stderr } = await cluster.run(line);
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(`State: ${code}. Run: switchtraffic doctor`);
    expect((await cluster.run('show keyspace')).stdout).toContain(`! ${code.slice(0, 7)} `);
  });

  it('is none where nothing is left', async () => {
    const cluster = await movingCluster();
    expect((await cluster.run(failing)).stderr).not.toContain('State: SWT');
  });
});

describe('a command that was killed on hardened', () => {
  it.each([
    'switchTraffic/reads/switchTableReads:after',
    'switchTraffic/writes/stopSourceWrites:after',
    CATCH_UP,
    'switchTraffic/writes/createReverseVReplication:after',
    'switchTraffic/writes/createJournals:after',
    'switchTraffic/writes/changeRouting:after',
    'switchTraffic/writes/freezeTargetVReplication',
  ])('at %s is one problem with one command', async (step) => {
    const cluster = await movingCluster();
    await cluster.run(switchLine(`--fault '${step}=panic'`));
    const { problems } = await diagnosisOf(cluster);
    expect(problems.map(({ code, repairs }) => [code, repairs.map(({ commands }) => commands.length)])).toEqual([['SWT0308', [1]]]);
    expect(await repairAll(cluster)).toHaveLength(1);
  });
});
