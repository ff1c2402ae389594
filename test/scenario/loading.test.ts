import { expect, it } from 'vitest';
import { scenarioRigs } from '../../src/cli/rig.ts';
import { readScenarios } from '../../src/report/scenario-file/read.ts';
import { runScenario } from '../../src/scenario/run-scenario.ts';
import { Stages } from '../../src/scenario/stages.ts';

/**
 * The first scenario of a process, whose commands have not run yet: while their code is read, no time may go by for a
 * command that waits. Alone in its file, since any other scenario would have the code read before.
 */
it('reading code takes no time on the clock of a scenario', async () => {
  const text = `
scenario: waits
given:
  cluster: commerce
  run:
    - MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder
steps:
  - parallel:
      - run: MoveTables --workflow c2c --target-keyspace customer switchtraffic --tablet-types primary
        faults: { 'switchTraffic/writes/lockTables#1': sleep(60s) }
        expect: { took: { min: 60s, max: 61s } }
      - after: 1s
        run: SetShardTabletControl --denied-tables=product commerce/0 primary --lock-timeout 5s
        expect: { exit: 1, took: { min: 5s, max: 6s } }
`;
  const [scenario] = readScenarios('waits.swt.yaml', text);
  const rigs = scenarioRigs(() => 0);
  const { steps, status } = await runScenario(rigs, new Stages(rigs), scenario!, { files: '.', golden: () => undefined, traced: true });
  expect(steps.flatMap(({ problems }) => problems.flatMap(({ lines }) => lines))).toEqual([]);
  expect(status).toBe('passed');
});
