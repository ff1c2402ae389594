// How long a command takes from nothing, over an empty Node process.
import { join } from 'node:path';
import { root } from './build.js';
import { interleave, median, node, withFolder } from './measure.js';

const WORKFLOW = 'MoveTables --workflow c2c --target-keyspace customer';

/** Whole processes: the commands that people type most, and one whole rehearsal. */
export function measureStartUp(runs) {
  return withFolder(async (folder) => {
    const bin = join(root, 'bin/switchtraffic.js');
    const [plain, moving] = [join(folder, 'plain'), join(folder, 'moving')];
    const on = (state, line) => [bin, '--state', state, ...line.split(' ')];
    for (const state of [plain, moving]) node(on(state, 'init commerce'));
    node(on(moving, `${WORKFLOW} create --source-keyspace commerce --tables customer,corder`));
    node(on(moving, `${WORKFLOW} status`));
    const lines = {
      empty: ['-e', '0'],
      '--version': [bin, '--version'],
      'show keyspace': on(plain, 'show keyspace'),
      'show keyspace, workflow running': on(moving, 'show keyspace'),
      'query': [bin, '--state', plain, 'query', 'select customer_id from customer limit 1'],
      'MoveTables status': on(moving, `${WORKFLOW} status`),
      'whole rehearsal': [join(root, 'bench/rehearsal.js')],
    };
    const times = await interleave(Object.fromEntries(Object.entries(lines).map(([name, args]) => [name, () => void node(args)])), runs);
    const baseline = median(times.empty);
    return Object.keys(lines)
      .filter((name) => name !== 'empty')
      .map((name) => ({ what: `${name}, a process`, ours: median(times[name]), baseline, of: 'node -e 0', unit: 'ms', runs }));
  });
}
