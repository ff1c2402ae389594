import { describe, expect, it } from 'vitest';
import type { LockEvent } from '../../../src/topo/conn/lock-events.ts';
import type { LockFacts } from '../../../src/workflow/facts/locks.ts';
import { movingCluster, switchLine, type TestCluster } from '../../helpers/shell.ts';

const AT = 'switchTraffic/writes/waitForCatchup';

/** A cluster whose locks a dead switch still holds: nobody reaps them on a release. */
async function withDeadHolder(version = '21.0.5'): Promise<TestCluster> {
  const cluster = await movingCluster(version);
  await cluster.run(switchLine(`--fault '${AT}=panic'`));
  return cluster;
}

async function held(cluster: TestCluster, resource: string): Promise<LockFacts> {
  const { locks } = JSON.parse(await cluster.ok('lock show --format json')) as { locks: LockFacts[] };
  return locks.find((lock) => lock.resource === resource)!;
}

const tokenOf = async (cluster: TestCluster, resource: string): Promise<number> => (await held(cluster, resource)).holder!.token!;

describe('lock show', () => {
  it('has a line for each lock: who holds it, whether it lives, where it is', async () => {
    const cluster = await withDeadHolder();
    const [header, ...lines] = (await cluster.ok('lock show')).trimEnd().split('\n');
    expect(header).toMatch(/^RESOURCE +HOLDER +LIVENESS +HELD +EXPIRES +TOKEN +STEP +WAITING$/);
    expect(lines.map((line) => line.split(/ {2,}/).slice(0, 3))).toEqual([
      ['named customer/c2c', expect.stringMatching(/^vitess@virtual pid \d+$/), 'DEAD'],
      ['keyspace commerce', expect.any(String), 'DEAD'],
      ['keyspace customer', expect.any(String), 'DEAD'],
    ]);
    expect(lines[0]).toContain(AT);
  });

  it.each(['keyspace commerce', 'keyspace:commerce', 'commerce', 'keyspaces/commerce'])('of one: %s', async (name) => {
    const cluster = await withDeadHolder();
    const text = await cluster.ok(`lock show ${name}`);
    expect(text).toMatch(/^keyspace commerce\n {2}held by vitess@virtual pid \d+ \(dead\), for \S+, lease ends in \S+, token \d+\n/);
    expect(text).toContain(`  ${switchLine()}\n  at step ${AT}\n`);
    expect(text).toMatch(/lately\n {2}AT +EVENT +RESOURCE/);
  });

  it.each(['named customer/c2c', 'named:customer/c2c', 'workflow customer.c2c', 'customer/c2c', 'internal/named_locks/customer/c2c'])('of a workflow: %s', async (name) => {
    expect(await (await withDeadHolder()).ok(`lock show ${name}`)).toMatch(/^named customer\/c2c\n {2}held by/);
  });

  it('says so where nobody holds anything', async () => {
    const cluster = await movingCluster();
    expect(await cluster.ok('lock show')).toBe('nobody holds a lock\n');
    expect(await cluster.ok('lock show shard commerce/0')).toBe('nobody holds shard commerce/0\n');
    expect(JSON.parse(await cluster.ok('lock show routing_rules --format json'))).toEqual({ locks: [] });
  });

  it('shows the queue in order, with how long each has waited', async () => {
    const cluster = await movingCluster();
    const switching = cluster.run(switchLine(`--fault '${AT}=sleep(8s)'`));
    await cluster.machine.clock.sleep(1_000);
    const waiting = cluster.run(switchLine());
    await cluster.machine.clock.sleep(3_000);
    const lock = await held(cluster, 'internal/named_locks/customer/c2c');
    expect(lock.holder).toMatchObject({ alive: 'alive', command: expect.stringContaining('switchtraffic'), clock: 'boot' });
    expect(lock.waiters).toMatchObject([{ token: null, command: switchLine(), waitedMs: 3_000 }]);
    expect(await cluster.ok('lock show')).toMatch(/^named customer\/c2c .* 1 \(vitess@virtual pid \d+, 3s\)$/m);
    await Promise.all([switching, waiting]);
  });

  it('tells what became of locks', async () => {
    const cluster = await movingCluster();
    await cluster.run(switchLine(`--fault '${AT}=panic'`));
    await cluster.run(switchLine());
    const { events } = JSON.parse(await cluster.ok('lock show named customer/c2c --history --format json')) as { events: LockEvent[] };
    const reaped = events.findIndex(({ kind }) => kind === 'reaped');
    expect(events.slice(reaped - 1, reaped + 2)).toMatchObject([
      { kind: 'granted', resource: 'internal/named_locks/customer/c2c', detail: switchLine() },
      { kind: 'reaped', detail: AT, token: events[reaped - 1]!.token },
      { kind: 'granted', detail: switchLine() },
    ]);
    expect(await cluster.ok('lock show --history --last 1')).toMatch(/^AT +EVENT +RESOURCE +TOKEN +HOLDER +DETAIL\n2026-\S+ +granted .* for MoveTables .*\n$/);
    expect(await cluster.ok('lock show --history')).toMatch(new RegExp(`reaped +named customer/c2c .* holder was dead, at step ${AT}$`, 'm'));
  });
});

