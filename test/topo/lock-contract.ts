import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { background, type Context, withCancel, withTimeout } from '../../src/runtime/context.ts';
import { VirtualMachine, type World } from '../../src/runtime/world.ts';
import type { Conn, LockDescriptor } from '../../src/topo/conn/conn.ts';
import { ETCD_NAMES, MEMORY_NAMES } from '../../src/topo/conn/directory.ts';
import type { LeasePolicy } from '../../src/topo/conn/lease-policy.ts';
import { caught, leasePolicy, textOf } from '../helpers/topo-world.ts';
import type { Store } from './conn-contract.ts';

const LEASE_GONE = "node doesn't exist: lease";

interface Process {
  world: World;
  conn: Conn;
}

/** What every store must do with locks: a queue, leases and tokens that only grow. */
export function lockContract(name: string, makeStore: () => Store, sharing: 'shared' | 'alone'): void {
  describe(`locks: ${name}`, () => {
    const ctx = background();
    let machine: VirtualMachine;
    let store: Store;
    let opened: Conn[];

    beforeEach(() => {
      machine = new VirtualMachine();
      store = makeStore();
      opened = [];
    });
    afterEach(() => {
      for (const conn of opened) conn.close();
      store.dispose();
    });

    function start(policy: Partial<LeasePolicy> = {}): Process {
      const world = machine.world();
      const conn = store.open(world, leasePolicy(policy));
      opened.push(conn);
      return { world, conn };
    }

    /** Two processes on one store, or one process twice where a store cannot be shared. */
    function startTwo(policy: Partial<LeasePolicy> = {}): [Process, Process] {
      const first = start(policy);
      return [first, sharing === 'shared' ? start(policy) : first];
    }

    function lock(process: Process, dir = 'ks', ttlMs = 10_000, where: Context = ctx): Promise<LockDescriptor> {
      return process.conn.lock(where, { dir, contents: `{"Action":"${dir}"}`, ttlMs, mustExist: false });
    }

    /** While another lock stays held. */
    function lockToo(process: Process, held: LockDescriptor, dir: string, where: Context = ctx): Promise<LockDescriptor> {
      const request = { dir, contents: '{"Action":"x"}', ttlMs: 10_000, mustExist: false, command: `want ${dir}`, chain: held.chain };
      return process.conn.lock(where, request);
    }

    const kinds = (process: Process): string[] => process.conn.lockEvents(100).map(({ kind, resource }) => `${kind} ${resource}`);

    const within = (ms: number): Context => withTimeout(ctx, machine.clock, ms).ctx;

    it('excludes: a second process waits until the first lets go', async () => {
      const [a, b] = startTwo();
      const held = await lock(a);
      let granted = false;
      const waiting = lock(b).then((descriptor) => {
        granted = true;
        return descriptor;
      });
      await machine.clock.sleep(2_000);
      expect(granted).toBe(false);
      await held.unlock(ctx);
      const second = await waiting;
      expect(second.token).toBeGreaterThan(held.token);
      await second.unlock(ctx);
      expect(a.conn.locks()).toEqual([]);
    });

    it('excludes on one directory only', async () => {
      const [a, b] = startTwo();
      await lock(a, 'one');
      await lock(b, 'two');
      expect(b.conn.locks().map((view) => view.resource)).toEqual(['one', 'two']);
    });

    it('serves in order of arrival', async () => {
      const [a, b] = startTwo();
      const order: number[] = [];
      const held = await lock(a);
      const waiters = [b, a, b, a, b].map(async (process, index) => {
        const mine = await lock(process);
        order.push(index);
        await machine.clock.sleep(100);
        await mine.unlock(ctx);
      });
      await machine.clock.sleep(1_000);
      await held.unlock(ctx);
      await Promise.all(waiters);
      expect(order).toEqual([0, 1, 2, 3, 4]);
    });

    it('never has two holders, whoever waits, gives up or is slow', async () => {
      const [a, b] = startTwo();
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ who: fc.boolean(), start: fc.nat(50), hold: fc.nat(60), patience: fc.nat(400) }), { maxLength: 6 }),
          async (plans) => {
            let holders = 0;
            let most = 0;
            await Promise.all(
              plans.map(async (plan) => {
                await machine.clock.sleep(plan.start);
                const mine = await lock(plan.who ? a : b, 'ks', 10_000, within(plan.patience + 1)).catch(() => undefined);
                if (mine === undefined) return;
                most = Math.max(most, ++holders);
                await machine.clock.sleep(plan.hold);
                holders--;
                await mine.unlock(ctx);
              }),
            );
            expect(most).toBeLessThanOrEqual(1);
            expect(a.conn.locks()).toEqual([]);
          },
        ),
        { numRuns: 25 },
      );
    });

    it.each([
      ['etcd names', ETCD_NAMES, '/vitess/global/keyspaces/ks/locks', '/vitess/global/keyspaces/ks/'],
      ['memory names', MEMORY_NAMES, 'keyspaces/ks', 'keyspaces/ks'],
    ])('names the node as the back end does: %s', async (_, names, lockNode, directory) => {
      const [a, b] = startTwo({ names });
      const order = { dir: 'keyspaces/ks', contents: '{}', ttlMs: 10_000, mustExist: true };
      expect(await textOf(a.conn.lock(ctx, order))).toBe(`node doesn't exist: ${directory}`);
      await a.conn.create(ctx, 'keyspaces/ks/Keyspace', '{}');
      await a.conn.lock(ctx, order);
      expect(await textOf(b.conn.lock(within(500), order))).toBe(`deadline exceeded: ${lockNode}`);
      const canceled = withCancel(ctx);
      const waiting = textOf(b.conn.lock(canceled.ctx, order));
      await machine.clock.sleep(100);
      canceled.end();
      expect(await waiting).toBe(`interrupted: ${lockNode}`);
      // A lock that needs its directory looks there first.
      expect(await textOf(b.conn.lock(canceled.ctx, order))).toBe(`interrupted: ${directory}`);
      expect(await textOf(b.conn.lock(canceled.ctx, { ...order, mustExist: false }))).toBe(`interrupted: ${lockNode}`);
      expect(a.conn.locks()).toHaveLength(1);
    });

    it('does not wait longer than it was told, nor leave a ticket', async () => {
      const [a, b] = startTwo();
      const held = await lock(a);
      const before = machine.clock.now();
      await textOf(lock(b, 'ks', 10_000, within(700)));
      expect(machine.clock.now() - before).toBe(700);
      expect(b.conn.locks().map((view) => view.token)).toEqual([held.token]);
    });

    it('a directory is needed unless the lock is a named one', async () => {
      const a = start();
      const named = await a.conn.lock(ctx, { dir: 'internal/named_locks/ks/wf', contents: '{}', ttlMs: 1000, mustExist: false });
      expect(named.resource).toBe('internal/named_locks/ks/wf');
      await a.conn.create(ctx, 'keyspaces/ks-2/Keyspace', '');
      const missing = a.conn.lock(ctx, { dir: 'keyspaces/ks', contents: '{}', ttlMs: 1000, mustExist: true });
      expect(await textOf(missing)).toBe("node doesn't exist: /vitess/global/keyspaces/ks/");
      expect(a.conn.locks()).toHaveLength(1);
    });

    describe('leases', () => {
      const renewing = { renewed: true, reapDead: false };
      const asEtcd = { renewed: false, reapDead: false };

      it('renewed ones live for as long as their holder', async () => {
        const [a, b] = startTwo(renewing);
        const held = await lock(a, 'ks', 3_000);
        machine.clock.advance(60_000);
        await held.check(ctx);
        expect(await textOf(lock(b, 'ks', 3_000, within(4_000)))).toContain('deadline exceeded');
        await held.unlock(ctx);
      });

      it('renewal stops with the lock', async () => {
        const [a, b] = startTwo(renewing);
        await (await lock(a, 'ks', 3_000)).unlock(ctx);
        const second = await lock(b, 'ks', 3_000);
        machine.clock.advance(20_000);
        expect(a.conn.locks().map((view) => view.token)).toEqual([second.token]);
        await second.check(ctx);
      });

      it('the others run out, to the millisecond', async () => {
        const [a, b] = startTwo(asEtcd);
        const held = await lock(a, 'ks', 3_000);
        machine.clock.advance(2_999);
        expect(a.conn.locks()[0]).toMatchObject({ expiresMs: 1, heldMs: 2_999 });
        machine.clock.advance(1);
        expect(await textOf(held.check(ctx))).toBe(LEASE_GONE);
        const second = await lock(b, 'ks', 3_000, within(50));
        expect(second.token).toBeGreaterThan(held.token);
        expect(await textOf(held.unlock(ctx))).toBe(LEASE_GONE);
        await second.check(ctx);
      });

      it('a check renews for the full time', async () => {
        const [a] = startTwo(asEtcd);
        const held = await lock(a, 'ks', 3_000);
        for (let i = 0; i < 5; i++) {
          machine.clock.advance(2_900);
          await held.check(ctx);
        }
        expect(a.conn.locks()[0]?.expiresMs).toBe(3_000);
        machine.clock.advance(3_000);
        expect(await textOf(held.check(ctx))).toBe(LEASE_GONE);
      });

      it('a check on an ended context renews nothing', async () => {
        const a = start(asEtcd);
        const held = await lock(a, 'ks', 3_000);
        machine.clock.advance(2_000);
        const canceled = withCancel(ctx);
        canceled.end();
        expect(await textOf(held.check(canceled.ctx))).toBe('interrupted: lease');
        const late = within(1);
        machine.clock.advance(1);
        expect(await textOf(held.check(late))).toBe('deadline exceeded: lease');
        expect(a.conn.locks()[0]?.expiresMs).toBe(999);
      });

      it('unlocking works on a context that has ended', async () => {
        const a = start();
        const held = await lock(a);
        const canceled = withCancel(ctx);
        canceled.end();
        await held.unlock(canceled.ctx);
        expect(a.conn.locks()).toEqual([]);
        expect(await textOf(held.unlock(ctx))).toBe(LEASE_GONE);
      });

      it('a waiter keeps its own lease alive', async () => {
        const [a, b] = startTwo(asEtcd);
        const held = await lock(a, 'ks', 60_000);
        const waiting = lock(b, 'ks', 2_000);
        await machine.clock.sleep(9_000);
        await held.unlock(ctx);
        expect((await waiting).token).toBeGreaterThan(held.token);
      });

      it('a waiter whose lease ran out is granted nothing (etcd#11456)', async () => {
        const [a, b] = startTwo(asEtcd);
        const held = await lock(a, 'ks', 60_000);
        const slow = textOf(lock(b, 'ks', 2_000));
        await machine.clock.sleep(100);
        // The waiter's process stands still for longer than its lease, then goes on as if nothing had happened.
        machine.clock.advance(2_500);
        expect(await slow).toBe(LEASE_GONE);
        expect(a.conn.locks().map((view) => view.token)).toEqual([held.token]);
        await held.unlock(ctx);
        await lock(a, 'ks', 2_000, within(50));
      });

      it('a waiter whose lease ran out does not hold up those behind it', async () => {
        const [a, b] = startTwo(asEtcd);
        const held = await lock(a, 'ks', 60_000);
        const slow = textOf(lock(b, 'ks', 2_000));
        await machine.clock.sleep(100);
        const patient = lock(a, 'ks', 30_000);
        await machine.clock.sleep(100);
        machine.clock.advance(2_500);
        await held.unlock(ctx);
        expect((await patient).token).toBeGreaterThan(held.token);
        expect(await slow).toBe(LEASE_GONE);
      });
    });

    describe('fencing', () => {
      it('tokens only grow, over all locks of the store', async () => {
        const [a, b] = startTwo();
        const tokens: number[] = [];
        for (const [process, dir] of [[a, 'one'], [b, 'one'], [a, 'two'], [b, 'two'], [a, 'one']] as const) {
          const held = await lock(process, dir);
          tokens.push(held.token);
          await held.unlock(ctx);
        }
        expect(tokens).toEqual([...new Set(tokens)].toSorted((x, y) => x - y));
      });

      it.each(['expire', 'steal'] as const)('%s: the holder finds out at its next write, check and unlock', async (how) => {
        const [a] = startTwo();
        const held = await lock(a);
        await a.conn.update(ctx, 'x', '1', null, { guards: [held] });
        held[how]();
        expect(await textOf(a.conn.update(ctx, 'x', '2', null, { guards: [held] }))).toBe(LEASE_GONE);
        expect(await textOf(held.check(ctx))).toBe(LEASE_GONE);
        expect(await textOf(held.unlock(ctx))).toBe(LEASE_GONE);
        expect((await a.conn.get(ctx, 'x')).contents).toBe('1');
      });

      it('an expired lock is free at once', async () => {
        const [a, b] = startTwo();
        const held = await lock(a);
        held.expire();
        expect((await lock(b, 'ks', 10_000, within(50))).token).toBeGreaterThan(held.token);
      });

      it('a stolen one is held by the thief for two seconds', async () => {
        const [a, b] = startTwo();
        const held = await lock(a);
        held.steal();
        expect(a.conn.locks()).toMatchObject([{ resource: 'ks', owner: 'thief@elsewhere pid 1', alive: 'unknown', expiresMs: 2_000 }]);
        const before = machine.clock.now();
        const next = await lock(b);
        expect(machine.clock.now() - before).toBeGreaterThanOrEqual(2_000);
        expect(next.token).toBeGreaterThan(held.token + 1);
      });

      it('those who waited before the theft wait for the thief too', async () => {
        const [a, b] = startTwo();
        const held = await lock(a);
        const waiting = lock(b);
        await machine.clock.sleep(100);
        held.steal();
        const before = machine.clock.now();
        await waiting;
        expect(machine.clock.now() - before).toBeGreaterThanOrEqual(2_000);
      });

      it('a write under an older token is refused although its holder has locked again', async () => {
        const [a] = startTwo();
        const first = await lock(a);
        first.expire();
        const second = await lock(a);
        expect(await textOf(a.conn.create(ctx, 'x', '', { guards: [first] }))).toBe(LEASE_GONE);
        await a.conn.create(ctx, 'x', '', { guards: [second] });
      });
    });

    describe('views', () => {
      it('show who holds, who waits, and the step of the holder', async () => {
        const [a, b] = startTwo();
        const held = await lock(a);
        held.note('switchTraffic/writes/waitForCatchup');
        const canceled = withCancel(ctx);
        const waiting = textOf(lock(b, 'ks', 10_000, canceled.ctx));
        await machine.clock.sleep(10);
        const owner = (process: Process): string => `vitess@virtual pid ${process.world.processes.self.pid}`;
        expect(a.conn.locks()).toMatchObject([
          { token: held.token, owner: owner(a), alive: 'alive', contents: '{"Action":"ks"}', step: 'switchTraffic/writes/waitForCatchup' },
          { token: undefined, owner: owner(b), heldMs: undefined, step: '' },
        ]);
        canceled.end();
        await waiting;
      });

      it('a note on a lock that is gone changes nothing', async () => {
        const a = start();
        const held = await lock(a);
        held.expire();
        held.note('late');
        expect(a.conn.locks()).toEqual([]);
      });
    });

    describe('deadlocks', () => {
      it('are told at once to the one that asked last, which leaves the line', async () => {
        const [a, b] = startTwo();
        const [one, two] = [await lock(a, 'keyspaces/one'), await lock(b, 'keyspaces/two')];
        const waiting = lockToo(a, one, 'keyspaces/two');
        await machine.clock.sleep(100);
        const before = machine.clock.now();
        const error = await caught(lockToo(b, two, 'keyspaces/one'));
        const other = `vitess@virtual pid ${a.world.processes.self.pid}`;
        expect(error).toMatchObject({
          code: 'ABORTED',
          message:
            `deadlock: this command (want keyspaces/one) waits for keyspace one, which ${other} (keyspaces/one) holds; ` +
            `${other} waits for keyspace two, which this command holds`,
          next: 'run it again when the other has ended; who holds what: switchtraffic lock show',
        });
        expect(machine.clock.now()).toBe(before);
        expect(a.conn.locks()).toHaveLength(3);
        await two.unlock(ctx);
        await (await waiting).unlock(ctx);
        await one.unlock(ctx);
        expect(a.conn.locks()).toEqual([]);
      });

      it('of three are found too', async () => {
        const [a, b] = startTwo();
        const [one, two, three] = [await lock(a, 'one'), await lock(b, 'two'), await lock(a, 'three')];
        const waits = [lockToo(a, one, 'two'), lockToo(b, two, 'three')];
        await machine.clock.sleep(100);
        const error = await caught(lockToo(a, three, 'one'));
        expect(error).toMatchObject({ code: 'ABORTED' });
        expect((error as Error).message.split(';')).toHaveLength(3);
        await three.unlock(ctx);
        await (await waits[1]!).unlock(ctx);
        await two.unlock(ctx);
        await (await waits[0]!).unlock(ctx);
      });

      it('also close over those who merely came before', async () => {
        const [a, b] = startTwo();
        const [one, busy] = [await lock(a, 'one'), await lock(b, 'busy')];
        const waits = lockToo(a, one, 'busy');
        // One who holds nothing closes no circle, and one who holds what nobody wants neither.
        const [bystander, other] = [lock(b, 'one'), await lock(b, 'other')];
        const behind = lockToo(b, other, 'one');
        await machine.clock.sleep(50);
        expect(await caught(lockToo(b, busy, 'one'))).toMatchObject({ code: 'ABORTED' });
        await busy.unlock(ctx);
        await (await waits).unlock(ctx);
        await one.unlock(ctx);
        await (await bystander).unlock(ctx);
        await (await behind).unlock(ctx);
      });

      it('are not seen in a queue that a dead or late owner stands in', async () => {
        const [a, b] = startTwo({ renewed: false });
        const [one, two] = [await lock(a, 'one', 1_000), await lock(b, 'two', 60_000)];
        const waiting = lockToo(a, one, 'two', within(30_000));
        await machine.clock.sleep(1_100);
        await (await lockToo(b, two, 'one')).unlock(ctx);
        await two.unlock(ctx);
        await (await waiting).unlock(ctx);
      });

      it('last until somebody gives up where nobody looks, as on etcd (K45)', async () => {
        const [a, b] = startTwo({ renewed: false, reapDead: false });
        const [one, two] = [await lock(a, 'one', 300_000), await lock(b, 'two', 300_000)];
        const before = machine.clock.now();
        const both = [lockToo(a, one, 'two', within(45_000)), lockToo(b, two, 'one', within(45_000))].map(textOf);
        expect(await Promise.all(both)).toEqual(['two', 'one'].map((dir) => `deadline exceeded: /vitess/global/${dir}/locks`));
        expect(machine.clock.now() - before).toBe(45_000);
      });
    });

    describe('the history', () => {
      it('tells who got a lock and what became of it', async () => {
        const [a, b] = startTwo();
        const [first, second] = [await lock(a, 'one'), await lock(b, 'two')];
        first.note('a/b');
        first.expire();
        second.steal();
        machine.clock.advance(2_000);
        await (await lock(a, 'two')).unlock(ctx);
        expect(kinds(a)).toEqual(['granted one', 'granted two', 'expired one', 'stolen two', 'granted two', 'expired two', 'granted two']);
        const [granted, , expired] = a.conn.lockEvents(100);
        expect(granted).toMatchObject({ at: machine.clock.now() - 2_000, token: first.token, owner: `vitess@virtual pid ${a.world.processes.self.pid}` });
        expect(expired).toMatchObject({ token: first.token, detail: 'a/b' });
        expect(b.conn.lockEvents(1)).toMatchObject([{ kind: 'granted', resource: 'two' }]);
      });

      it('has an end', async () => {
        const [a] = startTwo();
        for (let i = 0; i < 1_200; i++) await (await lock(a, `r${i % 3}`)).unlock(ctx);
        const events = a.conn.lockEvents(10_000);
        expect(events.length).toBeGreaterThanOrEqual(1_000);
        expect(events.length).toBeLessThan(1_064);
        expect(events.at(-1)?.resource).toBe(`r${1_199 % 3}`);
      });
    });

    describe('ending a lock from outside', () => {
      it.each([
        ['where nobody holds it', 'other', 0, true, 'free'],
        ['under another token', 'ks', 1, true, 'other token'],
        ['from one who lives', 'ks', 0, false, 'held'],
        ['from one who lives, by force', 'ks', 0, true, 'released'],
      ] as const)('%s', async (_, resource, off, force, outcome) => {
        const [a, b] = startTwo();
        const held = await lock(a);
        held.note('a/b');
        const broken = await b.conn.breakLock({ resource, token: held.token + off, force });
        expect(broken.outcome).toBe(outcome);
        if (outcome !== 'free') expect(broken.holder).toMatchObject({ token: held.token, step: 'a/b' });
        expect(a.conn.locks()).toHaveLength(outcome === 'released' ? 0 : 1);
        if (outcome !== 'released') return held.check(ctx);
        expect(await textOf(held.check(ctx))).toBe(LEASE_GONE);
        expect(a.conn.lockEvents(1)).toMatchObject([{ kind: 'released', token: held.token, detail: `by vitess@virtual pid ${b.world.processes.self.pid}, forced` }]);
        return (await lock(b)).unlock(ctx);
      });

      it('needs no force once the lease has run out', async () => {
        const a = start({ renewed: false });
        const held = await lock(a, 'ks', 1_000);
        machine.clock.advance(1_000);
        expect((await a.conn.breakLock({ resource: 'ks', token: held.token, force: false })).outcome).toBe('released');
      });

      it('lets the next in line have it', async () => {
        const [a, b] = startTwo();
        const held = await lock(a);
        const next = lock(b);
        await machine.clock.sleep(50);
        await a.conn.breakLock({ resource: 'ks', token: held.token, force: true });
        expect((await next).token).toBeGreaterThan(held.token);
      });
    });

    describe('handing over', () => {
      it('grants to the next in line in the transaction that lets go', async () => {
        const [a, b] = startTwo();
        const held = await lock(a);
        const next = lock(b);
        await machine.clock.sleep(50);
        await held.unlock(ctx);
        expect(a.conn.locks()).toMatchObject([{ token: held.token + 2, heldMs: 0 }]);
        await (await next).unlock(ctx);
      });

      it('passes a lock on that was granted to one who has just given up', async () => {
        const [a, b] = startTwo();
        const held = await lock(a);
        const canceled = withCancel(ctx);
        const impatient = textOf(lock(b, 'ks', 10_000, canceled.ctx));
        const patient = lock(b);
        await machine.clock.sleep(50);
        const release = held.unlock(ctx);
        canceled.end();
        await release;
        expect(await impatient).toContain('interrupted');
        await (await patient).unlock(ctx);
        expect(a.conn.locks()).toEqual([]);
      });
    });

    if (sharing === 'alone') return;

    describe('a holder that died', () => {
      it('is replaced at once where death can be proved', async () => {
        const [a, b] = startTwo({ renewed: false, reapDead: true });
        await lock(a, 'ks', 60_000);
        void a.world.processes.die();
        expect(b.conn.locks()[0]?.alive).toBe('dead');
        await lock(b, 'ks', 60_000, within(50));
      });

      it('keeps its lock until the lease ends where it cannot', async () => {
        const [a, b] = startTwo({ renewed: false, reapDead: false });
        await lock(a, 'ks', 6_000);
        void a.world.processes.die();
        expect(await textOf(lock(b, 'ks', 6_000, within(5_900)))).toContain('deadline exceeded');
        await lock(b, 'ks', 6_000, within(200));
      });

      it('is told of in the history, with its last step', async () => {
        const [a, b] = startTwo({ renewed: true, reapDead: true });
        const held = await lock(a);
        held.note('switchTraffic/writes/waitForCatchup');
        void a.world.processes.die();
        await lock(b, 'ks', 60_000, within(50));
        expect(b.conn.lockEvents(2)).toMatchObject([
          { kind: 'reaped', token: held.token, detail: 'switchTraffic/writes/waitForCatchup' },
          { kind: 'granted' },
        ]);
      });

      it('is spared nothing by `lock release`, and no ticket is left', async () => {
        const [a, b] = startTwo({ renewed: false, reapDead: false });
        const held = await lock(a, 'ks', 86_400_000);
        void a.world.processes.die();
        expect((await b.conn.breakLock({ resource: 'ks', token: held.token, force: false })).outcome).toBe('released');
        await lock(b, 'ks', 1_000, within(50));
      });

      it('is not handed a lock that it had waited for', async () => {
        const [a, b] = startTwo({ renewed: true, reapDead: true });
        const held = await lock(b);
        const dead = lock(a).catch(() => undefined);
        const patient = lock(b);
        await machine.clock.sleep(50);
        void a.world.processes.die();
        await held.unlock(ctx);
        expect(b.conn.locks().filter(({ token }) => token !== undefined)).toMatchObject([{ owner: `vitess@virtual pid ${b.world.processes.self.pid}` }]);
        await (await patient).unlock(ctx);
        await dead;
      });

      it('does not hold up the queue when it died waiting', async () => {
        const [a, b] = startTwo({ renewed: true, reapDead: true });
        const held = await lock(b);
        const dead = lock(a).catch(() => undefined);
        await machine.clock.sleep(20);
        void a.world.processes.die();
        await held.unlock(ctx);
        const next = await lock(b);
        expect(b.conn.locks().map((view) => view.token)).toEqual([next.token]);
        await dead;
      });
    });
  });
}
