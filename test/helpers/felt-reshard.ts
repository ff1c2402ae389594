import { readStreams } from '../../src/tablet/vreplication/streams.ts';
import type { KeyspacePartition, SrvKeyspace } from '../../src/topo/proto/types.ts';
import type { Felt } from './felt.ts';
import { otherStreams } from './other-streams.ts';
import { RESHARDS, type ReshardShape } from './reshard.ts';
import type { TestCluster } from './shell.ts';

/** The state that a switch of a Reshard with streams of other workflows left, as far as people feel it. */
export function feltReshard({ host, ...cluster }: TestCluster, shape: ReshardShape): Felt {
  const { from, to } = RESHARDS[shape];
  const serving = JSON.parse(host.store.cell('zone1').get('keyspaces/customer/SrvKeyspace')!.contents) as SrvKeyspace;
  const partition = (type: string): KeyspacePartition | undefined => serving.partitions?.find((candidate) => candidate.served_type === type);
  const shards = (type: string): string => (partition(type)?.shard_references ?? []).map(({ name }) => name).join();
  const open = (shard: string): ReturnType<typeof host.shards.open> => host.shards.open('customer', shard);
  const copies = otherStreams({ host, ...cluster }, to);
  const stopped = otherStreams({ host, ...cluster }, from).some((text) => !text.includes(' Running'));
  return {
    sourceDenied: (partition('PRIMARY')?.shard_tablet_controls ?? []).some(({ query_service_disabled: off }) => off === true),
    targetDenied: false,
    streams: to.every((shard) => readStreams(open(shard), 'cust2cust').every((row) => row.state === 'Running')) ? 'as before' : 'stopped',
    reverse: from.some((shard) => readStreams(open(shard), 'cust2cust_reverse').length > 0),
    reads: shards('REPLICA') === to.join() ? 'switched' : 'as before',
    others: copies.length > 0 ? 'copied' : stopped ? 'stopped' : 'as before',
    otherTenantsDenied: false,
    journaled: from.some((shard) => open(shard).db.get('SELECT 1 FROM "_vt.resharding_journal"') !== undefined),
  };
}
