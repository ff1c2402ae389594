import { beforeEach, describe, expect, it } from 'vitest';
import { plainError } from '../../src/lib/errors.ts';
import { background, type Context, withCancel, withValue } from '../../src/runtime/context.ts';
import { ExitFault } from '../../src/lib/exit-fault.ts';
import type { WorldEvent } from '../../src/runtime/events.ts';
import { CALLER } from '../../src/runtime/perform-fault.ts';
import { runStep } from '../../src/runtime/step.ts';
import { realWorld, VirtualMachine, type World } from '../../src/runtime/world.ts';
import { caught, failureOf } from '../helpers/topo-world.ts';

const POINTS = [{ name: 's', occurrences: 2 }];

let machine: VirtualMachine;
let world: World;
let events: WorldEvent[];
let deaths: number;

beforeEach(() => {
  machine = new VirtualMachine();
  deaths = 0;
  world = machine.world(() => deaths++);
  events = [];
  world.events.listen((event) => events.push(event));
});

/** Runs the step `s` on two shards under these faults and returns what it did. */
async function run(faults: string, ctx: Context = background()): Promise<{ did: string[]; error: unknown }> {
  if (faults !== '') world.faults.arm(faults, POINTS);
  const did: string[] = [];
  let error: unknown;
  try {
    await runStep(ctx, world, { name: 's', targets: ['ks/-80', 'ks/80-'], perTarget: true }, async (scope) => {
      did.push('effect');
      for (const target of ['ks/-80', 'ks/80-']) {
        await scope.onTarget(target, async () => void did.push(target));
      }
    });
  } catch (thrown) {
    error = thrown;
  }
  return { did, error };
}

const ALL = ['effect', 'ks/-80', 'ks/80-'];
const states = (): (string | undefined)[] => events.map((event) => (event.kind === 'step' ? event.state : event.kind));

describe('a step', () => {
  it('runs, returns its result and reports itself', async () => {
    const result = await runStep(background(), world, { name: 's', occurrence: 2, targets: ['ks/0'] }, async (scope) => {
      await world.clock.sleep(250);
      expect([scope.step, scope.occurrence]).toEqual(['s', 2]);
      return scope.onTarget('ks/0', async () => 42);
    });
    expect(result).toBe(42);
    const start = Date.UTC(2026, 2, 27, 12);
    expect(events).toEqual([
      { at: start, kind: 'step', step: 's', state: 'begin', targets: ['ks/0'] },
      { at: start + 250, kind: 'step', step: 's', state: 'done', targets: ['ks/0'] },
    ]);
  });

  it('passes on the error of its effect, and reports it', async () => {
    const boom = plainError('boom');
    const failed = runStep(background(), world, { name: 's' }, () => Promise.reject(boom));
    expect(await caught(failed)).toBe(boom);
    expect(events.at(-1)).toMatchObject({ state: 'failed', text: 'boom', targets: [] });
  });

  it('offers no fault at `after` of an effect that failed', async () => {
    world.faults.arm('s:after=return', POINTS);
    await caught(runStep(background(), world, { name: 's' }, () => Promise.reject(plainError('boom'))));
    expect(world.faults.report()[0]).toMatchObject({ evaluated: 0 });
  });
});

