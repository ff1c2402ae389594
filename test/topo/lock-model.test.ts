import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { background, withTimeout } from '../../src/runtime/context.ts';
import { VirtualMachine, type World } from '../../src/runtime/world.ts';
import type { Conn, LockDescriptor } from '../../src/topo/conn/conn.ts';
import { MemoryTopoStore, openMemoryConn } from '../../src/topo/conn/memory-conn.ts';
import { openSqliteConn } from '../../src/topo/conn/sqlite-conn.ts';
import { leasePolicy, tempDir } from '../helpers/topo-world.ts';

/*
 * Locks against a model of them that fits on a page: who holds what, under which token, until when. Leases are not renewed but by
 * `check`, so that time is all that ends one; processes are killed and replaced.
 */
const ctx = background();
const TTL_MS = 1_000;
/** Two looks of whoever waits: within so long of a moment, either may come first. */
const LOOKS_MS = 25;
const RESOURCES = ['ks1', 'ks2'] as const;
const PROCESSES = 3;

type Command =
  | { do: 'acquire'; who: number; what: number; patience: number }
  | { do: 'release' | 'check' | 'write'; which: number }
  | { do: 'advance'; ms: number }
  | { do: 'kill'; who: number };

const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof<fc.Arbitrary<Command>[]>(
    fc.record({ do: fc.constant('acquire'), who: fc.nat(PROCESSES - 1), what: fc.nat(1), patience: fc.constantFrom(0, 50, 400, 1_500) }),
    fc.record({ do: fc.constantFrom('release', 'check', 'write'), which: fc.nat(9) }),
    fc.record({ do: fc.constantFrom('check', 'write'), which: fc.nat(9) }),
    fc.record({ do: fc.constant('advance'), ms: fc.constantFrom(1, 200, 600, 999, 1_000, 1_500) }),
    fc.record({ do: fc.constant('kill'), who: fc.nat(PROCESSES - 1) }),
  ),
  { minLength: 5, maxLength: 40 },
);

interface Grant {
  descriptor: LockDescriptor;
  conn: Conn;
  resource: string;
  process: number;
}

/** What the model knows of a lock: the grant that has it, and until when. */
interface Held {
  grant: Grant;
  expires: number;
  dead: boolean;
}

/** Runs the commands, and compares each answer with the model's. */
async function follow(machine: VirtualMachine, open: (world: World) => Conn, list: readonly Command[]): Promise<void> {
  const { clock } = machine;
  const held = new Map<string, Held>();
  const grants: Grant[] = [];
  const written = new Map<string, string>();
  let tokens = 0;
  const start = (): { world: World; conn: Conn } => {
    const world = machine.world();
    return { world, conn: open(world) };
  };
  const processes = Array.from({ length: PROCESSES }, start);
  const isHeld = (grant: Grant): boolean => {
    const now = held.get(grant.resource);
    return now?.grant === grant && now.expires > clock.now();
  };
  for (const command of list) {
    if (command.do === 'advance') clock.advance(command.ms);
    else if (command.do === 'kill') {
      void processes[command.who]!.world.processes.die();
      for (const one of held.values()) if (one.grant.process === command.who) one.dead = true;
      processes[command.who] = start();
    } else if (command.do === 'acquire') {
      const resource = RESOURCES[command.what]!;
      const { conn } = processes[command.who]!;
      const before = held.get(resource);
      const free = before === undefined || before.dead ? clock.now() : Math.max(clock.now(), before.expires);
      const deadline = clock.now() + command.patience;
      const waiting = withTimeout(ctx, clock, command.patience);
      const descriptor = await conn.lock(waiting.ctx, { dir: resource, contents: '{}', ttlMs: TTL_MS, mustExist: false }).catch(() => undefined);
      waiting.end();
      if (descriptor === undefined) {
        expect(free + LOOKS_MS, 'refused').toBeGreaterThanOrEqual(deadline);
        continue;
      }
      expect(clock.now(), 'granted too early').toBeGreaterThanOrEqual(free);
      expect(clock.now(), 'granted too late').toBeLessThanOrEqual(free + LOOKS_MS);
      expect(descriptor.token, 'token').toBeGreaterThan(tokens);
      tokens = descriptor.token;
      const grant = { descriptor, conn, resource, process: command.who };
      grants.push(grant);
      held.set(resource, { grant, expires: clock.now() + TTL_MS, dead: false });
    } else if (grants.length > 0) {
      const grant = grants[command.which % grants.length]!;
      const valid = isHeld(grant);
      const value = `${grant.descriptor.token}`;
      const run = {
        check: () => grant.descriptor.check(ctx),
        release: () => grant.descriptor.unlock(ctx),
        write: () => grant.conn.update(ctx, `record/${grant.resource}`, value, null, { guards: [grant.descriptor] }),
      }[command.do];
      const done = await run().then(() => true, () => false);
      expect(done, command.do).toBe(valid);
      if (!done) continue;
      if (command.do === 'check') held.get(grant.resource)!.expires = clock.now() + TTL_MS;
      if (command.do === 'release') held.delete(grant.resource);
      if (command.do === 'write') written.set(grant.resource, value);
    }
  }
  for (const [resource, value] of written) expect((await processes[0]!.conn.get(ctx, `record/${resource}`)).contents).toBe(value);
}

