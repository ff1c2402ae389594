import type { Behaviours } from '../../lib/behaviours.ts';
import { CATALOGUE, type FailureLeadsTo, ROLLBACK, type StepEntry, type StepName } from './catalogue.ts';
import type { MigrationKind } from '../switcher.ts';
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
    return { name, occurrence, entry, leadsTo: failureOf(entry.leadsTo(behaviours, path, occurrence), behaviours, path), pointOfNoReturn };
  });
}

/** A run that completes a switch past its journal never goes back: the target has taken writes that the source has not. */
function failureOf(leadsTo: FailureLeadsTo, behaviours: Behaviours, path: SwitchPath): FailureLeadsTo {
  return behaviours.rollbackRestoresAll && path.resume && leadsTo === 'rolls back' ? 'forward only' : leadsTo;
}

/**
 * True where a failure is decided by looking whether the step took effect: back if not, forward if so. On `hardened`, for
 * the step after which there is no way back; one that completes an earlier switch goes forward anyway.
 */
export function isDecidedByLooking(step: PlannedStep, behaviours: Behaviours, path: SwitchPath): boolean {
  return behaviours.rollbackRestoresAll && step.pointOfNoReturn && !path.resume;
}

/** The steps of a roll-back, in order. */
export function planRollback(kind: MigrationKind, behaviours: Behaviours): StepName[] {
  const shards: readonly StepName[] = ['switchTraffic/rollback/revertShardAccess', 'switchTraffic/rollback/cancelStreamMigrations'];
  return ROLLBACK.filter((name) => {
    if (name === 'switchTraffic/rollback/relock') return behaviours.rollbackRestoresAll;
    if (name === 'switchTraffic/rollback/restoreSequences') return behaviours.rollbackRestoresAll && kind !== 'shards';
    if (name === 'switchTraffic/rollback/revertDeniedTables') return kind !== 'shards';
    return kind === 'shards' || !shards.includes(name);
  });
}

const when = (condition: boolean, ...names: StepName[]): StepName[] => (condition ? names : []);

function preparation(behaviours: Behaviours): StepName[] {
  return [...when(behaviours.namedLock === 'command', 'switchTraffic/prepare/lockWorkflow'), 'switchTraffic/prepare/canSwitch'];
}

function readSteps(path: SwitchPath, behaviours: Behaviours): StepName[] {
  if (!path.reads) return [];
  const both = behaviours.readsLocks === 'both' && path.kind !== 'shards';
  return [
    'switchTraffic/reads/validate',
    'switchTraffic/reads/lockSource',
    ...when(both, 'switchTraffic/reads/lockTarget'),
    ...when(removesMirrors(path, path.readsMirrored, behaviours), 'switchTraffic/reads/mirrorOff'),
    ...routingOfReads(path, behaviours),
    ...when(both, 'switchTraffic/reads/unlockTarget'),
    'switchTraffic/reads/unlockSource',
  ];
}

function routingOfReads(path: SwitchPath, behaviours: Behaviours): StepName[] {
  switch (path.kind) {
    case 'tables':
      return [
        'switchTraffic/reads/switchTableReads',
        ...when(!path.writes || behaviours.rebuildAfterReads === 'always', 'switchTraffic/reads/rebuildSrvVSchema'),
      ];
    case 'partial':
      // A shard routing rule is about reads and writes alike: it comes with the writes.
      return [];
    case 'multi-tenant':
      return ['switchTraffic/reads/switchKeyspaceReads'];
    case 'shards': {
      const check = when(behaviours.lockChecks, 'switchTraffic/reads/checkLocks');
      return [...check, 'switchTraffic/reads/switchShardReads', ...check, 'switchTraffic/reads/validateSrvKeyspace'];
    }
  }
}

function removesMirrors({ kind }: SwitchPath, mirrored: boolean, behaviours: Behaviours): boolean {
  if (kind === 'shards') return false;
  return behaviours.mirrorRemoval === 'always' || (behaviours.mirrorRemoval === 'when-mirrored' && mirrored);
}

