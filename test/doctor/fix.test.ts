import { describe, expect, it } from 'vitest';
import { fingerprint } from '../helpers/fingerprint.ts';
import { during } from '../helpers/during.ts';
import { forkCluster, movingCluster, switchLine, type TestCluster, words } from '../helpers/shell.ts';
import { tempDir } from '../helpers/topo-world.ts';
import { fileHost } from '../../src/cli/host.ts';
import { makeShell } from '../../src/cli/shell.ts';
import { VirtualMachine } from '../../src/runtime/world.ts';

const CATCH_UP = 'switchTraffic/writes/waitForCatchup';
const WRITE = `query "insert into customer (customer_id, email) values (6, 'after@example.com')"`;

/** Writes are refused, as a release leaves them (vitessio/vitess#17620). */
async function refused(version = '21.0.2'): Promise<TestCluster> {
  const cluster = await movingCluster(version);
  expect((await cluster.run(switchLine(`--fault '${CATCH_UP}=return(INTERNAL)'`))).exit).toBe(1);
  return cluster;
}

interface Report {
  outcome: string;
  reaped: { resource: string; owner: string; held: boolean }[];
  passes: { locks: string[]; vanished: object[]; repairs: { done: { line: string; exit: number }[]; notDone: string[]; failure: string | null }[]; gone: object[]; appeared: object[] }[];
  snapshot: string | null;
  undo: string | null;
  left: { why: string; problem: { code: string } }[];
  stopped: string | null;
}

async function report(cluster: TestCluster, flags = ''): Promise<Report & { exit: number; stderr: string }> {
  const { exit, stdout, stderr } = await cluster.run(`doctor --fix --format json ${flags}`.trim());
  return { exit, stderr, ...(JSON.parse(stdout) as Report) };
}

const lines = ({ passes }: Report): string[] => passes.flatMap((pass) => pass.repairs.flatMap((repair) => repair.done.map(({ line }) => line)));

