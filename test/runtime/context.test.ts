import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorVerbose } from '../../src/lib/errors.ts';
import { VirtualClock } from '../../src/runtime/clock.ts';
import {
  background,
  type Cancellable,
  checkContext,
  ContextError,
  contextKey,
  withCancel,
  withoutCancel,
  withTimeout,
  withValue,
} from '../../src/runtime/context.ts';

describe('background', () => {
  it('never ends and holds nothing', () => {
    const ctx = background();
    expect(ctx.err()).toBeUndefined();
    expect(ctx.deadline()).toBeUndefined();
    expect(ctx.value(contextKey<string>('k'))).toBeUndefined();
    expect(ctx.onDone(() => expect.unreachable())).toBeTypeOf('function');
    checkContext(ctx);
  });
});

describe('values', () => {
  it('are found by key, the nearest first', () => {
    const [a, b] = [contextKey<number>('same name'), contextKey<number>('same name')];
    const outer = withValue(withValue(background(), a, 1), b, 2);
    const inner = withValue(outer, a, 3);
    expect([inner.value(a), inner.value(b), outer.value(a)]).toEqual([3, 2, 1]);
    expect(outer.value(contextKey<number>('same name'))).toBeUndefined();
  });

  it('may be undefined or false, and hide those above', () => {
    const key = contextKey<boolean | undefined>('k');
    expect(withValue(withValue(background(), key, true), key, false).value(key)).toBe(false);
    expect(withValue(withValue(background(), key, true), key, undefined).value(key)).toBeUndefined();
  });

  it('pass through every other kind of context', () => {
    const key = contextKey<string>('k');
    const clock = new VirtualClock(0);
    const parent = withValue(background(), key, 'v');
    expect(withCancel(parent).ctx.value(key)).toBe('v');
    expect(withTimeout(parent, clock, 5).ctx.value(key)).toBe('v');
    expect(withoutCancel(withCancel(parent).ctx).value(key)).toBe('v');
  });

  it('do not hide the end or the deadline of the context below', () => {
    const clock = new VirtualClock(100);
    const timed = withTimeout(background(), clock, 50);
    const ctx = withValue(timed.ctx, contextKey<number>('k'), 1);
    expect(ctx.deadline()).toBe(150);
    const seen: string[] = [];
    ctx.onDone((error) => seen.push(error.reason));
    timed.end();
    expect(ctx.err()?.message).toBe('context canceled');
    expect(seen).toEqual(['canceled']);
  });
});

describe('withCancel', () => {
  it('ends once, with the first reason', () => {
    const { ctx, end } = withCancel(background());
    const seen: string[] = [];
    ctx.onDone((error) => seen.push(error.message));
    end('deadline');
    end('canceled');
    expect(seen).toEqual(['context deadline exceeded']);
    expect(ctx.err()?.reason).toBe('deadline');
    expect(() => checkContext(ctx)).toThrow('context deadline exceeded');
  });

  it('ends with its parent, for the same reason, and not the other way round', () => {
    const parent = withCancel(background());
    const child = withCancel(parent.ctx);
    const sibling = withCancel(parent.ctx);
    child.end();
    expect(parent.ctx.err()).toBeUndefined();
    expect(sibling.ctx.err()).toBeUndefined();
    parent.end('deadline');
    expect(sibling.ctx.err()).toBe(parent.ctx.err());
    expect(child.ctx.err()?.reason).toBe('canceled');
  });

  it('of an ended parent has ended', () => {
    const parent = withCancel(background());
    parent.end();
    expect(withCancel(parent.ctx).ctx.err()).toBe(parent.ctx.err());
    const timed = withTimeout(parent.ctx, new VirtualClock(0), 10);
    expect(timed.ctx.err()?.reason).toBe('canceled');
  });

  it('tells a listener that comes late at once', () => {
    const { ctx, end } = withCancel(background());
    end();
    const seen: string[] = [];
    ctx.onDone((error) => seen.push(error.reason));
    expect(seen).toEqual(['canceled']);
  });

  it('tells nobody who has stopped listening, even in the middle of telling', () => {
    const { ctx, end } = withCancel(background());
    const seen: string[] = [];
    ctx.onDone(() => seen.push('gone'))();
    let stopThird = (): void => {};
    ctx.onDone(() => {
      seen.push('first');
      stopThird();
    });
    ctx.onDone(() => seen.push('second'));
    stopThird = ctx.onDone(() => seen.push('third'));
    end();
    expect(seen).toEqual(['first', 'second']);
  });

  it('has ended already when its listeners and children are told', () => {
    const { ctx, end } = withCancel(background());
    let child = withCancel(background());
    ctx.onDone(() => expect(child.ctx.err()?.reason).toBe('canceled'));
    child = withCancel(ctx);
    child.ctx.onDone(() => expect(ctx.err()?.reason).toBe('canceled'));
    end();
    expect.assertions(2);
  });
});