function writeSteps(path: SwitchPath, behaviours: Behaviours): StepName[] {
  if (!path.writes) return [];
  return [
    ...when(path.kind !== 'shards', 'switchTraffic/writes/validate'),
    ...when(path.reverseReplication && behaviours.reversePrivileges !== 'none', 'switchTraffic/writes/validateReverse'),
    ...when(path.reverseReplication && behaviours.tabletsForReverse, 'switchTraffic/writes/tabletsAvailable'),
    ...when(behaviours.namedLock === 'writes', 'switchTraffic/writes/lockWorkflow'),
    'switchTraffic/writes/lockSource',
    ...when(path.kind !== 'shards', 'switchTraffic/writes/lockTarget'),
    ...when(removesMirrors(path, path.writesMirrored, behaviours), 'switchTraffic/writes/mirrorOff'),
    ...when(path.sequences, 'switchTraffic/writes/getTargetSequenceMetadata'),
    'switchTraffic/writes/checkJournals',
    ...(path.resume ? resumeSteps(path, behaviours) : beforeJournal(path, behaviours)),
    'switchTraffic/writes/createJournals',
    ...when(path.sequences && behaviours.sequenceStep === 'past-journal', 'switchTraffic/writes/initializeTargetSequences'),
    'switchTraffic/writes/allowTargetWrites',
    'switchTraffic/writes/changeRouting',
    ...when(path.kind === 'shards', 'switchTraffic/writes/streamMigraterfinalize'),
    ...when(path.reverseReplication, 'switchTraffic/writes/startReverseVReplication'),
    'switchTraffic/writes/freezeTargetVReplication',
    ...when(path.kind !== 'shards', 'switchTraffic/writes/unlockTarget'),
    'switchTraffic/writes/unlockSource',
    ...when(behaviours.namedLock === 'writes', 'switchTraffic/writes/unlockWorkflow'),
  ];
}

function resumeSteps(path: SwitchPath, behaviours: Behaviours): StepName[] {
  return [
    'switchTraffic/writes/gatherPositions',
    ...when(behaviours.lockChecks, 'switchTraffic/writes/checkLocks'),
    ...when(path.sequences && behaviours.sequenceStep === 'resumed-too', 'switchTraffic/writes/initializeTargetSequences'),
  ];
}

/** Vitess asks after each of its steps if the locks are held, those that do nothing for this kind included: six times. */
function beforeJournal({ kind, sequences }: SwitchPath, behaviours: Behaviours): StepName[] {
  const check = when(behaviours.lockChecks, 'switchTraffic/writes/checkLocks');
  return [
    ...stopping(kind, behaviours),
    ...when(behaviours.positions === 'after-lock-tables', 'switchTraffic/writes/gatherSourcePositions'),
    ...check,
    'switchTraffic/writes/waitForCatchup',
    ...check,
    ...when(kind === 'shards', 'switchTraffic/writes/migrateStreams'),
    ...check,
    ...when(kind !== 'shards', 'switchTraffic/writes/resetSequences'),
    ...check,
    'switchTraffic/writes/createReverseVReplication',
    ...check,
    ...when(sequences && behaviours.sequenceStep !== 'past-journal', 'switchTraffic/writes/initializeTargetSequences'),
    ...check,
  ];
}

/** Shards have streams of other workflows, which stop too; tables have transactions under way. */
function stopping(kind: MigrationKind, behaviours: Behaviours): StepName[] {
  if (kind !== 'shards') {
    const rounds = Array.from({ length: behaviours.lockTablesRounds }, (): StepName => 'switchTraffic/writes/lockTables');
    return ['switchTraffic/writes/stopSourceWrites', ...rounds];
  }
  const stop: StepName[] = ['switchTraffic/writes/stopSourceWrites', 'switchTraffic/writes/stopStreams'];
  return ['switchTraffic/writes/buildStreamMigrator', ...(behaviours.stopOrder === 'streams-first' ? stop.toReversed() : stop)];
}

function ending(behaviours: Behaviours): StepName[] {
  return when(behaviours.namedLock === 'command', 'switchTraffic/prepare/unlockWorkflow');
}
