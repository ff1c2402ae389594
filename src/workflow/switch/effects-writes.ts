import { compareKeyRanges } from '../../lib/key-range.ts';
import { errorText, errorVerbose, plainError, wrapError } from '../../lib/errors.ts';
import { withTimeout } from '../../runtime/context.ts';
import type { StepScope } from '../../runtime/step.ts';
import { dataTooLong } from '../../sql/mysql-errors.ts';
import { epochSeconds } from '../../tablet/cluster.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import { requirePrivileges } from '../../tablet/privileges.ts';
import { acquireTables } from '../../tablet/table-locks.ts';
import { FROZEN, readJournal, readStreams, STOPPED_FOR_CUTOVER, updateStream } from '../../tablet/vreplication/streams.ts';
import { waitForPos } from '../../tablet/vreplication/wait-for-pos.ts';
import { cellNames } from '../../topo/cells.ts';
import { shardText } from '../../topo/keyspaces.ts';
import { paths } from '../../topo/paths.ts';
import { keyRangeFromProto } from '../../topo/proto/key-range.ts';
import { Journal } from '../../topo/proto/messages-binlogdata.ts';
import { prototext } from '../../topo/proto/prototext.ts';
import { aliasText } from '../../topo/tablets.ts';
import { rebuildSrvVSchema } from '../../topo/vschema.ts';
import { type DenyOptions, denyTables, switchDeniedTables } from '../denied.ts';
import { forAll } from '../fan-out.ts';
import type { MigrationSource, MigrationTarget, TrafficSwitcher } from '../switcher.ts';
import { changeShardsAccess } from './effects-shards.ts';
import { sourceWorkflows } from './effects-streams.ts';
import { writesStop } from './outage.ts';
import { isForced, type SwitchRun } from './run.ts';

/** How long Vitess waits after each LOCK TABLES, for writes that slipped past the deny list. */
const LOCK_TABLES_PAUSE_MS = 100;

/** Denies the tables on the source, or turns its shards' query service off. Until v20 also records positions (before LOCK TABLES: #16563). */
export async function stopSourceWrites(run: SwitchRun, scope: StepScope): Promise<void> {
  const { cluster, sw, ctx } = run;
  const { behaviours } = cluster.release;
  const options: DenyOptions = { scope, force: isForced(run) };
  writesStop(run);
  if (run.path.kind === 'shards') await changeShardsAccess(run, ctx, sw.sources, true, options);
  else if (behaviours.stopWritesFreesTarget) await switchDeniedTables(ctx, cluster, sw, false, options);
  else await denyTables(ctx, cluster, sw, 'source', false, options);
  if (behaviours.rebuildOnStopWrites && run.path.kind !== 'shards') await rebuildSrvVSchema(ctx, cluster.topo);
  if (behaviours.positions === 'at-stop') await forAll(sw.sources, (source) => recordPosition(run, source));
}

/** One round of LOCK TABLES … READ on every source; the connection is closed as soon as the locks are there. */
export async function lockTables(run: SwitchRun, scope: StepScope): Promise<void> {
  const { cluster, sw, ctx } = run;
  const wanted = sw.tables.map((table) => ({ table, mode: 'read-only' as const }));
  await forAll(sw.sources, (source) =>
    scope.onTarget(shardText(source.info), () =>
      callTablet(ctx, cluster, source.primary, 'ExecuteFetchAsDba', () =>
        acquireTables(ctx, source.db, cluster.world, wanted, { holder: `SwitchTraffic ${sw.workflow}` }),
      ),
    ),
  );
  await cluster.world.clock.sleep(LOCK_TABLES_PAUSE_MS, ctx);
}

export async function gatherSourcePositions(run: SwitchRun, scope: StepScope): Promise<void> {
  await forAll(run.sw.sources, (source) => scope.onTarget(shardText(source.info), () => recordPosition(run, source)));
}

