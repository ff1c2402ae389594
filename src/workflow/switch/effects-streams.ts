import { errorText, InvariantError, plainError, vtError } from '../../lib/errors.ts';
import { ExitFault } from '../../lib/exit-fault.ts';
import { compareKeyRanges, formatKeyRange } from '../../lib/key-range.ts';
import { parsePosition, positionAtLeast } from '../../lib/gtid.ts';
import { type Context, withTimeout } from '../../runtime/context.ts';
import type { StepScope } from '../../runtime/step.ts';
import { epochSeconds } from '../../tablet/cluster.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import type { ShardDb } from '../../tablet/shard-db.ts';
import { deleteWorkflowStreams, insertStream, type NewStream, readJournal, readStream, readStreams, UNLIMITED, updateStream } from '../../tablet/vreplication/streams.ts';
import { waitForPos } from '../../tablet/vreplication/wait-for-pos.ts';
import { shardText } from '../../topo/keyspaces.ts';
import { keyRangeFromProto } from '../../topo/proto/key-range.ts';
import { BinlogSource as BinlogSourceMessage, Journal } from '../../topo/proto/messages-binlogdata.ts';
import { prototext } from '../../topo/proto/prototext.ts';
import { parsePrototext } from '../../topo/proto/prototext-parse.ts';
import type { BinlogSource } from '../../topo/proto/types-workflow.ts';
import { forAll } from '../fan-out.ts';
import type { MigrationSource, MigrationTarget } from '../switcher.ts';
import type { SwitchRun } from './run.ts';
import { currentStreams, type ForeignStream, isIntraKeyspace, type StreamMigrator } from './stream-migrator.ts';
import { fillTemplate, templateOf } from './stream-templates.ts';

function migratorOf(run: SwitchRun): StreamMigrator {
  if (run.migrator === undefined) throw new InvariantError('streams are moved before they were looked at');
  return run.migrator;
}

/** Stops the other streams of the source shards, all of those that read from one shard at the same position. */
export async function stopStreams(run: SwitchRun): Promise<void> {
  const { cluster, sw } = run;
  const migrator = migratorOf(run);
  if (migrator.streams.size === 0) return;
  const limited = cluster.release.behaviours.stopOrder === 'writes-first' ? withTimeout(run.ctx, cluster.world.clock, run.request.timeoutMs) : undefined;
  const ctx = limited?.ctx ?? run.ctx;
  try {
    await forAll(sw.sources, (source) => stopOn(run, ctx, migrator, source));
    const positions = await synchronize(run, ctx, migrator);
    verifyPositions(run, migrator, positions);
  } finally {
    limited?.end();
  }
  const first = sw.sources.find((source) => migrator.streams.has(source.info.name))!;
  migrator.templates = currentStreams(migrator, first).map(({ row, source }) => ({ row, source: templateOf(source, migrator.vschema) }));
}

async function stopOn(run: SwitchRun, ctx: Context, migrator: StreamMigrator, source: MigrationSource): Promise<void> {
  const streams = currentStreams(migrator, source);
  if (run.cluster.release.behaviours.stopOrder === 'writes-first') await waitForIntraKeyspace(run, ctx, source, streams);
  await setStreams(run, ctx, source, streams.map(({ row }) => row.id), { state: 'Stopped', message: 'for cutover' });
}

/** What was written just before the writes stopped has still to reach these: afterwards their source is another shard. */
async function waitForIntraKeyspace(run: SwitchRun, ctx: Context, source: MigrationSource, streams: readonly ForeignStream[]): Promise<void> {
  const { cluster, sw } = run;
  try {
    for (const stream of streams.filter((candidate) => isIntraKeyspace(run, candidate))) {
      const position = cluster.shards.open(stream.source.keyspace, stream.source.shard).positionText();
      await callTablet(ctx, cluster, source.primary, 'VReplicationWaitForPos', () => waitForPos(ctx, cluster, source.db, stream.row.id, position));
    }
  } catch (error) {
    const more = ctx.err()?.reason === 'deadline' ? ' (increase the --timeout value if needed)' : '';
    const workflow = streams[0]?.row.workflow ?? sw.workflow;
    throw vtError('CANCELED', `error waiting for intra-keyspace materialization workflow ${workflow} to catch up${more}: ${errorText(error)}`);
  }
}

