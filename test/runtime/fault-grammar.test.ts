import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/lib/errors.ts';
import type { FaultAction } from '../../src/runtime/fault-actions.ts';
import { ACTIONS } from '../../src/runtime/fault-actions.ts';
import { formatFault, parseFaults } from '../../src/runtime/fault-grammar.ts';

/** The only fault in a text. */
function one(text: string): ReturnType<typeof parseFaults>[number] {
  const specs = parseFaults(text);
  expect(specs).toHaveLength(1);
  return specs[0]!;
}

function refusal(text: string): UserError {
  try {
    parseFaults(text);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  }
  throw new Error(`${text} was accepted`);
}

describe('where a fault strikes', () => {
  it.each([
    ['a/b/c=panic', { step: 'a/b/c', edge: 'before', occurrence: undefined, target: undefined }],
    ['s:before=panic', { step: 's', edge: 'before' }],
    ['s:after=panic', { step: 's', edge: 'after' }],
    ['s:mid=panic', { step: 's', edge: 'mid' }],
    ['s:commit@ks/-80=1*return', { step: 's', edge: 'commit', target: 'ks/-80' }],
    ['s#2=panic', { step: 's', edge: 'before', occurrence: 2 }],
    ['s@customer=panic', { step: 's', target: 'customer' }],
    ['s@customer/-80=panic', { step: 's', target: 'customer/-80' }],
    ['s:after#12@customer/80-=panic', { step: 's', edge: 'after', occurrence: 12, target: 'customer/80-' }],
    ['  s:after  = panic ', { step: 's', edge: 'after' }],
  ])('%s', (text, expected) => {
    expect(one(text)).toMatchObject(expected);
  });
});

describe('what a fault does', () => {
  it.each<[string, FaultAction]>([
    ['off', { kind: 'off' }],
    ['off()', { kind: 'off' }],
    ['panic', { kind: 'panic' }],
    ['panic()', { kind: 'panic' }],
    ['return', { kind: 'return', code: 'UNAVAILABLE', message: undefined }],
    ['return()', { kind: 'return', code: 'UNAVAILABLE', message: undefined }],
    ['error', { kind: 'return', code: 'UNAVAILABLE', message: undefined }],
    ['return(INTERNAL)', { kind: 'return', code: 'INTERNAL', message: undefined }],
    ['return("INTERNAL")', { kind: 'return', code: 'INTERNAL', message: undefined }],
    ['return(DeadlineExceeded)', { kind: 'return', code: 'DEADLINE_EXCEEDED', message: undefined }],
    ['return(deadline_exceeded)', { kind: 'return', code: 'DEADLINE_EXCEEDED', message: undefined }],
    ['return(UNKNOWN,disk full)', { kind: 'return', code: 'UNKNOWN', message: 'disk full' }],
    ['return(UNKNOWN, "a; b->c, (d)")', { kind: 'return', code: 'UNKNOWN', message: 'a; b->c, (d)' }],
    ['sleep(500ms)', { kind: 'sleep', ms: 500 }],
    ['sleep(500)', { kind: 'sleep', ms: 500 }],
    ['sleep(1.5s)', { kind: 'sleep', ms: 1_500 }],
    ['sleep(2m)', { kind: 'sleep', ms: 120_000 }],
    ['sleep(1h)', { kind: 'sleep', ms: 3_600_000 }],
    ['ctx(cancel)', { kind: 'ctx', reason: 'canceled' }],
    ['ctx(deadline)', { kind: 'ctx', reason: 'deadline' }],
    ['lease(expire)', { kind: 'lease', how: 'expire' }],
    ['lease(steal)', { kind: 'lease', how: 'steal' }],
    ['lease(revoke)', { kind: 'lease', how: 'expire' }],
    ['lease(stall, 15s)', { kind: 'lease', how: 'stall', ms: 15_000 }],
    ['pause', { kind: 'pause' }],
    ['yield()', { kind: 'yield' }],
    ['exit(3)', { kind: 'exit', status: 3 }],
    ['delay(20)', { kind: 'sleep', ms: 20 }],
    ['sleep(1h30m)', { kind: 'sleep', ms: 5_400_000 }],
    ['print', { kind: 'print', message: '' }],
    ['print(here, and there)', { kind: 'print', message: 'here, and there' }],
    ['print("a \\"b\\" (c;")', { kind: 'print', message: 'a "b" (c;' }],
    ['return(14)', { kind: 'return', code: 'UNAVAILABLE', message: undefined }],
    ['return(4, late)', { kind: 'return', code: 'DEADLINE_EXCEEDED', message: 'late' }],
    ['return(17)', { kind: 'return', code: 'CLUSTER_EVENT', message: undefined }],
    ['return(failed-precondition)', { kind: 'return', code: 'FAILED_PRECONDITION', message: undefined }],
  ])('%s', (term, action) => {
    expect(one(`s=${term}`).terms).toEqual([{ text: term, chance: undefined, count: undefined, action }]);
    expect(one(`s=3*${term}`).terms).toEqual([{ text: `3*${term}`, count: 3, action }]);
    expect(one(`s=12.5%3*${term}`).terms).toEqual([{ text: `12.5%3*${term}`, chance: 12.5, count: 3, action }]);
  });
});

