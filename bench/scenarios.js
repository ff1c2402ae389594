// A hundred scenario files in one process, over a hundred processes that do nothing.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './build.js';
import { interleave, median, node, withFolder } from './measure.js';

const FILES = 100;
const WORKFLOW = 'MoveTables --workflow c2c --target-keyspace customer';

/** A cutover that fails at one of several steps, is rolled back, and leaves everything as it was. */
function scenario(number) {
  const steps = ['waitForCatchup', 'gatherSourcePositions', 'createReverseVReplication', 'stopSourceWrites'];
  return `scenario: cutover-${number}
about: A switch that fails late is rolled back, and nobody's writes are refused after it.
given:
  cluster: commerce
  run:
    - ${WORKFLOW} create --source-keyspace commerce --tables customer,corder
steps:
  - snapshot: before
  - run: ${WORKFLOW} switchtraffic
    faults: { switchTraffic/writes/${steps[number % steps.length]}: return }
    expect:
      exit: 1
      denied: { commerce/0: [] }
      writes: { customer: pass, corder: pass }
      unchanged: before
always: { locks: [] }
`;
}

export function measureScenarios(runs) {
  return withFolder(async (folder) => {
    for (let i = 1; i <= FILES; i++) writeFileSync(join(folder, `cutover-${i}.swt.yaml`), scenario(i));
    const bin = join(root, 'bin/switchtraffic.js');
    const results = await interleave(
      {
        ours: () => void node([bin, 'run', folder, '--quiet']),
        nothing: () => {
          for (let i = 0; i < FILES; i++) node(['-e', '0']);
        },
      },
      runs,
    );
    return [{ what: `${FILES} scenario files`, ours: median(results.ours), baseline: median(results.nothing), of: `${FILES} x node -e 0`, unit: 'ms', runs }];
  });
}
