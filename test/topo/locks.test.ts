import { beforeEach, describe, expect, it } from 'vitest';
import { plainError } from '../../src/lib/errors.ts';
import { background, withCancel, withoutCancel, withTimeout } from '../../src/runtime/context.ts';
import {
  checkKeyspaceLocked,
  forgetLostLocks,
  guarded,
  heldLocks,
  holdsKeyspace,
  lockKeyspace,
  lockName,
  lockRoutingRules,
  noteStep,
} from '../../src/topo/locks.ts';
import { LockLostError } from '../../src/topo/lost-locks.ts';
import { caught, failureOf, textOf, TopoMachine, type TopoWorld } from '../helpers/topo-world.ts';

const ctx = background();

/** A process of a machine with the keyspaces commerce and customer. */
async function startOn(machine: TopoMachine, lockTimeoutMs?: number): Promise<TopoWorld> {
  const started = machine.process(lockTimeoutMs);
  for (const keyspace of ['commerce', 'customer']) {
    await started.conn.update(ctx, `keyspaces/${keyspace}/Keyspace`, '{}', null);
  }
  return started;
}

describe.each([
  ['hardened', 'INTERNAL'],
  ['22', 'INTERNAL'],
  ['21.0.0', 'INTERNAL'],
  ['20', 'INVALID_ARGUMENT'],
  ['19.0.9', 'INVALID_ARGUMENT'],
])('which locks a context holds, on %s', (release, code) => {
  /** Until v20 a check asks the context alone. */
  const asks = code === 'INTERNAL';
  let start: TopoWorld;
  beforeEach(async () => {
    start = await startOn(new TopoMachine(release));
  });

  it('none, where nothing was locked', async () => {
    expect(await failureOf(checkKeyspaceLocked(ctx, start.topo, 'commerce'))).toEqual({
      text: 'keyspace commerce is not locked (no locksInfo)',
      code,
    });
  });

  it('not this one, where others were', async () => {
    const { ctx: locked } = await lockKeyspace(ctx, start.topo, 'customer', 'SwitchWrites');
    expect(await failureOf(checkKeyspaceLocked(locked, start.topo, 'commerce'))).toEqual({
      text: 'keyspace commerce is not locked (no lockInfo in map)',
      code,
    });
    await checkKeyspaceLocked(locked, start.topo, 'customer');
  });

  it('not after it was released', async () => {
    const locked = await lockKeyspace(ctx, start.topo, 'commerce', 'SwitchWrites');
    await locked.unlock(undefined);
    expect(await failureOf(checkKeyspaceLocked(locked.ctx, start.topo, 'commerce'))).toEqual({
      text: 'keyspace commerce is not locked (no lockInfo in map)',
      code,
    });
  });

  it('withoutCancel keeps the locks of a context that has ended', async () => {
    const caller = withTimeout(ctx, start.world.clock, 1_000);
    const { ctx: locked } = await lockKeyspace(caller.ctx, start.topo, 'commerce', 'SwitchWrites');
    caller.end();
    if (asks) expect(await textOf(checkKeyspaceLocked(locked, start.topo, 'commerce'))).toBe('interrupted: lease');
    await checkKeyspaceLocked(withoutCancel(locked), start.topo, 'commerce');
  });

  it('background forgets them, whatever the store says (vitess#17620)', async () => {
    await lockKeyspace(ctx, start.topo, 'commerce', 'SwitchWrites');
    expect(start.conn.locks()).toHaveLength(1);
    expect(await textOf(checkKeyspaceLocked(background(), start.topo, 'commerce'))).toBe(
      'keyspace commerce is not locked (no locksInfo)',
    );
  });

  it('locks are shared by every context below the one that took the first', async () => {
    const first = await lockKeyspace(ctx, start.topo, 'commerce', 'SwitchWrites');
    const second = await lockKeyspace(withCancel(first.ctx).ctx, start.topo, 'customer', 'SwitchWrites');
    await checkKeyspaceLocked(first.ctx, start.topo, 'customer');
    expect(heldLocks(first.ctx).map((lock) => lock.resource)).toEqual(['keyspaces/commerce', 'keyspaces/customer']);
    expect(start.topo.held.size).toBe(2);
    await second.unlock(undefined);
    await first.unlock(undefined);
    expect(heldLocks(first.ctx)).toEqual([]);
    expect(start.topo.held.size).toBe(0);
  });

  it('one lock cannot be taken twice, and the second try asks no store', async () => {
    const { ctx: locked } = await lockKeyspace(ctx, start.topo, 'commerce', 'SwitchWrites');
    const before = start.world.clock.now();
    expect(await failureOf(lockKeyspace(locked, start.topo, 'commerce', 'Nested'))).toEqual({
      text: 'lock for keyspace commerce is already held',
      code: 'INTERNAL',
    });
    expect(start.world.clock.now()).toBe(before);
    expect(start.conn.locks()).toHaveLength(1);
  });

  it('kinds share one space of names, as in Vitess', async () => {
    const { ctx: locked } = await lockName(ctx, start.topo, 'commerce', 'SwitchWrites');
    expect(await textOf(lockKeyspace(locked, start.topo, 'commerce', 'x'))).toBe('lock for keyspace commerce is already held');
  });

  it('one lock cannot be released twice', async () => {
    const locked = await lockName(ctx, start.topo, 'customer/wf', 'SwitchWrites');
    await locked.unlock(undefined);
    expect(await failureOf(locked.unlock(undefined))).toEqual({
      text: 'trying to unlock named customer/wf multiple times',
      code: 'INTERNAL',
    });
    await locked.unlock(plainError('the action failed'));
    expect(start.logged('error')).toEqual(['trying to unlock named customer/wf multiple times']);
  });

  it('a lost lease shows as the error of an action that succeeded, and only in the log of one that failed', async () => {
    const ours = 'lock on keyspace commerce was lost before it was released (its lease ran out; nobody holds it now); what this command wrote, it wrote while it held it: ';
    const gone = `${release === 'hardened' ? ours : ''}node doesn't exist: lease`;
    const first = await lockKeyspace(ctx, start.topo, 'commerce', 'SwitchWrites');
    for (const descriptor of start.topo.held) descriptor.expire();
    const checked = release === 'hardened' ? 'lock on keyspace commerce was lost (its lease ran out; nobody holds it now): ' : '';
    if (asks) expect(await textOf(checkKeyspaceLocked(first.ctx, start.topo, 'commerce'))).toBe(`${checked}node doesn't exist: lease`);
    expect(await textOf(first.unlock(undefined))).toBe(gone);
    expect(heldLocks(first.ctx)).toEqual([]);

    const second = await lockKeyspace(ctx, start.topo, 'commerce', 'SwitchWrites');
    for (const descriptor of start.topo.held) descriptor.expire();
    await second.unlock(plainError('tablet gone'));
    expect(start.logged('error')).toEqual(["unlock keyspace commerce failed: node doesn't exist: lease"]);
    expect(start.topo.held.size).toBe(0);
  });
});