describe('lock release', () => {
  it('ends the lock of a dead holder on any release, and says what next', async () => {
    const cluster = await withDeadHolder();
    const resource = 'internal/named_locks/customer/c2c';
    const done = await cluster.run(`lock release named:customer/c2c --token ${await tokenOf(cluster, resource)}`);
    expect(done).toMatchObject({ exit: 0, stderr: '' });
    expect(done.stdout).toMatch(/^Holder is dead \(vitess@virtual pid \d+: no such process\)\. Released named customer\/c2c, token \d+\. Run `switchtraffic doctor` before retrying\.\n$/);
    expect(await held(cluster, resource)).toBeUndefined();
    expect(await cluster.ok('lock show named customer/c2c')).toMatch(/released .* ended by vitess@virtual pid \d+\n$/);
  });

  it('wants the token, and does not tell the right one', async () => {
    const cluster = await withDeadHolder();
    const token = await tokenOf(cluster, 'keyspaces/commerce');
    const [without, wrong] = [await cluster.run('lock release keyspace commerce'), await cluster.run('lock release keyspace commerce --token 1')];
    expect([without.exit, wrong.exit]).toEqual([2, 1]);
    for (const { stderr } of [without, wrong]) {
      expect(stderr).toMatch(/^next: .*: switchtraffic lock show keyspace commerce$/m);
      expect(stderr).not.toMatch(new RegExp(`\\b${token}\\b`));
    }
    expect(await tokenOf(cluster, 'keyspaces/commerce')).toBe(token);
  });

  it('spares a holder that lives, unless it is forced; that one finds out at its next write', async () => {
    const cluster = await movingCluster();
    const switching = cluster.run(switchLine(`--fault '${AT}=sleep(8s)'`));
    await cluster.machine.clock.sleep(1_000);
    const token = await tokenOf(cluster, 'keyspaces/commerce');
    const spared = await cluster.run(`lock release keyspace commerce --token ${token}`);
    expect(spared).toMatchObject({ exit: 75, stdout: '' });
    expect(spared.stderr).toMatch(/^switchtraffic: keyspace commerce is held by vitess@virtual pid \d+, which is alive \(held for \S+, at step \S+waitForCatchup\); nothing was released\nnext: .*--force$/m);
    const forced = await cluster.run(`lock release keyspace commerce --token ${token} --force`);
    expect(forced.exit).toBe(0);
    expect(forced.stderr).toMatch(/^FORCED: keyspace commerce was taken from .* which is alive .*\n {8}its next write will be refused\n$/);
    expect(await cluster.ok('lock show --history')).toMatch(/released +keyspace commerce .* ended by vitess@virtual pid \d+, forced$/m);
    const { exit, stderr } = await switching;
    expect(exit).toBe(1);
    expect(stderr).toContain('lock on keyspace commerce was lost (it was ended by `lock release`; ');
    expect(stderr).toContain('rolled back; everything is as it was before the command');
  });

  it('warns that nobody stops the holder on a release', async () => {
    const cluster = await movingCluster('22');
    const switching = cluster.run(switchLine(`--fault '${AT}=sleep(8s)'`));
    await cluster.machine.clock.sleep(1_000);
    const forced = await cluster.run(`lock release customer --token ${await tokenOf(cluster, 'keyspaces/customer')} --force`);
    expect(forced.stderr).toContain('does not check its writes: it may go on changing the same records as the next holder');
    await switching;
  });

  it('has nothing to do where nobody holds it', async () => {
    const cluster = await movingCluster();
    expect(await cluster.run('lock release keyspace commerce --token 3')).toMatchObject({
      exit: 1,
      stderr: 'switchtraffic: nobody holds keyspace commerce: there is nothing to release\nnext: see what is held: switchtraffic lock show\n',
    });
  });
});

