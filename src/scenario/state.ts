import { shortTabletAlias } from '../lib/names.ts';
import type { StateTests } from '../report/scenario-file/schema.ts';
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { findAllShards, keyspaceNames, shardText } from '../topo/keyspaces.ts';
import { getKeyspaceRoutingRules, getRoutingRules, getShardRoutingRules, keyspaceRoutingMap, routingMap } from '../topo/rules.ts';
import { gatherIntents } from '../workflow/facts/intents.ts';
import { gatherKeyspaces } from '../workflow/facts/keyspace.ts';
import { gatherLocks } from '../workflow/facts/locks.ts';
import { gatherRouting } from '../workflow/facts/routing.ts';
import { gatherSessions } from '../workflow/facts/sessions.ts';
import { gatherShards } from '../workflow/facts/shard.ts';
import { gatherWorkflows } from '../workflow/facts/workflow.ts';
import { disabled, serving } from './state-serving.ts';

/** Reads one part of the state as the tree that expectations are compared with. */
type View = (ctx: Context, cluster: Cluster) => Promise<unknown>;

/** The parts of the state that a scenario can name and that are read, not tried. */
export type ViewName = Exclude<keyof StateTests, 'writes' | 'reads' | 'rows' | 'unchanged'>;

/** How each part is read. Their shapes are those of `show … --format json`, by name. */
export const VIEWS: Readonly<Record<ViewName, View>> = {
  keyspace: async (ctx, cluster) => byName(await gatherKeyspaces(ctx, cluster), (one) => [one.keyspace]),
  shard: async (ctx, cluster) => byName(await gatherShards(ctx, cluster), (one) => [`${one.keyspace}/${one.shard}`]),
  tablet: async (ctx, cluster) =>
    byName((await gatherShards(ctx, cluster)).flatMap((shard) => shard.tablets), ({ alias }) => [alias, shortTabletAlias(alias)]),
  workflow: async (ctx, cluster) => byName(await gatherWorkflows(ctx, cluster), (one) => [`${one.keyspace}.${one.workflow}`]),
  stream: streams,
  // A lock whose lease has run out is nobody's; its row stays until somebody asks for the lock.
  locks: async (_ctx, cluster) => gatherLocks(cluster).filter(({ holder, waiters }) => waiters.length > 0 || (holder?.expiresMs ?? 1) > 0),
  sessions: async (ctx, cluster) => (await gatherSessions(ctx, cluster)).sessions,
  routing,
  rules: async (ctx, cluster) => Object.fromEntries(routingMap(await getRoutingRules(ctx, cluster.topo))),
  shardRules: async (ctx, cluster) =>
    Object.fromEntries(((await getShardRoutingRules(ctx, cluster.topo)).rules ?? []).map((rule) => [`${rule.from_keyspace ?? ''}/${rule.shard ?? ''}`, rule.to_keyspace ?? ''])),
  keyspaceRules: async (ctx, cluster) => Object.fromEntries(keyspaceRoutingMap(await getKeyspaceRoutingRules(ctx, cluster.topo))),
  denied: async (ctx, cluster) =>
    Object.fromEntries(
      (await gatherShards(ctx, cluster)).map((one) => [
        `${one.keyspace}/${one.shard}`,
        one.denied.flatMap((control) => (control.type === 'PRIMARY' ? control.tables : [])).toSorted(),
      ]),
    ),
  serving,
  disabled,
  journals,
  intents: gatherIntents,
};

function byName<T>(all: readonly T[], namesOf: (one: T) => string[]): Record<string, T> {
  return Object.fromEntries(all.flatMap((one) => namesOf(one).map((name) => [name, one])));
}

async function streams(ctx: Context, cluster: Cluster): Promise<Record<string, object>> {
  const found: Record<string, object> = {};
  for (const { keyspace, workflow, streams: rows } of await gatherWorkflows(ctx, cluster)) {
    for (const row of rows) {
      found[`${keyspace}.${workflow}/${row.shard}`] = row;
      found[`${keyspace}.${workflow}/${row.shard} from ${row.from}`] = row;
    }
    if (rows.length === 1) found[`${keyspace}.${workflow}`] = rows[0]!;
  }
  return found;
}

/** Where names lead by the cells' copies; by cell where they disagree. */
async function routing(ctx: Context, cluster: Cluster): Promise<Record<string, unknown>> {
  const { routes } = await gatherRouting(ctx, cluster);
  return Object.fromEntries(
    routes.map(({ from, type, cells }) => {
      const [first, ...others] = Object.values(cells);
      const same = others.every((other) => other === first);
      return [type === 'PRIMARY' ? from : `${from}@${type.toLowerCase()}`, same ? (first ?? '') : cells];
    }),
  );
}

async function journals(ctx: Context, cluster: Cluster): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const keyspace of await keyspaceNames(ctx, cluster.topo)) {
    for (const info of await findAllShards(ctx, cluster.topo, keyspace)) {
      const row = cluster.shards.open(keyspace, info.name).db.get<{ n: number }>('SELECT count(*) AS n FROM "_vt.resharding_journal"');
      counts[shardText(info)] = row?.n ?? 0;
    }
  }
  return counts;
}
