import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/lib/errors.ts';
import { type FaultAction, parseFaults } from '../../src/runtime/fault-grammar.ts';

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
  ])('%s', (term, action) => {
    expect(one(`s=${term}`).terms).toEqual([{ text: term, count: undefined, action }]);
    expect(one(`s=3*${term}`).terms).toEqual([{ text: `3*${term}`, count: 3, action }]);
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
  const actions = 'return, return(CODE[,message]), panic, sleep(DURATION), ctx(cancel), ctx(deadline), lease(expire), lease(steal), off';
  it.each([
    ['panic', 'a fault reads STEP[:EDGE][#N][@TARGET]=ACTION'],
    ['=panic', 'a fault reads STEP[:EDGE][#N][@TARGET]=ACTION'],
    [':after=panic', '":after" is not STEP[:EDGE][#N][@TARGET]'],
    ['s:between=panic', 'edge "between" is not one of before, after'],
    ['s:=panic', 'edge "" is not one of before, after'],
    ['s#0=panic', '"#0" is not an occurrence; #1 is the first'],
    ['s#two=panic', '"#two" is not an occurrence; #1 is the first'],
    ['s#=panic', '"#" is not an occurrence; #1 is the first'],
    ['s@=panic', 'the target after @ is empty; it is a keyspace or keyspace/shard'],
    ['switch/*=panic', 'patterns in fault names are not built yet; name the step in full'],
    ['s=', `"" is not [N*]ACTION[(ARGUMENT)]; actions: ${actions}`],
    ['s=panic->', `"" is not [N*]ACTION[(ARGUMENT)]; actions: ${actions}`],
    ['s=2*', `"2*" is not [N*]ACTION[(ARGUMENT)]; actions: ${actions}`],
    ['s=panic(', `"panic(" is not [N*]ACTION[(ARGUMENT)]; actions: ${actions}`],
    ['s=50%panic', 'chances in per cent are not built yet'],
    ['s=0*panic', '"0*panic" would never fire; a count is 1 or more'],
    ['s=off(1)', 'action "off" takes no argument'],
    ['s=pause', `action "pause" is not built yet; there are: ${actions}`],
    ['s=explode', `unknown action "explode"; there are: ${actions}`],
    ['s=sleep', 'sleep takes a duration such as 500ms or 5s, not ""'],
    ['s=sleep(soon)', 'sleep takes a duration such as 500ms or 5s, not "soon"'],
    ['s=sleep(-1s)', 'sleep takes a duration such as 500ms or 5s, not "-1s"'],
    ['s=ctx(die)', 'ctx takes cancel or deadline'],
    ['s=ctx', 'ctx takes cancel or deadline'],
    ['s=lease(lose)', 'lease takes expire or steal'],
    ['s=lease', 'lease takes expire or steal'],
  ])('%s', (text, why) => {
    const error = refusal(text);
    expect(error.message).toBe(`bad fault "${text}": ${why}`);
    expect(error.message).not.toContain('\n');
    expect(error.next).toBe('switchtraffic steps');
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
  const piece = fc.constantFrom('s', ':', 'after', '#', '1', '@', '/', '=', '->', '*', '2', '%', '(', ')', '"', ';', ',', 'return', 'sleep', 'off', 'ctx', ' ', '\n', '.', 'cancel', '5s');

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

  it('that was parsed parses to the same again', () => {
    fc.assert(
      fc.property(
        fc.record({
          step: fc.constantFrom('a', 'switchTraffic/writes/stop'),
          edge: fc.constantFrom('', ':before', ':after'),
          occurrence: fc.constantFrom('', '#1', '#3'),
          target: fc.constantFrom('', '@ks', '@ks/-80'),
          terms: fc.array(fc.tuple(fc.constantFrom('', '2*'), fc.constantFrom('off', 'panic', 'return(INTERNAL)', 'sleep(1s)')), { minLength: 1, maxLength: 3 }),
        }),
        ({ step, edge, occurrence, target, terms }) => {
          const text = `${step}${edge}${occurrence}${target}=${terms.map((term) => term.join('')).join('->')}`;
          const spec = one(text);
          expect(spec.text).toBe(text);
          expect(spec.terms).toHaveLength(terms.length);
          expect(parseFaults(spec.text)).toEqual([spec]);
        },
      ),
    );
  });
});
