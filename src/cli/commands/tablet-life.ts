import { parseTabletAlias, parseTabletType, type TabletAlias, type TabletType } from '../../lib/names.ts';
import { restartTablet, setTabletType, stopTablet } from '../../tablet/life.ts';
import { aliasText } from '../../topo/tablets.ts';
import { clientSide } from '../client-error.ts';
import { withCluster } from '../cluster.ts';
import type { CommandScope } from '../scope.ts';
import type { Invocation } from '../spec.ts';

/** Stops a tablet, starts it again, or has a backup, a restore or another type happen to it. */
export function run(inv: Invocation): Promise<number> {
  const alias = clientSide(() => parseTabletAlias(inv.args[0]!), { exit: 2 });
  const [, typed] = inv.args;
  const type = typed === undefined ? undefined : clientSide(() => parseTabletType(typed), { exit: 2 });
  return withCluster(inv, { history: true }, async (scope) => {
    const act = inv.path.at(-1) === 'stop' ? stop : start;
    inv.io.stdout.write(`${await (type === undefined ? act(scope, alias) : setType(scope, alias, type))}\n`);
    return 0;
  });
}

async function stop({ ctx, cluster }: CommandScope, alias: TabletAlias): Promise<string> {
  const stopped = await stopTablet(ctx, cluster, alias);
  if (stopped === undefined) return `Tablet ${aliasText(alias)} is stopped already`;
  const { tablet, transactions } = stopped;
  const lost = transactions === 0 ? '' : `, and ${transactions === 1 ? 'the transaction' : `${transactions} transactions`} open there ${transactions === 1 ? 'is' : 'are'} gone`;
  return `Tablet ${aliasText(alias)} (${tablet.type.toLowerCase()} of ${tablet.keyspace}/${tablet.shard}) is stopped${lost}`;
}

async function start({ ctx, cluster }: CommandScope, alias: TabletAlias): Promise<string> {
  const tablet = await restartTablet(ctx, cluster, alias);
  if (tablet === undefined) return `Tablet ${aliasText(alias)} runs already`;
  return `Tablet ${aliasText(alias)} runs as ${tablet.type.toLowerCase()} of ${tablet.keyspace}/${tablet.shard}`;
}

async function setType({ ctx, cluster }: CommandScope, alias: TabletAlias, type: TabletType): Promise<string> {
  const { before } = await setTabletType(ctx, cluster, alias, type);
  const busy = type === 'BACKUP' || type === 'RESTORE' ? `, and in a ${type.toLowerCase()} until that is changed again` : '';
  return `Tablet ${aliasText(alias)} was ${before.type.toLowerCase()} and is ${type.toLowerCase()} now${busy}`;
}
