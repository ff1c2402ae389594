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
async function kinds(faults: Failpoints, times: number): Promise<(string | undefined)[]> {
  const seen: (string | undefined)[] = [];
  for (let time = 0; time < times; time++) seen.push((await faults.evaluate('locks', 'before', 1, undefined))?.kind);
  return seen;
}

describe('failpoints', () => {
  it('none armed, none due', async () => {
    const faults = new Failpoints();
    expect(faults.concerns('locks')).toBe(false);
    expect(await faults.evaluate('locks', 'before', 1, undefined)).toBeUndefined();
    expect(faults.report()).toEqual([]);
  });

  it('fire each time unless counted', async () => {
    expect(await kinds(armed('locks=panic'), 3)).toEqual(['panic', 'panic', 'panic']);
    expect(await kinds(armed('locks=2*panic'), 3)).toEqual(['panic', 'panic', undefined]);
  });

  it('go through a chain term by term', async () => {
    expect(await kinds(armed('locks=2*off->1*return'), 5)).toEqual([undefined, undefined, 'return', undefined, undefined]);
    expect(await kinds(armed('locks=1*return->1*off->sleep(1s)'), 4)).toEqual(['return', undefined, 'sleep', 'sleep']);
    expect(await kinds(armed('locks=panic->return'), 2)).toEqual(['panic', 'panic']);
  });

  it('strike one step at one edge', async () => {
    const faults = armed('locks:after=panic');
    expect(await faults.evaluate('locks', 'before', 1, undefined)).toBeUndefined();
    expect(await faults.evaluate('switchTraffic/writes/stop', 'after', 1, undefined)).toBeUndefined();
    expect((await faults.evaluate('locks', 'after', 1, undefined))?.kind).toBe('panic');
  });

  it('strike one occurrence, or each', async () => {
    const at = (faults: Failpoints): Promise<boolean[]> =>
      Promise.all([1, 2, 3].map(async (n) => (await faults.evaluate('locks', 'before', n, undefined)) !== undefined));
    expect(await at(armed('locks#2=panic'))).toEqual([false, true, false]);
    expect(await at(armed('locks=panic'))).toEqual([true, true, true]);
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
  ])('%s at target %s: %s', async (point, target, fires) => {
    expect((await armed(`${point}=panic`).evaluate('locks', 'before', 1, target)) !== undefined).toBe(fires);
  });

  it.each<[string, string, boolean]>([
    ['*/80-', 'customer/80-', true],
    ['*/80-', 'customer/-80', false],
    ['customer/*', 'customer/-80', true],
    ['customer/*', 'customer', false],
    ['c*', 'commerce', true],
    ['c*', 'commerce/0', true],
    ['*', 'customer/-80', true],
    ['customer/-?0', 'customer/-80', true],
    ['customer.*', 'customer/-80', false],
  ])('@%s at target %s: %s', async (pattern, target, fires) => {
    expect((await armed(`locks@${pattern}=panic`).evaluate('locks', 'before', 1, target)) !== undefined).toBe(fires);
  });

  it.each<[string, string[]]>([
    ['**', ['locks', 'switchTraffic/writes/stop', 'switchTraffic/writes/waitForCatchup']],
    ['*', ['locks']],
    ['lock?', ['locks']],
    ['**/locks', ['locks']],
    ['**/stop', ['switchTraffic/writes/stop']],
    ['switchTraffic/*/*', ['switchTraffic/writes/stop', 'switchTraffic/writes/waitForCatchup']],
    ['**#2', ['locks']],
  ])('%s strikes %j', async (pattern, steps) => {
    const faults = armed(`${pattern}=panic`);
    const struck: string[] = [];
    for (const { name, occurrences } of POINTS) {
      if ((await faults.evaluate(name, 'before', occurrences === 1 ? 1 : 2, undefined)) !== undefined) struck.push(name);
    }
    expect(struck.toSorted()).toEqual(steps);
  });

  it('count over everything that a pattern stands for', async () => {
    const faults = armed('**=2*panic');
    const at = ['locks', 'switchTraffic/writes/stop', 'switchTraffic/writes/waitForCatchup', 'locks'];
    const seen: (string | undefined)[] = [];
    for (const name of at) seen.push((await faults.evaluate(name, 'before', 1, undefined))?.kind);
    expect(seen).toEqual(['panic', 'panic', undefined, undefined]);
    expect(faults.report()).toEqual([{ text: '**=2*panic', evaluated: 4, fired: 2 }]);
  });

  it('of one place all strike, in order, and one behind a fault that ends the step is not used up', async () => {
    const faults = armed('locks=print(a); locks=1*return; locks=1*panic');
    const due = faults.due('locks', 'before', 1, undefined);
    expect([(await due.next()).value?.kind, (await due.next()).value?.kind]).toEqual(['print', 'return']);
    await due.return(undefined);
    expect(faults.report().map(({ evaluated, fired }) => [evaluated, fired])).toEqual([[1, 1], [1, 1], [1, 0]]);
    const rest: string[] = [];
    for await (const action of faults.due('locks', 'before', 1, undefined)) rest.push(action.kind);
    expect(rest).toEqual(['print', 'panic']);
  });

  it('give way to the next fault of the same place when used up or off', async () => {
    const faults = armed('locks=1*panic; locks=return');
    expect(await kinds(faults, 3)).toEqual(['panic', 'return', 'return']);
    expect(await kinds(armed('locks=off; locks=return'), 1)).toEqual(['return']);
  });

  it('report how often their place was reached and how often they fired', async () => {
    const faults = armed('locks=1*off->1*panic; switchTraffic/writes/stop=panic');
    await kinds(faults, 4);
    expect(['locks', 'switchTraffic/writes/stop', 'other'].map((step) => faults.concerns(step))).toEqual([true, true, false]);
    expect(faults.report()).toEqual([
      { text: 'locks=1*off->1*panic', evaluated: 4, fired: 1 },
      { text: 'switchTraffic/writes/stop=panic', evaluated: 0, fired: 0 },
    ]);
  });

  it('that are kept elsewhere are counted there', async () => {
    const asked: unknown[] = [];
    const faults = new Failpoints();
    faults.arm('locks=1*off->2*panic', POINTS, {
      take: async (term, limit, how) => {
        asked.push([term, limit, how]);
        return term === 1;
      },
      tell: async (reached) => void asked.push(reached),
    });
    expect(await kinds(faults, 1)).toEqual(['panic']);
    expect(asked.splice(0)).toEqual([
      [0, 1, { idle: true, reached: 1 }],
      [1, 2, { idle: false, reached: 0 }],
    ]);
    expect(faults.report()).toEqual([]);
    expect(await faults.evaluate('locks', 'after', 1, undefined)).toBeUndefined();
    await faults.forgetKept();
    expect([faults.disarmed, asked]).toEqual([true, []]);
  });

  it('of any counted chain fire as often as their counts say, in their order', async () => {
    const term = fc.record({ count: fc.integer({ min: 1, max: 4 }), kind: fc.constantFrom('off', 'panic', 'return') });
    await fc.assert(
      fc.asyncProperty(fc.array(term, { minLength: 1, maxLength: 4 }), async (terms) => {
        const text = terms.map(({ count, kind }) => `${count}*${kind}`).join('->');
        const expected = terms.flatMap(({ count, kind }) => Array<string | undefined>(count).fill(kind === 'off' ? undefined : kind));
        expect(await kinds(armed(`locks=${text}`), expected.length + 1)).toEqual([...expected, undefined]);
      }),
    );
  });
});