describe('several', () => {
  it('terms make a chain', () => {
    const { terms } = one('s=2*off->1*return(INTERNAL, "x->y") -> panic');
    expect(terms.map(({ text, count }) => [text, count])).toEqual([
      ['2*off', 2],
      ['1*return(INTERNAL, "x->y")', 1],
      ['panic', undefined],
    ]);
  });

  it('faults are separated by semicolons outside quotes and brackets', () => {
    const specs = parseFaults('a=panic; b:after=return(UNKNOWN,"x;y") ;; c=sleep(1s);');
    expect(specs.map((spec) => [spec.step, spec.text])).toEqual([
      ['a', 'a=panic'],
      ['b', 'b:after=return(UNKNOWN,"x;y")'],
      ['c', 'c=sleep(1s)'],
    ]);
    expect(parseFaults(' ; ')).toEqual([]);
  });
});

describe('bad faults are refused in one line', () => {
  const actions = ACTIONS;
  it.each([
    ['panic', 'a fault reads STEP[:EDGE][#N][@TARGET]=ACTION'],
    ['=panic', 'a fault reads STEP[:EDGE][#N][@TARGET]=ACTION'],
    [':after=panic', '":after" is not STEP[:EDGE][#N][@TARGET]'],
    ['s:between=panic', 'edge "between" is not one of before, mid, commit, after'],
    ['s:=panic', 'edge "" is not one of before, mid, commit, after'],
    ['s#0=panic', '"#0" is not an occurrence; #1 is the first'],
    ['s#two=panic', '"#two" is not an occurrence; #1 is the first'],
    ['s#=panic', '"#" is not an occurrence; #1 is the first'],
    ['s@=panic', 'the target after @ is empty; it is a keyspace or keyspace/shard'],
    ['s:*=panic', 'edge "*" is not one of before, mid, commit, after; an edge is no pattern'],
    ['s=', `"" is not [P%][N*]ACTION[(ARGUMENT)]; actions: ${actions}`],
    ['s=panic->', `"" is not [P%][N*]ACTION[(ARGUMENT)]; actions: ${actions}`],
    ['s=2*', `"2*" is not [P%][N*]ACTION[(ARGUMENT)]; actions: ${actions}`],
    ['s=panic(', 'a bracket or a quote is not closed'],
    ['s"="panic', 'a bracket or a quote is not closed'],
    ['s=print("a)', 'a bracket or a quote is not closed'],
    ['s=0%panic', '"0%panic" would never fire; a chance is more than 0%'],
    ['s=0.0%panic', '"0.0%panic" would never fire; a chance is more than 0%'],
    ['s=101%panic', '"101%panic": a chance is 100% at most'],
    ['s=2*50%panic', `"2*50%panic" is not [P%][N*]ACTION[(ARGUMENT)]; actions: ${actions}`],
    ['s=1000000000*panic', '"1000000000*panic": a count has nine digits at most'],
    ['s=pause(1)', 'action "pause" takes no argument'],
    ['s=exit', 'exit takes a status from 0 to 255, not ""'],
    ['s=exit(256)', 'exit takes a status from 0 to 255, not "256"'],
    ['s=delay(x)', 'delay takes a duration such as 500ms or 5s, not "x"'],
    ['s=sleep(9000h)', 'sleep takes a duration such as 500ms or 5s, not "9000h"'],
    ['s=lease(stall)', 'lease takes expire, steal, revoke, or stall and a duration: lease(stall,15s)'],
    ['s=lease(steal,1s)', 'lease takes expire, steal, revoke, or stall and a duration: lease(stall,15s)'],
    ['s=0*panic', '"0*panic" would never fire; a count is 1 or more'],
    ['s=off(1)', 'action "off" takes no argument'],
    ['s=break', `action "break" is not built yet; there are: ${actions}`],
    ['s=explode', `unknown action "explode"; there are: ${actions}`],
    ['s=sleep', 'sleep takes a duration such as 500ms or 5s, not ""'],
    ['s=sleep(soon)', 'sleep takes a duration such as 500ms or 5s, not "soon"'],
    ['s=sleep(-1s)', 'sleep takes a duration such as 500ms or 5s, not "-1s"'],
    ['s=ctx(die)', 'ctx takes cancel or deadline'],
    ['s=ctx', 'ctx takes cancel or deadline'],
    ['s=lease(lose)', 'lease takes expire, steal, revoke, or stall and a duration: lease(stall,15s)'],
    ['s=lease', 'lease takes expire, steal, revoke, or stall and a duration: lease(stall,15s)'],
  ])('%s', (text, why) => {
    const error = refusal(text);
    expect(error.message).toBe(`bad fault "${text}": ${why}`);
    expect(error.message).not.toContain('\n');
    expect(error.next).toBe('switchtraffic fault list');
    expect(error.exit).toBe(2);
  });

  it('a code that does not exist, with those that do', () => {
    const { message } = refusal('s=return(BROKEN)');
    expect(message).toContain('"BROKEN" is not a vtrpc code; there are: CANCELED, ALREADY_EXISTS, ');
    expect(refusal('s=return(OK)').message).toContain('"OK" is not a vtrpc code');
  });

  it('names the fault that is bad, not the list it stands in', () => {
    expect(refusal('a=panic;b=explode').message).toContain('bad fault "b=explode"');
  });
});

