import { isTopoError } from '../../lib/errors.ts';
import { cellNames, startCell, stopCell } from '../../topo/cells.ts';
import { withCluster } from '../cluster.ts';
import type { Invocation } from '../spec.ts';
import { unknownName } from '../unknown-name.ts';

/** Makes the topology of a cell unreachable, or reachable again. */
export function run(inv: Invocation): Promise<number> {
  const name = inv.args[0]!;
  const stops = inv.path.at(-1) === 'stop';
  return withCluster(inv, { history: true }, async ({ ctx, cluster: { topo } }) => {
    let changed: boolean;
    try {
      changed = await (stops ? stopCell : startCell)(ctx, topo, name);
    } catch (error) {
      throw isTopoError(error, 'NoNode') ? unknownName('cell', name, await cellNames(ctx, topo)) : error;
    }
    const texts = stops ? ['cannot be reached any more', 'is stopped already'] : ['can be reached again', 'can be reached already'];
    inv.io.stdout.write(`The topology of cell ${name} ${texts[changed ? 0 : 1]}\n`);
    return 0;
  });
}