/** Lets those that are behind run on to where the first of their source shard stands. Returns the positions, by source shard. */
async function synchronize(run: SwitchRun, ctx: Context, migrator: StreamMigrator): Promise<Map<string, string>> {
  const { cluster, sw } = run;
  const furthest = new Map<string, string>();
  const stopped = sw.sources.map((source) => ({ source, streams: currentStreams(migrator, source) }));
  for (const { row, source } of stopped.flatMap(({ streams }) => streams)) {
    const now = furthest.get(keyOf(source));
    if (now === undefined || positionAtLeast(parsePosition(row.pos), parsePosition(now))) furthest.set(keyOf(source), row.pos);
  }
  const behind = stopped.flatMap(({ source, streams }) =>
    streams.filter((stream) => stream.row.pos !== furthest.get(keyOf(stream.source))).map((stream) => ({ source, stream })),
  );
  await forAll(behind, async ({ source, stream }) => {
    const position = furthest.get(keyOf(stream.source))!;
    await setStreams(run, ctx, source, [stream.row.id], { state: 'Running', stop_pos: position, message: 'synchronizing for cutover' });
    await callTablet(ctx, cluster, source.primary, 'VReplicationWaitForPos', () => waitForPos(ctx, cluster, source.db, stream.row.id, position));
  });
  return furthest;
}

const keyOf = ({ keyspace, shard }: BinlogSource): string => `${keyspace}:${shard}`;

function verifyPositions({ sw }: SwitchRun, migrator: StreamMigrator, positions: ReadonlyMap<string, string>): void {
  for (const { row, source } of sw.sources.flatMap((one) => currentStreams(migrator, one))) {
    const wanted = positions.get(keyOf(source)) ?? '';
    if (row.pos !== wanted) throw plainError(`${keyOf(source)}: stream ${row.id} position: ${row.pos} does not match ${wanted}`);
  }
}

/** Creates the other streams on each target shard, stopped, for its key range. Rows of those workflows that are there go first. */
export async function migrateStreams(run: SwitchRun, scope: StepScope): Promise<void> {
  const migrator = migratorOf(run);
  await forAll(run.sw.targets, (target) =>
    scope.onTarget(shardText(target.info), async () => {
      if (migrator.workflows.length === 0) return;
      const rows = rowsOf(run, target, migrator.templates);
      await onPrimary(run, run.ctx, target, (db, at) => {
        for (const workflow of migrator.workflows) deleteWorkflowStreams(db, workflow);
        for (const row of rows) insertStream(db, row, at);
      });
    }),
  );
}

/**
 * One row for each stream from elsewhere. Those within the keyspace, of which every source shard had one from each, are read from
 * each of the new shards, once, from where these stand.
 */
function rowsOf(run: SwitchRun, target: MigrationTarget, templates: readonly ForeignStream[]): NewStream[] {
  const range = formatKeyRange(keyRangeFromProto(target.info.record.key_range));
  const within = new Map<string, ForeignStream>();
  const rows: NewStream[] = [];
  for (const template of templates) {
    if (isIntraKeyspace(run, template)) within.set(template.row.workflow, within.get(template.row.workflow) ?? template);
    else rows.push(newRow(run, target, template, fillTemplate(template.source, range), template.row.pos));
  }
  const shards = run.sw.targets.toSorted((a, b) => compareKeyRanges(keyRangeFromProto(a.info.record.key_range), keyRangeFromProto(b.info.record.key_range)));
  for (const template of within.values()) {
    const source = fillTemplate(template.source, range);
    rows.push(...shards.map((from) => newRow(run, target, template, { ...source, shard: from.info.name }, from.db.positionText())));
  }
  return rows;
}

