import type { Behaviours } from '../../lib/behaviours.ts';
import type { SwitchPath } from './path.ts';

/**
 * The catalogue of steps: what each does, what its failure leads to, how it is undone, what a dry run says of it.
 * A step is added here and in `planSteps`, and its effect in `effects.ts`; nothing else lists steps.
 * Names are Vitess's switcher methods: go/vt/vtctl/workflow/switcher_interface.go.
 */
export interface StepEntry {
  /** One line for people. */
  about: string;
  /** `occurrence`: which of the steps of this name, from 1. */
  leadsTo(behaviours: Behaviours, path: SwitchPath, occurrence: number): FailureLeadsTo;
  /** How a roll-back undoes it; '' where there is nothing to undo. */
  undoneBy: string;
  /** What Vitess puts before the step's error. `{source}`, `{target}` and `{streamed}` are keyspaces, `{n}` the occurrence. */
  outer?: string | ((behaviours: Behaviours) => string);
  /** Past this step the switch can only be completed. */
  pointOfNoReturn?: (path: SwitchPath) => boolean;
  /** Which side it touches; both unless said. */
  side?: 'source' | 'target';
  /** It works shard by shard, and a fault may pick one. */
  perTarget?: true;
  /** It only looks, waits or locks: it writes nothing that a fault at `commit` could leave out. */
  looks?: true;
}

/** What the failure of a step leads to. */
export type FailureLeadsTo =
  /** Nothing was changed yet. */
  | 'nothing changed'
  /** What earlier steps changed stays as it is. */
  | 'left as is'
  /** The roll-back runs. */
  | 'rolls back'
  /** Source writes stay stopped: no roll-back runs. */
  | 'strands'
  /** The switch can only be completed, by running it again. */
  | 'forward only'
  /** The runner looks whether the effect is there: back if not, forward if so. */
  | 'decided by looking';

const nothing = (): FailureLeadsTo => 'nothing changed';
const forward = (): FailureLeadsTo => 'forward only';
const rollsBack = (): FailureLeadsTo => 'rolls back';
/** A step that cannot be undone, and may have failed before or after its effect. `hardened` looks; Vitess does not. */
const looks = (behaviours: Behaviours, path: SwitchPath): FailureLeadsTo =>
  behaviours.rollbackRestoresAll && !path.resume ? 'decided by looking' : 'forward only';
/** `hardened` goes back to the state before the command wherever it changed anything; Vitess leaves it. */
const leaves = (behaviours: Behaviours): FailureLeadsTo => (behaviours.rollbackRestoresAll ? 'rolls back' : 'left as is');
/** Once the rules of a switch of reads alone are saved, `hardened` only goes forward. Shard by shard, reads go with the writes. */
const afterReads = (behaviours: Behaviours, path: SwitchPath): FailureLeadsTo =>
  path.writes || path.kind === 'partial' || !behaviours.rollbackRestoresAll ? leaves(behaviours) : 'forward only';
/** Before the locks of a write switch: only reads of the same command can have changed anything. */
const beforeWrites = (behaviours: Behaviours, path: SwitchPath): FailureLeadsTo =>
  path.reads ? leaves(behaviours) : 'nothing changed';

const entry = (
  about: string,
  leadsTo: StepEntry['leadsTo'],
  undoneBy = '',
  more: Partial<Pick<StepEntry, 'outer' | 'pointOfNoReturn' | 'side' | 'perTarget'>> = {},
): StepEntry => ({ about, leadsTo, undoneBy, ...more });
/** One that writes nothing. */
const looking = (...args: Parameters<typeof entry>): StepEntry => ({ ...entry(...args), looks: true });