describe('withTimeout', () => {
  it('ends when its time has come, not before', () => {
    const clock = new VirtualClock(1_000);
    const { ctx } = withTimeout(background(), clock, 500);
    expect(ctx.deadline()).toBe(1_500);
    clock.advance(499);
    expect(ctx.err()).toBeUndefined();
    clock.advance(1);
    expect(ctx.err()?.reason).toBe('deadline');
  });

  it.each([0, -1])('of %s ms has ended at once, as in Go', (ms) => {
    const { ctx } = withTimeout(background(), new VirtualClock(1_000), ms);
    expect(ctx.err()?.message).toBe('context deadline exceeded');
    expect(ctx.deadline()).toBe(1_000 + ms);
  });

  it('can end earlier, and its deadline then changes nothing', () => {
    const clock = new VirtualClock(0);
    const { ctx, end } = withTimeout(background(), clock, 500);
    end();
    clock.advance(1_000);
    expect(ctx.err()?.reason).toBe('canceled');
  });

  it('can only shorten the deadline of its parent', () => {
    const clock = new VirtualClock(0);
    const parent = withTimeout(background(), clock, 100);
    const longer = withTimeout(parent.ctx, clock, 500);
    const shorter = withTimeout(parent.ctx, clock, 50);
    expect([longer.ctx.deadline(), shorter.ctx.deadline()]).toEqual([100, 50]);
    clock.advance(50);
    expect([parent.ctx.err(), longer.ctx.err(), shorter.ctx.err()?.reason]).toEqual([undefined, undefined, 'deadline']);
    clock.advance(50);
    expect(longer.ctx.err()?.reason).toBe('deadline');
  });
});

describe('withoutCancel', () => {
  it('outlives its parent and has no deadline', () => {
    const clock = new VirtualClock(0);
    const parent = withTimeout(background(), clock, 10);
    const detached = withoutCancel(parent.ctx);
    clock.advance(10);
    expect(parent.ctx.err()?.reason).toBe('deadline');
    expect(detached.err()).toBeUndefined();
    expect(detached.deadline()).toBeUndefined();
    expect(withTimeout(detached, clock, 120_000).ctx.deadline()).toBe(120_010);
  });
});

describe('the error of a context', () => {
  it('prints as in Go and has a code', () => {
    const canceled = new ContextError('canceled');
    expect([canceled.message, canceled.code, errorVerbose(canceled)]).toEqual(['context canceled', 'CANCELED', 'context canceled']);
    const late = new ContextError('deadline');
    expect([late.message, late.code]).toEqual(['context deadline exceeded', 'DEADLINE_EXCEEDED']);
  });
});

describe('any tree of contexts', () => {
  it('a context has ended exactly if one on its way to the root has, for the reason of the first to end', () => {
    const node = fc.record({ parent: fc.nat(), detached: fc.boolean() });
    fc.assert(
      fc.property(fc.array(node, { maxLength: 12 }), fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 6 }), (tree, ends) => {
        const made: { parent: number | undefined; cancel: Cancellable; reason: string | undefined; told: number }[] = [
          { parent: undefined, cancel: withCancel(background()), reason: undefined, told: 0 },
        ];
        for (const { parent, detached } of tree) {
          const index = parent % made.length;
          const from = made[index]!.cancel.ctx;
          const cancel = withCancel(detached ? withoutCancel(from) : from);
          made.push({ parent: detached ? undefined : index, cancel, reason: undefined, told: 0 });
        }
        for (const one of made) one.cancel.ctx.onDone(() => one.told++);
        for (const [at, deadline] of ends) {
          const index = at % made.length;
          const reason = deadline ? 'deadline' : 'canceled';
          made[index]!.cancel.end(reason);
          const ended = new Set([index]);
          // Children come after their parents, so one pass reaches all of them.
          for (const [child, { parent }] of made.entries()) if (parent !== undefined && ended.has(parent)) ended.add(child);
          for (const child of ended) made[child]!.reason ??= reason;
        }
        for (const one of made) {
          expect(one.cancel.ctx.err()?.reason).toBe(one.reason);
          expect(one.told).toBe(one.reason === undefined ? 0 : 1);
        }
      }),
    );
  });
});