describe('doctor --fix', () => {
  it('does nothing where nothing is wrong', async () => {
    const cluster = await movingCluster();
    const before = fingerprint(cluster.host);
    expect(await cluster.ok('doctor --fix')).toBe('healthy: every query is served where it is routed, and nothing was left behind\n');
    expect(await report(cluster)).toMatchObject({ exit: 0, outcome: 'healthy', passes: [], snapshot: null, undo: null, left: [] });
    expect(fingerprint(cluster.host)).toEqual(before);
    expect((await cluster.run('snapshot list')).stdout).not.toContain('before-fix');
  });

  it('says what it does, and how to take it back', async () => {
    const cluster = await refused();
    const before = fingerprint(cluster.host);
    expect(await cluster.ok('doctor --fix')).toBe(`Pass 1 of at most 3: 1 problem to repair
  SWT0201 commerce/0
  locked named customer/c2c, keyspace commerce, keyspace customer
  saved snapshot before-fix-1
  SWT0201 commerce/0: go back
    $ vtctldclient SetShardTabletControl --denied-tables=corder,customer --remove commerce/0 primary
      ok
    $ vtctldclient RefreshStateByShard commerce/0
      Refreshed state on commerce/0
      ok
    $ vtctldclient SetShardTabletControl --denied-tables=corder,customer customer/0 primary
      ok
    $ vtctldclient RefreshStateByShard customer/0
      Refreshed state on customer/0
      ok
    $ vtctldclient Workflow --keyspace customer start --workflow c2c
      ok
    $ vtctldclient RebuildVSchemaGraph
      RebuildVSchemaGraph: ok
      ok
  gone: SWT0201 commerce/0
healthy: every query is served where it is routed, and nothing was left behind

To take all of it back: switchtraffic snapshot restore before-fix-1 --force
`);
    await cluster.ok(WRITE);
    await cluster.ok('snapshot restore before-fix-1 --force');
    expect(fingerprint(cluster.host)).toEqual(before);
    expect((await cluster.run(WRITE)).exit).toBe(1);
  });

  it('holds its locks from the looking to the verification, and nobody gets between', async () => {
    for (const step of ['doctor/fix/reread:after', 'doctor/fix/command#1', 'doctor/fix/command:after#4', 'doctor/fix/verify:after']) {
      const cluster = await refused();
      let other = '';
      const { exit, stdout } = await during(cluster, 'doctor --fix', step, async () => {
        const { tickets } = cluster.host.store;
        expect(tickets.map(({ resource }) => resource).toSorted()).toEqual(['internal/named_locks/customer/c2c', 'keyspaces/commerce', 'keyspaces/customer']);
        expect(tickets.every(({ token }) => token !== undefined)).toBe(true);
        other = (await cluster.run('SetShardTabletControl --denied-tables=product commerce/0 primary --lock-timeout 1s')).stderr;
      });
      expect([exit, step], stdout).toEqual([0, step]);
      expect(other, step).toContain('deadline exceeded: /vitess/global/keyspaces/commerce/locks');
      expect([cluster.host.store.tickets, cluster.host.store.leases.size]).toEqual([[], 0]);
    }
  });

  it('passes over what somebody else has put right before it had the locks', async () => {
    const cluster = await refused();
    const told = await during(cluster, 'doctor --fix --format json', 'doctor/fix/lock', async () => {
      for (const line of ['SetShardTabletControl --denied-tables=corder,customer --remove commerce/0 primary', 'RefreshStateByShard commerce/0', 'SetShardTabletControl --denied-tables=corder,customer customer/0 primary', 'RefreshStateByShard customer/0', 'Workflow --keyspace customer start --workflow c2c', 'RebuildVSchemaGraph']) await cluster.ok(line);
    });
    const after = JSON.parse(told.stdout) as Report;
    expect([told.exit, after.outcome, after.snapshot, lines(after)]).toEqual([0, 'healthy', null, []]);
    expect(after.passes).toMatchObject([{ vanished: [{ code: 'SWT0201', object: 'commerce/0' }] }]);
  });

  it('plans anew what has changed before it had the locks', async () => {
    const cluster = await refused();
    const { exit, stdout } = await during(cluster, 'doctor --fix', 'doctor/fix/lock', () => cluster.ok('SetShardTabletControl --denied-tables=corder --remove commerce/0 primary'));
    expect(stdout).toContain('SWT0201 commerce/0: has changed, planned anew');
    expect(stdout).toContain('$ vtctldclient SetShardTabletControl --denied-tables=customer --remove commerce/0 primary');
    expect(exit, stdout).toBe(0);
    await cluster.ok(WRITE);
  });

  it('leaves alone what somebody is at work on, and ends with 75', async () => {
    const cluster = await refused();
    const before = forkCluster(cluster);
    let told: Awaited<ReturnType<typeof report>> | undefined;
    await during(cluster, switchLine('--tablet-types primary --max-replication-lag-allowed 48h'), 'switchTraffic/writes/checkLocks', async () => (told = await report(cluster)));
    expect(told).toMatchObject({ exit: 75, outcome: 'busy', passes: [], snapshot: null, left: [{ why: 'at work', problem: { code: 'SWT0201' } }] });
    await before.ok('doctor --fix');
  });

  /** A command that takes the locks once the doctor has looked, and keeps them for a minute. */
  async function behind(cluster: TestCluster, flags: string): Promise<{ told: Report & { exit: number }; took: number }> {
    const running = cluster.run(`doctor --fix --format json ${flags} --fault 'doctor/fix/lock=sleep(2s)'`);
    await cluster.machine.clock.sleep(1000);
    const holder = cluster.run(switchLine(`--tablet-types primary --max-replication-lag-allowed 48h --fault 'switchTraffic/writes/checkLocks#1=sleep(20s)'`));
    const started = cluster.machine.clock.now();
    const { exit, stdout } = await running;
    const took = cluster.machine.clock.now() - started;
    await holder;
    return { told: { exit, ...(JSON.parse(stdout) as Report) }, took };
  }

  it('waits for a lock as long as --lock-timeout says, and ends with 75 having changed nothing', async () => {
    const { told, took } = await behind(await refused(), '--lock-timeout 5s');
    expect(told).toMatchObject({ exit: 75, outcome: 'busy', passes: [], snapshot: null, left: [{ problem: { code: 'SWT0201' } }] });
    expect(Math.round(took / 1000)).toBe(6);
  });

  it('waits its turn behind a command that needs the same locks, and looks again', async () => {
    const { told } = await behind(await refused(), '');
    expect([told.exit, told.outcome, told.stopped]).toEqual([0, 'healthy', null]);
  });
});