async function recordPosition(run: SwitchRun, source: MigrationSource): Promise<void> {
  try {
    source.position = await callTablet(run.ctx, run.cluster, source.primary, 'PrimaryPosition', async () => source.db.positionText());
  } catch (error) {
    const alias = aliasText(source.primary.alias);
    run.cluster.world.events.log('error', `Error getting migration source position on ${alias}: ${errorText(error)}`);
    throw plainError(`failed to get position on migration source ${alias}: ${errorVerbose(error)}`);
  }
}

/** Positions of both sides anew, when an earlier attempt got as far as its journal. */
export async function gatherPositions(run: SwitchRun): Promise<void> {
  await forAll(run.sw.sources, (source) => recordPosition(run, source));
  await forAll(run.sw.targets, (target) => recordTargetPosition(run, target));
}

/** Where the reverse stream of a target will begin to read. */
async function recordTargetPosition(run: SwitchRun, target: MigrationTarget): Promise<void> {
  await callTablet(run.ctx, run.cluster, target.primary, 'PrimaryPosition', async () => {
    await target.db.expectReader(run.cluster.world.clock);
    target.position = target.db.positionText();
  });
}

/** Waits until every stream has applied its source's position, and stops it there. */
export async function waitForCatchup(run: SwitchRun, scope: StepScope): Promise<void> {
  const { cluster, sw } = run;
  const limited = withTimeout(run.ctx, cluster.world.clock, run.request.timeoutMs);
  try {
    await forAll(sw.targets, (target) =>
      scope.onTarget(shardText(target.info), async () => {
        for (const { row, source } of target.streams) {
          const position = sourceOf(sw, source.shard).position;
          await callTablet(limited.ctx, cluster, target.primary, 'VReplicationWaitForPos', () =>
            waitForPos(limited.ctx, cluster, target.db, row.id, position),
          );
          await callTablet(run.ctx, cluster, target.primary, 'VReplicationExec', () =>
            setStreams(run, target.db, [row.id], { state: 'Stopped', message: STOPPED_FOR_CUTOVER }),
          );
        }
        await recordTargetPosition(run, target);
      }),
    );
  } finally {
    limited.end();
  }
}

function sourceOf(sw: TrafficSwitcher, shard: string): MigrationSource {
  const found = sw.sources.find((source) => source.info.name === shard);
  if (found === undefined) throw plainError(`no source shard ${shard}`);
  return found;
}

/** Changes streams on behalf of the switch: guarded on `hardened`, as every write of a workflow is. */
async function setStreams(
  run: SwitchRun,
  db: MigrationSource['db'],
  ids: readonly number[],
  changes: Parameters<typeof updateStream>[2],
): Promise<void> {
  const at = epochSeconds(run.cluster);
  await writeTablet(run.ctx, run.cluster, db, () => {
    for (const id of ids) updateStream(db, id, changes, at);
  });
}

/** Those that are about to take the writes have to be there, and each cell, to learn of it: past the journal there is no way back. */
async function askTargets({ cluster, sw, ctx }: SwitchRun): Promise<void> {
  for (const cell of await cellNames(ctx, cluster.topo)) {
    try {
      await cluster.topo.conn.forCell(cell).find(ctx, paths.srvVSchema);
    } catch (error) {
      throw wrapError(error, `cell ${cell} cannot learn where the writes go`);
    }
  }
  await forAll(sw.targets, async ({ primary, info }) => {
    try {
      await callTablet(ctx, cluster, primary, 'PrimaryPosition', () => {});
    } catch (error) {
      throw wrapError(error, `${shardText(info)} cannot take the writes`);
    }
  });
}

