import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { FaultList } from '../../../src/report/fault-list.ts';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { movingCluster, switchLine, testCluster, type TestCluster } from '../../helpers/shell.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchtraffic-faults-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const CATCH_UP = 'switchTraffic/writes/waitForCatchup';

async function list(cluster: TestCluster, words = ''): Promise<FaultList> {
  return JSON.parse(await cluster.ok(`fault list ${words} --format json`)) as FaultList;
}

const zonesOf = (facts: FaultList): Record<string, string> =>
  Object.fromEntries([...facts.points, ...facts.rollback].map(({ name, zones }) => [name, zones.map(({ before, after }) => `${before}/${after}`).join(' ')]));

describe('fault list', () => {
  it('needs no cluster, and says what a failure comes to on the version asked for', async () => {
    const hardened = zonesOf(await list(testCluster()));
    expect(hardened[CATCH_UP]).toBe('rolls back/rolls back');
    expect(hardened['switchTraffic/writes/createJournals']).toBe('rolls back/past the point of no return');
    expect(hardened['switchTraffic/prepare/canSwitch']).toBe('nothing changed/nothing changed');
    expect(hardened['switchTraffic/rollback/relock']).toBe('left to the next run/left to the next run');
    const bad = zonesOf(await list(testCluster(), '--vitess-version 21.0.2'));
    expect(bad[CATCH_UP]).toBe('strands/strands');
    expect(bad['switchTraffic/reads/switchTableReads']).toBe('left as is/left as is');
    expect(bad['switchTraffic/rollback/relock']).toBeUndefined();
  });

  it('names every step that `steps` names, with its occurrences', async () => {
    const cluster = testCluster();
    const steps = JSON.parse(await cluster.ok('steps --format json')) as Record<'steps' | 'elsewhere' | 'rollback', { name: string }[]>;
    const facts = await list(cluster);
    const names = (all: readonly { name: string }[]): string[] => [...new Set(all.map(({ name }) => name))].toSorted();
    expect(names([...facts.points, ...facts.rollback])).toEqual(names([...steps.steps, ...steps.elsewhere, ...steps.rollback]));
    expect(facts.points.find(({ name }) => name.endsWith('checkLocks'))?.zones).toHaveLength(6);
  });

  it('has the targets of the cluster, and each of them is accepted', async () => {
    const cluster = await movingCluster();
    const { workflows, points } = await list(cluster);
    expect(workflows).toEqual([{ workflow: 'customer.c2c', source: ['commerce', 'commerce/0'], target: ['customer', 'customer/0'] }]);
    const catchUp = points.find(({ name }) => name === CATCH_UP);
    expect(catchUp).toMatchObject({ edges: ['before', 'mid', 'commit', 'after'], sides: ['target'], targets: ['customer', 'customer/0'] });
    const faults = catchUp!.targets.map((target) => `--fault '${CATCH_UP}@${target}=print(${target})'`).join(' ');
    const { stderr } = await cluster.run(switchLine(faults));
    for (const target of catchUp!.targets) expect(stderr).toContain(`fault at ${CATCH_UP}:before@customer/0: ${target}\n`);
  });

  it('shows the faults that are given where they strike', async () => {
    const { points } = await list(testCluster(), "--fault '**/lockS*=50%return'");
    expect(points.filter(({ armed }) => armed.length > 0).map(({ name }) => name)).toEqual([
      'switchTraffic/reads/lockSource',
      'switchTraffic/writes/lockSource',
    ]);
    const { exit, stderr } = await testCluster().run("fault list --fault 'nonsense=panic'");
    expect([exit, stderr]).toEqual([2, 'switchtraffic: bad fault "nonsense=panic": there is no step "nonsense"\nnext: switchtraffic fault list\n']);
  });

  it('fits into 100 columns, and one part of it can be asked for', async () => {
    for (const version of ['hardened', '21.0.2']) {
      const text = await testCluster().ok(`fault list --vitess-version ${version}`);
      expect(text.split('\n').filter((line) => line.length > 100)).toEqual([]);
    }
    const rollback = await list(testCluster(), 'rollback');
    expect([rollback.points.length, rollback.rollback.length]).toEqual([0, 5]);
    expect((await testCluster().run('fault list complet')).stderr).toContain('there is no list of faults for "complet"');
  });
});

describe('--faults-file', () => {
  it('arms a fault per line', async () => {
    const cluster = await movingCluster();
    const path = file('good', `# the second attempt fails\r\n\n  ${CATCH_UP}=1*return(INTERNAL,"a # b, c")  \nswitchTraffic/writes/lockTarget=print(locked)\n`);
    const { exit, stderr } = await cluster.run(switchLine(`--faults-file ${path}`));
    expect(exit).toBe(1);
    expect(stderr).toContain('code = Internal desc = a # b, c');
    expect(stderr).toContain('fault at switchTraffic/writes/lockTarget:before: locked\n');
    expect(stderr).toContain('next: cure the cause, then run it again: switchtraffic MoveTables --workflow c2c --target-keyspace customer switchtraffic\n');
  });

  it('says in which line a mistake is', async () => {
    const cluster = await movingCluster();
    const refused = async (name: string, text: string | Uint8Array): Promise<string> => {
      const { exit, stderr } = await cluster.run(`show locks --faults-file ${file(name, text)}`);
      expect(exit).toBe(2);
      return stderr.replaceAll(`${folder}/`, '').split('\n')[0]!;
    };
    expect(await refused('step', '# x\nnonsense=panic\n')).toBe('switchtraffic: step:2: bad fault "nonsense=panic": there is no step "nonsense"');
    expect(await refused('grammar', `${CATCH_UP}=off\n${CATCH_UP}\n`)).toBe(`switchtraffic: grammar:2: bad fault "${CATCH_UP}": a fault reads STEP[:EDGE][#N][@TARGET]=ACTION`);
    expect(await refused('target', `${CATCH_UP}@cust*/1=off`)).toContain('switchtraffic: target:1: bad fault');
    expect(await refused('bytes', new Uint8Array([0xff, 0xfe]))).toBe('switchtraffic: cannot read the faults file bytes: it is not UTF-8');
    const missing = await cluster.run(`show locks --faults-file ${folder}/none`);
    expect([missing.exit, missing.stderr]).toEqual([2, `switchtraffic: cannot read the faults file ${folder}/none: there is no such file\n`]);
    expect((await cluster.run(`show locks --faults-file ${folder}`)).stderr).toContain('it is a directory');
    expect((await cluster.run('show locks --faults-file ""')).stderr).toContain('--faults-file needs the name of a file');
  });
});

