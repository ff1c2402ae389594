import { describe, expect, it } from 'vitest';
import { loading } from '../../src/lib/loading.ts';
import { realClock, VirtualClock } from '../../src/runtime/clock.ts';
import { background, withCancel, withTimeout } from '../../src/runtime/context.ts';

describe('the virtual clock', () => {
  it('waits for free, in order of time, equals in order of asking', async () => {
    const clock = new VirtualClock(1_000);
    const log: string[] = [];
    const wait = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms);
      log.push(`${name}@${clock.now()}`);
    };
    await Promise.all([wait('c', 86_400_000), wait('a', 10), wait('b', 10), wait('zero', 0), wait('past', -5)]);
    expect(log).toEqual(['zero@1000', 'past@1000', 'a@1010', 'b@1010', 'c@86401000']);
  });

  it('stands still while a module is loaded', async () => {
    const clock = new VirtualClock(0);
    let late = false;
    void clock.sleep(1).then(() => (late = true));
    await loading(new Promise((resolve) => setTimeout(resolve, 20)));
    expect(late).toBe(false);
    await clock.sleep(1);
    expect(late).toBe(true);
  });

  it('stands still while anybody can still run', async () => {
    const clock = new VirtualClock(0);
    let late = false;
    void clock.sleep(1).then(() => (late = true));
    for (let i = 0; i < 1_000; i++) await clock.turn();
    expect([clock.now(), late]).toEqual([0, false]);
  });

  it('lets the work that a wake-up starts finish before the next one', async () => {
    const clock = new VirtualClock(0);
    const log: string[] = [];
    const chain = async (name: string): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await clock.sleep(10);
        for (let turns = 0; turns < 5; turns++) await clock.turn();
        log.push(`${name}${clock.now()}`);
      }
    };
    await Promise.all([chain('a'), chain('b')]);
    expect(log).toEqual(['a10', 'b10', 'a20', 'b20', 'a30', 'b30']);
  });

  it('is monotonic', async () => {
    const clock = new VirtualClock(50);
    await clock.sleep(5);
    clock.advance(0);
    expect([clock.now(), clock.monotonic(), clock.virtual]).toEqual([55, 55, true]);
  });

  it('fires alarms on the way, in order, with their own time', async () => {
    const clock = new VirtualClock(0);
    const log: string[] = [];
    for (const at of [30, 10, 20, 10]) clock.at(at, () => log.push(`${at}=${clock.now()}`));
    const stop = clock.at(15, () => log.push('never'));
    stop();
    await clock.sleep(25);
    expect(log).toEqual(['10=10', '10=10', '20=20']);
    expect(clock.now()).toBe(25);
  });

  it('fires alarms that alarms set', () => {
    const clock = new VirtualClock(0);
    const log: number[] = [];
    const every = (at: number): void =>
      void clock.at(at, () => {
        log.push(clock.now());
        every(at + 10);
      });
    every(10);
    clock.advance(35);
    expect([...log, clock.now()]).toEqual([10, 20, 30, 35]);
  });

  it('never moves for alarms alone', async () => {
    const clock = new VirtualClock(0);
    let fired = false;
    clock.at(10, () => (fired = true));
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect([clock.now(), fired]).toEqual([0, false]);
  });

  it('a sleep ends when its context does, at that time', async () => {
    const clock = new VirtualClock(0);
    const { ctx } = withTimeout(background(), clock, 700);
    await clock.sleep(3_600_000, ctx);
    expect([clock.now(), ctx.err()?.reason]).toEqual([700, 'deadline']);
    await clock.sleep(3_600_000, ctx);
    expect(clock.now()).toBe(700);
  });

  it('what a deadline wakes runs before time goes on', async () => {
    const clock = new VirtualClock(0);
    const log: string[] = [];
    const short = async (): Promise<void> => {
      await clock.sleep(1_000, withTimeout(background(), clock, 100).ctx);
      log.push(`woken ${clock.now()}`);
      await clock.sleep(50);
      log.push(`then ${clock.now()}`);
    };
    await Promise.all([short(), clock.sleep(120).then(() => log.push(`other ${clock.now()}`))]);
    expect(log).toEqual(['woken 100', 'other 120', 'then 150']);
  });

  it('a sleep that is over lets go of its context', async () => {
    const clock = new VirtualClock(0);
    const listening = new Set<() => void>();
    const inner = withCancel(background()).ctx;
    const ctx = {
      ...inner,
      onDone: (fn: Parameters<typeof inner.onDone>[0]) => {
        const stop = inner.onDone(fn);
        listening.add(stop);
        return () => {
          listening.delete(stop);
          stop();
        };
      },
    };
    await clock.sleep(5, ctx);
    expect(listening.size).toBe(0);
  });

  it('advances by hand, waking those who slept', async () => {
    const clock = new VirtualClock(0);
    const woken = clock.sleep(1_000).then(() => clock.now());
    clock.advance(2_500);
    expect(await woken).toBe(2_500);
  });
});

describe("the machine's clock", () => {
  it('sleeps about as long as it is told', async () => {
    const clock = realClock();
    const before = clock.monotonic();
    await clock.sleep(15);
    expect(clock.monotonic() - before).toBeGreaterThan(10);
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1_000);
    expect(clock.virtual).toBe(false);
  });

  it('a sleep ends early with its context, and at once with one that has ended', async () => {
    const clock = realClock();
    const { ctx, end } = withCancel(background());
    const before = clock.monotonic();
    setTimeout(end, 5);
    await clock.sleep(10_000, ctx);
    await clock.sleep(10_000, ctx);
    expect(clock.monotonic() - before).toBeLessThan(1_000);
  });

  it('fires alarms, unless they were stopped', async () => {
    const clock = realClock();
    const log: string[] = [];
    clock.at(clock.now() + 2, () => log.push('fired'));
    clock.at(clock.now() + 2, () => log.push('never'))();
    await clock.sleep(25);
    expect(log).toEqual(['fired']);
  });

  it('a turn lets timers and other work run', async () => {
    let ran = false;
    setImmediate(() => (ran = true));
    await realClock().turn();
    expect(ran).toBe(true);
  });
});
