import { aggregateErrors, errorText, errorVerbose, plainError, VtError, wrapError } from '../../lib/errors.ts';
import { background, type Cancellable, type Context, withCancel, withoutCancel, withTimeout } from '../../runtime/context.ts';
import { ExitFault } from '../../lib/exit-fault.ts';
import { runStep, type StepScope } from '../../runtime/step.ts';
import { epochSeconds } from '../../tablet/cluster.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import { requirePrivileges } from '../../tablet/privileges.ts';
import { takesWrites } from '../../tablet/view.ts';
import { deleteWorkflowStreams, updateStream } from '../../tablet/vreplication/streams.ts';
import { shardText } from '../../topo/keyspaces.ts';
import { rebuildSrvVSchema } from '../../topo/vschema.ts';
import { denyTables, switchDeniedTables } from '../denied.ts';
import { forAll } from '../fan-out.ts';
import { CATALOGUE, type StepEntry, type StepName } from './catalogue.ts';
import { changeShardsAccess } from './effects-shards.ts';
import { cancelStreamMigrations } from './effects-streams.ts';
import { writesServe } from './outage.ts';
import { isForced, type SwitchRun } from './run.ts';
import { undoIntent } from './undo.ts';

/**
 * Rolls a failed switch back. Returns what went wrong, or undefined when everything is back. Throws ExitFault only.
 * Every step is tried whatever became of the one before. Vitess: trafficSwitcher.cancelMigration.
 */
export async function cancelMigration(run: SwitchRun): Promise<unknown> {
  const { cluster, sw } = run;
  const { events } = cluster.world;
  const parentError = run.ctx.err();
  if (parentError !== undefined) {
    events.log('info', `cancelMigration (${sw.workflow}): original context invalid: ${parentError.message}`);
  }
  events.log('info', `cancelMigration (${sw.workflow}): starting`);
  const failure = run.intent === undefined ? await cancelAsReleased(run) : await cancelByIntent(run);
  if (failure === undefined) {
    events.log('info', `cancelMigration (${sw.workflow}): completed`);
    return undefined;
  }
  // Before #17616 each failure was logged where it happened, and that was all.
  if (!cluster.release.behaviours.rollbackErrorsReturned) return undefined;
  events.log('error', `Cancel migration failed for ${sw.workflow}, manual cleanup work may be necessary: ${errorText(failure)}`);
  return wrapError(failure, 'cancel migration failed, manual cleanup work may be necessary');
}

/** What the client sees of a failed step whose roll-back failed too. */
export function withCancelError(error: unknown, cancelError: unknown): unknown {
  if (cancelError === undefined) return error;
  return new VtError(`${errorVerbose(error)}\n\n${errorVerbose(cancelError)}`, { code: 'CANCELED' });
}

/**
 * The context of a roll-back, which is the whole of vitessio/vitess#17620: the caller's own dies with the caller,
 * a fresh one has lost the locks, one without the parent's end keeps them.
 */
function rollbackContext(run: SwitchRun): Cancellable {
  const { rollbackContext: kind, rollbackTimeoutMs } = run.cluster.release.behaviours;
  if (kind === 'caller') return withCancel(run.ctx);
  const parent = kind === 'detached' ? background() : withoutCancel(run.ctx);
  return withTimeout(parent, run.cluster.world.clock, rollbackTimeoutMs);
}

async function cancelByIntent(run: SwitchRun): Promise<unknown> {
  try {
    await undoIntent(withoutCancel(run.ctx), run.cluster, run.intent!, () => writesServeIfTaken(run));
    run.intent = undefined;
    return undefined;
  } catch (error) {
    if (error instanceof ExitFault) throw error;
    return plainError(`could not revert denied tables / shard access: ${errorVerbose(error)}`);
  }
}

