import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import type { Locked } from '../../topo/locks.ts';
import type { WorkflowState } from '../state.ts';
import type { TrafficSwitcher } from '../switcher.ts';
import type { SwitchIntent } from './intent.ts';
import type { SwitchPath } from './path.ts';
import type { StepName } from './catalogue.ts';
import type { Sequence } from './sequences/sequence.ts';
import type { StreamMigrator } from './stream-migrator.ts';

/** What SwitchTraffic or ReverseTraffic was asked to do. */
export interface SwitchRequest {
  keyspace: string;
  workflow: string;
  direction: 'forward' | 'backward';
  /** As typed: PRIMARY, REPLICA, RDONLY. */
  tabletTypes: readonly string[];
  cells: readonly string[];
  timeoutMs: number;
  maxLagMs: number;
  enableReverseReplication: boolean;
  initializeSequences: boolean;
  dryRun: boolean;
  /** Pass over what can be passed over: since v21, though no vtctldclient sends it. */
  force: boolean;
  /** Has to be all shards, where any are named; only `hardened` looks. */
  shards: readonly string[];
}

/** A lock that this switch holds, and the step that takes it off again. */
export interface HeldForStep {
  unlockedBy: StepName;
  locked: Locked;
}

/** One switch under way: what its steps share. */
export interface SwitchRun {
  readonly cluster: Cluster;
  readonly request: SwitchRequest;
  readonly sw: TrafficSwitcher;
  readonly startState: WorkflowState;
  readonly path: SwitchPath;
  /** Backward only for a reversal of reads whose writes were never switched; else the reverse workflow runs forward. */
  readonly direction: 'forward' | 'backward';
  /** Whether the writes stand where they are wanted already, so that lag does not matter. */
  readonly writesAlreadySwitched: boolean;
  /** Carries the locks taken so far. */
  ctx: Context;
  held: HeldForStep[];
  intent: SwitchIntent | undefined;
  /** Of a Reshard, once the other streams of the source shards have been looked at. */
  migrator: StreamMigrator | undefined;
  /** Clock time at which source writes were stopped, and were served again by either side. */
  writesStopped: number | undefined;
  writesServed: number | undefined;
  /** How many statements about the tables the source's tablets had refused when its writes were stopped. */
  refusedBefore: number;
  warnings: string[];
  /** The sequences to be initialised, once they have been looked for. */
  sequences: Sequence[];
}

/** True if the release knows `force`, and it was asked for (#16709). */
export function isForced({ request, cluster }: Pick<SwitchRun, 'request' | 'cluster'>): boolean {
  return request.force && cluster.release.behaviours.forceRefresh;
}

/** The keyspaces whose locks a write switch holds. */
export function lockedKeyspaces(sw: TrafficSwitcher): string[] {
  return [...new Set([sw.sourceKeyspace, sw.targetKeyspace])];
}
