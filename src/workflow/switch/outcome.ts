import type { Behaviours } from '../../lib/behaviours.ts';
import { InvariantError } from '../../lib/errors.ts';
import { findRelease, LANDMARKS } from '../../lib/releases.ts';
import type { StepName } from './catalogue.ts';
import type { SwitchPath } from './path.ts';
import { isDecidedByLooking, type PlannedStep, planSteps } from './plan.ts';

/** A failure, as far as its consequences depend on it. */
export interface Failure {
  step: StepName;
  occurrence: number;
  /** The step had done its work when it failed. */
  effectDone: boolean;
  /** The caller's context had ended: Ctrl-C, a deadline. */
  callerEnded: boolean;
  /** The keyspace locks were really gone. */
  locksLost: boolean;
  /** This step of the roll-back fails too, before its effect. */
  rollbackStepFails?: StepName;
  /** Why it happened, where a release may see it elsewhere or not at all; a fault happens anywhere. */
  cause?: FailureCause;
}

/** A cause that lies in the cluster, and so is there on every release. */
export type FailureCause =
  /** A journal of so many bytes. */
  | { kind: 'journal'; bytes: number }
  /** Rights on `_vt` that are really missing, or granted on a pattern of databases only. */
  | { kind: 'privileges'; missing: boolean }
  /** No largest value in a shard without rows. */
  | { kind: 'null maximum' }
  /** A sequence that the VSchema names in backticks. */
  | { kind: 'escaped sequence' };

/** The state that a failed switch leaves, as far as people feel it. */
export interface Outcome {
  sourceDenied: boolean;
  targetDenied: boolean;
  streams: 'as before' | 'stopped';
  reverse: boolean;
  reads: 'as before' | 'switched' | 'saved but not published';
  /** Streams of other workflows on the shards of a Reshard; `copied`: also stopped copies of them on its targets. */
  others: 'as before' | 'stopped' | 'copied';
  /** The roll-back of one tenant's switch denies the target's tables, which those who have moved already use (#17794). */
  otherTenantsDenied: boolean;
  /** The journal was written: the switch can only go forward. */
  journaled: boolean;
  /** Why it does not fail so on the release, if it does not. */
  unnoticed: false | 'no such step' | 'no such failure' | 'no such migration';
}

/**
 * What a failure leaves on a release: the steps before it, then what its failure leads to there. Computed from the
 * list of steps and the behaviours alone, so that it can be said without running anything.
 */
export function predictOutcome(behaviours: Behaviours, path: SwitchPath, failure: Failure): Outcome {
  const state: Outcome = {
    sourceDenied: false,
    targetDenied: targetDeniedAtFirst(behaviours, path),
    streams: 'as before',
    reverse: false,
    reads: 'as before',
    others: 'as before',
    otherTenantsDenied: false,
    journaled: path.resume,
    unnoticed: false,
  };
  if (path.kind === 'multi-tenant' && !behaviours.tenantMoves) return { ...state, unnoticed: 'no such migration' };
  const steps = planSteps(path, behaviours);
  const at = failingStep(steps, behaviours, failure);
  if (at === 'no such failure' || at < 0) return { ...state, unnoticed: at === 'no such failure' ? at : 'no such step' };
  for (const step of steps.slice(0, at)) apply(state, step.name, behaviours, path);
  const failing = steps[at]!;
  if (failure.effectDone) apply(state, failing.name, behaviours, path);
  if (isDecidedByLooking(failing, behaviours, path)) {
    if (failure.effectDone) for (const step of steps.slice(at + 1)) apply(state, step.name, behaviours, path);
    else rollBack(state, behaviours, path, failure);
  } else if (failing.leadsTo === 'rolls back') {
    rollBack(state, behaviours, path, failure);
  }
  return state;
}

/**
 * What a failure inside the roll-back leaves on a release, after a failure of the last step that leads to one: then there
 * is most to take back. Every other step of the roll-back is tried all the same.
 */