async function cancelAsReleased(run: SwitchRun): Promise<unknown> {
  const rollback = rollbackContext(run);
  const errors: unknown[] = [];
  const attempt = async (name: string, what: string, effect: (ctx: Context, scope: StepScope) => Promise<void>): Promise<boolean> => {
    try {
      const step = `switchTraffic/rollback/${name}`;
      const perTarget = (CATALOGUE[step as StepName] as StepEntry).perTarget === true;
      await runStep(run.ctx, run.cluster.world, { name: step, perTarget }, (scope) => effect(rollback.ctx, scope));
      return true;
    } catch (error) {
      if (error instanceof ExitFault) throw error;
      const text = `${what}: ${errorVerbose(error)}`;
      errors.push(plainError(text));
      const about = run.cluster.release.behaviours.rollbackErrorsReturned ? ` (${run.sw.workflow})` : '';
      run.cluster.world.events.log('error', `Cancel migration failed${about}: ${text}`);
      return false;
    }
  };
  const shards = run.path.kind === 'shards';
  const revert = shards ? 'revertShardAccess' : 'revertDeniedTables';
  const reverted = await attempt(revert, 'could not revert denied tables / shard access', (ctx) => revertAccess(run, ctx));
  if (reverted && freesSource(run)) writesServe(run, run.sw.sourceKeyspace);
  if (shards) await attempt('cancelStreamMigrations', 'could not cancel stream migrations', (ctx, scope) => cancelStreamMigrations(run, ctx, scope));
  await attempt('restartTargetStreams', 'could not restart vreplication', (ctx, scope) => restartStreams(run, ctx, scope));
  await attempt('deleteReverseVReplication', 'could not delete reverse vreplication streams', (ctx, scope) => deleteReverse(run, ctx, scope));
  rollback.end();
  return errors.length === 0 ? undefined : aggregateErrors(errors);
}

/** Notes that the source serves, unless a primary of it is down or has not noticed. */
function writesServeIfTaken(run: SwitchRun): void {
  const { sw } = run;
  const tables = sw.kind === 'shards' ? [] : sw.tables;
  if (sw.sources.every(({ db }) => takesWrites(db, tables))) writesServe(run, sw.sourceKeyspace);
}

/** Until v21 the tables of a v20 or v21 source stay denied; those of a tenant do on every release (K7). */
function freesSource({ path, cluster }: SwitchRun): boolean {
  const { rollbackDirection, tenantRollback } = cluster.release.behaviours;
  if (path.kind === 'shards') return true;
  return rollbackDirection !== 'forward' && !(path.kind === 'multi-tenant' && tenantRollback === 'left alone');
}

async function revertAccess(run: SwitchRun, ctx: Context): Promise<void> {
  const { cluster, sw } = run;
  const { events } = cluster.world;
  const { rollbackDirection, rebuildOnStopWrites, tenantRollback } = cluster.release.behaviours;
  if (sw.kind === 'shards') {
    events.log('info', `cancelMigration (${sw.workflow}): allowing writes on source shards`);
    return changeShardsAccess(run, ctx, sw.sources, false, { force: isForced(run) });
  }
  if (sw.kind === 'multi-tenant' && tenantRollback === 'left alone') {
    events.log('info', `cancelMigration (${sw.workflow}): multi-tenant, not adding denied tables to target`);
    return;
  }
  // Some tablet may still have to be waited for when the source takes writes again.
  const onAsked = (): void => writesServeIfTaken(run);
  if (rollbackDirection === 'source-only') {
    await denyTables(ctx, cluster, sw, 'source', true, { onAsked, force: isForced(run) });
    if (rebuildOnStopWrites) await rebuildSrvVSchema(ctx, cluster.topo);
    return;
  }
  // #15977 made the roll-back of v20 and v21 switch forward again, which reverts nothing and reports no error.
  await switchDeniedTables(ctx, cluster, sw, rollbackDirection === 'backward', { onAsked, force: isForced(run) });
}

/** Whatever the streams were before the command, they run now (K11). */
async function restartStreams(run: SwitchRun, ctx: Context, scope: StepScope): Promise<void> {
  const { cluster, sw } = run;
  await forAll(sw.targets, (target) =>
    scope.onTarget(shardText(target.info), () =>
      callTablet(ctx, cluster, target.primary, 'VReplicationExec', () =>
        writeTablet(ctx, cluster, target.db, () => {
          for (const { row } of target.streams) {
            updateStream(target.db, row.id, { state: 'Running', message: '' }, epochSeconds(cluster));
          }
        }),
      ),
    ),
  );
}

/** For a failed reversal "the reverse" is the original workflow, which is lost this way (#14276). */
async function deleteReverse(run: SwitchRun, ctx: Context, scope: StepScope): Promise<void> {
  const { cluster, sw } = run;
  if (!cluster.release.behaviours.reverseDeletesOriginal && sw.workflow.endsWith('_reverse')) return;
  await forAll(sw.sources, (source) =>
    scope.onTarget(shardText(source.info), () =>
      callTablet(ctx, cluster, source.primary, 'VReplicationExec', () => {
        requirePrivileges(source.db, ['SELECT', 'DELETE']);
        return writeTablet(ctx, cluster, source.db, () => void deleteWorkflowStreams(source.db, sw.reverseWorkflow));
      }),
    ),
  );
}