describe('taking locks', () => {
  it('a keyspace must exist', async () => {
    const start = await startOn(new TopoMachine());
    expect(await textOf(lockKeyspace(ctx, start.topo, 'nope', 'x'))).toBe(
      "node doesn't exist: /vitess/global/keyspaces/nope/",
    );
    expect(start.topo.held.size).toBe(0);
  });

  it('a name need not, and routing rules only once they were saved', async () => {
    const start = await startOn(new TopoMachine());
    const { ctx: locked } = await lockName(ctx, start.topo, 'customer/commerce2customer', 'SwitchWrites');
    expect(heldLocks(locked)[0]?.resource).toBe('internal/named_locks/customer/commerce2customer');
    expect(await textOf(lockRoutingRules(locked, start.topo, 'Create'))).toBe(
      "node doesn't exist: /vitess/global/routing_rules/",
    );
    await start.conn.create(ctx, 'routing_rules/keyspace/Rules', '{}');
    await lockRoutingRules(locked, start.topo, 'Create');
    expect(start.conn.locks().map((view) => view.resource)).toContain('routing_rules');
  });

  it('waits for as long as --lock-timeout says, and ends with Timeout', async () => {
    const machine = new TopoMachine();
    const first = await startOn(machine);
    const second = machine.process(5_000);
    const locked = await lockKeyspace(ctx, first.topo, 'commerce', 'x');
    const before = machine.clock.now();
    expect(await textOf(lockKeyspace(ctx, second.topo, 'commerce', 'y'))).toBe(
      'deadline exceeded: /vitess/global/keyspaces/commerce/locks',
    );
    expect(machine.clock.now() - before).toBe(5_000);
    await locked.unlock(undefined);
    await lockKeyspace(ctx, second.topo, 'commerce', 'y');
  });

  it('a wait is interrupted by its caller', async () => {
    const machine = new TopoMachine();
    const first = await startOn(machine);
    const second = machine.process();
    await lockKeyspace(ctx, first.topo, 'commerce', 'x');
    const caller = withCancel(ctx);
    const waiting = textOf(lockKeyspace(caller.ctx, second.topo, 'commerce', 'y'));
    await machine.clock.sleep(50);
    caller.end();
    expect(await waiting).toBe('interrupted: /vitess/global/keyspaces/commerce/locks');
  });

  it('writes the JSON that Vitess writes', async () => {
    const start = await startOn(new TopoMachine());
    await lockKeyspace(ctx, start.topo, 'commerce', 'PlannedReparentShard(<nil>, A & B)');
    expect(start.conn.locks()[0]?.contents).toBe(
      `{
  "Action": "PlannedReparentShard(\\u003cnil\\u003e, A \\u0026 B)",
  "HostName": "virtual",
  "UserName": "vitess",
  "Time": "2026-03-27T12:00:00Z",
  "Options": {},
  "Status": "Running"
}`,
    );
  });

  it('logs in the words of vtctld', async () => {
    const start = await startOn(new TopoMachine());
    await (await lockKeyspace(ctx, start.topo, 'commerce', 'SwitchWrites')).unlock(undefined);
    await (await lockName(ctx, start.topo, 'customer/wf', 'x')).unlock(plainError('boom'));
    expect(start.logged('info')).toEqual([
      'Locking keyspace commerce for action SwitchWrites',
      'Unlocking keyspace commerce for successful action SwitchWrites',
      'Locking named customer/wf for action x',
      'Unlocking named customer/wf for action x with error boom',
    ]);
  });

  it('notes the step beside each lock', async () => {
    const start = await startOn(new TopoMachine());
    const { ctx: locked } = await lockKeyspace(ctx, start.topo, 'commerce', 'x');
    await lockName(locked, start.topo, 'customer/wf', 'x');
    await noteStep(locked, start.topo, 'switchTraffic/writes/stop');
    expect(start.conn.locks().map((view) => view.step)).toEqual(['switchTraffic/writes/stop', 'switchTraffic/writes/stop']);
    await noteStep(ctx, start.topo, 'elsewhere');
    expect(start.conn.locks()[0]?.step).toBe('switchTraffic/writes/stop');
  });
});

