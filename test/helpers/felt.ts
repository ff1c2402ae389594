import { readStreams } from '../../src/tablet/vreplication/streams.ts';
import type { RoutingRules, Shard, SrvVSchema } from '../../src/topo/proto/types.ts';
import type { Outcome } from '../../src/workflow/switch/outcome.ts';
import type { TestCluster } from './shell.ts';

/** The state that a switch of the usual workflow left, as far as people feel it. */
export type Felt = Omit<Outcome, 'unnoticed'>;

/** Read from the records, the rows and the journal. */
export function feltState({ host }: TestCluster): Felt {
  const record = <T>(cell: string, path: string): T | undefined => {
    const node = host.store.cell(cell).get(path);
    return node === undefined ? undefined : (JSON.parse(node.contents) as T);
  };
  const denied = (keyspace: string): boolean =>
    (record<Shard>('global', `keyspaces/${keyspace}/shards/0/Shard`)?.tablet_controls ?? []).some(
      (control) => (control.denied_tables ?? []).length > 0,
    );
  const target = (rules: RoutingRules | undefined): string | undefined =>
    rules?.rules?.find((rule) => rule.from_table === 'commerce.corder@replica')?.to_tables?.[0];
  const global = target(record<RoutingRules>('global', 'RoutingRules'));
  const served = target(record<SrvVSchema>('zone1', 'SrvVSchema')?.routing_rules);
  const source = host.shards.open('commerce', '0');
  return {
    sourceDenied: denied('commerce'),
    targetDenied: denied('customer'),
    streams: readStreams(host.shards.open('customer', '0'), 'c2c').every((row) => row.state === 'Running') ? 'as before' : 'stopped',
    reverse: readStreams(source, 'c2c_reverse').length > 0,
    reads: served === 'customer.corder' ? 'switched' : global === 'customer.corder' ? 'saved but not published' : 'as before',
    others: 'as before',
    otherTenantsDenied: false,
    journaled: source.db.get('SELECT 1 FROM "_vt.resharding_journal"') !== undefined,
  };
}
