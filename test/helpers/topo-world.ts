import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorCode, errorText } from '../../src/lib/errors.ts';
import { findRelease } from '../../src/lib/releases.ts';
import type { WorldEvent } from '../../src/runtime/events.ts';
import { VirtualMachine, type World } from '../../src/runtime/world.ts';
import type { Conn } from '../../src/topo/conn/conn.ts';
import { ETCD_NAMES } from '../../src/topo/conn/directory.ts';
import { leasePolicyOf } from '../../src/topo/conn/implementations.ts';
import type { LeasePolicy } from '../../src/topo/conn/lease-policy.ts';
import { MemoryTopoStore, openMemoryConn } from '../../src/topo/conn/memory-conn.ts';
import type { TopoServer } from '../../src/topo/server.ts';

/** The lease policy of `hardened`; tests override what they are about. */
export function leasePolicy(overrides: Partial<LeasePolicy> = {}): LeasePolicy {
  return { names: ETCD_NAMES, renewed: true, reapDead: true, ...overrides };
}

/** A directory that is removed by `remove`. */
export function tempDir(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'switchtraffic-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** One process's view of a topology in memory, with what it logged. */
export interface TopoWorld {
  topo: TopoServer;
  conn: Conn;
  world: World;
  events: WorldEvent[];
  /** The texts logged at this level, in order. */
  logged(level: 'info' | 'warning' | 'error'): string[];
}

/** A machine on which several processes share one topology. */
export class TopoMachine {
  readonly machine = new VirtualMachine();
  readonly store = new MemoryTopoStore();
  readonly #release: string;
  readonly #implementation: string | undefined;

  constructor(release = 'hardened', implementation?: string) {
    this.#release = release;
    this.#implementation = implementation;
  }

  get clock(): VirtualMachine['clock'] {
    return this.machine.clock;
  }

  /** A process. The lease policy follows the release and the topology server, as the program's own does, unless there is another. */
  process(lockTimeoutMs = 45_000, policy?: LeasePolicy): TopoWorld {
    const world = this.machine.world();
    const release = findRelease(this.#release);
    const conn = openMemoryConn(this.store, world, policy ?? leasePolicyOf(release, this.#implementation));
    const events: WorldEvent[] = [];
    world.events.listen((event) => events.push(event));
    return {
      topo: { conn, release, world, lockTimeoutMs, held: new Set() },
      conn,
      world,
      events,
      logged: (level) =>
        events.flatMap((event) => (event.kind === 'log' && event.level === level ? [event.text] : [])),
    };
  }
}

/** How a call failed: its text as Go's `.Error()` gives it, and its vtrpc code. Fails the test if it did not. */
export async function failureOf(run: Promise<unknown> | (() => unknown)): Promise<{ text: string; code: string }> {
  const error = await caught(run);
  return { text: errorText(error), code: errorCode(error) };
}

/** The text of the error that a call ended with. */
export async function textOf(run: Promise<unknown> | (() => unknown)): Promise<string> {
  return errorText(await caught(run));
}

/** The error that a call ended with. */
export async function caught(run: Promise<unknown> | (() => unknown)): Promise<unknown> {
  try {
    await (typeof run === 'function' ? run() : run);
  } catch (error) {
    return error;
  }
  throw new Error('the call was expected to fail and did not');
}