describe('forgetting lost locks', () => {
  it('lets them be taken again, while the others stay held', async () => {
    const start = await startOn(new TopoMachine());
    const { ctx: locked } = await lockKeyspace(ctx, start.topo, 'commerce', 'x');
    await lockKeyspace(locked, start.topo, 'customer', 'x');
    await lockName(locked, start.topo, 'customer/wf', 'x');
    const [commerce, customer, named] = heldLocks(locked);
    commerce!.expire();
    named!.steal();
    await forgetLostLocks(locked, start.topo);
    expect(heldLocks(locked)).toEqual([customer]);
    expect([...start.topo.held]).toEqual([customer]);
    expect([holdsKeyspace(locked, 'commerce'), holdsKeyspace(locked, 'customer'), holdsKeyspace(ctx, 'customer')]).toEqual([false, true, false]);
    await lockKeyspace(locked, start.topo, 'commerce', 'again');
    await checkKeyspaceLocked(locked, start.topo, 'commerce');
    expect(holdsKeyspace(locked, 'customer/wf')).toBe(false);
  });

  it('forgets none on a context that has ended: it cannot tell', async () => {
    const start = await startOn(new TopoMachine());
    const caller = withCancel(ctx);
    const { ctx: locked } = await lockKeyspace(caller.ctx, start.topo, 'commerce', 'x');
    caller.end();
    expect(await textOf(forgetLostLocks(locked, start.topo))).toBe('interrupted: lease');
    expect(heldLocks(locked)).toHaveLength(1);
  });
});

describe('how long a lease lives', () => {
  const expiry = async (release: string, take: (start: TopoWorld) => Promise<unknown>): Promise<number | undefined> => {
    const start = await startOn(new TopoMachine(release));
    await take(start);
    return start.conn.locks()[0]?.expiresMs;
  };

  it.each<[number | undefined, number]>([
    [undefined, 30_000],
    [0, 30_000],
    [120_000, 120_000],
    [3_999, 3_000],
    [500, 2_000],
  ])('on a release: %s ms asked for is %s ms', async (ttlMs, expected) => {
    const options = ttlMs === undefined ? {} : { ttlMs };
    expect(await expiry('22', (start) => lockKeyspace(ctx, start.topo, 'commerce', 'x', options))).toBe(expected);
  });

  it('a named lock lives for a day on a release', async () => {
    expect(await expiry('22', (start) => lockName(ctx, start.topo, 'a/b', 'x'))).toBe(86_400_000);
  });

  it('hardened asks for little and renews it', async () => {
    const start = await startOn(new TopoMachine());
    const { ctx: locked } = await lockKeyspace(ctx, start.topo, 'commerce', 'x', { ttlMs: 120_000 });
    expect(start.conn.locks()[0]?.expiresMs).toBe(10_000);
    await start.world.clock.sleep(600_000);
    await checkKeyspaceLocked(locked, start.topo, 'commerce');
  });

  it('a release loses a lock that nothing checks for longer than its lease (K4, vitess#20340)', async () => {
    const start = await startOn(new TopoMachine('22'));
    const { ctx: locked } = await lockKeyspace(ctx, start.topo, 'commerce', 'x', { ttlMs: 90_000 });
    await start.world.clock.sleep(89_000);
    await checkKeyspaceLocked(locked, start.topo, 'commerce');
    await start.world.clock.sleep(90_000);
    expect(await textOf(checkKeyspaceLocked(locked, start.topo, 'commerce'))).toBe("node doesn't exist: lease");
  });
});

