import { plainError, vtError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { buildTrafficSwitcher, type MigrationTarget, type TrafficSwitcher } from '../switcher.ts';

/** Which diffs a command is about. */
export interface VDiffTarget {
  keyspace: string;
  workflow: string;
}

/** Reads the workflow that diffs belong to. Throws `no streams found in keyspace K for W`. */
export function readWorkflow(ctx: Context, cluster: Cluster, { keyspace, workflow }: VDiffTarget): Promise<TrafficSwitcher> {
  return buildTrafficSwitcher(ctx, cluster, keyspace, workflow);
}

/** The target shards named, all if none is. Throws INVALID_ARGUMENT. Vitess: go/vt/vtctl/workflow/utils.go applyTargetShards. */
export function limitTargets(sw: TrafficSwitcher, shards: readonly string[]): MigrationTarget[] {
  if (shards.length === 0) return sw.targets;
  if (sw.targets.length === 0) throw plainError(`no targets found for workflow ${sw.workflow}`);
  const wrong = shards.find((name) => !sw.targets.some(({ info }) => info.name === name));
  if (wrong !== undefined) throw vtError('INVALID_ARGUMENT', `specified target shard ${wrong} not a valid target for workflow ${sw.workflow}`);
  return sw.targets.filter(({ info }) => shards.includes(info.name));
}
