import { formatLogTime } from '../../lib/go-time.ts';
import { parseKeyspaceShard, parseTabletAlias, type TabletAlias } from '../../lib/names.ts';
import { plannedReparentShard, type ReparentEvent } from '../../workflow/reparent.ts';
import { clientSide } from '../client-error.ts';
import { withCluster } from '../cluster.ts';
import type { Invocation } from '../spec.ts';

/** Makes another tablet of a shard its primary, and prints the log that vtctld sends along. */
export function run(inv: Invocation): Promise<number> {
  const { flags } = inv;
  const { keyspace, shard } = clientSide(() => parseKeyspaceShard(inv.args[0]!));
  const alias = (flag: string): TabletAlias | undefined => {
    const text = flags.str(flag);
    return text === '' ? undefined : clientSide(() => parseTabletAlias(text));
  };
  const request = {
    keyspace,
    shard,
    newPrimary: alias('new-primary'),
    avoidPrimary: alias('avoid-primary'),
    expectedPrimary: alias('expected-primary'),
    waitReplicasMs: flags.duration('wait-replicas-timeout'),
    tolerableLagMs: flags.duration('tolerable-replication-lag'),
    allowCrossCell: flags.bool('allow-cross-cell-promotion'),
  };
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    const events = await plannedReparentShard(ctx, cluster, request);
    inv.io.stdout.write(events.map((event) => `${eventLine(event)}\n`).join(''));
    return 0;
  });
}

/** Vitess: go/vt/logutil/logger.go EventToBuffer. */
function eventLine({ level, at, place, text }: ReparentEvent): string {
  return `${level}${formatLogTime(at)} ${place}] ${text}`;
}