describe('faults on a command line', () => {
  it('exit: the command ends where it stands with that status, holds no lock, and the next run settles what it left', async () => {
    const cluster = await movingCluster();
    const before = fingerprint(cluster.host);
    const ended = await cluster.run(switchLine(`--fault '${CATCH_UP}@customer/0=exit(7)'`));
    expect(ended.exit).toBe(7);
    expect(ended.stderr).toMatch(new RegExp(`^switchtraffic: ended with status 7 by a fault at ${CATCH_UP}:before@customer/0\n\nstate: the command was ended where it stood`));
    expect(ended.stderr).toContain('next: the same command finds what was left and settles it first: switchtraffic MoveTables');
    expect(fingerprint(cluster.host)).not.toEqual(before);
    expect(await cluster.ok('show locks')).toBe('nobody holds a lock\n');
    expect(await cluster.ok('show history 1')).toContain('7');
    const again = await cluster.run(switchLine());
    expect([again.exit, again.stderr.includes('going back to the state before it first')]).toEqual([0, true]);
  });

  it.each(['hardened', '22.0.4'])('exit in the roll-back of %s ends that too', async (version) => {
    const cluster = await movingCluster(version);
    const ended = await cluster.run(switchLine(`--fault '${CATCH_UP}=return' --fault '**/revertDeniedTables=exit(9)'`));
    expect([ended.exit, ended.stderr.includes('state: the command was ended where it stood')]).toEqual([9, true]);
    expect(await cluster.ok('show locks')).toBe('nobody holds a lock\n');
    await cluster.ok(switchLine());
  });

  it('pause: others work meanwhile, and it goes on when it is released', async () => {
    const cluster = await movingCluster();
    cluster.machine.pauses.expected = true;
    const running = cluster.run(switchLine(`--fault '${CATCH_UP}=pause'`));
    while (cluster.machine.pauses.waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(await cluster.ok('show locks')).toContain(CATCH_UP);
    expect((await cluster.run(`query "insert into customer(email) values ('x')"`)).stderr).toContain('disallowed due to rule');
    cluster.machine.pauses.release(() => true);
    const { exit, stderr } = await running;
    expect([exit, stderr.startsWith(`paused at ${CATCH_UP}:before\n`)]).toEqual([0, true]);
  });

  it('a chance says its seed, and the seed repeats it', async () => {
    const fault = "--fault '**=3%return'";
    const cluster = await movingCluster();
    const first = await cluster.run(`show locks ${fault}`);
    expect(first.stderr).toMatch(/^the chances of faults were drawn from --fault-seed \d+\n/);
    const run = async (seed: number): Promise<string> => {
      const { exit, stderr } = await (await movingCluster()).run(switchLine(`${fault} --fault-seed ${seed}`));
      expect(stderr).not.toContain('drawn from');
      return `${exit} ${stderr}`;
    };
    const seeds = [1, 2, 3];
    const runs = await Promise.all(seeds.map(run));
    expect(await Promise.all(seeds.map(run))).toEqual(runs);
    expect(new Set(runs).size).toBeGreaterThan(1);
  });

  it('a pattern counts over all that it stands for, and its targets have to exist', async () => {
    const cluster = await movingCluster();
    const { exit, stderr } = await cluster.run(switchLine("--fault '**/unlock*:after@c*=2*print(unlocked)'"));
    expect([exit, stderr.match(/: unlocked$/gm)?.length]).toEqual([0, 2]);
    expect((await cluster.run(`show locks --fault '**@cust*/1=off'`)).stderr).toContain('there is no keyspace or shard "cust*/1"');
    // Where nothing of it can happen, it is said and nothing more.
    expect(await cluster.run(`query "select 1 from customer limit 1" --fault '${CATCH_UP}=panic'`)).toMatchObject({
      exit: 0,
      stderr: `fault "${CATCH_UP}=panic" never fired: its place was never reached\n`,
    });
  });

  it('lease(stall): a lease that nobody renews is lost in time, and the switch goes back', async () => {
    const cluster = await movingCluster();
    const at = 'switchTraffic/writes/lockTables#1';
    const lost = await cluster.run(switchLine(`--fault '${at}=lease(stall,1m)' --fault '${at}=sleep(20s)'`));
    expect(lost.exit).toBe(1);
    expect(lost.stderr).toMatch(/lock was lost|was lost/);
    expect(lost.stderr).toContain('state: rolled back');
    expect((await cluster.run(switchLine(`--fault '${at}=lease(stall,5s)' --fault '${at}=sleep(20s)'`))).exit).toBe(0);
  });
});
