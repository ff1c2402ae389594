import type { Behaviours } from '../../lib/behaviours.ts';
import { CATALOGUE, type FailureLeadsTo, ROLLBACK, type StepEntry, type StepName } from './catalogue.ts';
import type { SwitchPath } from './path.ts';

/** One step of a plan. */
export interface PlannedStep {
  name: StepName;
  /** Counted from 1 among steps of the same name. */
  occurrence: number;
  entry: StepEntry;
  leadsTo: FailureLeadsTo;
  /** The step after whose effect a failed switch cannot go back. */
  pointOfNoReturn: boolean;
}

/**
 * The steps of a switch, in order: the one list that the runner, the dry run, the faults, `switchtraffic steps` and
 * the comparison of releases all read. A pure function of what is asked and how the release behaves.
 */
export function planSteps(path: SwitchPath, behaviours: Behaviours): PlannedStep[] {
  const names = [...preparation(behaviours), ...readSteps(path, behaviours), ...writeSteps(path, behaviours), ...ending(behaviours)];
  const seen = new Map<StepName, number>();
  return names.map((name) => {
    const occurrence = (seen.get(name) ?? 0) + 1;
    seen.set(name, occurrence);
    const entry: StepEntry = CATALOGUE[name];
    const pointOfNoReturn = entry.pointOfNoReturn?.(path) ?? false;
    return { name, occurrence, entry, leadsTo: entry.leadsTo(behaviours, path), pointOfNoReturn };
  });
}

/**
 * True where a failure is decided by looking whether the step took effect: back if not, forward if so. On `hardened`, for
 * the step after which there is no way back; one that completes an earlier switch goes forward anyway.
 */
export function isDecidedByLooking(step: PlannedStep, behaviours: Behaviours, path: SwitchPath): boolean {
  return behaviours.rollbackRestoresAll && step.pointOfNoReturn && !path.resume;
}

/** The steps of a roll-back, in order. */
export function planRollback(behaviours: Behaviours): StepName[] {
  return ROLLBACK.filter((name) => name !== 'switchTraffic/rollback/relock' || behaviours.rollbackRestoresAll);
}

const when = (condition: boolean, ...names: StepName[]): StepName[] => (condition ? names : []);

function preparation(behaviours: Behaviours): StepName[] {
  return [...when(behaviours.namedLock === 'command', 'switchTraffic/prepare/lockWorkflow'), 'switchTraffic/prepare/canSwitch'];
}

function readSteps(path: SwitchPath, behaviours: Behaviours): StepName[] {
  if (!path.reads) return [];
  const both = behaviours.readsLocks === 'both';
  return [
    'switchTraffic/reads/validate',
    'switchTraffic/reads/lockSource',
    ...when(both, 'switchTraffic/reads/lockTarget'),
    ...when(removesMirrors(path.readsMirrored, behaviours), 'switchTraffic/reads/mirrorOff'),
    'switchTraffic/reads/switchTableReads',
    ...when(!path.writes || behaviours.rebuildAfterReads === 'always', 'switchTraffic/reads/rebuildSrvVSchema'),
    ...when(both, 'switchTraffic/reads/unlockTarget'),
    'switchTraffic/reads/unlockSource',
  ];
}

function removesMirrors(mirrored: boolean, behaviours: Behaviours): boolean {
  return behaviours.mirrorRemoval === 'always' || (behaviours.mirrorRemoval === 'when-mirrored' && mirrored);
}

function writeSteps(path: SwitchPath, behaviours: Behaviours): StepName[] {
  if (!path.writes) return [];
  return [
    'switchTraffic/writes/validate',
    ...when(path.reverseReplication && behaviours.reversePrivileges !== 'none', 'switchTraffic/writes/validateReverse'),
    ...when(path.reverseReplication && behaviours.tabletsForReverse, 'switchTraffic/writes/tabletsAvailable'),
    ...when(behaviours.namedLock === 'writes', 'switchTraffic/writes/lockWorkflow'),
    'switchTraffic/writes/lockSource',
    'switchTraffic/writes/lockTarget',
    ...when(removesMirrors(path.writesMirrored, behaviours), 'switchTraffic/writes/mirrorOff'),
    'switchTraffic/writes/checkJournals',
    ...(path.resume ? resumeSteps(behaviours) : beforeJournal(behaviours)),
    'switchTraffic/writes/createJournals',
    'switchTraffic/writes/allowTargetWrites',
    'switchTraffic/writes/changeRouting',
    ...when(path.reverseReplication, 'switchTraffic/writes/startReverseVReplication'),
    'switchTraffic/writes/freezeTargetVReplication',
    'switchTraffic/writes/unlockTarget',
    'switchTraffic/writes/unlockSource',
    ...when(behaviours.namedLock === 'writes', 'switchTraffic/writes/unlockWorkflow'),
  ];
}

function resumeSteps(behaviours: Behaviours): StepName[] {
  return ['switchTraffic/writes/gatherPositions', ...when(behaviours.lockChecks, 'switchTraffic/writes/checkLocks')];
}

/** Vitess asks after each of its steps if the locks are held, those that do nothing for MoveTables included: six times. */
function beforeJournal(behaviours: Behaviours): StepName[] {
  const check = when(behaviours.lockChecks, 'switchTraffic/writes/checkLocks');
  return [
    'switchTraffic/writes/stopSourceWrites',
    ...Array.from({ length: behaviours.lockTablesRounds }, (): StepName => 'switchTraffic/writes/lockTables'),
    ...when(behaviours.positions === 'after-lock-tables', 'switchTraffic/writes/gatherSourcePositions'),
    ...check,
    'switchTraffic/writes/waitForCatchup',
    ...check,
    ...check,
    'switchTraffic/writes/resetSequences',
    ...check,
    'switchTraffic/writes/createReverseVReplication',
    ...check,
    ...check,
  ];
}

function ending(behaviours: Behaviours): StepName[] {
  return when(behaviours.namedLock === 'command', 'switchTraffic/prepare/unlockWorkflow');
}
