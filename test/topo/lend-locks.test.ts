import { beforeEach, describe, expect, it } from 'vitest';
import { background, type Context, withCancel, withTimeout } from '../../src/runtime/context.ts';
import { releaseAll } from '../../src/topo/held-locks.ts';
import {
  checkKeyspaceLocked,
  forgetLostLocks,
  guarded,
  heldLocks,
  holdsKeyspace,
  isHeldOrLent,
  lendLocks,
  lockKeyspace,
  lockName,
  noteStep,
  withKeyspaceLock,
} from '../../src/topo/locks.ts';
import type { TopoServer } from '../../src/topo/server.ts';
import { leasePolicyOf, repairPolicyOf } from '../../src/topo/conn/implementations.ts';
import { findRelease } from '../../src/lib/releases.ts';
import { LockLostError } from '../../src/topo/lost-locks.ts';
import { caught, textOf, TopoMachine, type TopoWorld } from '../helpers/topo-world.ts';
import { openMemoryConn } from '../../src/topo/conn/memory-conn.ts';

const ctx = background();

describe.each([
  ['hardened', 'etcd2'],
  ['24.0.0-SNAPSHOT', 'etcd2'],
  ['24.0.0-SNAPSHOT', 'zk2'],
  ['22', 'consul'],
  ['19.0.9', 'etcd2'],
])('locks that are lent, on %s with %s', (release, implementation) => {
  const policy = leasePolicyOf(findRelease(release), implementation);
  /** What whoever releases a lock is told that was lost. */
  const unlockLost = { 'NoNode lease': "node doesn't exist: lease", 'NoNode of its node': "node doesn't exist: /vitess/global/keyspaces/commerce/locks/0000000000", nothing: undefined, 'not locked': undefined }[policy.rules!.unlockLost];
  /** A waiter's node; some are numbered. */
  const path = policy.names.lock('keyspaces/commerce').replace(/\d+$/, '');
  let machine: TopoMachine;
  let owner: TopoWorld;
  /** What a command sees that the owner runs: a connection of its own, in the same process. */
  let inner: TopoServer;
  let held: Context;

  beforeEach(async () => {
    machine = new TopoMachine(release, implementation);
    owner = machine.process(45_000, repairPolicyOf(findRelease(release), implementation));
    for (const keyspace of ['commerce', 'customer']) await owner.conn.update(ctx, `keyspaces/${keyspace}/Keyspace`, '{}', null);
    held = (await lockName(ctx, owner.topo, 'customer/c2c', 'Repair')).ctx;
    await lockKeyspace(held, owner.topo, 'commerce', 'Repair');
    inner = innerOf(owner);
  });

  const innerOf = ({ topo, world }: TopoWorld): TopoServer => ({
    ...topo,
    conn: openMemoryConn(machine.store, world, { ...policy }),
    held: new Set(),
  });

  const tokens = (): unknown[] => owner.conn.locks().map(({ resource, token }) => [resource, token]);

  it('are had at once, by the same token, and stay held by who lent them', async () => {
    const [before, at] = [tokens(), owner.world.clock.now()];
    const lent = lendLocks(held);
    const name = await lockName(lent, inner, 'customer/c2c', 'WorkflowSwitchTraffic');
    await withKeyspaceLock(name.ctx, inner, 'commerce', 'SwitchWrites', async (locked) => {
      await checkKeyspaceLocked(locked, inner, 'commerce');
      expect(heldLocks(locked).map(({ resource, token }) => [resource, token])).toEqual(before);
      expect(owner.world.clock.now()).toBe(at);
    });
    await name.unlock(undefined);
    expect(tokens()).toEqual(before);
    expect(inner.held.size).toBe(0);
    await checkKeyspaceLocked(held, owner.topo, 'commerce');
  });

  it('are none until they are locked, and twice is refused as always', async () => {
    const lent = lendLocks(held);
    expect(holdsKeyspace(lent, 'commerce')).toBe(false);
    expect(heldLocks(lent)).toEqual([]);
    expect(await textOf(checkKeyspaceLocked(lent, inner, 'commerce'))).toBe('keyspace commerce is not locked (no locksInfo)');
    const first = await lockKeyspace(lent, inner, 'commerce', 'x');
    expect(await textOf(lockKeyspace(first.ctx, inner, 'commerce', 'x'))).toBe('lock for keyspace commerce is already held');
    await first.unlock(undefined);
    expect(await textOf(first.unlock(undefined))).toBe('trying to unlock keyspace commerce multiple times');
    expect(await textOf(checkKeyspaceLocked(first.ctx, inner, 'commerce'))).toBe('keyspace commerce is not locked (no lockInfo in map)');
  });

  it('are lent on by a command that runs commands itself', async () => {
    const middle = await lockKeyspace(lendLocks(held), inner, 'customer', 'x');
    const lowest = innerOf(owner);
    const before = tokens();
    const locked = await lockKeyspace(lendLocks(middle.ctx), lowest, 'customer', 'y');
    await lockKeyspace(locked.ctx, lowest, 'commerce', 'y');
    expect(tokens()).toEqual(before);
    await releaseAll(lowest);
    expect(tokens()).toEqual(before);
    await middle.unlock(undefined);
    expect(tokens()).toHaveLength(2);
  });

  it('are not to be seen from outside, nor below a context of its own', async () => {
    const lent = lendLocks(held);
    const locked = await lockKeyspace(lent, inner, 'commerce', 'x');
    await locked.unlock(undefined);
    const outside = machine.process(1_000).topo;
    expect(await textOf(lockKeyspace(ctx, outside, 'commerce', 'x'))).toContain(`deadline exceeded: ${path}`);
    expect(await textOf(lockKeyspace(background(), { ...inner, lockTimeoutMs: 1_000 }, 'commerce', 'x'))).toContain(`deadline exceeded: ${path}`);
    expect(await textOf(checkKeyspaceLocked(background(), inner, 'commerce'))).toBe('keyspace commerce is not locked (no locksInfo)');
  });

  it('have their steps noted by who uses them, inside a transaction of its own too', async () => {
    const locked = await lockKeyspace(lendLocks(held), inner, 'commerce', 'x');
    await noteStep(locked.ctx, inner, 'switchTraffic/writes/stop');
    expect(owner.conn.locks().map(({ step }) => step)).toEqual(['', 'switchTraffic/writes/stop']);
  });

  it('are known as nobody else\'s', async () => {
    expect([isHeldOrLent(ctx, 'keyspaces/commerce'), isHeldOrLent(held, 'keyspaces/commerce'), isHeldOrLent(lendLocks(held), 'keyspaces/commerce')]).toEqual([false, true, true]);
    expect(isHeldOrLent(lendLocks(held), 'keyspaces/customer')).toBe(false);
  });

  it('are released once, by who took them', async () => {
    const lent = lendLocks(held);
    await (await lockKeyspace(lent, inner, 'commerce', 'x')).unlock(undefined);
    await lockName(lent, inner, 'customer/c2c', 'x');
    await releaseAll(inner);
    expect(tokens()).toHaveLength(2);
    await releaseAll(owner.topo);
    expect(tokens()).toEqual([]);
  });

  it('what is not lent is taken and released as ever', async () => {
    const locked = await lockKeyspace(lendLocks(held), inner, 'customer', 'x');
    expect(tokens()).toHaveLength(3);
    await locked.unlock(undefined);
    expect(tokens()).toHaveLength(2);
  });

  it('end with the context of who lent them', async () => {
    const caller = withCancel(held);
    const lent = withTimeout(lendLocks(caller.ctx), owner.world.clock, 60_000);
    caller.end();
    expect(await textOf(lockKeyspace(lent.ctx, inner, 'commerce', 'x'))).toBe('interrupted: lease');
    lent.end();
  });

  it('lost before: the next command is refused and told who has it', async () => {
    heldLocks(held).find(({ resource }) => resource === 'keyspaces/commerce')!.expire();
    const other = machine.process();
    await lockKeyspace(ctx, other.topo, 'commerce', 'y');
    const error = await caught(lockKeyspace(lendLocks(held), inner, 'commerce', 'x'));
    expect(error).toBeInstanceOf(LockLostError);
    expect(error).toMatchObject({
      message: `lock on keyspace commerce was lost (its lease ran out; now held by vitess@virtual pid ${other.world.processes.self.pid}), nothing was begun under it: node doesn't exist: lease`,
      next: expect.stringContaining('switchtraffic lock show') as string,
    });
    expect(tokens()).toHaveLength(2);
    await lockName(lendLocks(held), inner, 'customer/c2c', 'x');
  });

  it('lost meanwhile: checks, guarded writes and the release say so', async () => {
    const locked = await lockKeyspace(lendLocks(held), inner, 'commerce', 'x');
    heldLocks(held).find(({ resource }) => resource === 'keyspaces/commerce')!.expire();
    if (inner.release.behaviours.lockCheckAsks && policy.rules!.check === 'asks the server') expect(await textOf(checkKeyspaceLocked(locked.ctx, inner, 'commerce'))).toContain("node doesn't exist: lease");
    const write = guarded(locked.ctx, inner, ['commerce'], (options) => inner.conn.update(locked.ctx, 'x', '1', null, options));
    if (inner.release.behaviours.fencedWrites) expect(await textOf(write)).toContain('lock on keyspace commerce was lost (its lease ran out; nobody holds it now), the write was refused');
    else await write;
    const said = await locked.unlock(undefined).catch((error: Error) => error.message);
    if (inner.release.behaviours.fencedWrites) expect(said).toContain('lock on keyspace commerce was lost before it was released');
    else expect(said).toBe(unlockLost);
  });

  // Only `hardened` does, whose locks can be asked after.
  it.runIf(policy.rules!.check === 'asks the server')('lost meanwhile, a roll-back takes it anew for itself, and the next command is refused all the same', async () => {
    const lent = lendLocks(held);
    const locked = await lockKeyspace(lent, inner, 'commerce', 'x');
    heldLocks(held).find(({ resource }) => resource === 'keyspaces/commerce')!.expire();
    await forgetLostLocks(locked.ctx, inner);
    const again = await lockKeyspace(locked.ctx, inner, 'commerce', 'RollBack');
    await checkKeyspaceLocked(again.ctx, inner, 'commerce');
    expect(tokens()).toHaveLength(2);
    await again.unlock(undefined);
    expect(tokens()).toHaveLength(1);
    expect(await textOf(lockKeyspace(lendLocks(held), inner, 'commerce', 'x'))).toContain('nothing was begun under it');
  });
});