describe('any text', () => {
  const piece = fc.constantFrom('s', ':', 'after', '#', '1', '@', '/', '=', '->', '*', '2', '%', '50%', '**', '?', '\\', 'pause', 'print', '(', ')', '"', ';', ',', 'return', 'sleep', 'off', 'ctx', ' ', '\n', '.', 'cancel', '5s');

  it.each([
    ['at all', fc.string({ unit: 'binary' })],
    ['of its own parts', fc.array(piece, { maxLength: 14 }).map((parts) => parts.join(''))],
  ])('%s is parsed or refused by a UserError', (_, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        try {
          for (const spec of parseFaults(text)) {
            expect(spec.terms.length).toBeGreaterThan(0);
            expect(spec.step).not.toBe('');
          }
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('that was parsed prints as what parses to the same', () => {
    const message = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((text) => text.trim() === text);
    const milliseconds = fc.integer({ min: 0, max: 10_000_000 });
    const action = fc.oneof(
      fc.constantFrom<FaultAction>({ kind: 'off' }, { kind: 'panic' }, { kind: 'pause' }, { kind: 'yield' }, { kind: 'ctx', reason: 'deadline' }, { kind: 'lease', how: 'steal' }),
      fc.record({ kind: fc.constant('return' as const), code: fc.constantFrom('UNAVAILABLE' as const, 'INTERNAL' as const), message: fc.option(message, { nil: undefined }) }),
      fc.record({ kind: fc.constant('print' as const), message: fc.oneof(message, fc.constantFrom('"', '\\', '\\"', ')->x', 'a;b', '(')) }),
      fc.record({ kind: fc.constant('exit' as const), status: fc.integer({ min: 0, max: 255 }) }),
      fc.record({ kind: fc.constant('sleep' as const), ms: milliseconds }),
      fc.record({ kind: fc.constant('lease' as const), how: fc.constant('stall' as const), ms: milliseconds }),
    );
    const term = fc.record({
      text: fc.constant(''),
      chance: fc.option(fc.constantFrom(0.5, 1, 33.3, 100), { nil: undefined }),
      count: fc.option(fc.integer({ min: 1, max: 99 }), { nil: undefined }),
      action,
    });
    const spec = fc.record({
      text: fc.constant(''),
      step: fc.constantFrom('a', 'switchTraffic/writes/stop', '**/lock*', 's?'),
      edge: fc.constantFrom('before' as const, 'after' as const),
      occurrence: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
      target: fc.option(fc.constantFrom('ks', 'ks/-80', '*/80-'), { nil: undefined }),
      terms: fc.array(term, { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 3 }), (specs) => {
        const text = specs.map(formatFault).join(';');
        const parsed = parseFaults(text);
        const bare = parsed.map((one) => ({ ...one, text: '', terms: one.terms.map((each) => ({ ...each, text: '' })) }));
        expect(bare).toEqual(specs);
        expect(parsed.map(formatFault).join(';')).toBe(text);
      }),
    );
  });
});