describe('a fault', () => {
  it.each([
    ['', ALL, 'done'],
    ['s=return', [], 'failed'],
    ['s:after=return', ALL, 'failed'],
    ['s@ks/-80=return', ['effect'], 'failed'],
    ['s:after@ks/-80=return', ['effect', 'ks/-80'], 'failed'],
    ['s@ks/80-=return', ['effect', 'ks/-80'], 'failed'],
    ['s:after@ks=return', ['effect', 'ks/-80'], 'failed'],
    ['s:after@ks/80-=return', ALL, 'failed'],
    ['s#2=return', ALL, 'done'],
    ['s=1*off->return', ALL, 'done'],
  ])('%s leaves the effects %j and the step %s', async (faults, expected, state) => {
    const { did, error } = await run(faults);
    expect(did).toEqual(expected);
    expect(error !== undefined).toBe(state === 'failed');
    expect(states().at(-1)).toBe(state);
  });

  it('fails the step with the error of a tablet call', async () => {
    const { error } = await run('s=return');
    expect(await failureOf(Promise.reject(error))).toEqual({
      text: 'rpc error: code = Unavailable desc = injected at s:before',
      code: 'UNAVAILABLE',
    });
    expect(states()).toEqual(['begin', 'fault', 'failed']);
    expect(events[1]).toMatchObject({ point: 's:before', action: 'return(UNAVAILABLE)' });
  });

  it.each([
    ['return(DEADLINE_EXCEEDED)', 'rpc error: code = DeadlineExceeded desc = context deadline exceeded'],
    ['return(CANCELED)', 'rpc error: code = Canceled desc = context canceled'],
    ['return(INTERNAL,disk full)', 'rpc error: code = Internal desc = disk full'],
    ['return(CLUSTER_EVENT,x)', 'rpc error: code = Code(17) desc = x'],
  ])('%s', async (action, text) => {
    expect(await failureOf(Promise.reject((await run(`s=${action}`)).error))).toMatchObject({ text });
  });

  it('names the target it struck', async () => {
    await run('s:after@ks/80-=return');
    expect(events.find((event) => event.kind === 'fault')).toMatchObject({ point: 's:after@ks/80-' });
  });

  it('sleep lets time pass and goes on', async () => {
    const before = machine.clock.now();
    expect((await run('s=sleep(90s)')).did).toEqual(ALL);
    expect(machine.clock.now() - before).toBe(90_000);
  });

  it('sleep ends with the context of the step', async () => {
    const { ctx, end } = withCancel(background());
    machine.clock.at(machine.clock.now() + 10, () => end());
    const before = machine.clock.now();
    await run('s=sleep(1h)', ctx);
    expect(machine.clock.now() - before).toBe(10);
  });

  it.each([
    ['ctx(cancel)', 'context canceled'],
    ['ctx(deadline)', 'context deadline exceeded'],
  ])("%s ends the caller's context; the step notices for itself", async (action, text) => {
    const caller = withCancel(background());
    const { did, error } = await run(`s=${action}`, withValue(caller.ctx, CALLER, caller));
    expect([did, error]).toEqual([ALL, undefined]);
    expect(caller.ctx.err()?.message).toBe(text);
    expect(events[1]).toMatchObject({ kind: 'fault', action });
  });

  it('ctx does nothing where nobody called', async () => {
    expect(await run('s=ctx(cancel)')).toEqual({ did: ALL, error: undefined });
  });

  it('lease reaches the leases that the topology installed', async () => {
    const calls: unknown[] = [];
    world.faults.leases = {
      expire: async (target) => void calls.push(['expire', target]),
      steal: async (target) => void calls.push(['steal', target]),
      stall: async (target, ms) => void calls.push(['stall', target, ms]),
    };
    expect((await run('s=lease(expire); s:after@ks/-80=lease(steal); s@ks/80-=lease(stall,9s)')).did).toEqual(ALL);
    expect(calls).toEqual([
      ['expire', undefined],
      ['steal', 'ks/-80'],
      ['stall', 'ks/80-', 9_000],
    ]);
  });

  it('panic kills the process: the step never settles and nothing after it runs', async () => {
    world.faults.arm('s:after@ks/-80=panic', POINTS);
    const did: string[] = [];
    let settled = false;
    void runStep(background(), world, { name: 's' }, async (scope) => {
      try {
        await scope.onTarget('ks/-80', async () => void did.push('effect'));
      } finally {
        did.push('clean-up');
      }
    }).finally(() => (settled = true));
    await machine.clock.sleep(3_600_000);
    expect([did, settled, deaths]).toEqual([['effect'], false, 1]);
    expect(machine.world().processes.liveness(world.processes.self)).toBe('dead');
  });

  it('print says something, and the step goes on', async () => {
    expect(await run('s@ks/80-=print("here, now")')).toEqual({ did: ALL, error: undefined });
    expect(events.find((event) => event.kind === 'print')).toMatchObject({ point: 's:before@ks/80-', text: 'here, now' });
    expect(events.find((event) => event.kind === 'fault')).toMatchObject({ action: 'print("here, now")' });
  });

  it('yield lets everything else have its turn', async () => {
    const order: string[] = [];
    world.events.listen((event) => event.kind === 'fault' && queueMicrotask(() => order.push('other')));
    await runStep(background(), world, { name: 's' }, async () => void order.push('effect'));
    world.faults.arm('s=yield', POINTS);
    await runStep(background(), world, { name: 's' }, async () => void order.push('effect'));
    expect(order).toEqual(['effect', 'other', 'effect']);
  });

  it('exit is an end of its own, not the failure of a tablet', async () => {
    const { did, error } = await run('s:after@ks/-80=exit(7)');
    expect(did).toEqual(['effect', 'ks/-80']);
    expect(error).toBeInstanceOf(ExitFault);
    expect(error).toMatchObject({ status: 7, message: 'ended with status 7 by a fault at s:after@ks/-80' });
  });
});

describe('a pause', () => {
  it('waits until its point is released, and no virtual time passes', async () => {
    machine.pauses.expected = true;
    const before = machine.clock.now();
    const running = run('s@ks/*=pause');
    await turns();
    expect(machine.pauses.waiting).toEqual(['s:before@ks/-80']);
    const other = machine.world();
    expect(other.faults.release('s:after')).toEqual([]);
    expect(other.faults.release('s@ks/80-')).toEqual([]);
    expect(other.faults.release('s')).toEqual(['s:before@ks/-80']);
    await turns();
    // Each target has its own.
    expect(other.faults.release('**:before@*/80-')).toEqual(['s:before@ks/80-']);
    expect(await running).toEqual({ did: ALL, error: undefined });
    expect(machine.clock.now()).toBe(before);
    expect(machine.pauses.waiting).toEqual([]);
  });

  it('ends with the context of the step', async () => {
    machine.pauses.expected = true;
    const { ctx, end } = withCancel(background());
    const running = run('s=pause', ctx);
    await turns();
    end();
    expect((await running).did).toEqual(ALL);
    expect(machine.pauses.waiting).toEqual([]);
  });

  it('of which nobody knows is an error, and so is one that is abandoned', async () => {
    const text = 'paused at s:before, and nobody is there to let it go on';
    expect((await run('s=1*pause')).error).toMatchObject({ message: text });
    machine.pauses.expected = true;
    world.faults.arm('s:after=pause', POINTS);
    const running = run('');
    await turns();
    machine.pauses.abandon();
    expect((await running).error).toMatchObject({ message: text.replace('before', 'after') });
  });

  it('on the real clock keeps on waiting until it is released', async () => {
    const real = realWorld(1);
    real.faults.arm('s=pause', POINTS);
    const running = runStep(background(), real, { name: 's' }, async () => 'done');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(real.faults.release('**')).toEqual(['s:before']);
    expect(await running).toBe('done');
  });
});

/** Long enough for everything that can run to have run. */
const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
