import { plainError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { cellNames } from '../topo/cells.ts';
import { getMirrorRules, getRoutingRules, routingMap } from '../topo/rules.ts';
import { getSrvVSchema } from '../topo/vschema.ts';
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

/** The state from the rules: reads per cell as the gates see them, writes from the global rules. */
export async function computeState(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<WorkflowState> {
  const reverse = sw.workflow.endsWith('_reverse');
  const source = reverse ? sw.targetKeyspace : sw.sourceKeyspace;
  const target = reverse ? sw.sourceKeyspace : sw.targetKeyspace;
  const first = sw.tables[0];
  if (first === undefined) throw plainError(`no tables in workflow ${sw.targetKeyspace}.${sw.workflow}`);
  const state = emptyState();
  for (const cell of await cellNames(ctx, cluster.topo)) {
    const rules = routingMap((await getSrvVSchema(ctx, cluster.topo, cell))?.routing_rules ?? {});
    const switched = (type: string): boolean => {
      const to = rules.get(`${source}.${first}@${type}`)?.[0];
      return to !== undefined && keyspaceOf(to) !== source;
    };
    (switched('replica') ? state.replicaSwitched : state.replicaNotSwitched).push(cell);
    (switched('rdonly') ? state.rdonlySwitched : state.rdonlyNotSwitched).push(cell);
  }
  const rules = routingMap(await getRoutingRules(ctx, cluster.topo));
  const keyed = cluster.release.behaviours.writesSwitchedRule;
  state.writesSwitched = sw.tables.some((table) => {
    // Until v20 the bare table's rule has to lead to this target; another workflow may have pointed it elsewhere.
    if (keyed === 'table') return rules.get(table)?.[0] === `${target}.${table}`;
    const to = rules.get(`${source}.${table}`)?.[0];
    return to !== undefined && to !== `${source}.${table}`;
  });
  const mirrored = (await getMirrorRules(ctx, cluster.topo)).rules ?? [];
  const isMirrored = (suffix: string): boolean =>
    sw.tables.some((table) =>
      mirrored.some((rule) => rule.from_table === `${source}.${table}${suffix}` && rule.to_table === `${target}.${table}`),
    );
  state.readsMirrored = isMirrored('@replica') || isMirrored('@rdonly');
  state.writesMirrored = isMirrored('');
  return state;
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
  };
}

function keyspaceOf(table: string): string {
  const dot = table.indexOf('.');
  if (dot < 1) throw plainError(`rule target is not correctly formatted: ${table}`);
  return table.slice(0, dot);
}

/** `All Reads Switched. Writes Not Switched` and its kin. */
export function stateText(state: WorkflowState): string {
  return `${readsText(state)}. ${state.writesSwitched ? 'Writes Switched' : 'Writes Not Switched'}`;
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
