import { UserError } from '../../lib/errors.ts';
import { parseTabletAlias, validateObjectName, validateShardName, type TabletType } from '../../lib/names.ts';
import { startTablet } from '../../tablet/start-tablet.ts';
import { cellNames } from '../../topo/cells.ts';
import { keyspaceNames } from '../../topo/keyspaces.ts';
import { paths } from '../../topo/paths.ts';
import { listNames } from '../../topo/server.ts';
import { aliasText } from '../../topo/tablets.ts';
import { clientSide } from '../client-error.ts';
import { withCluster } from '../cluster.ts';
import type { CommandScope } from '../scope.ts';
import type { Invocation } from '../spec.ts';

/** What a tablet may start as; the other types are states it gets into later. */
const TYPES: readonly TabletType[] = ['PRIMARY', 'REPLICA', 'RDONLY', 'SPARE'];

/** Starts a tablet, as starting a vttablet would: cell, keyspace and shard are made where they are missing. */
export function run(inv: Invocation): Promise<number> {
  const { flags } = inv;
  const alias = clientSide(() => parseTabletAlias(inv.args[0]!), { exit: 2 });
  clientSide(() => validateObjectName(flags.str('keyspace')), { exit: 2, prefix: '--keyspace: ' });
  clientSide(() => validateShardName(flags.str('shard')), { exit: 2, prefix: '--shard: ' });
  const type = flags.tabletTypes('type')[0] ?? 'REPLICA';
  if (!TYPES.includes(type)) {
    throw new UserError(`a tablet cannot start as ${type}; it can as ${TYPES.join(', ')}`, { exit: 2 });
  }
  return withCluster(inv, { history: true }, async (scope) => {
    const wanted = { alias, keyspace: flags.str('keyspace'), shard: flags.str('shard'), type };
    const before = await places(scope, wanted.keyspace);
    const { shard = wanted.shard } = await startTablet(scope.ctx, scope.cluster, wanted);
    const where = `${wanted.keyspace}/${shard}`;
    const made = [
      before.cells.includes(alias.cell) ? [] : [`cell ${alias.cell}`],
      before.keyspaces.includes(wanted.keyspace) ? [] : [`keyspace ${wanted.keyspace}`],
      before.shards.includes(shard) ? [] : [`shard ${where}`],
    ].flat();
    inv.io.stdout.write(`Tablet ${aliasText(alias)} added to ${where} as ${type.toLowerCase()}\n`);
    if (made.length > 0) inv.io.stdout.write(`Made for it: ${made.join(', ')}\n`);
    return 0;
  });
}

/** What there was before, to tell what a mistyped name has made. */
async function places(
  { ctx, cluster: { topo } }: CommandScope,
  keyspace: string,
): Promise<{ cells: string[]; keyspaces: string[]; shards: string[] }> {
  const [cells, keyspaces, shards] = await Promise.all([
    cellNames(ctx, topo),
    keyspaceNames(ctx, topo),
    listNames(ctx, topo.conn, paths.shards(keyspace)),
  ]);
  return { cells, keyspaces, shards };
}
