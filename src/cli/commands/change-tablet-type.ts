import { parseTabletAlias, parseTabletType } from '../../lib/names.ts';
import { changeTabletType } from '../../workflow/change-type.ts';
import { clientSide } from '../client-error.ts';
import { withCluster } from '../cluster.ts';
import type { Invocation } from '../spec.ts';
import { tabletLine } from '../tablet-line.ts';

/** Changes a tablet's type, or shows what that would change. */
export function run(inv: Invocation): Promise<number> {
  const alias = clientSide(() => parseTabletAlias(inv.args[0]!));
  const type = clientSide(() => parseTabletType(inv.args[1]!));
  const dryRun = inv.flags.bool('dry-run');
  return withCluster(inv, { history: !dryRun }, async ({ ctx, cluster }) => {
    const { before, after } = await changeTabletType(ctx, cluster, alias, type, dryRun);
    if (dryRun) inv.io.stdout.write('--- DRY RUN ---\n');
    inv.io.stdout.write(`- ${tabletLine(before)}\n+ ${tabletLine(after)}\n`);
    return 0;
  });
}
