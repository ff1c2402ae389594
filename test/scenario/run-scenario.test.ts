import { describe, expect, it } from 'vitest';
import { scenarioRigs } from '../../src/cli/rig.ts';
import type { ScenarioResult } from '../../src/report/scenario/result.ts';
import { readScenarios } from '../../src/report/scenario-file/read.ts';
import { runScenario } from '../../src/scenario/run-scenario.ts';
import { Stages } from '../../src/scenario/stages.ts';

const rigs = scenarioRigs(() => 0);
const stages = new Stages(rigs);
const SWITCH = 'MoveTables --workflow c2c --target-keyspace customer switchtraffic';

const HEAD = `scenario: a
given:
  cluster: commerce
  run:
    - MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder
`;

async function run(steps: string, options: { head?: string; seed?: number; in?: Stages } = {}): Promise<ScenarioResult> {
  const [scenario] = readScenarios('a.swt.yaml', `${options.head ?? HEAD}steps:\n${steps}`);
  const seed = options.seed === undefined ? {} : { seed: options.seed };
  return runScenario(rigs, options.in ?? stages, scenario!, { files: '.', traced: true, golden: (name) => (name === 'ok.txt' ? 'customer\n' : undefined), ...seed });
}

const problems = (result: ScenarioResult): string[] =>
  result.steps.flatMap((step) => step.problems.map(({ place, subject, lines }) => `${place.line}: ${subject}: ${lines.join(' ')}`));

describe('an expectation that does not hold', () => {
  it.each([
    ['  - run: show nothing', /^7: exit: is \d+, not 0$/],
    [`  - run: ${SWITCH}\n    expect: { exit: 1 }`, /^8: exit: is 0, not 1$/],
    ['  - run: GetKeyspaces\n    expect: { stdout: { contains: nowhere } }', /^8: stdout: does not contain "nowhere"/],
    ['  - run: GetKeyspaces\n    expect: { stdout: { golden: none.txt } }', /^8: stdout: the golden file none\.txt is not there/],
    ['  - run: GetKeyspaces\n    expect: { stdout: { golden: ok.txt } }', /^8: stdout: differs from ok\.txt/],
    ['  - expect: { denied: { commerce/0: [corder] } }', /^7: denied commerce\/0: expected \["corder"\] was\s+\[\]$/],
    ['  - expect: { rows: { customer: 6 } }', /^7: rows of customer: are 5, not 6$/],
    ['  - expect: { rows: { nowhere.customer: 6 } }', /^7: rows of nowhere\.customer: cannot be counted: there is no keyspace nowhere$/],
    ['  - expect: { writes: { customer: refused } }', /^7: writes of customer: should be refused, and pass$/],
    ['  - expect: { reads: { nowhere: pass } }', /^7: reads of nowhere: should pass, and are refused: /],
    [`  - snapshot: x\n  - run: ${SWITCH}\n  - expect: { unchanged: x }`, /^9: state since "x": has changed: .*RoutingRules/],
    [`  - run: ${SWITCH}\n    expect: { took: { min: 1h } }`, /^8: took: was .*, shorter than 1h0m0s$/],
    [`  - run: ${SWITCH}\n    faults: { switchTraffic/writes/lockTables: sleep(5s) }\n    expect: { outage: { max: 4s } }`, /^9: outage: was \d+.*s, longer than 4s$/],
    ['  - eventually: { within: 3s, rows: { customer: 6 } }', /^7: rows of customer: are 5, not 6$/],
    ['  - recover: true', /^7: recover: no command has failed/],
    ['  - parallel:\n      - release: switchTraffic/writes/lockTables\n      - run: GetKeyspaces', /^8: release: no command paused/],
    ['  - expect: { workload: { lost: 0 } }', /^7: workload: there is none/],
  ])('%s', async (steps, problem) => {
    const result = await run(steps);
    expect(problems(result)).toEqual([expect.stringMatching(problem)]);
    expect(result.status).toBe('failed');
  });

  it('that has to hold always is looked at after every step', async () => {
    const result = await run(`  - run: ${SWITCH}\n  - run: GetKeyspaces\nalways: { journals: { commerce/0: 0 } }\n`);
    expect(problems(result)).toEqual(['9: journals commerce/0: expected 0 was      1']);
    expect(result.steps.length).toBe(1);
  });

  it('of what is given is told apart from the steps', async () => {
    const result = await run('  - run: GetKeyspaces', { head: HEAD.replace('--tables customer,corder', '--tables nope') });
    expect([result.steps.length, result.steps[0]?.number]).toEqual([1, 0]);
  });
});

