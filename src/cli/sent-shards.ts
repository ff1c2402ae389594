import type { Cluster } from '../tablet/cluster.ts';
import { hasFlag } from './flags.ts';
import { refuseLaterFlag } from './later-flags.ts';
import type { Invocation } from './spec.ts';

/** The shards that `--shards` names, as far as the release has the flag and its vtctldclient sends it. */
export function sentShards(inv: Invocation, { release, world }: Cluster, how: 'unknown' | 'ignored' | 'obeyed'): readonly string[] {
  if (!hasFlag(inv, 'shards')) return [];
  refuseLaterFlag(inv, 'shards', how !== 'unknown');
  if (how !== 'ignored' || !inv.flags.given('shards')) return inv.flags.strings('shards');
  const text = `vtctldclient ${release.name} does not send --shards of ${inv.path.join(' ')}: every shard is meant`;
  world.events.emit({ kind: 'warning', text });
  return [];
}

/** The same for commands whose flag no vtctldclient sends: `hardened` looks at it. */
export function unsentShards(inv: Invocation, cluster: Cluster): readonly string[] {
  const { vitess, behaviours } = cluster.release;
  if (!vitess) return sentShards(inv, cluster, 'obeyed');
  return sentShards(inv, cluster, behaviours.workflowShards === 'unknown' ? 'unknown' : 'ignored');
}
