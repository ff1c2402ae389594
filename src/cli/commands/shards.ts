import { parseKeyspaceShard, parseTabletType } from '../../lib/names.ts';
import { Shard as NamedShard } from '../../topo/proto/messages-vtctldata.ts';
import { Shard } from '../../topo/proto/messages-topodata.ts';
import { type AdminMistake, readShard, setShardTabletControl } from '../../workflow/admin.ts';
import { clientSide } from '../client-error.ts';
import { programOf } from '../program-words.ts';
import { withCluster } from '../cluster.ts';
import { letPass } from '../deviations.ts';
import type { Invocation } from '../spec.ts';
import { printRecord } from '../vtctl-output.ts';

/** Prints a shard's record, or changes what its tablets refuse. */
export function run(inv: Invocation): Promise<number> {
  return inv.path.at(-1) === 'GetShard' ? printShard(inv) : setTabletControl(inv);
}

function printShard(inv: Invocation): Promise<number> {
  const { keyspace, shard } = clientSide(() => parseKeyspaceShard(inv.args[0]!));
  return withCluster(inv, {}, async ({ ctx, cluster }) => {
    const info = await readShard(ctx, cluster.topo, keyspace, shard);
    printRecord(inv, NamedShard, { keyspace, name: shard, shard: info.record });
    return 0;
  });
}

function setTabletControl(inv: Invocation): Promise<number> {
  const { args, flags } = inv;
  const { keyspace, shard } = clientSide(() => parseKeyspaceShard(args[0]!), { prefix: 'cannot parse keyspace/shard: ' });
  const tabletType = clientSide(() => parseTabletType(args[1]!), { prefix: 'cannot parse tablet type: ' });
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    const request = {
      keyspace,
      shard,
      tabletType,
      cells: flags.strings('cells'),
      deniedTables: flags.strings('denied-tables'),
      remove: flags.bool('remove'),
      disableQueryService: flags.bool('disable-query-service'),
    };
    if (flags.given('disable-query-service') && (request.remove || request.deniedTables.length > 0)) {
      letPass(cluster, 'disable-ignored', '--disable-query-service does nothing together with --denied-tables or --remove: run it by itself');
    }
    const onMistake = ({ kind, text }: AdminMistake): void => letPass(cluster, kind, text);
    const info = await setShardTabletControl(ctx, cluster, request, onMistake);
    printRecord(inv, Shard, info.record);
    if (!flags.bool('quiet')) {
      const program = programOf(flags);
      inv.io.stderr.write(`hint: tablets notice after: ${program} RefreshStateByShard ${keyspace}/${shard}\n`);
    }
    return 0;
  });
}
