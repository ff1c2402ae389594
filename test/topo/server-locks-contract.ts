import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { errorText } from '../../src/lib/errors.ts';
import { findRelease } from '../../src/lib/releases.ts';
import { background, type Context, withCancel, withTimeout } from '../../src/runtime/context.ts';
import { VirtualMachine, type World } from '../../src/runtime/world.ts';
import type { Conn, LockDescriptor } from '../../src/topo/conn/conn.ts';
import { leasePolicyOf } from '../../src/topo/conn/implementations.ts';
import { failureOf, textOf } from '../helpers/topo-world.ts';
import type { Store } from './conn-contract.ts';

const KS = 'keyspaces/ks';
const NAMED = 'internal/named_locks/ks/wf';
const DAY_MS = 24 * 3_600_000;
const SECOND = 1000;

/** What one server's client answers, in its own words. A lock `undefined` of: nothing is told. */
interface Server {
  implementation: string;
  release: string;
  missing: string;
  missingName: string | undefined;
  /** Somebody waits, with the time of the caller over, or the caller gone. */
  late: string;
  gone: string;
  /** When somebody who has 5 s looks up, in milliseconds. */
  looksUpMs: number;
  /** A call whose time was over before it. */
  over: string;
  lostCheck: string | undefined;
  lostUnlock: string | undefined;
  /** Until when a killed holder's lock stays, from the grant on, in seconds: of its own life, of 60 s, of a name. */
  killed: [own: number, minute: number, name: number];
  /** How long nobody gets a lock that was lost, in milliseconds. */
  restsMs: number;
  /** A life of 1 s: how long it becomes in milliseconds, or the refusal. */
  second: number | string;
}

const etcd: Server = {
  implementation: 'etcd2',
  release: '22.0.4',
  missing: "node doesn't exist: /vitess/global/keyspaces/ks/",
  missingName: undefined,
  late: 'deadline exceeded: /vitess/global/keyspaces/ks/locks',
  gone: 'interrupted: /vitess/global/keyspaces/ks/locks',
  looksUpMs: 5_000,
  over: 'deadline exceeded: /vitess/global/keyspaces/ks/',
  lostCheck: "node doesn't exist: lease",
  lostUnlock: "node doesn't exist: lease",
  killed: [30, 60, 86_400],
  restsMs: 0,
  second: 2_000,
};

const zk: Server = {
  implementation: 'zk2',
  release: '22.0.1',
  missing: "node doesn't exist: /vitess/global/keyspaces/ks/locks/",
  missingName: "node doesn't exist: /vitess/global/internal/named_locks/ks/wf/locks/",
  late: 'deadline exceeded: /vitess/global/keyspaces/ks/locks/0000000001',
  gone: 'interrupted: /vitess/global/keyspaces/ks/locks/0000000002',
  looksUpMs: 5_000,
  over: 'deadline exceeded: /vitess/global/keyspaces/ks/locks/',
  lostCheck: undefined,
  lostUnlock: "node doesn't exist: /vitess/global/keyspaces/ks/locks/0000000000",
  killed: [30, 30, 30],
  restsMs: 0,
  second: 30_000,
};

const consul: Server = {
  implementation: 'consul',
  release: '22.0.4',
  missing: "node doesn't exist: vitess/global/keyspaces/ks/",
  missingName: undefined,
  late: 'deadline exceeded: vitess/global/keyspaces/ks/Lock',
  gone: 'deadline exceeded: vitess/global/keyspaces/ks/Lock',
  looksUpMs: 15_000,
  over: 'deadline exceeded: vitess/global/keyspaces/ks/Lock',
  lostCheck: 'lost channel closed',
  lostUnlock: undefined,
  // Twice the life of its session.
  killed: [30, 120, 172_800],
  restsMs: 15_000,
  second: 'deadline exceeded: vitess/global/keyspaces/ks/Lock',
};

const SERVERS: readonly [name: string, server: Server][] = [
  ['etcd', etcd],
  ['ZooKeeper until v22.0.1', zk],
  ['ZooKeeper since', { ...zk, release: '22.0.2', missing: '', missingName: undefined }],
  ['Consul', consul],
];