describe('a fault that never fires', () => {
  it.each([
    [`  - run: ${SWITCH}\n    faults: { switchTraffic/rollback/revertDeniedTables: return }`],
    [`  - run: ${SWITCH} --fault switchTraffic/rollback/revertDeniedTables=return`],
    [`  - run: ${SWITCH}\n    faults: { switchTraffic/writes/lockTables: off }`],
  ])('makes it vacuous: %s', async (steps) => {
    const result = await run(steps);
    expect(result.status).toBe('vacuous');
    expect(problems(result).join()).toContain('never fired');
  });

  it('may be said not to fire', async () => {
    const fault = 'switchTraffic/rollback/revertDeniedTables';
    expect((await run(`  - run: ${SWITCH}\n    faults: { ${fault}: return }\n    expect: { fired: { ${fault}: 0 } }`)).status).toBe('passed');
  });
});

it('commands at once take turns where they pause and are let go', async () => {
  const result = await run(`  - parallel:
      - run: ${SWITCH}
        faults: { switchTraffic/writes/waitForCatchup: pause }
        expect: { took: { min: 2s, max: 3s }, stderr: { contains: were refused for 2 } }
      - after: 1s
        run: query "insert into customer (email) values ('x')"
        expect: { exit: 1, stderr: { contains: disallowed due to rule } }
      - after: 2s
        release: switchTraffic/writes/waitForCatchup
  - expect: { writes: { customer: pass }, outage: { min: 2s, max: 3s } }
`);
  expect(problems(result)).toEqual([]);
});

it('an application works meanwhile, and every row that it was promised is there', async () => {
  const head = HEAD.replace('  run:', '  workload: { writers: 2, rate: 50/s, table: customer }\n  run:');
  const result = await run(`  - wait: 1s
  - run: ${SWITCH}
    faults: { switchTraffic/writes/lockTables: sleep(1s) }
  - wait: 1s
  - expect: { workload: { acknowledged: { min: 50 }, refused: { min: 20 }, lost: 0, doubled: 0, longestGapMs: { min: 1000, max: 4000 } } }
`, { head });
  expect(problems(result)).toEqual([]);
});

describe('the trace', () => {
  const steps = `  - parallel:
      - run: ${SWITCH}
        faults: { 'switchTraffic/writes/*': 20%return->20%sleep(300ms) }
        expect: { exit: [0, 1], fired: { 'switchTraffic/writes/*': { min: 0 } } }
      - after: 100ms
        run: ${SWITCH} --tablet-types replica
        expect: { exit: [0, 1] }
`;

  it('is the same for one seed in a new world, in one used before, and whatever ran there', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const first = await run(steps, { seed, in: new Stages(rigs) });
      await run('  - run: init customer-sharded --force', { seed });
      await run(`  - run: ${SWITCH}`, { seed });
      const again = await run(steps, { seed });
      expect(again.trace).toBe(first.trace);
    }
  });

  it('differs between seeds', async () => {
    const traces = await Promise.all([1, 2, 3, 4].map(async (seed) => (await run(steps, { seed, in: new Stages(rigs) })).trace));
    expect(new Set(traces).size).toBe(4);
  });
});