export function predictRollbackFailure(behaviours: Behaviours, path: SwitchPath, failing: { step: StepName; effectDone: boolean }): Outcome {
  const last = planSteps(path, behaviours).findLast((step) => step.leadsTo === 'rolls back');
  const calm = { callerEnded: false, locksLost: false };
  if (last === undefined) throw new InvariantError('no step of this switch leads to a roll-back');
  const failure = { step: last.name, occurrence: last.occurrence, effectDone: true, ...calm };
  return predictOutcome(behaviours, path, failing.effectDone ? failure : { ...failure, rollbackStepFails: failing.step });
}

/** Where the failure happens on this release, if it does; -1 where it lacks the step. */
function failingStep(steps: readonly PlannedStep[], behaviours: Behaviours, failure: Failure): number | 'no such failure' {
  if (!isFelt(behaviours, failure.cause)) return 'no such failure';
  const wanted = stepOn(behaviours, failure);
  return steps.findIndex((step) => step.name === wanted && (step.occurrence === failure.occurrence || wanted !== failure.step));
}

/** Until v20 positions are recorded while stopping writes, and rights are missed when the reverse workflow is created. */
function stepOn(behaviours: Behaviours, { step, cause }: Failure): StepName {
  if (step === 'switchTraffic/writes/gatherSourcePositions' && behaviours.positions === 'at-stop') {
    return 'switchTraffic/writes/stopSourceWrites';
  }
  if (cause?.kind !== 'privileges') return step;
  return behaviours.reversePrivileges === 'none' ? 'switchTraffic/writes/createReverseVReplication' : 'switchTraffic/writes/validateReverse';
}

function isFelt(behaviours: Behaviours, cause: FailureCause | undefined): boolean {
  switch (cause?.kind) {
    case 'journal':
      return cause.bytes > behaviours.journalValueBytes;
    case 'privileges':
      return cause.missing || behaviours.reversePrivileges === 'exact';
    case 'null maximum':
      return !behaviours.sequenceNullMaximum;
    case 'escaped sequence':
      return behaviours.sequenceNames === 'plain';
    default:
      return true;
  }
}

/** Only a move of whole tables denies them on the target when it is created. */
export function targetDeniedAtFirst(behaviours: Behaviours, { kind }: SwitchPath): boolean {
  return kind === 'tables' && behaviours.deniedTablesOnTargetAtCreate;
}

function apply(state: Outcome, step: StepName, behaviours: Behaviours, { kind }: SwitchPath): void {
  switch (step) {
    case 'switchTraffic/reads/switchTableReads':
      state.reads = 'saved but not published';
      break;
    case 'switchTraffic/reads/switchKeyspaceReads':
    case 'switchTraffic/reads/switchShardReads':
      state.reads = 'switched';
      break;
    case 'switchTraffic/writes/stopStreams':
      state.others = 'stopped';
      break;
    case 'switchTraffic/writes/migrateStreams':
      state.others = 'copied';
      break;
    case 'switchTraffic/reads/rebuildSrvVSchema':
    case 'switchTraffic/writes/mirrorOff':
      if (state.reads !== 'as before') state.reads = 'switched';
      break;
    case 'switchTraffic/writes/stopSourceWrites':
      state.sourceDenied = true;
      if (behaviours.stopWritesFreesTarget) state.targetDenied = false;
      if (behaviours.rebuildOnStopWrites && kind !== 'shards' && state.reads !== 'as before') state.reads = 'switched';
      break;
    case 'switchTraffic/writes/waitForCatchup':
      state.streams = 'stopped';
      break;
    case 'switchTraffic/writes/createReverseVReplication':
      state.reverse = true;
      break;
    case 'switchTraffic/writes/createJournals':
      state.journaled = true;
      break;
    case 'switchTraffic/writes/allowTargetWrites':
      state.targetDenied = false;
      break;
    case 'switchTraffic/writes/changeRouting':
      if (state.reads !== 'as before') state.reads = 'switched';
      break;
    default:
  }
}