/** Writes the journal on each source that has none: from the first row on there is no way back. */
export async function createJournals(run: SwitchRun, scope: StepScope): Promise<void> {
  const { cluster, sw, ctx } = run;
  const participants = sw.sources
    .toSorted((a, b) => compareKeyRanges(keyRangeFromProto(a.info.record.key_range), keyRangeFromProto(b.info.record.key_range)))
    .map((source) => ({ keyspace: sw.sourceKeyspace, shard: source.info.name }));
  const workflows = sourceWorkflows(run);
  if (cluster.release.behaviours.targetsAtJournal === 'asked') await askTargets(run);
  await forAll(sw.sources, (source) =>
    scope.onTarget(shardText(source.info), () =>
      callTablet(ctx, cluster, source.primary, 'VReplicationExec', async () => {
        const val = prototext(Journal, {
          id: sw.id,
          ...(sw.kind === 'shards' && { migration_type: 'SHARDS' as const }),
          tables: sw.tables,
          local_position: source.position,
          shard_gtids: sw.targets.map((target) => ({
            keyspace: sw.targetKeyspace,
            shard: target.info.name,
            gtid: target.position,
          })),
          participants,
          ...(workflows.length > 0 && { source_workflows: workflows }),
        });
        // The column is too short for it until v22: writes are stopped by now, and nothing rolls back (#18608).
        if (Buffer.byteLength(val) > cluster.release.behaviours.journalValueBytes) throw dataTooLong('val');
        await writeTablet(ctx, cluster, source.db, () => {
          if (readJournal(source.db, sw.id) !== undefined) return;
          source.db.db.run('INSERT INTO "_vt.resharding_journal" VALUES (?, ?, ?)', sw.id, source.db.dbName, val);
          source.db.log(cluster.world.clock.now(), [{ kind: 'journal', id: sw.id, val }]);
        });
      }),
    ),
  );
}

/** Frees the target. On releases that did so when stopping writes, this is the same call again. */
export async function allowTargetWrites(run: SwitchRun, scope: StepScope): Promise<void> {
  const { cluster, sw, ctx } = run;
  const options: DenyOptions = { scope, passOver: true, force: isForced(run) };
  if (run.path.kind === 'shards') await changeShardsAccess(run, ctx, sw.targets, false, options);
  else if (cluster.release.behaviours.stopWritesFreesTarget) await switchDeniedTables(ctx, cluster, sw, false, options);
  else await denyTables(ctx, cluster, sw, 'target', true, options);
}

/** Starts the reverse workflow. Until v18.0.1 every other stream of the source was started too (#14795). */
export async function startReverse(run: SwitchRun, scope: StepScope): Promise<void> {
  const { sw, cluster } = run;
  const workflow = cluster.release.behaviours.reverseStart === 'every-stream' ? undefined : sw.reverseWorkflow;
  await forAll(sw.sources, (source) =>
    scope.onTarget(shardText(source.info), () =>
      callTablet(run.ctx, cluster, source.primary, 'VReplicationExec', async () => {
        requirePrivileges(source.db, ['SELECT', 'UPDATE']);
        await setWorkflow(run, source.db, workflow, { state: 'Running', message: '' });
      }),
    ),
  );
}

/** Marks the forward streams, so that nobody starts them again. */
export async function freezeTargets(run: SwitchRun, scope: StepScope): Promise<void> {
  const { sw } = run;
  // A stream that somebody has started again would clear the mark at its next sign of life; Vitess lets it.
  const frozen = run.cluster.release.vitess ? { message: FROZEN } : { state: 'Stopped' as const, message: FROZEN };
  await forAll(sw.targets, (target) =>
    scope.onTarget(shardText(target.info), () =>
      callTablet(run.ctx, run.cluster, target.primary, 'VReplicationExec', () =>
        setWorkflow(run, target.db, sw.workflow, frozen),
      ),
    ),
  );
}

/** Changes the streams of a workflow, or all streams there are. */
async function setWorkflow(
  run: SwitchRun,
  db: MigrationSource['db'],
  workflow: string | undefined,
  changes: Parameters<typeof updateStream>[2],
): Promise<void> {
  const at = epochSeconds(run.cluster);
  await writeTablet(run.ctx, run.cluster, db, () => {
    for (const { id } of readStreams(db, workflow)) updateStream(db, id, changes, at);
  });
}