/** What the locks of each of Vitess's topology servers do, whatever keeps the rows. */
export function serverLocksContract(name: string, makeStore: () => Store): void {
  describe.each(SERVERS)(`locks of %s: ${name}`, (_, server) => {
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

    function start(): { world: World; conn: Conn } {
      const world = machine.world();
      const conn = store.open(world, leasePolicyOf(findRelease(server.release), server.implementation));
      opened.push(conn);
      return { world, conn };
    }

    /** Two processes and the keyspace. */
    async function startTwo(): Promise<[ReturnType<typeof start>, ReturnType<typeof start>]> {
      const pair = [start(), start()] as [ReturnType<typeof start>, ReturnType<typeof start>];
      await pair[0].conn.create(ctx, `${KS}/Keyspace`, '{}');
      return pair;
    }

    const lock = ({ conn }: { conn: Conn }, where: Context = ctx, ttlMs?: number): Promise<LockDescriptor> =>
      conn.lock(where, { dir: KS, contents: '{}', ttlMs, mustExist: true });
    const lockName = ({ conn }: { conn: Conn }, where: Context = ctx): Promise<LockDescriptor> =>
      conn.lock(where, { dir: NAMED, contents: '{}', ttlMs: DAY_MS, mustExist: false });
    const within = (ms: number): Context => withTimeout(ctx, machine.clock, ms).ctx;
    /** What a call told that may have succeeded. */
    const told = async (call: Promise<unknown>): Promise<string | undefined> => call.then(() => undefined, errorText);

    it('asks for the directory of a keyspace, or makes it', async () => {
      const a = start();
      expect((await told(lock(a))) ?? '').toBe(server.missing);
    });

    it('asks for none above a name, or fails on it', async () => {
      expect(await told(lockName(start()))).toBe(server.missingName);
    });

    it('says so of a wait that was in vain, and holds no place in the line then', async () => {
      const [a, b] = await startTwo();
      await lock(a);
      const before = machine.clock.now();
      expect(await textOf(lock(b, within(5_000)))).toBe(server.late);
      expect(machine.clock.now() - before).toBe(server.looksUpMs);
      const caller = withCancel(ctx);
      const waiting = textOf(lock(b, caller.ctx));
      await machine.clock.sleep(1_000);
      caller.end();
      expect(await waiting).toBe(server.gone);
      expect(machine.clock.now() - before).toBe(server.looksUpMs + 1_000);
      expect(a.conn.locks()).toHaveLength(1);
    });

    it('a waiter has the 45 s of --lock-timeout, on every server', async () => {
      const [a, b] = await startTwo();
      await lock(a, ctx, 600_000);
      const before = machine.clock.now();
      await textOf(lock(b, within(45_000)));
      expect(machine.clock.now() - before).toBe(45_000);
    });

    it('refuses a call that comes too late', async () => {
      const [a] = await startTwo();
      const late = within(1);
      machine.clock.advance(1);
      expect(await textOf(lock(a, late))).toBe(server.over);
      expect(a.conn.locks()).toEqual([]);
    });

    it.each(['expire', 'steal'] as const)('%s: tells of a lost lock what its client can know', async (how) => {
      const [a] = await startTwo();
      const held = await lock(a);
      await held.check(ctx);
      held[how]();
      expect(await told(held.check(ctx))).toBe(server.lostCheck);
      expect(await told(held.unlock(ctx))).toBe(server.lostUnlock);
    });

    it('a lost channel is an internal error of Vitess', async () => {
      if (server.lostCheck !== 'lost channel closed') return;
      const [a] = await startTwo();
      const held = await lock(a);
      held.expire();
      expect(await failureOf(held.check(ctx))).toEqual({ text: 'lost channel closed', code: 'INTERNAL' });
    });

    it('keeps a lock that was lost, but was not let go, from everybody for as long as it says', async () => {
      const [a, b] = await startTwo();
      (await lock(a)).expire();
      const before = machine.clock.now();
      await lock(b, within(60_000));
      expect(machine.clock.now() - before).toBeGreaterThanOrEqual(server.restsMs);
      expect(machine.clock.now() - before).toBeLessThan(server.restsMs + 100);
    });

    it('gives a lock that was let go at once', async () => {
      const [a, b] = await startTwo();
      await (await lock(a)).unlock(ctx);
      await lock(b, within(50));
    });

    it.each(['own', 'minute', 'name'] as const)("a killed holder's lock stays until its lease is over: %s", async (which) => {
      const [a, b] = await startTwo();
      const name = which === 'name';
      if (name && server.missingName !== undefined) return;
      const take = (process: { conn: Conn }, where: Context): Promise<LockDescriptor> =>
        name ? lockName(process, where) : lock(process, where, which === 'minute' ? 60_000 : undefined);
      await take(a, ctx);
      void a.world.processes.die();
      const until = server.killed[['own', 'minute', 'name'].indexOf(which)]! * SECOND + server.restsMs;
      machine.clock.advance(until - 20_000);
      expect(await textOf(take(b, within(5_000)))).toMatch(/^deadline exceeded/);
      machine.clock.advance(until - machine.clock.now() + (await madeAt(b)) - 1);
      await take(b, within(500));
    });

    /** When the lock that is there was granted, on the machine's clock. */
    const madeAt = async ({ conn }: { conn: Conn }): Promise<number> => machine.clock.now() - conn.locks()[0]!.heldMs!;

    it('lives on without a check, or not', async () => {
      const [a, b] = await startTwo();
      const held = await lock(a);
      machine.clock.advance(300_000);
      const kept = server.implementation !== 'etcd2';
      expect(await told(held.check(ctx))).toBe(kept ? undefined : "node doesn't exist: lease");
      expect(await told(lock(b, within(100)))).toBe(kept ? server.late : undefined);
    });

    it('a holder that stood still for longer than its lease has lost it, whether it is told or not', async () => {
      const [a, b] = await startTwo();
      const held = await lock(a);
      held.stall(90_000);
      const next = lock(b, within(60_000));
      await machine.clock.sleep(50_000);
      expect((await next).token).toBeGreaterThan(held.token);
      expect(await told(held.check(ctx))).toBe(server.lostCheck);
    });

    it('takes a short life as it does', async () => {
      const [a] = await startTwo();
      const answer = await lock(a, ctx, 1_000).then(() => a.conn.locks()[0]!.expiresMs, errorText);
      expect(answer).toBe(server.second);
    });

    it('refuses no write for a lock that is gone: nothing is fenced', async () => {
      const [a] = await startTwo();
      const held = await lock(a);
      held.expire();
      await a.conn.update(ctx, `${KS}/Keyspace`, '{"x":1}', null);
    });
  });

  describe(`nodes in a ZooKeeper queue: ${name}`, () => {
    it('are counted for as long as anybody is in it', async () => {
      const machine = new VirtualMachine();
      const store = makeStore();
      const world = machine.world();
      const conn = store.open(world, leasePolicyOf(findRelease('v22'), 'zk2'));
      const ctx = background();
      const order = { dir: KS, contents: '{}', mustExist: true };
      const late = (): Promise<string> => textOf(conn.lock(withTimeout(ctx, machine.clock, 100).ctx, order));
      const node = (number: number): string => `deadline exceeded: /vitess/global/keyspaces/ks/locks/000000000${number}`;
      const first = await conn.lock(ctx, order);
      expect(await late()).toBe(node(1));
      expect(await late()).toBe(node(2));
      await first.unlock(ctx);
      await conn.lock(ctx, order);
      expect(await late()).toBe(node(1));
      conn.close();
      store.dispose();
    });
  });

  describe(`a wait on Consul: ${name}`, () => {
    it('ends with the lock, if it comes free after the time was over and before the client looked up', async () => {
      const machine = new VirtualMachine();
      const store = makeStore();
      const conn = store.open(machine.world(), leasePolicyOf(findRelease('v22'), 'consul'));
      const ctx = background();
      const order = { dir: NAMED, contents: '{}', mustExist: false };
      const held = await conn.lock(ctx, order);
      const waiting = conn.lock(withTimeout(ctx, machine.clock, 5_000).ctx, order);
      await machine.clock.sleep(8_000);
      await held.unlock(ctx);
      expect((await waiting).token).toBeGreaterThan(held.token);
      conn.close();
      store.dispose();
    });
  });
}
