import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/runtime/clock.ts';
import { background, withTimeout } from '../../src/runtime/context.ts';
import type { Liveness, ProcessIdentity } from '../../src/runtime/processes.ts';
import { VirtualMachine, type World } from '../../src/runtime/world.ts';
import type { Conn } from '../../src/topo/conn/conn.ts';
import { WALL_ALLOWANCE_MS } from '../../src/topo/conn/lease-clock.ts';
import { MemoryTopoStore, openMemoryConn } from '../../src/topo/conn/memory-conn.ts';
import { leasePolicy, textOf } from '../helpers/topo-world.ts';

/*
 * Locks between processes that do not see the same machine: another container, another time namespace, another host, an earlier
 * boot. Every process here has an identity of its own making, and a clock since boot that may be ahead of or behind the others'.
 */
const ctx = background();
const TTL_MS = 10_000;

interface Party {
  conn: Conn;
  /** Milliseconds that its time of day goes wrong by, from now on. */
  setWallClock(offMs: number): void;
  /** Milliseconds that its clock since boot goes on by alone. */
  setBootClock(offMs: number): void;
}

class Machines {
  readonly machine = new VirtualMachine();
  readonly store = new MemoryTopoStore();

  /** A process with this identity, whose clock since boot is `bootOffMs` ahead. What it does not see it takes for unknown. */
  party(identity: Partial<ProcessIdentity>, bootOffMs = 0, liveness: Liveness = 'unknown'): Party {
    const world = this.machine.world();
    const { clock } = world;
    let wall = 0;
    let boot = bootOffMs;
    const own: Clock = {
      virtual: true,
      now: () => clock.now() + wall,
      monotonic: () => clock.monotonic() + boot,
      sleep: (ms, where) => clock.sleep(ms, where),
      at: (at, fn) => clock.at(at - wall, fn),
      turn: () => clock.turn(),
      due: () => false,
    };
    const self = { ...world.processes.self, ...identity };
    const processes = { self, liveness: () => liveness, die: () => world.processes.die(), ended: () => {} };
    const asWorld: World = { ...world, clock: own, processes };
    return {
      conn: openMemoryConn(this.store, asWorld, leasePolicy({ renewed: false })),
      setWallClock: (offMs) => (wall = offMs),
      setBootClock: (offMs) => (boot = offMs),
    };
  }

  /** How long the second has to wait for a lock that the first has just taken and does not renew; undefined: over a minute. */
  async wait(first: Party, second: Party): Promise<number | undefined> {
    await lock(first.conn);
    const before = this.machine.clock.now();
    const waiting = withTimeout(ctx, this.machine.clock, 60_000);
    try {
      await second.conn.lock(waiting.ctx, order);
      return this.machine.clock.now() - before;
    } catch {
      return undefined;
    }
  }
}

const order = { dir: 'ks', contents: '{}', ttlMs: TTL_MS, mustExist: false };
const lock = (conn: Conn): ReturnType<Conn['lock']> => conn.lock(ctx, order);
/** Two looks of whoever is next in line. */
const LOOKS_MS = 20;

describe('how long a lease counts for others', () => {
  it.each<[string, Partial<ProcessIdentity>, number, number]>([
    ['another container of the kernel: the clock since boot is the same', { host: 'c1', pidNamespace: 'x' }, 0, TTL_MS],
    ['another time namespace, far behind: by the time of day', { timeNamespace: 'x' }, -5_000_000, TTL_MS + WALL_ALLOWANCE_MS],
    ['another time namespace, far ahead', { timeNamespace: 'x' }, 5_000_000, TTL_MS + WALL_ALLOWANCE_MS],
    ['another host, started long ago', { host: 'h2', boot: 'b2' }, 900_000_000, TTL_MS + WALL_ALLOWANCE_MS],
    ['another host, started just now', { host: 'h2', boot: 'b2' }, -900_000_000, TTL_MS + WALL_ALLOWANCE_MS],
    ['an earlier boot of this host: at once', { boot: 'before' }, 900_000_000, 0],
  ])('%s', async (_, identity, bootOffMs, expected) => {
    const machines = new Machines();
    const waited = await machines.wait(machines.party(identity, bootOffMs), machines.party({}));
    expect(waited).toBeGreaterThanOrEqual(expected);
    expect(waited).toBeLessThanOrEqual(expected + LOOKS_MS);
  });

  it('a clock that began anew on a system that has no names for its boots is noticed', async () => {
    const machines = new Machines();
    const nameless = { boot: 'none', timeNamespace: 'none' };
    const waited = await machines.wait(machines.party(nameless, 900_000_000), machines.party(nameless));
    expect(waited).toBeGreaterThanOrEqual(TTL_MS);
    expect(waited).toBeLessThanOrEqual(TTL_MS + WALL_ALLOWANCE_MS + LOOKS_MS);
  });

  it.each([3_600_000, -3_600_000])('a time of day that jumps by %i ms frees and holds nothing on one machine', async (jump) => {
    const machines = new Machines();
    const [first, second] = [machines.party({}), machines.party({})];
    const held = await lock(first.conn);
    second.setWallClock(jump);
    expect(second.conn.locks()[0]).toMatchObject({ expiresMs: TTL_MS, clock: 'boot' });
    first.setWallClock(jump);
    await held.check(ctx);
    expect(second.conn.locks()[0]).toMatchObject({ expiresMs: TTL_MS, clock: 'boot' });
    const waiting = withTimeout(ctx, machines.machine.clock, TTL_MS - 100);
    expect(await textOf(second.conn.lock(waiting.ctx, order))).toContain('deadline exceeded');
  });

  it('a suspended machine suspends the lease: its clock since boot stands still', async () => {
    const machines = new Machines();
    const [first, second] = [machines.party({}), machines.party({})];
    const held = await lock(first.conn);
    machines.machine.clock.advance(8 * 3_600_000);
    for (const party of [first, second]) party.setBootClock(-8 * 3_600_000);
    expect(second.conn.locks()[0]).toMatchObject({ expiresMs: TTL_MS });
    await held.check(ctx);
  });

  it('is shown with what it is measured on', async () => {
    const machines = new Machines();
    await lock(machines.party({ host: 'h2', boot: 'b2' }, 77_000_000).conn);
    machines.machine.clock.advance(3_000);
    expect(machines.party({}).conn.locks()).toMatchObject([
      { clock: 'wall', heldMs: 3_000, expiresMs: TTL_MS - 3_000 + WALL_ALLOWANCE_MS, alive: 'unknown', owner: 'vitess@h2 pid 1000' },
    ]);
  });
});

describe('the next in line', () => {
  it('that reads another clock is not handed the lock in figures it cannot read, and helps itself', async () => {
    const machines = new Machines();
    const [first, second] = [machines.party({}), machines.party({ host: 'h2', boot: 'b2' }, 900_000_000)];
    const held = await lock(first.conn);
    const next = lock(second.conn);
    await machines.machine.clock.sleep(500);
    await held.unlock(ctx);
    const granted = await next;
    await granted.check(ctx);
    expect(first.conn.locks()).toMatchObject([{ token: granted.token, clock: 'wall', expiresMs: TTL_MS + WALL_ALLOWANCE_MS }]);
    expect(second.conn.locks()).toMatchObject([{ token: granted.token, clock: 'boot', expiresMs: TTL_MS }]);
  });

  it('takes over at once from one that is proved dead, whatever its clock', async () => {
    const machines = new Machines();
    const waited = await machines.wait(machines.party({ pidNamespace: 'x' }), machines.party({}, 0, 'dead'));
    expect(waited).toBeLessThanOrEqual(LOOKS_MS);
  });
});