function rollBack(state: Outcome, behaviours: Behaviours, path: SwitchPath, failure: Failure): void {
  if (behaviours.rollbackRestoresAll) {
    Object.assign(state, {
      sourceDenied: false,
      targetDenied: targetDeniedAtFirst(behaviours, path),
      streams: 'as before',
      reverse: false,
      reads: 'as before',
      others: 'as before',
    });
    return;
  }
  // The caller's own context takes every step of the roll-back down with it.
  if (behaviours.rollbackContext === 'caller' && failure.callerEnded) return;
  const lossFound = failure.locksLost && behaviours.lockCheckAsks;
  const holdsLocks = behaviours.rollbackContext !== 'detached' && !lossFound;
  const done = (step: StepName): boolean => failure.rollbackStepFails !== step;
  const revert = path.kind === 'shards' ? 'switchTraffic/rollback/revertShardAccess' : 'switchTraffic/rollback/revertDeniedTables';
  if (holdsLocks && done(revert)) revertAccess(state, behaviours, path);
  if (done('switchTraffic/rollback/cancelStreamMigrations')) state.others = 'as before';
  if (done('switchTraffic/rollback/restartTargetStreams')) state.streams = 'as before';
  if (done('switchTraffic/rollback/deleteReverseVReplication')) state.reverse = false;
}

function revertAccess(state: Outcome, behaviours: Behaviours, { kind }: SwitchPath): void {
  if (kind === 'multi-tenant' && behaviours.tenantRollback === 'left alone') return;
  if (kind === 'shards') {
    state.sourceDenied = false;
    return;
  }
  switch (behaviours.rollbackDirection) {
    case 'source-only':
      state.sourceDenied = false;
      if (behaviours.rebuildOnStopWrites && state.reads !== 'as before') state.reads = 'switched';
      break;
    case 'forward':
      state.sourceDenied = true;
      state.targetDenied = false;
      break;
    case 'backward':
      state.sourceDenied = false;
      state.targetDenied = true;
      state.otherTenantsDenied = kind === 'multi-tenant';
  }
}

/** Releases that leave the same state, with that state. */
export interface OutcomeGroup {
  releases: string[];
  outcome: Outcome;
}

/** What each release worth telling apart would have left, those that agree together. */
export function compareReleases(path: SwitchPath, failure: Failure): readonly OutcomeGroup[] {
  const key = JSON.stringify([path, failure]);
  let groups = compared.get(key);
  if (groups === undefined) {
    groups = compareAll(path, failure);
    if (compared.size >= MOST_COMPARED) compared.clear();
    compared.set(key, groups);
  }
  return groups;
}

/** It follows from nothing else, is long to compute, and every failed switch tells it. */
const compared = new Map<string, readonly OutcomeGroup[]>();
const MOST_COMPARED = 1000;

function compareAll(path: SwitchPath, failure: Failure): OutcomeGroup[] {
  const groups = new Map<string, OutcomeGroup>();
  for (const name of LANDMARKS) {
    const outcome = predictOutcome(findRelease(name).behaviours, path, failure);
    const key = describeOutcome(outcome);
    const group = groups.get(key) ?? { releases: [], outcome };
    group.releases.push(name);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** An outcome in a few words, from the point of view of the application. */
export function describeOutcome(outcome: Outcome): string {
  if (outcome.unnoticed === 'no such step') return 'have no such step';
  if (outcome.unnoticed === 'no such migration') return 'have no multi-tenant migrations';
  if (outcome.unnoticed === 'no such failure') return 'would not have failed';
  if (outcome.journaled) return 'are past the journal: only forward';
  const parts = [outcome.sourceDenied ? 'writes REFUSED' : 'writes served by the source'];
  if (outcome.sourceDenied && outcome.targetDenied) parts.push('both sides denied');
  if (outcome.otherTenantsDenied) parts.push('those of other tenants REFUSED');
  if (outcome.streams === 'stopped') parts.push('streams stopped');
  if (outcome.others === 'stopped') parts.push('other workflows stopped');
  if (outcome.others === 'copied') parts.push('other workflows stopped on both sides');
  if (outcome.reverse) parts.push('reverse workflow left');
  if (outcome.reads === 'switched') parts.push('reads stay switched');
  if (outcome.reads === 'saved but not published') parts.push('read rules saved but not published');
  return parts.join(', ');
}
