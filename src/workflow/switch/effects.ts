import { wrapError } from '../../lib/errors.ts';
import type { StepScope } from '../../runtime/step.ts';
import { canSwitch } from './can-switch.ts';
import type { StepName } from './catalogue.ts';
import { confirmLocks, lockSide, lockWorkflow, unlockStep } from './effects-locks.ts';
import { checkJournals, readTypes, rebuildAfterReads, removeMirrorRules, switchTableReads, validateReads, validateShards } from './effects-reads.ts';
import { changeKeyspaceReads, changeRouting } from './effects-routing.ts';
import { switchShardReads, validateReadGraph } from './effects-shards.ts';
import { finalizeStreams, migrateStreams, stopStreams } from './effects-streams.ts';
import { checkPrivileges, checkTablets } from './effects-reverse-checks.ts';
import {
  allowTargetWrites,
  createJournals,
  freezeTargets,
  gatherPositions,
  gatherSourcePositions,
  lockTables,
  startReverse,
  stopSourceWrites,
  waitForCatchup,
} from './effects-writes.ts';
import { createReverse } from './reverse.ts';
import { buildStreamMigrator } from './stream-migrator.ts';
import { refuseLeftIntent, refuseStale } from './stale.ts';
import type { SwitchRun } from './run.ts';
import { getTargetSequenceMetadata, initializeTargetSequences, resetSequences } from './sequences.ts';

/** What a step does. It may throw anything; the runner knows what that leads to. */
export type Effect = (run: SwitchRun, scope: StepScope) => Promise<unknown>;

/** The effect of each step of the catalogue. Rolling back has effects of its own: cancel-migration.ts and undo.ts. */
export const EFFECTS: Readonly<Record<Exclude<StepName, `switchTraffic/rollback/${string}`>, Effect>> = {
  'switchTraffic/prepare/lockWorkflow': async (run) => {
    await lockWorkflow(run, 'switchTraffic/prepare/unlockWorkflow');
    await refuseStale(run);
  },
  'switchTraffic/prepare/canSwitch': (run) => canSwitch(run),
  'switchTraffic/reads/validate': (run) => validateReads(run),
  'switchTraffic/reads/lockSource': async (run) => {
    await lockSide(run, run.sw.sourceKeyspace, 'SwitchReads', 'switchTraffic/reads/unlockSource');
    await refuseLeftIntent(run);
  },
  'switchTraffic/reads/lockTarget': async (run) => {
    await lockSide(run, run.sw.targetKeyspace, 'SwitchReads', 'switchTraffic/reads/unlockTarget');
    await refuseLeftIntent(run);
  },
  'switchTraffic/reads/mirrorOff': async (run) => {
    const { sw } = run;
    const types = await readTypes(run);
    try {
      await removeMirrorRules(run, types);
    } catch (error) {
      const where = `from source keyspace ${sw.sourceKeyspace} to target keyspace ${sw.targetKeyspace}`;
      throw wrapError(error, `failed to remove mirror rules ${where}, workflow ${sw.workflow}, for read-only tablet types`);
    }
  },
  'switchTraffic/reads/switchTableReads': (run) => switchTableReads(run),
  'switchTraffic/reads/switchKeyspaceReads': (run) => changeKeyspaceReads(run),
  'switchTraffic/reads/checkLocks': (run) => confirmLocks(run),
  'switchTraffic/reads/switchShardReads': (run) => switchShardReads(run),
  'switchTraffic/reads/validateSrvKeyspace': (run) => validateReadGraph(run),
  'switchTraffic/reads/rebuildSrvVSchema': (run) => rebuildAfterReads(run),
  'switchTraffic/reads/unlockTarget': (run) => unlockStep(run, 'switchTraffic/reads/unlockTarget'),
  'switchTraffic/reads/unlockSource': (run) => unlockStep(run, 'switchTraffic/reads/unlockSource'),
  'switchTraffic/writes/validate': (run) => validateShards(run),
  'switchTraffic/writes/validateReverse': (run) => checkPrivileges(run),
  'switchTraffic/writes/tabletsAvailable': (run) => checkTablets(run),
  'switchTraffic/writes/lockWorkflow': (run) => lockWorkflow(run, 'switchTraffic/writes/unlockWorkflow'),
  'switchTraffic/writes/lockSource': async (run) => {
    await lockSide(run, run.sw.sourceKeyspace, 'SwitchWrites', 'switchTraffic/writes/unlockSource');
    await refuseLeftIntent(run);
  },
  'switchTraffic/writes/lockTarget': async (run) => {
    const { sourceKeyspace, targetKeyspace } = run.sw;
    // A stream that met the journal of its own switch has turned on its own keyspace, which is locked by now.
    if (targetKeyspace === sourceKeyspace) return;
    await lockSide(run, targetKeyspace, 'SwitchWrites', 'switchTraffic/writes/unlockTarget');
    await refuseLeftIntent(run);
  },
  'switchTraffic/writes/mirrorOff': (run) => removeMirrorRules(run, ['PRIMARY']),
  'switchTraffic/writes/getTargetSequenceMetadata': (run) => getTargetSequenceMetadata(run),
  'switchTraffic/writes/checkJournals': (run) => checkJournals(run),
  'switchTraffic/writes/buildStreamMigrator': (run) => buildStreamMigrator(run),
  'switchTraffic/writes/stopSourceWrites': stopSourceWrites,
  'switchTraffic/writes/stopStreams': (run) => stopStreams(run),
  'switchTraffic/writes/lockTables': lockTables,
  'switchTraffic/writes/gatherSourcePositions': gatherSourcePositions,
  'switchTraffic/writes/gatherPositions': (run) => gatherPositions(run),
  'switchTraffic/writes/checkLocks': (run) => confirmLocks(run),
  'switchTraffic/writes/waitForCatchup': waitForCatchup,
  'switchTraffic/writes/migrateStreams': migrateStreams,
  'switchTraffic/writes/resetSequences': (run) => resetSequences(run),
  'switchTraffic/writes/createReverseVReplication': createReverse,
  'switchTraffic/writes/initializeTargetSequences': initializeTargetSequences,
  'switchTraffic/writes/createJournals': createJournals,
  'switchTraffic/writes/allowTargetWrites': allowTargetWrites,
  'switchTraffic/writes/changeRouting': (run) => changeRouting(run),
  'switchTraffic/writes/streamMigraterfinalize': (run) => finalizeStreams(run),
  'switchTraffic/writes/startReverseVReplication': startReverse,
  'switchTraffic/writes/freezeTargetVReplication': freezeTargets,
  'switchTraffic/writes/unlockTarget': (run) => unlockStep(run, 'switchTraffic/writes/unlockTarget'),
  'switchTraffic/writes/unlockSource': (run) => unlockStep(run, 'switchTraffic/writes/unlockSource'),
  'switchTraffic/writes/unlockWorkflow': (run) => unlockStep(run, 'switchTraffic/writes/unlockWorkflow'),
  'switchTraffic/prepare/unlockWorkflow': (run) => unlockStep(run, 'switchTraffic/prepare/unlockWorkflow'),
};