export const CATALOGUE = {
  'switchTraffic/prepare/lockWorkflow': looking('lock the name of the workflow', nothing, 'unlocking', {
    outer: 'failed to lock the {workflow} workflow',
  }),
  'switchTraffic/prepare/canSwitch': looking('check lag, streams and that every tablet answers', nothing),
  'switchTraffic/reads/validate': looking('check journals, shards and tables', nothing),
  'switchTraffic/reads/lockSource': looking('lock the source keyspace for the reads', nothing, 'unlocking', {
    side: 'source',
    outer: 'failed to lock the {source} keyspace',
  }),
  'switchTraffic/reads/lockTarget': looking('lock the target keyspace for the reads', nothing, 'unlocking', {
    side: 'target',
    outer: 'failed to lock the {target} keyspace',
  }),
  'switchTraffic/reads/mirrorOff': entry('remove the mirror rules of the reads', leaves, 'restoring the mirror rules'),
  'switchTraffic/reads/switchTableReads': entry('point the routing rules of the reads at the target', leaves, 'restoring the routing rules', {
    outer: 'failed to switch read traffic for the tables',
    pointOfNoReturn: (path) => !path.writes,
  }),
  'switchTraffic/reads/switchKeyspaceReads': entry('point the keyspace routing rules of the reads at the target, and publish them', leaves, 'restoring the keyspace routing rules', {
    outer: 'failed to switch read traffic, from source keyspace {source} to target keyspace {target}, workflow {name}',
    pointOfNoReturn: (path) => !path.writes,
  }),
  'switchTraffic/reads/checkLocks': looking(
    'check that the keyspace lock is still held',
    (behaviours, path, occurrence) => (occurrence === 1 ? leaves(behaviours) : afterReads(behaviours, path)),
    '',
    { outer: 'locks were lost' },
  ),
  'switchTraffic/reads/switchShardReads': entry('serve the reads from the target shards', leaves, 'restoring the serving graph', {
    outer: 'failed to switch read traffic for the shards',
    pointOfNoReturn: (path) => !path.writes,
  }),
  'switchTraffic/reads/validateSrvKeyspace': looking('check that the serving graph covers every keyspace id once', afterReads, '', {
    outer: 'failed to validate SrvKeyspace record',
  }),
  'switchTraffic/reads/rebuildSrvVSchema': entry('publish the routing rules to the cells', afterReads, 'restoring each cell\'s copy', {
    outer: 'failed to switch read traffic for the tables',
  }),
  'switchTraffic/reads/unlockTarget': looking('unlock the target keyspace', afterReads, '', { side: 'target' }),
  'switchTraffic/reads/unlockSource': looking('unlock the source keyspace', afterReads, '', { side: 'source' }),
  'switchTraffic/writes/validate': looking('check that the workflow covers every shard', beforeWrites, '', { outer: 'workflow validation failed' }),
  'switchTraffic/writes/validateReverse': looking('check that the source primaries may run the reverse workflow', beforeWrites, '', {
    side: 'source',
    outer: 'primary tablets are not able to fully manage the reverse vreplication workflow in the {source} keyspace',
  }),
  'switchTraffic/writes/tabletsAvailable': looking('check that the reverse workflow has tablets to stream from', beforeWrites, '', {
    side: 'target',
    outer: 'no tablets were available to stream from in the {streamed} keyspace',
  }),
  'switchTraffic/writes/lockWorkflow': looking('lock the name of the workflow', beforeWrites, 'unlocking', {
    outer: 'failed to lock the {workflow} workflow',
  }),
  'switchTraffic/writes/lockSource': looking('lock the source keyspace', beforeWrites, 'unlocking', {
    side: 'source',
    outer: 'failed to lock the {source} keyspace',
  }),
  'switchTraffic/writes/lockTarget': looking('lock the target keyspace', beforeWrites, 'unlocking', {
    side: 'target',
    outer: 'failed to lock the {target} keyspace',
  }),
  'switchTraffic/writes/mirrorOff': entry('remove the mirror rules of the writes', leaves, 'restoring the mirror rules', {
    outer:
      'failed to remove mirror rules from source keyspace {source} to target keyspace {target}, workflow {name}, for primary tablet type',
  }),
  'switchTraffic/writes/getTargetSequenceMetadata': entry(
    'find the sequences of the target\'s tables, and make those that are missing',
    (behaviours, path) => (path.resume ? 'forward only' : leaves(behaviours)),
    'removing what it made, on hardened',
    { outer: 'failed to get the sequence information in the {target} keyspace' },
  ),
  'switchTraffic/writes/checkJournals': looking('look for the journal of an earlier attempt', leaves, '', {
    side: 'source',
    outer: 'failed to read journal in the {source} keyspace',
  }),
  'switchTraffic/writes/buildStreamMigrator': looking('look for other streams on the source shards, and whether they can move', leaves, '', {
    side: 'source',
    outer: 'failed to migrate the workflow streams',
  }),
  'switchTraffic/writes/stopSourceWrites': entry(
    "stop source writes: deny the tables, or turn its shards' query service off",
    rollsBack,
    'reverting denied tables or shard access',
    { perTarget: true, outer: 'failed to stop writes in the {source} keyspace' },
  ),
  'switchTraffic/writes/stopStreams': entry('stop the other streams of the source shards, all at one position', rollsBack, 'putting the streams back', {
    side: 'source',
    outer: (behaviours) =>
      behaviours.stopOrder === 'streams-first' ? 'failed to stop the workflow streams' : 'failed to stop the workflow streams in the {source} keyspace',
  }),
  'switchTraffic/writes/lockTables': looking('LOCK TABLES on the source, to outwait transactions under way', rollsBack, '', {
    side: 'source',
    perTarget: true,
    outer: 'failed to execute LOCK TABLES (attempt {n} of 2) on sources',
  }),
  'switchTraffic/writes/gatherSourcePositions': looking(
    'record how far the source has written',
    (behaviours) => (behaviours.positionsErrorRollsBack ? 'rolls back' : 'strands'),
    '',
    { side: 'source', perTarget: true, outer: 'failed to gather replication positions on migration sources' },
  ),
  'switchTraffic/writes/checkLocks': looking(
    'check that both keyspace locks are still held',
    (behaviours, path) => (path.resume ? 'forward only' : behaviours.lostLockRollsBack ? 'rolls back' : 'strands'),
    '',
    { outer: 'locks were lost' },
  ),
  'switchTraffic/writes/waitForCatchup': entry('wait until the streams have applied everything, and stop them', rollsBack, 'restarting the streams', {
    side: 'target',
    perTarget: true,
    outer: 'failed to sync up replication between the source and target',
  }),
  'switchTraffic/writes/migrateStreams': entry('create the other streams on the target shards, stopped', rollsBack, 'deleting them', {
    side: 'target',
    perTarget: true,
    outer: 'failed to migrate the workflow streams',
  }),
  'switchTraffic/writes/resetSequences': entry('drop sequence caches on the source, if sequence tables move', rollsBack, '', {
    side: 'source',
    outer: 'failed to reset the sequences',
  }),
  'switchTraffic/writes/createReverseVReplication': entry('create the reverse workflow, stopped', rollsBack, 'deleting the reverse workflow', {
    side: 'source',
    perTarget: true,
    outer: 'failed to create the reverse vreplication streams',
  }),
  'switchTraffic/writes/initializeTargetSequences': entry(
    'set the sequences of the target\'s tables above the largest ids in use',
    (behaviours, path) => (path.resume || behaviours.sequenceStep === 'past-journal' ? 'forward only' : 'rolls back'),
    'putting back what it raised, on hardened',
    { perTarget: true, outer: 'failed to initialize the sequences used in the {target} keyspace' },
  ),
  'switchTraffic/writes/gatherPositions': looking('record positions on both sides anew', forward, '', {
    outer: 'failed to gather replication positions',
  }),
  'switchTraffic/writes/createJournals': entry('write the journal on each source: the point of no return', looks, '', {
    side: 'source',
    perTarget: true,
    outer: 'failed to create the journal',
    pointOfNoReturn: () => true,
  }),
  'switchTraffic/writes/allowTargetWrites': entry('let the target take writes', forward, '', {
    perTarget: true,
    outer: 'failed to allow writes in the {target} keyspace',
  }),
  'switchTraffic/writes/changeRouting': entry('point the writes at the target: routing rules, or the serving graph', forward, '', {
    outer: 'failed to update the routing rules',
  }),
  'switchTraffic/writes/streamMigraterfinalize': entry('delete the moved streams on the source, and start them on the target', forward, '', {
    outer: 'failed to finalize the traffic switch',
  }),
  'switchTraffic/writes/startReverseVReplication': entry('start the reverse workflow', forward, '', {
    side: 'source',
    perTarget: true,
    outer: 'failed to start the reverse workflow',
  }),
  'switchTraffic/writes/freezeTargetVReplication': entry('mark the workflow frozen', forward, '', {
    side: 'target',
    perTarget: true,
    outer: 'failed to freeze the workflow in the {target} keyspace',
  }),
  'switchTraffic/writes/unlockTarget': looking('unlock the target keyspace', forward, '', { side: 'target' }),
  'switchTraffic/writes/unlockSource': looking('unlock the source keyspace', forward, '', { side: 'source' }),
  'switchTraffic/writes/unlockWorkflow': looking('unlock the name of the workflow', forward),
  'switchTraffic/prepare/unlockWorkflow': looking(
    'unlock the name of the workflow',
    (behaviours, path) => (path.writes ? 'forward only' : afterReads(behaviours, path)),
  ),
  'switchTraffic/rollback/relock': looking('take the locks again, if they were lost', nothing),
  'switchTraffic/rollback/revertDeniedTables': entry('put denied tables and rules back, but for what others changed meanwhile', nothing),
  'switchTraffic/rollback/revertShardAccess': entry('turn the query service of the source shards on again', nothing),
  'switchTraffic/rollback/cancelStreamMigrations': entry('delete the moved streams on the target, and put those of the source back', nothing, '', { perTarget: true }),
  'switchTraffic/rollback/restartTargetStreams': entry('put the streams back', nothing, '', { side: 'target', perTarget: true }),
  'switchTraffic/rollback/deleteReverseVReplication': entry('delete the reverse workflow', nothing, '', { side: 'source', perTarget: true }),
  'switchTraffic/rollback/restoreSequences': entry('put sequence tables back, but for those that values were taken from', nothing),
} satisfies Record<string, StepEntry>;

export type StepName = keyof typeof CATALOGUE;

/** The steps of a roll-back, in order: source writes open first. */
export const ROLLBACK: readonly StepName[] = [
  'switchTraffic/rollback/relock',
  'switchTraffic/rollback/revertDeniedTables',
  'switchTraffic/rollback/revertShardAccess',
  'switchTraffic/rollback/cancelStreamMigrations',
  'switchTraffic/rollback/restartTargetStreams',
  'switchTraffic/rollback/deleteReverseVReplication',
  'switchTraffic/rollback/restoreSequences',
];