describe('a chance', () => {
  const fires = async (seed: number, text: string, times: number): Promise<boolean[]> => {
    const faults = new Failpoints(seed);
    faults.arm(text, POINTS);
    return (await kinds(faults, times)).map((kind) => kind === 'panic');
  };

  it.each([[5], [30], [50], [99.5]])('of %d%% fires about that often, for many seeds', async (percent) => {
    const times = 400;
    const seeds = Array.from({ length: 20 }, (_, seed) => seed);
    const fired = (await Promise.all(seeds.map((seed) => fires(seed, `locks=${percent}%panic`, times)))).flat().filter(Boolean).length;
    const share = fired / (times * seeds.length);
    const spread = Math.sqrt((percent / 100) * (1 - percent / 100) / (times * seeds.length));
    expect(Math.abs(share - percent / 100)).toBeLessThan(4 * spread);
  });

  it('of 100% always fires', async () => {
    expect(await fires(3, 'locks=100%panic', 50)).not.toContain(false);
  });

  it('is repeated by its seed, and by no other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const first = await fires(seed, 'locks=50%panic', 64);
        expect(await fires(seed, 'locks=50%panic', 64)).toEqual(first);
        expect(await fires(seed + 1, 'locks=50%panic', 64)).not.toEqual(first);
      }),
      { numRuns: 50 },
    );
  });

  it('does not depend on other faults', async () => {
    const alone = await fires(7, 'locks=50%panic', 64);
    const faults = new Failpoints(7);
    faults.arm('switchTraffic/writes/stop=50%return; locks=50%panic', POINTS);
    const beside: boolean[] = [];
    for (const _ of alone) {
      await faults.evaluate('switchTraffic/writes/stop', 'before', 1, undefined);
      beside.push((await kinds(faults, 1))[0] === 'panic');
    }
    // Its stream of chance comes from its own text, so that a fault beside it moves nothing.
    expect(beside).toEqual(alone);
  });

  it('uses up a count only when it fires, and a term passed over gives way to the next', async () => {
    const faults = new Failpoints(1);
    faults.arm('locks=20%3*panic->return', POINTS);
    const seen = await kinds(faults, 60);
    expect(seen.filter((kind) => kind === 'panic')).toHaveLength(3);
    expect(seen.filter((kind) => kind === 'return')).toHaveLength(57);
    expect(seen.indexOf('return')).toBeLessThan(seen.lastIndexOf('panic'));
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
    ['stop*=panic', 'bad fault "stop*=panic": no step is like "stop*"; did you mean "**/stop*"?'],
    ['switchTraffic/*=panic', 'bad fault "switchTraffic/*=panic": no step is like "switchTraffic/*"; did you mean "switchTraffic/**"?'],
    ['**/lokcs*=panic', 'bad fault "**/lokcs*=panic": no step is like "**/lokcs*"; did you mean "locks"?'],
    ['*#4=panic', 'bad fault "*#4=panic": * occurs 3 times at most'],
    ['**/writes/*#2=panic', 'bad fault "**/writes/*#2=panic": **/writes/* occurs once at most'],
    ['locks#4=panic', 'bad fault "locks#4=panic": locks occurs 3 times at most'],
    ['switchTraffic/writes/stop#2=panic', 'bad fault "switchTraffic/writes/stop#2=panic": switchTraffic/writes/stop occurs once at most'],
  ])('%s', (text, message) => {
    const error = refusal(text);
    expect(error.message).toBe(message);
    expect(error.next).toBe('switchtraffic fault list');
  });
});
