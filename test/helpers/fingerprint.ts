import type { MemoryHost } from '../../src/cli/host.ts';
import { sortMirrors } from '../../src/topo/mirror-rules.ts';
import type { MirrorRules, SrvVSchema } from '../../src/topo/proto/types.ts';
import { readViews } from '../../src/tablet/view.ts';
import { readStreams } from '../../src/tablet/vreplication/streams.ts';
import { streamPrint } from '../../src/workflow/facts/fingerprint.ts';

/**
 * A cluster's state as the contract compares it: topology records without node versions; state, message, stop position,
 * cell and tablet types of each stream; denied and serving state per tablet; source rows. Not: history, ids used
 * up, timestamps, fences.
 */
export function fingerprint(host: MemoryHost): Record<string, unknown> {
  const state: Record<string, unknown> = {};
  for (const [cell, nodes] of host.store.nodes) {
    for (const [path, node] of nodes) {
      if (path.startsWith('switchtraffic/history')) continue;
      state[`${cell}:${path}`] = withSortedMirrors(path, JSON.parse(node.contents));
    }
  }
  state['locks'] = host.store.tickets.map((ticket) => ticket.resource);
  for (const [keyspace, shard] of shardsOf(host)) {
    const db = host.shards.open(keyspace, shard);
    state[`${keyspace}/${shard} streams`] = readStreams(db).map(streamPrint);
    state[`${keyspace}/${shard} views`] = readViews(db).map(({ alias, view }) => ({ alias, ...view, fence: 0 }));
    state[`${keyspace}/${shard} journals`] = db.db.all('SELECT id FROM "_vt.resharding_journal" ORDER BY id');
    state[`${keyspace}/${shard} waiting`] = db.db.all('SELECT holder FROM _table_lock');
    for (const table of db.tableNames()) {
      state[`${keyspace}/${shard} ${table}`] = db.db.all(`SELECT * FROM "${table}" ORDER BY 1`);
    }
  }
  return state;
}

/** The order of mirror rules means nothing. */
function withSortedMirrors(path: string, record: unknown): unknown {
  if (path === 'MirrorRules') return { rules: sortMirrors((record as MirrorRules).rules ?? []) };
  if (path !== 'SrvVSchema') return record;
  const { mirror_rules: mirrors } = record as SrvVSchema;
  return { ...(record as SrvVSchema), mirror_rules: { rules: sortMirrors(mirrors?.rules ?? []) } };
}

/** Every shard that has a record. */
export function shardsOf(host: MemoryHost): [keyspace: string, shard: string][] {
  return [...host.store.cell('global').keys()].flatMap((path): [string, string][] => {
    const match = /^keyspaces\/([^/]+)\/shards\/([^/]+)\/Shard$/.exec(path);
    return match === null ? [] : [[match[1]!, match[2]!]];
  });
}
