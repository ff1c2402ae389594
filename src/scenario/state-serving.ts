import { isDeepStrictEqual } from 'node:util';
import type { Context } from '../runtime/context.ts';
import { type Cluster, observing } from '../tablet/cluster.ts';
import { cellNames } from '../topo/cells.ts';
import { findAllShards, keyspaceNames, shardText } from '../topo/keyspaces.ts';
import type { SrvKeyspace } from '../topo/proto/types.ts';
import { sameRange } from '../topo/served-types.ts';
import { getSrvKeyspace, partitionOf } from '../topo/srv-keyspace.ts';
import { ROUTED_TYPES } from '../workflow/facts/routing.ts';

/** The serving graph of a keyspace in each cell; undefined where the cell has none. */
type Graphs = Record<string, SrvKeyspace | undefined>;

/** The shards that gates send each tablet type to, by keyspace (`customer`, `customer@replica`); by cell where those disagree. */
export async function serving(ctx: Context, cluster: Cluster): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const [keyspace, graphs] of await graphsOf(ctx, cluster)) {
    for (const type of ROUTED_TYPES) {
      const name = type === 'PRIMARY' ? keyspace : `${keyspace}@${type.toLowerCase()}`;
      found[name] = unlessDifferent(graphs, (graph) => (partitionOf(graph, type)?.shard_references ?? []).map((reference) => reference.name ?? ''));
    }
  }
  return found;
}

/** The tablet types whose query service is off, by shard; by cell where those disagree. */
export async function disabled(ctx: Context, cluster: Cluster): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const [keyspace, graphs] of await graphsOf(ctx, cluster)) {
    for (const info of await findAllShards(ctx, cluster.topo, keyspace)) {
      found[shardText(info)] = unlessDifferent(graphs, (graph) =>
        ROUTED_TYPES.filter((type) =>
          (partitionOf(graph, type)?.shard_tablet_controls ?? []).some((control) => control.query_service_disabled === true && sameRange(control, info.record)),
        ),
      );
    }
  }
  return found;
}

async function graphsOf(ctx: Context, looked: Cluster): Promise<Map<string, Graphs>> {
  const cluster = observing(looked);
  const cells = await cellNames(ctx, cluster.topo);
  const found = new Map<string, Graphs>();
  for (const keyspace of await keyspaceNames(ctx, cluster.topo)) {
    const graphs: Graphs = {};
    for (const cell of cells) graphs[cell] = await getSrvKeyspace(ctx, cluster.topo, cell, keyspace);
    found.set(keyspace, graphs);
  }
  return found;
}

/** What is true of every cell's graph, or of each where they disagree; null stands for a cell that has none. */
function unlessDifferent(graphs: Graphs, of: (graph: SrvKeyspace) => unknown): unknown {
  const cells = Object.entries(graphs).map(([cell, graph]) => [cell, graph === undefined ? null : of(graph)] as const);
  const first = cells[0]?.[1];
  return cells.every(([, value]) => isDeepStrictEqual(value, first)) ? first : Object.fromEntries(cells);
}
