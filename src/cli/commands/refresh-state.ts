import { errorText, plainError, wrapError } from '../../lib/errors.ts';
import { parseKeyspaceShard, parseTabletAlias } from '../../lib/names.ts';
import { refreshState } from '../../tablet/manager.ts';
import { refreshTabletsByShard } from '../../tablet/refresh.ts';
import { getShard } from '../../topo/keyspaces.ts';
import { aliasText, getTablet } from '../../topo/tablets.ts';
import { withCluster } from '../cluster.ts';
import { refuseUnknownCells } from '../places.ts';
import type { Invocation } from '../spec.ts';

/** Has tablets re-read their shard record. */
export function run(inv: Invocation): Promise<number> {
  return inv.path.at(-1) === 'RefreshState' ? oneTablet(inv) : wholeShard(inv);
}

const LIMIT_MS = 15_000;

function oneTablet(inv: Invocation): Promise<number> {
  const alias = parseTabletAlias(inv.args[0]!);
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    let tablet: Awaited<ReturnType<typeof getTablet>>;
    try {
      tablet = await getTablet(ctx, cluster.topo, alias);
    } catch (error) {
      throw wrapError(error, `failed to get tablet ${aliasText(alias)}`);
    }
    await refreshState(ctx, cluster, tablet);
    inv.io.stdout.write(`Refreshed state on ${aliasText(alias)}\n`);
    return 0;
  });
}

function wholeShard(inv: Invocation): Promise<number> {
  const { keyspace, shard } = parseKeyspaceShard(inv.args[0]!);
  const cells = inv.flags.strings('cells');
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    let info: Awaited<ReturnType<typeof getShard>>;
    try {
      info = await getShard(ctx, cluster.topo, keyspace, shard);
    } catch (error) {
      throw plainError(`failed to get shard ${keyspace}/${shard}/: ${errorText(error)}`);
    }
    await refuseUnknownCells(ctx, cluster, cells);
    const { partial } = await refreshTabletsByShard(ctx, cluster, info, { cells, timeoutMs: LIMIT_MS });
    const where = cells.length === 0 ? '' : ` in cells ${cells.join(', ')}`;
    inv.io.stdout.write(`Refreshed state on ${keyspace}/${shard}${where}\n`);
    if (partial) inv.io.stdout.write('State refresh was partial; some tablets in the shard may not have succeeded.\n');
    return 0;
  });
}