describe('whatever is asked for, one after another', () => {
  const policy = leasePolicy({ renewed: false });

  it('in memory', async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (list) => {
        const store = new MemoryTopoStore();
        await follow(new VirtualMachine(), (world) => openMemoryConn(store, world, policy), list);
      }),
      { numRuns: 200 },
    );
  });

  it('in a file', async () => {
    const dir = tempDir();
    let files = 0;
    try {
      await fc.assert(
        fc.asyncProperty(commands, async (list) => {
          const path = join(dir.path, `${files++}.db`);
          const opened: Conn[] = [];
          const open = (world: World): Conn => {
            const conn = openSqliteConn(path, world, policy, true);
            opened.push(conn);
            return conn;
          };
          await follow(new VirtualMachine(), open, list).finally(() => opened.forEach((conn) => conn.close()));
        }),
        { numRuns: 12 },
      );
    } finally {
      dir.remove();
    }
  });
});

/** What a process does: comes, waits, works under the lock in steps that take time, goes; or is dead all of a sudden, or sleeps. */
const lives = fc.array(
  fc.record({ start: fc.nat(500), patience: fc.constantFrom(100, 1_000, 4_000), steps: fc.array(fc.constantFrom(0, 30, 400, 1_200), { maxLength: 4 }), dies: fc.option(fc.nat(3)), releases: fc.boolean() }),
  { minLength: 2, maxLength: 7 },
);

it('all at once: writes go by the order of tokens, whoever dies or comes late', async () => {
  await fc.assert(
    fc.asyncProperty(lives, fc.boolean(), async (plans, reapDead) => {
      const machine = new VirtualMachine();
      const store = new MemoryTopoStore();
      const history: { wrote: number }[] = [];
      const open = (world: World): Conn => openMemoryConn(store, world, leasePolicy({ renewed: false, reapDead }));
      await Promise.all(
        plans.map(async ({ start, patience, steps, dies, releases }) => {
          const world = machine.world();
          const conn = open(world);
          await machine.clock.sleep(start);
          const waiting = withTimeout(ctx, machine.clock, patience);
          const held = await conn.lock(waiting.ctx, { dir: 'ks', contents: '{}', ttlMs: TTL_MS, mustExist: false }).catch(() => undefined);
          if (held === undefined) return;
          for (const [index, ms] of steps.entries()) {
            // One who is dead writes on here: no store can tell that, but it can refuse once somebody else has the lock.
            if (dies === index) void world.processes.die();
            await machine.clock.sleep(ms);
            const done = await conn.update(ctx, 'x', `${held.token}`, null, { guards: [held] }).then(() => true, () => false);
            if (done) history.push({ wrote: held.token });
          }
          if (releases) await held.unlock(ctx).catch(() => undefined);
        }),
      );
      const tokens = history.map(({ wrote }) => wrote);
      expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
      machine.clock.advance(TTL_MS);
      const last = await open(machine.world()).lock(withTimeout(ctx, machine.clock, 50).ctx, { dir: 'ks', contents: '{}', ttlMs: TTL_MS, mustExist: false });
      await last.unlock(ctx);
      expect([store.tickets.length, store.leases.size]).toEqual([0, 0]);
    }),
    { numRuns: 200 },
  );
});

describe('a hundred thousand times', () => {
  it('leaves no more in memory than once', async () => {
    const store = new MemoryTopoStore();
    const conn = openMemoryConn(store, new VirtualMachine().world(), leasePolicy());
    for (let i = 0; i < 100_000; i++) await (await conn.lock(ctx, { dir: 'ks', contents: '{}', ttlMs: TTL_MS, mustExist: false })).unlock(ctx);
    expect([store.tickets.length, store.leases.size, store.fences.size]).toEqual([0, 0, 1]);
    expect(store.lockEvents.length).toBeLessThan(1_064);
  });

  /** A few hundred, as each waits for the disk: what grows shows at once. */
  it('or some hundred times, no more in a file', async () => {
    const dir = tempDir();
    const path = join(dir.path, 'topo.db');
    const conn = openSqliteConn(path, new VirtualMachine().world(), leasePolicy(), true);
    const raw = new BetterSqlite3(path, { readonly: true });
    const rows = (): unknown[] => ['ticket', 'lease', 'fence', 'revision'].map((table) => raw.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
    for (let i = 0; i < 400; i++) {
      await (await conn.lock(ctx, { dir: 'ks', contents: '{}', ttlMs: TTL_MS, mustExist: false })).unlock(ctx);
      if (i % 100 === 0) expect(rows()).toEqual([0, 0, 1, 1]);
    }
    raw.close();
    conn.close();
    dir.remove();
  });
});
