import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/lib/errors.ts';
import { Failpoints } from '../../src/runtime/failpoints.ts';

const POINTS = [
  { name: 'switchTraffic/writes/stop', occurrences: 1 },
  { name: 'switchTraffic/writes/waitForCatchup', occurrences: 1 },
  { name: 'locks', occurrences: 3 },
];

function armed(text: string): Failpoints {
  const faults = new Failpoints();
  faults.arm(text, POINTS);
  return faults;
}

/** The kinds of action at the step `locks`, evaluated so many times. */
function kinds(faults: Failpoints, times: number): (string | undefined)[] {
  return Array.from({ length: times }, () => faults.evaluate('locks', 'before', 1, undefined)?.kind);
}

describe('failpoints', () => {
  it('none armed, none due', () => {
    const faults = new Failpoints();
    expect(faults.any).toBe(false);
    expect(faults.evaluate('locks', 'before', 1, undefined)).toBeUndefined();
    expect(faults.report()).toEqual([]);
  });

  it('fire each time unless counted', () => {
    expect(kinds(armed('locks=panic'), 3)).toEqual(['panic', 'panic', 'panic']);
    expect(kinds(armed('locks=2*panic'), 3)).toEqual(['panic', 'panic', undefined]);
  });

  it('go through a chain term by term', () => {
    expect(kinds(armed('locks=2*off->1*return'), 5)).toEqual([undefined, undefined, 'return', undefined, undefined]);
    expect(kinds(armed('locks=1*return->1*off->sleep(1s)'), 4)).toEqual(['return', undefined, 'sleep', 'sleep']);
    expect(kinds(armed('locks=panic->return'), 2)).toEqual(['panic', 'panic']);
  });

  it('strike one step at one edge', () => {
    const faults = armed('locks:after=panic');
    expect(faults.evaluate('locks', 'before', 1, undefined)).toBeUndefined();
    expect(faults.evaluate('switchTraffic/writes/stop', 'after', 1, undefined)).toBeUndefined();
    expect(faults.evaluate('locks', 'after', 1, undefined)?.kind).toBe('panic');
  });

  it('strike one occurrence, or each', () => {
    const at = (faults: Failpoints): boolean[] =>
      [1, 2, 3].map((n) => faults.evaluate('locks', 'before', n, undefined) !== undefined);
    expect(at(armed('locks#2=panic'))).toEqual([false, true, false]);
    expect(at(armed('locks=panic'))).toEqual([true, true, true]);
  });

  it.each<[string, string | undefined, boolean]>([
    ['locks', undefined, true],
    ['locks', 'customer/-80', false],
    ['locks@customer', undefined, false],
    ['locks@customer', 'customer', true],
    ['locks@customer', 'customer/-80', true],
    ['locks@customer', 'customer2/-80', false],
    ['locks@customer', 'commerce/0', false],
    ['locks@customer/-80', 'customer/-80', true],
    ['locks@customer/-80', 'customer/80-', false],
    ['locks@customer/-80', 'customer', false],
  ])('%s at target %s: %s', (point, target, fires) => {
    expect(armed(`${point}=panic`).evaluate('locks', 'before', 1, target) !== undefined).toBe(fires);
  });

  it('give way to the next fault of the same place when used up or off', () => {
    const faults = armed('locks=1*panic; locks=return');
    expect(kinds(faults, 3)).toEqual(['panic', 'return', 'return']);
    expect(kinds(armed('locks=off; locks=return'), 1)).toEqual(['return']);
  });

  it('report how often their place was reached and how often they fired', () => {
    const faults = armed('locks=1*off->1*panic; switchTraffic/writes/stop=panic');
    kinds(faults, 4);
    expect(faults.any).toBe(true);
    expect(faults.report()).toEqual([
      { text: 'locks=1*off->1*panic', evaluated: 4, fired: 1 },
      { text: 'switchTraffic/writes/stop=panic', evaluated: 0, fired: 0 },
    ]);
  });

  it('count wherever they are told to', () => {
    const taken: [string, number][] = [];
    const faults = armed('locks=1*return->2*panic');
    faults.useCounters({
      take: (key, limit) => {
        taken.push([key, limit]);
        return limit === 2;
      },
    });
    expect(kinds(faults, 1)).toEqual(['panic']);
    expect(taken).toEqual([
      ['locks=1*return->2*panic/0', 1],
      ['locks=1*return->2*panic/1', 2],
    ]);
  });

  it('of any counted chain fire as often as their counts say, in their order', () => {
    const term = fc.record({ count: fc.integer({ min: 1, max: 4 }), kind: fc.constantFrom('off', 'panic', 'return') });
    fc.assert(
      fc.property(fc.array(term, { minLength: 1, maxLength: 4 }), (terms) => {
        const text = terms.map(({ count, kind }) => `${count}*${kind}`).join('->');
        const expected = terms.flatMap(({ count, kind }) => Array<string | undefined>(count).fill(kind === 'off' ? undefined : kind));
        expect(kinds(armed(`locks=${text}`), expected.length + 1)).toEqual([...expected, undefined]);
      }),
    );
  });
});

describe('a fault that could never fire is refused', () => {
  const refusal = (text: string): UserError => {
    try {
      armed(text);
    } catch (error) {
      if (error instanceof UserError) return error;
    }
    throw new Error(`${text} was accepted`);
  };

  it.each([
    ['nonsense=panic', 'bad fault "nonsense=panic": there is no step "nonsense"'],
    ['waitForCatchup=panic', 'bad fault "waitForCatchup=panic": there is no step "waitForCatchup"; did you mean "switchTraffic/writes/waitForCatchup"?'],
    ['lokcs=panic', 'bad fault "lokcs=panic": there is no step "lokcs"; did you mean "locks"?'],
    ['switchTraffic/writes/stpo=panic', 'bad fault "switchTraffic/writes/stpo=panic": there is no step "switchTraffic/writes/stpo"; did you mean "switchTraffic/writes/stop"?'],
    ['locks#4=panic', 'bad fault "locks#4=panic": locks occurs 3 times at most'],
    ['switchTraffic/writes/stop#2=panic', 'bad fault "switchTraffic/writes/stop#2=panic": switchTraffic/writes/stop occurs once at most'],
  ])('%s', (text, message) => {
    const error = refusal(text);
    expect(error.message).toBe(message);
    expect(error.next).toBe('switchtraffic steps');
  });
});