describe('a lock that was gone when it was to be released', () => {
  const FAULT = "--fault 'switchTraffic/writes/unlockTarget=lease(expire)'";

  it('is an error on hardened, which says that all was done', async () => {
    const cluster = await movingCluster();
    const { exit, stderr } = await cluster.run(switchLine(FAULT));
    expect(exit).toBe(1);
    expect(stderr).toMatch(/^lock on keyspace customer was lost before it was released \(its lease ran out; nobody holds it now\); what this command wrote, it wrote while it held it: /);
    expect(stderr).toContain('state: the traffic is switched, all of it: only the release of a lock failed\n');
    expect(stderr).toContain('next: nothing is left to do; who has had the lock: switchtraffic lock show keyspace customer\n');
    expect(await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status')).toContain('Traffic State: All Reads Switched. Writes Switched');
  });

  it('is told in the words of etcd on a release', async () => {
    const cluster = await movingCluster('22');
    const { exit, stderr } = await cluster.run(switchLine(FAULT));
    expect([exit, stderr.split('\n')[0]]).toEqual([1, "node doesn't exist: lease"]);
  });
});

describe('two switches in opposite directions', () => {
  const other = 'MoveTables --workflow p --target-keyspace customer';

  async function opposed(version: string): Promise<{ first: string; second: string; took: number }> {
    const cluster = await movingCluster(version);
    await cluster.ok(switchLine());
    await cluster.ok(`${other} create --source-keyspace commerce --tables product`);
    await cluster.ok(`${other} status`);
    const { clock } = cluster.machine;
    const before = clock.now();
    const [first, second] = await Promise.all([
      cluster.run(`${other} switchtraffic --tablet-types primary --fault 'switchTraffic/writes/lockSource:after=sleep(3s)'`),
      cluster.run("MoveTables --workflow c2c --target-keyspace customer reversetraffic --tablet-types primary --fault 'switchTraffic/writes/lockSource:after=sleep(1s)'"),
    ]);
    return { first: `${first.exit}\n${first.stderr}`, second: `${second.exit}\n${second.stderr}`, took: clock.now() - before };
  }

  it('do not wait for each other: the one that asked last is told at once, the other ends well', async () => {
    const { first, second, took } = await opposed('hardened');
    expect(first).toMatch(/^1\nfailed to lock the customer keyspace: deadlock: this command \(MoveTables .* switchtraffic .*\) waits for keyspace customer, which vitess@virtual pid \d+ \(MoveTables .* reversetraffic .*\) holds; vitess@virtual pid \d+ waits for keyspace commerce, which this command holds\n/);
    expect(first).toContain('state: nothing was changed\n');
    expect(first).toMatch(/^next: run it again when the other has ended: switchtraffic MoveTables .* switchtraffic --tablet-types primary$/m);
    expect(second).toMatch(/^0\n/);
    expect(took).toBeLessThan(20_000);
  });

  it('both wait until their time is over on a release (K45)', async () => {
    const { first, second, took } = await opposed('22');
    expect([first, second].filter((text) => text.includes('deadline exceeded')).length).toBeGreaterThan(0);
    expect(first + second).not.toContain('deadlock');
    expect(took).toBeGreaterThanOrEqual(30_000);
  });
});