describe('on files', () => {
  it.each([
    ['21.0.2', `${CATCH_UP}=return(INTERNAL)`],
    ['hardened', `${CATCH_UP}=panic`],
    ['hardened', 'switchTraffic/writes/startReverseVReplication=panic'],
  ])('the same, with connections of their own for each command: %s after %s', async (version, fault) => {
    const folder = tempDir();
    try {
      const machine = new VirtualMachine();
      let died = (): void => {};
      const shell = makeShell(fileHost(folder.path, '.', () => machine.world(() => died())), { died: () => new Promise((resolve) => (died = resolve)) });
      const ok = async (line: string): Promise<string> => {
        const { exit, stdout, stderr } = await shell(words(line));
        expect(exit, `${line}\n${stdout}${stderr}`).toBe(0);
        return stdout;
      };
      await ok(`init commerce --vitess-version ${version}`);
      await ok('MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder');
      expect((await shell(words(switchLine(`--fault '${fault}'`)))).exit).not.toBe(0);
      const { exit } = await shell(words(`doctor --fix --fault 'doctor/fix/command=panic'`));
      expect(exit).toBe(137);
      expect(await ok('doctor --fix')).toContain('saved snapshot before-fix-2');
      await ok(WRITE);
      expect(await ok('lock show')).toBe('nobody holds a lock\n');
      expect(await ok('doctor')).toContain('healthy');
    } finally {
      folder.remove();
    }
  });
});

describe('locks of the dead', () => {
  it('are released where a release keeps them for a day', async () => {
    const cluster = await movingCluster('24.0.0-SNAPSHOT');
    expect((await cluster.run(switchLine(`--fault '${CATCH_UP}=panic'`))).exit).toBe(137);
    const dead = cluster.host.store.tickets.map(({ resource }) => resource).toSorted();
    expect(dead).toEqual(['internal/named_locks/customer/c2c', 'keyspaces/commerce', 'keyspaces/customer']);
    const told = await report(cluster);
    expect(told).toMatchObject({ exit: 0, outcome: 'healthy' });
    expect(told.reaped.map(({ resource, held }) => `${resource} ${held}`).toSorted()).toEqual(dead.map((resource) => `${resource} true`));
    expect([cluster.host.store.tickets, cluster.host.store.leases.size]).toEqual([[], 0]);
    await cluster.ok(switchLine('--max-replication-lag-allowed 48h'));
  });

  it('are released with nothing else to do, those who waited too', async () => {
    const cluster = await movingCluster('24.0.0-SNAPSHOT');
    await cluster.run(`VDiff --workflow c2c --target-keyspace customer create --fault 'switchTraffic/writes/stop=off'`);
    const holding = cluster.run(switchLine(`--fault 'switchTraffic/writes/checkLocks=panic'`));
    await holding;
    const { stdout } = await cluster.run('doctor --fix');
    expect(stdout).toContain('Released the lock on named customer/c2c: vitess@virtual pid');
    expect(await cluster.ok('doctor --fix')).not.toContain('Released');
  });

  it('are left to those of whom nothing is known', async () => {
    const cluster = await movingCluster('24.0.0-SNAPSHOT');
    await cluster.run(switchLine(`--fault '${CATCH_UP}=panic'`));
    for (const [id, lease] of cluster.host.store.leases) cluster.host.store.leases.set(id, { ...lease, owner: { ...lease.owner, host: 'elsewhere' } });
    const told = await report(cluster, '--lock-timeout 40s');
    expect(told.reaped).toEqual([]);
    expect([told.exit, told.outcome]).toEqual([75, 'busy']);
    expect(cluster.host.store.tickets.map(({ resource }) => resource)).toContain('internal/named_locks/customer/c2c');
  });
});