describe('a lease that is gone', () => {
  it.each([
    ['18', undefined],
    ['20.0.8', undefined],
    ['21.0.0', "node doesn't exist: lease"],
  ])('on %s a check for the lock says: %s', async (release, text) => {
    const start = await startOn(new TopoMachine(release));
    const { ctx: locked } = await lockKeyspace(ctx, start.topo, 'commerce', 'x');
    for (const descriptor of start.topo.held) descriptor.expire();
    const said = await checkKeyspaceLocked(locked, start.topo, 'commerce').then(() => undefined, (error: Error) => error.message);
    expect(said).toBe(text);
  });
});

describe('guarded writes', () => {
  const write = (start: TopoWorld, where = ctx): Promise<number> =>
    guarded(where, start.topo, ['commerce'], (options) => start.conn.update(where, 'x', '1', null, options));

  it('on hardened: refused without the lock in the context', async () => {
    const start = await startOn(new TopoMachine());
    expect(await textOf(write(start))).toBe('keyspace commerce is not locked (no locksInfo)');
    const { ctx: locked } = await lockKeyspace(ctx, start.topo, 'customer', 'x');
    expect(await textOf(write(start, locked))).toBe('keyspace commerce is not locked (no lockInfo in map)');
    expect(await textOf(start.conn.get(ctx, 'x'))).toContain("node doesn't exist");
    await lockKeyspace(locked, start.topo, 'commerce', 'x');
    await write(start, locked);
  });

  it('on hardened: refused under a lost lock, which the error names', async () => {
    const start = await startOn(new TopoMachine());
    const { ctx: locked } = await lockKeyspace(ctx, start.topo, 'commerce', 'x');
    heldLocks(locked)[0]!.expire();
    const error = await caught(write(start, locked));
    expect(error).toBeInstanceOf(LockLostError);
    expect(error).toMatchObject({
      message: "lock on keyspace commerce was lost (its lease ran out; nobody holds it now), the write was refused: node doesn't exist: lease",
      code: 'FAILED_PRECONDITION',
      next: 'see who has it or had it since, before you run this again: switchtraffic lock show keyspace commerce',
    });
  });

  it('on hardened: says who has the lock now, and which of several was lost', async () => {
    const machine = new TopoMachine();
    const start = await startOn(machine);
    const { ctx: locked } = await lockKeyspace(ctx, start.topo, 'commerce', 'x');
    await lockKeyspace(locked, start.topo, 'customer', 'x');
    heldLocks(locked)[1]!.expire();
    const other = machine.process();
    await lockKeyspace(ctx, other.topo, 'customer', 'y');
    expect(await textOf(write(start, locked))).toBe(
      `lock on keyspace customer was lost (its lease ran out; now held by vitess@virtual pid ${other.world.processes.self.pid}), the write was refused: node doesn't exist: lease`,
    );
  });

  it('on hardened: names the lock whose lease merely ran out', async () => {
    const machine = new TopoMachine('22');
    const start = await startOn(machine);
    const hardened = { ...start.topo, release: new TopoMachine('hardened').process().topo.release };
    const { ctx: locked } = await lockKeyspace(ctx, start.topo, 'commerce', 'x', { ttlMs: 60_000 });
    await lockKeyspace(locked, start.topo, 'customer', 'x', { ttlMs: 5_000 });
    machine.clock.advance(5_000);
    expect(await textOf(write({ ...start, topo: hardened }, locked))).toBe(
      "lock on keyspace customer was lost (its lease ran out; nobody holds it now), the write was refused: node doesn't exist: lease",
    );
  });

  it('passes on what the write itself throws', async () => {
    const start = await startOn(new TopoMachine());
    const { ctx: locked } = await lockKeyspace(ctx, start.topo, 'commerce', 'x');
    const run = guarded(locked, start.topo, ['commerce'], (options) => start.conn.delete(ctx, 'gone', null, options));
    expect(await textOf(run)).toBe("node doesn't exist: /vitess/global/gone");
  });

  it('a release does not check: it writes without a lock and under a lost one', async () => {
    const start = await startOn(new TopoMachine('24.0.0-SNAPSHOT'));
    await write(start);
    const { ctx: locked } = await lockKeyspace(ctx, start.topo, 'commerce', 'x');
    heldLocks(locked)[0]!.expire();
    await write(start, locked);
    expect((await start.conn.get(ctx, 'x')).contents).toBe('1');
  });
});
