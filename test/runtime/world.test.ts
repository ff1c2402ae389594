import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { haveSameClock, livenessOf, type PidLook, type ProcessIdentity, realProcesses } from '../../src/runtime/processes.ts';
import { seededRandom } from '../../src/runtime/random.ts';
import { realWorld, VIRTUAL_START, VirtualMachine } from '../../src/runtime/world.ts';

describe('chance', () => {
  it('repeats with its seed, and differs with another', () => {
    const draw = (seed: number): number[] => {
      const random = seededRandom(seed);
      return Array.from({ length: 20 }, () => random.next());
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(new Set(draw(7)).size).toBe(20);
  });

  it('stays inside its bounds', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 1_000 }), (seed, limit) => {
        const random = seededRandom(seed);
        const float = random.next();
        const whole = random.below(limit);
        expect(float >= 0 && float < 1).toBe(true);
        expect(Number.isInteger(whole) && whole >= 0 && whole < limit).toBe(true);
      }),
    );
  });

  it('reaches every value about equally often', () => {
    const random = seededRandom(3);
    const counts = Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) counts[random.below(10)]!++;
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1_150);
  });

  it('makes version 4 UUIDs', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(seededRandom(seed).uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      }),
    );
  });
});

describe('a virtual machine', () => {
  it('has processes that share its clock and differ in number and chance', () => {
    const machine = new VirtualMachine(1);
    const [a, b] = [machine.world(), machine.world()];
    expect(a.clock).toBe(b.clock);
    expect(a.clock.now()).toBe(VIRTUAL_START);
    expect(a.processes.self.pid).not.toBe(b.processes.self.pid);
    expect(a.random.next()).not.toBe(b.random.next());
    expect(new VirtualMachine(1).world().random.uuid()).toBe(new VirtualMachine(1).world().random.uuid());
    expect(new VirtualMachine(1).world().random.uuid()).not.toBe(new VirtualMachine(2).world().random.uuid());
  });

  it('knows who is dead', () => {
    const machine = new VirtualMachine();
    const [a, b] = [machine.world(), machine.world()];
    expect(b.processes.liveness(a.processes.self)).toBe('alive');
    void a.processes.die();
    expect(b.processes.liveness(a.processes.self)).toBe('dead');
    expect(b.processes.liveness(b.processes.self)).toBe('alive');
    expect(b.processes.liveness({ ...a.processes.self, host: 'elsewhere' })).toBe('unknown');
  });

  it('keeps the faults and events of its processes apart', () => {
    const machine = new VirtualMachine();
    const [a, b] = [machine.world(), machine.world()];
    const seen: string[] = [];
    const stop = b.events.listen((event) => seen.push(event.kind));
    a.events.log('info', 'x');
    b.events.emit({ kind: 'warning', text: 'y' });
    stop();
    b.events.log('info', 'z');
    expect(seen).toEqual(['warning']);
  });
});

describe("the machine's process table", () => {
  const processes = realProcesses();

  it('knows itself', () => {
    expect(processes.self.pid).toBe(process.pid);
    expect(processes.self.host).not.toBe('');
    expect(realWorld(1).processes.self).toEqual(processes.self);
  });

  it.runIf(process.platform === 'linux')('tells the living from the dead', () => {
    expect(processes.liveness(processes.self)).toBe('alive');
    const child = spawnSync(process.execPath, ['-e', '0']);
    expect(child.status).toBe(0);
    expect(processes.liveness({ ...processes.self, pid: child.pid })).toBe('dead');
  });

  it.runIf(process.platform === 'linux')('tells two users of one pid apart by when they started', () => {
    expect(processes.liveness({ ...processes.self, start: '1' })).toBe('dead');
  });

  it('takes every process of an earlier boot for dead', () => {
    expect(processes.liveness({ ...processes.self, boot: 'earlier' })).toBe('dead');
  });

  it('proves nothing about another host or container', () => {
    expect(processes.liveness({ ...processes.self, host: 'elsewhere' })).toBe('unknown');
    expect(processes.liveness({ ...processes.self, pidNamespace: 'pid:[1]' })).toBe('unknown');
  });
});

describe('what proves a death', () => {
  const self: ProcessIdentity = { host: 'h', boot: 'b', pidNamespace: 'p', timeNamespace: 't', pid: 10, start: '100', user: 'me' };
  const other = (changes: Partial<ProcessIdentity> = {}): ProcessIdentity => ({ ...self, pid: 20, start: '200', ...changes });
  const runs = { start: '200', ended: false };

  it.each<[string, ProcessIdentity, PidLook, string, ProcessIdentity?]>([
    ['it runs', other(), runs, 'alive'],
    ['no such pid', other(), undefined, 'dead'],
    ['its pid is somebody else by now', other(), { start: '300', ended: false }, 'dead'],
    ['killed, and its parent has not asked after it', other(), { start: '200', ended: true }, 'dead'],
    ['the host was started anew', other({ boot: 'before' }), runs, 'dead'],
    ['another host', other({ host: 'x' }), undefined, 'unknown'],
    ['another host of another boot', other({ host: 'x', boot: 'x' }), undefined, 'unknown'],
    ['another container', other({ pidNamespace: 'x' }), undefined, 'unknown'],
    ['another container that was named as its host', other({ pidNamespace: 'x', timeNamespace: 'x' }), undefined, 'unknown'],
    ['another time namespace: starts cannot be compared', other({ timeNamespace: 'x' }), { start: '999', ended: false }, 'unknown'],
    ['another time namespace, but no such pid', other({ timeNamespace: 'x' }), undefined, 'dead'],
    ['a record from before time namespaces were noted', { host: 'h', boot: 'b', pidNamespace: 'p', pid: 20, start: '200', user: 'me' }, runs, 'alive'],
    ['a system that tells no starts', other({ start: 'none' }), 'exists', 'unknown'],
    ['a system that tells no boots, no such pid', other({ boot: 'none' }), undefined, 'dead', { ...self, boot: 'none' }],
    ['a system that told its boots once', other({ boot: 'none' }), undefined, 'unknown'],
  ])('%s', (_, who, look, expected, me = self) => {
    expect(livenessOf(me, who, (pid) => (pid === 20 ? look : undefined))).toBe(expected);
  });
});

describe('who reads the same clock', () => {
  const self: ProcessIdentity = { host: 'h', boot: 'b', pidNamespace: 'p', timeNamespace: 't', pid: 10, start: '100', user: 'me' };

  it.each<[string, Partial<ProcessIdentity>, boolean]>([
    ['a process beside it', { pid: 11 }, true],
    ['another container on the same kernel', { host: 'x', pidNamespace: 'x' }, true],
    ['another time namespace', { timeNamespace: 'x' }, false],
    ['another boot', { boot: 'x' }, false],
  ])('%s: %s', (_, changes, expected) => {
    expect(haveSameClock(self, { ...self, ...changes })).toBe(expected);
  });

  it('nobody but the same host, where boots have no names', () => {
    const nameless = { ...self, boot: 'none' };
    expect([haveSameClock(nameless, nameless), haveSameClock(nameless, { ...nameless, host: 'x' })]).toEqual([true, false]);
  });
});