/** Vitess's copies of a stream lose what it was, and which tablets it reads from (12.6). */
function newRow(run: SwitchRun, target: MigrationTarget, { row }: ForeignStream, source: BinlogSource, pos: string): NewStream {
  const kept = run.cluster.release.vitess
    ? { cell: '', tablet_types: '', options: '{}', workflow_type: 0, workflow_sub_type: 0, defer_secondary_keys: 0 }
    : {
        cell: row.cell,
        tablet_types: row.tablet_types,
        options: row.options,
        workflow_type: row.workflow_type,
        workflow_sub_type: row.workflow_sub_type,
        defer_secondary_keys: row.defer_secondary_keys,
      };
  return {
    workflow: row.workflow,
    source: prototext(BinlogSourceMessage, source),
    pos,
    state: 'Stopped',
    db_name: target.db.dbName,
    time_updated: epochSeconds(run.cluster),
    max_tps: UNLIMITED,
    max_replication_lag: UNLIMITED,
    ...kept,
  };
}

/** The workflows that the journal takes along: those whose streams were stopped, or the ones that an earlier journal names. */
export function sourceWorkflows({ sw, migrator }: SwitchRun): string[] {
  if (migrator !== undefined) return migrator.workflows;
  for (const source of sw.sources) {
    const journal = readJournal(source.db, sw.id);
    if (journal !== undefined) return (parsePrototext(Journal, journal) as { source_workflows?: string[] }).source_workflows ?? [];
  }
  return [];
}

/** Deletes the moved streams on the source shards and starts them on the target shards. */
export async function finalizeStreams(run: SwitchRun): Promise<void> {
  const workflows = sourceWorkflows(run);
  if (workflows.length === 0) return;
  const { sw, ctx } = run;
  await forAll(sw.sources, (source) =>
    onPrimary(run, ctx, source, (db) => {
      for (const workflow of workflows) deleteWorkflowStreams(db, workflow);
    }),
  );
  await forAll(sw.targets, (target) =>
    onPrimary(run, ctx, target, (db, at) => {
      for (const { id } of workflows.flatMap((workflow) => readStreams(db, workflow))) updateStream(db, id, { state: 'Running' }, at);
    }),
  );
}

/**
 * The roll-back of a release: every stream of the source shards is started, whatever it was before (K8, K11).
 * Vitess: StreamMigrator.CancelStreamMigrations.
 */
export async function cancelStreamMigrations(run: SwitchRun, ctx: Context, scope: StepScope): Promise<void> {
  const { sw, migrator } = run;
  if (migrator === undefined) return;
  const failures: string[] = [];
  const attempt = async (what: string, members: readonly (MigrationSource | MigrationTarget)[], effect: (db: ShardDb, at: number) => void): Promise<void> => {
    try {
      await forAll(members, (member) => scope.onTarget(shardText(member.info), () => onPrimary(run, ctx, member, effect)));
    } catch (error) {
      if (error instanceof ExitFault) throw error;
      failures.push(`${what}: ${errorText(error)}`);
      run.cluster.world.events.log('error', `Cancel stream migrations failed: ${what}: ${errorText(error)}`);
    }
  };
  await attempt('could not delete target streams', sw.targets, (db) => {
    for (const workflow of migrator.workflows) deleteWorkflowStreams(db, workflow);
  });
  await attempt('could not restart source streams', sw.sources, (db, at) => {
    for (const row of readStreams(db)) {
      if (row.workflow !== sw.reverseWorkflow) updateStream(db, row.id, { state: 'Running', stop_pos: null, message: '' }, at);
    }
  });
  if (failures.length > 0) throw plainError(failures.toSorted().join('\n'));
}

function onPrimary(
  run: SwitchRun,
  ctx: Context,
  member: MigrationSource | MigrationTarget,
  change: (db: ShardDb, at: number) => void,
): Promise<void> {
  const at = epochSeconds(run.cluster);
  return callTablet(ctx, run.cluster, member.primary, 'VReplicationExec', () => writeTablet(ctx, run.cluster, member.db, () => change(member.db, at)));
}

function setStreams(
  run: SwitchRun,
  ctx: Context,
  source: MigrationSource,
  ids: readonly number[],
  changes: Parameters<typeof updateStream>[2],
): Promise<void> {
  return onPrimary(run, ctx, source, (db, at) => {
    for (const id of ids) if (readStream(db, id) !== undefined) updateStream(db, id, changes, at);
  });
}
