import { UserError } from '../lib/errors.ts';
import type { MigrationKind, TrafficSwitcher } from './switcher.ts';

/** Why what a command does to a workflow it does to all of its shards. */
const TOGETHER: Readonly<Record<MigrationKind, string>> = {
  tables: 'its rules are about tables, whatever their shard',
  partial: 'they are switched together, and end together',
  'multi-tenant': "its rules are about the tenant's keyspace, whatever the shard",
  shards: 'the old shards serve, or the new ones',
};

/**
 * Throws UserError for `--shards` that name only some of a workflow's target shards, where a command cannot be about some. No
 * vtctldclient sends the flag, but for cancel, where a release takes tables and rules from all and leaves the rest of the streams.
 */
export function refuseSomeShards({ kind, workflow, targetKeyspace, targets }: TrafficSwitcher, shards: readonly string[]): void {
  if (shards.length === 0) return;
  const own = targets.map(({ info }) => info.name);
  const foreign = shards.find((shard) => !own.includes(shard));
  if (foreign !== undefined) {
    throw new UserError(`shard ${foreign} of ${targetKeyspace} is none of workflow ${workflow}'s, which are ${own.join(', ')}`);
  }
  const left = own.filter((shard) => !shards.includes(shard));
  if (left.length === 0) return;
  throw new UserError(`workflow ${workflow} cannot leave out shard ${left.join(', ')} of ${targetKeyspace}: ${TOGETHER[kind]}`, {
    next:
      kind === 'tables'
        ? 'leave --shards out; to go shard by shard, make a workflow for each: create --source-shards'
        : `leave --shards out, or name all: --shards=${own.join(',')}`,
  });
}
