import type { Behaviours } from '../../lib/behaviours.ts';
import type { Edge } from '../../runtime/edges.ts';
import type { StepName } from './catalogue.ts';
import { type Outcome, predictOutcome, predictRollbackFailure } from './outcome.ts';
import type { SwitchPath } from './path.ts';
import { isDecidedByLooking, planSteps } from './plan.ts';

/** What a failure at a place comes to, in one release. */
export type Zone =
  /** Nothing was changed yet. */
  | 'nothing changed'
  /** What earlier steps changed stays, and traffic is served. */
  | 'left as is'
  /** The roll-back takes it back. */
  | 'rolls back'
  /** Writes refused, streams stopped or a workflow left behind, until somebody puts it right. */
  | 'strands'
  /** The roll-back itself failed, and is on record: the next run of the command finishes it. */
  | 'left to the next run'
  /** The switch can only be completed. */
  | 'past the point of no return';

/**
 * The zone of a failure (`return`) at an edge of a step: the state that is computed to be left, put in a word. A step that
 * the switch does not have is undefined.
 */
export function zoneOf(
  behaviours: Behaviours,
  path: SwitchPath,
  place: { step: StepName; occurrence: number; edge: Edge },
): Zone | undefined {
  const planned = planSteps(path, behaviours).find((step) => step.name === place.step && step.occurrence === place.occurrence);
  if (planned === undefined) return undefined;
  const effectDone = place.edge === 'after';
  const outcome = predictOutcome(behaviours, path, { ...place, effectDone, callerEnded: false, locksLost: false });
  if (outcome.journaled) return 'past the point of no return';
  if (isStranded(outcome)) return 'strands';
  if (isDecidedByLooking(planned, behaviours, path)) return effectDone ? 'past the point of no return' : 'rolls back';
  const { leadsTo } = planned;
  return leadsTo === 'forward only' || leadsTo === 'decided by looking' ? 'past the point of no return' : leadsTo;
}

/** The zone of a failure in the roll-back. */
export function rollbackZoneOf(behaviours: Behaviours, path: SwitchPath, place: { step: StepName; edge: Edge }): Zone {
  if (behaviours.rollbackRestoresAll) return 'left to the next run';
  const outcome = predictRollbackFailure(behaviours, path, { step: place.step, effectDone: place.edge === 'after' });
  return isStranded(outcome) ? 'strands' : 'rolls back';
}

function isStranded(outcome: Outcome): boolean {
  const { journaled, sourceDenied, otherTenantsDenied, streams, reverse, others } = outcome;
  return !journaled && (sourceDenied || otherTenantsDenied || streams === 'stopped' || reverse || others !== 'as before');
}
