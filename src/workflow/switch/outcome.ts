import type { Behaviours } from '../../lib/behaviours.ts';
import { findRelease, LANDMARKS } from '../../lib/releases.ts';
import type { StepName } from './catalogue.ts';
import type { SwitchPath } from './path.ts';
import { type PlannedStep, planSteps } from './plan.ts';

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
}

/** The state that a failed switch leaves, as far as people feel it. */
export interface Outcome {
  sourceDenied: boolean;
  targetDenied: boolean;
  streams: 'as before' | 'stopped';
  reverse: boolean;
  reads: 'as before' | 'switched' | 'saved but not published';
  /** The journal was written: the switch can only go forward. */
  journaled: boolean;
  /** The release does not notice this failure, or has no such step. */
  unnoticed: boolean;
}

/**
 * What a failure leaves on a release: the steps before it, then what its failure leads to there. Computed from the
 * list of steps and the behaviours alone, so that it can be said without running anything.
 */
export function predictOutcome(behaviours: Behaviours, path: SwitchPath, failure: Failure): Outcome {
  const state: Outcome = {
    sourceDenied: false,
    targetDenied: behaviours.deniedTablesOnTargetAtCreate,
    streams: 'as before',
    reverse: false,
    reads: 'as before',
    journaled: false,
    unnoticed: false,
  };
  const steps = planSteps(path, behaviours);
  const at = failingStep(steps, behaviours, failure);
  if (at < 0) return { ...state, unnoticed: true };
  for (const step of steps.slice(0, at)) apply(state, step.name, behaviours);
  const failing = steps[at]!;
  if (failure.effectDone) apply(state, failing.name, behaviours);
  // Denying tables and telling a tablet so is one step: a failure inside it has changed the record already.
  if (failing.leadsTo === 'rolls back') rollBack(state, behaviours, failure);
  return state;
}

/** Where the failure happens on this release. Until v20 positions are recorded while stopping writes. */
function failingStep(steps: readonly PlannedStep[], behaviours: Behaviours, failure: Failure): number {
  const wanted: StepName =
    failure.step === 'switchTraffic/writes/gatherSourcePositions' && behaviours.positions === 'at-stop'
      ? 'switchTraffic/writes/stopSourceWrites'
      : failure.step;
  return steps.findIndex((step) => step.name === wanted && (step.occurrence === failure.occurrence || wanted !== failure.step));
}

function apply(state: Outcome, step: StepName, behaviours: Behaviours): void {
  switch (step) {
    case 'switchTraffic/reads/switchTableReads':
      state.reads = 'saved but not published';
      break;
    case 'switchTraffic/reads/rebuildSrvVSchema':
    case 'switchTraffic/writes/mirrorOff':
      if (state.reads !== 'as before') state.reads = 'switched';
      break;
    case 'switchTraffic/writes/stopSourceWrites':
      state.sourceDenied = true;
      if (behaviours.stopWritesFreesTarget) state.targetDenied = false;
      if (behaviours.rebuildOnStopWrites && state.reads !== 'as before') state.reads = 'switched';
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

function rollBack(state: Outcome, behaviours: Behaviours, failure: Failure): void {
  if (behaviours.rollbackRestoresAll) {
    Object.assign(state, {
      sourceDenied: false,
      targetDenied: behaviours.deniedTablesOnTargetAtCreate,
      streams: 'as before',
      reverse: false,
      reads: 'as before',
    });
    return;
  }
  // The caller's own context takes every step of the roll-back down with it.
  if (behaviours.rollbackContext === 'caller' && failure.callerEnded) return;
  const lossFound = failure.locksLost && behaviours.lockCheckAsks;
  const holdsLocks = behaviours.rollbackContext !== 'detached' && !lossFound;
  if (holdsLocks) revertDenied(state, behaviours);
  state.streams = 'as before';
  state.reverse = false;
}

function revertDenied(state: Outcome, behaviours: Behaviours): void {
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
  }
}

/** Releases that leave the same state, with that state. */
export interface OutcomeGroup {
  releases: string[];
  outcome: Outcome;
}

/** What each release worth telling apart would have left, those that agree together. */
export function compareReleases(path: SwitchPath, failure: Failure): OutcomeGroup[] {
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
  if (outcome.unnoticed) return 'have no such step';
  if (outcome.journaled) return 'are past the journal: only forward';
  const parts = [outcome.sourceDenied ? 'writes REFUSED' : 'writes served by the source'];
  if (outcome.sourceDenied && outcome.targetDenied) parts.push('both sides denied');
  if (outcome.streams === 'stopped') parts.push('streams stopped');
  if (outcome.reverse) parts.push('reverse workflow left');
  if (outcome.reads === 'switched') parts.push('reads stay switched');
  if (outcome.reads === 'saved but not published') parts.push('read rules saved but not published');
  return parts.join(', ');
}