describe('a lock that is lost in the middle', () => {
  it.each(['hardened', '21.0.2', '24.0.0-SNAPSHOT'])('ends the repair, and says what is done and what is not, on %s', async (version) => {
    const cluster = version === 'hardened' ? await denied() : await refused('21.0.2');
    const told = await report(cluster, `--fault 'doctor/fix/command:after#1=lease(expire)' ${version === 'hardened' ? '' : `--vitess-version ${version}`}`);
    expect([told.exit, told.outcome]).toEqual([1, 'problems remain']);
    expect(told.stopped).toMatch(/^lock on \w+ \S+ was lost \(/);
    expect(told.passes).toHaveLength(1);
    const [repair] = told.passes[0]!.repairs;
    expect([repair!.done.length, repair!.failure]).toEqual([1, told.stopped]);
    expect(repair!.notDone.length).toBeGreaterThan(0);
    expect(cluster.host.store.tickets).toEqual([]);
    await cluster.ok('doctor --fix');
    await cluster.ok(WRITE);
  });

  it('refuses the command that comes next', async () => {
    const cluster = await refused();
    const { exit, stdout } = await cluster.run(`doctor --fix --fault 'doctor/fix/command#3=lease(steal)'`);
    expect(exit).toBe(1);
    expect(stdout).toContain('lock on keyspace customer was lost (it was taken away; now held by thief@elsewhere pid 1), nothing was begun under it');
    expect(stdout).toContain('not run: vtctldclient RefreshStateByShard customer/0');
    expect(stdout).toContain('Stopped: ');
  });

  /** On `hardened` nothing strands; an operator can. */
  async function denied(): Promise<TestCluster> {
    const cluster = await movingCluster();
    await cluster.ok('SetShardTabletControl --denied-tables=customer commerce/0 primary');
    await cluster.ok('RefreshStateByShard commerce/0');
    return cluster;
  }
});

describe('which problems are repaired', () => {
  /** Writes refused, a tablet down. */
  async function two(): Promise<TestCluster> {
    const cluster = await refused();
    await cluster.ok('tablet stop zone1-0000000102');
    return cluster;
  }

  it('those of the codes that are named', async () => {
    const cluster = await two();
    const told = await report(cluster, 'SWT0901');
    expect([told.exit, lines(told)]).toEqual([1, ['tablet start zone1-0000000102']]);
    expect(told.left).toMatchObject([{ why: 'not asked', problem: { code: 'SWT0201' } }]);
    await cluster.ok('doctor --fix SWT0201');
  });

  it('those that are looked at', async () => {
    const cluster = await two();
    const told = await report(cluster, '--skip SWT0201');
    expect([told.exit, told.left, lines(told)]).toEqual([0, [], ['tablet start zone1-0000000102']]);
    expect(lines(await report(cluster, '--only SWT0201'))).toContain('SetShardTabletControl --denied-tables=corder,customer --remove commerce/0 primary');
  });

  it('codes stand behind --fix, and have to be some', async () => {
    const cluster = await movingCluster();
    expect(await cluster.run('doctor SWT0201')).toMatchObject({ exit: 2, stderr: expect.stringContaining('codes stand behind --fix') as string });
    expect(await cluster.run('doctor --fix SWT9999')).toMatchObject({ exit: 2, stderr: expect.stringContaining('there is no code "SWT9999"') as string });
    expect(await cluster.run('doctor --fix --plan')).toMatchObject({ exit: 2 });
  });

  it('none in a dry run, which is the plan', async () => {
    const cluster = await two();
    const before = fingerprint(cluster.host);
    expect(await cluster.run('doctor --fix --dry-run')).toEqual(await cluster.run('doctor --plan'));
    const { stdout } = await cluster.run('doctor --fix --dry-run SWT0901 --format json');
    expect((JSON.parse(stdout) as { problems: { code: string }[] }).problems.map(({ code }) => code)).toEqual(['SWT0901']);
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('none with several ways, or without any: they are shown', async () => {
    const cluster = await movingCluster('24.0.0-SNAPSHOT');
    const names = ['customer', 'corder'].flatMap((table) => ['', '@replica', '@rdonly'].flatMap((type) => ['', 'commerce.', 'customer.'].map((prefix) => `${prefix}${table}${type}`)));
    const rules = names.map((from) => ({ from_table: from, to_tables: [from === 'corder@replica' ? 'customer.corder' : `commerce.${/c\w*r(?=@|$)/.exec(from)![0]}`] }));
    await cluster.ok(`ApplyRoutingRules --rules '${JSON.stringify({ rules })}'`);
    const before = fingerprint(cluster.host);
    const told = await report(cluster);
    expect(told).toMatchObject({ exit: 1, outcome: 'problems remain', snapshot: null, passes: [] });
    expect(told.left.map(({ why }) => why)).toContain('choice');
    const { stdout } = await cluster.run('doctor --fix');
    expect(stdout).toContain('There is more than one way, and which is right is for you to say:');
    expect(stdout).toMatch(/Way 1 [^]*Way 2 /);
    expect(fingerprint(cluster.host)).toEqual(before);
  });
});
