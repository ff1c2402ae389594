import { plainError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { cellNames } from '../topo/cells.ts';
import { paths } from '../topo/paths.ts';
import type { KeyspacePartition, Shard, SrvKeyspace } from '../topo/proto/types.ts';
import { getKeyspaceRoutingRules, getMirrorRules, getRoutingRules, getShardRoutingRules, keyspaceRoutingMap, routingMap, shardRoutingMap } from '../topo/rules.ts';
import { sameRange } from '../topo/served-types.ts';
import { readRecord } from '../topo/server.ts';
import { partitionOf } from '../topo/srv-keyspace.ts';
import { getSrvVSchema } from '../topo/vschema.ts';
import { isShardSwitched } from './partial-moves.ts';
import { buildTrafficSwitcher, type SwitcherOptions, type TrafficSwitcher } from './switcher.ts';

/** What the rules say of a workflow's traffic. Vitess: go/vt/vtctl/workflow/state.go. */
export interface WorkflowState {
  replicaSwitched: string[];
  replicaNotSwitched: string[];
  rdonlySwitched: string[];
  rdonlyNotSwitched: string[];
  writesSwitched: boolean;
  readsMirrored: boolean;
  writesMirrored: boolean;
  /** Of a partial move alone: shards of any workflow between the two keyspaces, by where their rules lead. */
  partial: PartialState | undefined;
}

/** Where the shards of a partial move go. */
export interface PartialState {
  /** As Vitess prints it. */
  switched: string[];
  notSwitched: string[];
  /** Shards of this workflow alone, by the same rules. */
  own: { switched: string[]; notSwitched: string[] };
}

/** A workflow and its state. */
export interface WorkflowWithState {
  sw: TrafficSwitcher;
  state: WorkflowState;
}

/** Reads a workflow and computes its state. A `_reverse` workflow reports the same picture as its original. */
export async function getWorkflowState(
  ctx: Context,
  cluster: Cluster,
  keyspace: string,
  workflow: string,
  options: SwitcherOptions = {},
): Promise<WorkflowWithState> {
  const sw = await buildTrafficSwitcher(ctx, cluster, keyspace, workflow, options);
  return { sw, state: await computeState(ctx, cluster, sw) };
}

/** The state from the rules: reads per cell as the gates see them, writes from the global records. */
export async function computeState(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<WorkflowState> {
  const reverse = sw.workflow.endsWith('_reverse');
  const source = reverse ? sw.targetKeyspace : sw.sourceKeyspace;
  const target = reverse ? sw.sourceKeyspace : sw.targetKeyspace;
  const state = emptyState();
  if (sw.kind === 'shards') {
    await addShardState(ctx, cluster, sw, reverse, state);
    return state;
  }
  if (sw.tables.length === 0) throw plainError(`no tables in workflow ${sw.targetKeyspace}.${sw.workflow}`);
  if (sw.kind === 'multi-tenant') await addTenantState(ctx, cluster, { source, target }, state);
  else if (sw.kind === 'partial') state.partial = await partialState(ctx, cluster, sw, { source, target });
  else await addTableState(ctx, cluster, sw, { source, target }, state);
  await addMirrorState(ctx, cluster, sw, { source, target }, state);
  return state;
}

interface Sides {
  source: string;
  target: string;
}

async function addTableState(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, { source, target }: Sides, state: WorkflowState): Promise<void> {
  const first = sw.tables[0]!;
  for (const cell of await cellNames(ctx, cluster.topo)) {
    const rules = routingMap((await getSrvVSchema(ctx, cluster.topo, cell))?.routing_rules ?? {});
    addReads(state, cell, (type) => {
      const to = rules.get(`${source}.${first}@${type}`)?.[0];
      return to !== undefined && keyspaceOf(to) !== source;
    });
  }
  const rules = routingMap(await getRoutingRules(ctx, cluster.topo));
  const keyed = cluster.release.behaviours.writesSwitchedRule;
  state.writesSwitched = sw.tables.some((table) => {
    // Until v20 the bare table's rule has to lead to this target; another workflow may have pointed it elsewhere.
    if (keyed === 'table') return rules.get(table)?.[0] === `${target}.${table}`;
    const to = rules.get(`${source}.${table}`)?.[0];
    return to !== undefined && to !== `${source}.${table}`;
  });
}

function addReads(state: WorkflowState, cell: string, isSwitched: (type: 'replica' | 'rdonly') => boolean): void {
  (isSwitched('replica') ? state.replicaSwitched : state.replicaNotSwitched).push(cell);
  (isSwitched('rdonly') ? state.rdonlySwitched : state.rdonlyNotSwitched).push(cell);
}

/** All cells or none: the rules are about keyspaces. Vitess: updateKeyspaceRoutingState. */
async function addTenantState(ctx: Context, cluster: Cluster, { source, target }: Sides, state: WorkflowState): Promise<void> {
  const rules = keyspaceRoutingMap(await getKeyspaceRoutingRules(ctx, cluster.topo));
  for (const cell of await cellNames(ctx, cluster.topo)) addReads(state, cell, (type) => rules.get(`${source}@${type}`) === target);
  state.writesSwitched = rules.get(source) === target;
}

/** Whatever workflow the rules belong to: all between the two keyspaces count. */
async function partialState(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, { source, target }: Sides): Promise<PartialState> {
  const stored = await getShardRoutingRules(ctx, cluster.topo);
  const leadingTo = (keyspace: string): string[] => (stored.rules ?? []).filter((rule) => rule.to_keyspace === keyspace).map((rule) => rule.shard ?? '');
  const map = shardRoutingMap(stored);
  // The source may not have been read; shard by shard both sides have the same names.
  const shards = sw.targets.map(({ info }) => info.name);
  const isSwitched = (shard: string): boolean => isShardSwitched(map, { sourceKeyspace: source, targetKeyspace: target }, shard);
  return {
    switched: leadingTo(target),
    notSwitched: leadingTo(source),
    own: { switched: shards.filter(isSwitched), notSwitched: shards.filter((shard) => !isSwitched(shard)) },
  };
}

/**
 * Whether writes are switched, as far as the release knows: of a partial move none does. On `hardened` its shards count, and
 * they are all switched or none.
 */
export function areWritesSwitched({ release }: Cluster, state: WorkflowState): boolean {
  if (state.partial === undefined || release.behaviours.partialWrites === 'never known') return state.writesSwitched;
  return state.partial.own.switched.length > 0 && state.partial.own.notSwitched.length === 0;
}

/** One shard stands for all of them: a source's, as the workflow began. Vitess: GetCellsWithShardReadsSwitched. */
async function addShardState(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, reverse: boolean, state: WorkflowState): Promise<void> {
  const shard = (reverse ? sw.targets : sw.sources)[0]?.info;
  for (const cell of await cellNames(ctx, cluster.topo)) {
    // Source shards that are gone serve nothing.
    if (shard === undefined) {
      addReads(state, cell, () => true);
      continue;
    }
    const { record } = await readRecord<SrvKeyspace>(ctx, cluster.topo.conn.forCell(cell), paths.srvKeyspace(sw.targetKeyspace));
    addReads(state, cell, (type) => !isServed(partitionOf(record, type.toUpperCase()), shard.record));
  }
  state.writesSwitched = shard?.record.is_primary_serving !== true;
}

/** Served if it is in the partition and no tablet control says otherwise; where there are some, one has to be the shard's. */
function isServed(partition: KeyspacePartition | undefined, shard: Shard): boolean {
  const controls = partition?.shard_tablet_controls ?? [];
  const own = controls.find((control) => sameRange(control, shard));
  const on = controls.length === 0 || (own !== undefined && own.query_service_disabled !== true);
  return on && (partition?.shard_references ?? []).some((reference) => sameRange(reference, shard));
}

async function addMirrorState(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, { source, target }: Sides, state: WorkflowState): Promise<void> {
  const mirrored = (await getMirrorRules(ctx, cluster.topo)).rules ?? [];
  const isMirrored = (suffix: string): boolean =>
    sw.tables.some((table) =>
      mirrored.some((rule) => rule.from_table === `${source}.${table}${suffix}` && rule.to_table === `${target}.${table}`),
    );
  state.readsMirrored = isMirrored('@replica') || isMirrored('@rdonly');
  state.writesMirrored = isMirrored('');
}

function emptyState(): WorkflowState {
  return {
    replicaSwitched: [],
    replicaNotSwitched: [],
    rdonlySwitched: [],
    rdonlyNotSwitched: [],
    writesSwitched: false,
    readsMirrored: false,
    writesMirrored: false,
    partial: undefined,
  };
}

function keyspaceOf(table: string): string {
  const dot = table.indexOf('.');
  if (dot < 1) throw plainError(`rule target is not correctly formatted: ${table}`);
  return table.slice(0, dot);
}

/** `All Reads Switched. Writes Not Switched` and its kin. */
export function stateText(state: WorkflowState): string {
  if (state.partial !== undefined) return partialText(state.partial);
  return `${readsText(state)}. ${state.writesSwitched ? 'Writes Switched' : 'Writes Not Switched'}`;
}

/** Vitess: go/vt/vtctl/workflow/state.go State.String. */
function partialText({ switched, notSwitched }: NonNullable<WorkflowState['partial']>): string {
  if (switched.length === 0) return 'Reads Not Switched. Writes Not Switched';
  if (notSwitched.length === 0) return 'All Reads Switched. All Writes Switched';
  const shards = switched.join(',');
  return `Reads partially switched, for shards: ${shards}. Writes partially switched, for shards: ${shards}`;
}

function readsText(state: WorkflowState): string {
  const { replicaSwitched, replicaNotSwitched, rdonlySwitched, rdonlyNotSwitched } = state;
  const noneLeft = replicaNotSwitched.length === 0 && rdonlyNotSwitched.length === 0;
  if (noneLeft && replicaSwitched.length > 0) return 'All Reads Switched';
  if (replicaSwitched.length === 0 && rdonlySwitched.length === 0) return 'Reads Not Switched';
  const replica = partText('Replica', replicaSwitched, replicaNotSwitched);
  return `Reads partially switched. ${replica}. ${partText('Rdonly', rdonlySwitched, rdonlyNotSwitched)}`;
}

function partText(type: string, switched: readonly string[], not: readonly string[]): string {
  if (not.length === 0) return `All ${type} Reads Switched`;
  if (switched.length === 0) return `${type} not switched`;
  return `${type} switched in cells: ${switched.join(',')}`;
}
