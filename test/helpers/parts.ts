import { expect } from 'vitest';
import { background } from '../../src/runtime/context.ts';
import { readStreams } from '../../src/tablet/vreplication/streams.ts';
import { ETCD_NAMES } from '../../src/topo/conn/directory.ts';
import type { KeyspaceRoutingRules, RoutingRules, Shard, ShardRoutingRules } from '../../src/topo/proto/types.ts';
import type { TestCluster } from './shell.ts';

/** What tests of moves shard by shard and tenant by tenant look at. */

function recordOf<T>({ host }: TestCluster, path: string): T | undefined {
  const node = host.store.cell('global').get(path);
  return node === undefined ? undefined : (JSON.parse(node.contents) as T);
}

/** A refused line's error, without what follows it. */
export async function errorOf(cluster: TestCluster, line: string): Promise<string> {
  const { exit, stderr } = await cluster.run(line);
  expect(exit, line).not.toBe(0);
  return stderr.split('\n')[0]!;
}

/** Shard routing rules as `from/shard > to`. */
export async function shardRules(cluster: TestCluster): Promise<string[]> {
  const { rules = [] } = JSON.parse(await cluster.ok('GetShardRoutingRules --compact')) as ShardRoutingRules;
  return rules.map((rule) => `${rule.from_keyspace}/${rule.shard} > ${rule.to_keyspace}`);
}

/** Shards of a keyspace whose primary denies tables. */
export const deniedShards = (cluster: TestCluster, keyspace: string): string[] =>
  ['-80', '80-'].filter((shard) => recordOf<Shard>(cluster, `keyspaces/${keyspace}/shards/${shard}/Shard`)?.tablet_controls?.some(({ denied_tables = [] }) => denied_tables.length > 0) === true);

/** The routing rules of tables. */
export async function tableRules(cluster: TestCluster): Promise<RoutingRules['rules']> {
  return (JSON.parse(await cluster.ok('GetRoutingRules --compact')) as RoutingRules).rules ?? [];
}

/** Keyspace routing rules as an object; undefined where there never was one. */
export function keyspaceRules(cluster: TestCluster): Record<string, string> | undefined {
  const saved = recordOf<KeyspaceRoutingRules>(cluster, 'routing_rules/keyspace/Rules');
  return saved === undefined ? undefined : Object.fromEntries((saved.rules ?? []).map(({ from_keyspace = '', to_keyspace = '' }) => [from_keyspace, to_keyspace]));
}

/** The three rules of a keyspace. */
export const rulesTo = (keyspace: string, to: string): Record<string, string> => ({ [keyspace]: to, [`${keyspace}@rdonly`]: to, [`${keyspace}@replica`]: to });

/** The ids of a shard's rows. */
export const stored = ({ host }: TestCluster, keyspace: string, shard = '0', table = 't1'): number[] =>
  host.shards.open(keyspace, shard).db.all<{ id: number }>(`SELECT id FROM "${table}" ORDER BY id`).map(({ id }) => Number(id));

/** The sources of a workflow's streams. */
export const filterOf = (cluster: TestCluster, keyspace: string, workflow: string, shard = '0'): string =>
  readStreams(cluster.host.shards.open(keyspace, shard), workflow).map((row) => row.source).join('\n');

/** Somebody holds the lock of a workflow, while `body` runs: `mt/w1`. */
export async function whileLocked(cluster: TestCluster, workflow: string, body: () => Promise<void>): Promise<void> {
  const other = cluster.host.openTopology(cluster.machine.world(), { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
  const lock = await other.lock(background(), { dir: `internal/named_locks/${workflow}`, contents: '{}', ttlMs: 60_000, mustExist: false });
  await body();
  await lock.unlock(background());
}
