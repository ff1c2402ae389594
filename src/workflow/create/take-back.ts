import { plainError, UserError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { runStep } from '../../runtime/step.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { writeTablet } from '../../tablet/manager.ts';
import type { ShardDb } from '../../tablet/shard-db.ts';
import { tablesWritten } from '../../tablet/vreplication/rule.ts';
import { sourceOf } from '../../tablet/vreplication/stream-source.ts';
import { deleteStream, readStreams } from '../../tablet/vreplication/streams.ts';
import type { Writer } from '../../topo/conn/conn.ts';
import { getShard, shardText } from '../../topo/keyspaces.ts';
import { forgetLostLocks, guarded, holdsKeyspace, type Locked, lockKeyspace, noteStep } from '../../topo/locks.ts';
import { paths } from '../../topo/paths.ts';
import type { Table, VSchemaKeyspace } from '../../topo/proto/types.ts';
import { encodeRecord } from '../../topo/server.ts';
import { rebuildSrvVSchema } from '../../topo/vschema.ts';
import { refreshOrFail } from '../denied.ts';
import { dropIntent, isOwn, putStep } from '../intent/record.ts';
import { isMoveUnderWay } from '../partial-moves.ts';
import { read } from '../switch/intent-images.ts';
import { restoreControls } from '../switch/undo-records.ts';
import { primaryOf } from '../switcher.ts';
import { deleteTenantRows } from '../tenant-rows.ts';
import { startWorkflow } from '../update.ts';
import { putRulesBack } from './initial-rules.ts';
import type { CreateIntent } from './intent.ts';
import type { Member } from './request.ts';
import { startReshardStreams } from './reshard-streams.ts';
import { type CreateStepName, planTakeBack } from './steps.ts';

const UNDOS: Partial<Record<CreateStepName, (ctx: Context, cluster: Cluster, intent: CreateIntent) => Promise<void>>> = {
  'create/rollback/deleteStreams': deleteStreams,
  'create/rollback/restoreRecords': restoreRecords,
  'create/rollback/dropTables': dropTables,
};

/**
 * Takes back all that a create has made, driven by its intent, so that everything is as it was before it; then strikes the
 * intent. It can be called again until it is done. What somebody else has come to need meanwhile stays. A keyspace lock that was
 * lost is taken again. Throws UserError where somebody else took the intent over.
 */
export async function takeBack(ctx: Context, cluster: Cluster, intent: CreateIntent): Promise<void> {
  const { topo, world } = cluster;
  let again: Locked | undefined;
  try {
    await forgetLostLocks(ctx, topo);
    if (!holdsKeyspace(ctx, intent.targetKeyspace)) again = await lockKeyspace(ctx, topo, intent.targetKeyspace, 'TakeBack');
    const locked = again?.ctx ?? ctx;
    if (!(await topo.conn.atomically(locked, {}, (writer) => isOwn(writer, cluster, intent)))) {
      throw new UserError(`somebody else has taken ${intent.command} over while its locks were lost`, {
        next: `see what became of it: switchtraffic show workflow ${intent.workflow}`,
      });
    }
    for (const name of planTakeBack(intent.type)) {
      await noteStep(locked, topo, name, (writer) => putStep(locked, writer, cluster, intent, name));
      await runStep(locked, world, { name, targets: [intent.targetKeyspace] }, async () => UNDOS[name]?.(locked, cluster, intent));
    }
    await dropIntent(locked, cluster, intent);
  } finally {
    await again?.unlock('taken back');
  }
}

type Target = CreateIntent['targets'][number];

const dbOf = (cluster: Cluster, { keyspace, shard }: Target): ShardDb => cluster.shards.open(keyspace, shard);

async function deleteStreams(ctx: Context, cluster: Cluster, { targets }: CreateIntent): Promise<void> {
  for (const target of targets) {
    const db = dbOf(cluster, target);
    const made = madeStreams(db, target);
    if (made.length > 0) await writeTablet(ctx, cluster, db, () => made.forEach((id) => deleteStream(db, id)));
  }
}

/** Nobody else makes streams in a keyspace in which a create is half done. */
function madeStreams(db: ShardDb, { streams }: Target): number[] {
  const before = new Set(streams);
  return readStreams(db).flatMap(({ id }) => (before.has(id) ? [] : [id]));
}

/** Starts what a create has made, as it was about to: what runs already only goes on. */
export async function startMade(ctx: Context, cluster: Cluster, { type, workflow, targets }: CreateIntent): Promise<void> {
  const members = await membersOf(ctx, cluster, targets);
  if (type === 'Reshard') await startReshardStreams(ctx, cluster, { targets: members });
  else await startWorkflow(ctx, cluster, { workflow, targets: members });
}

/** Rules, VSchema and denied tables, all or nothing; then the tablets and the cells notice. */
async function restoreRecords(ctx: Context, cluster: Cluster, intent: CreateIntent): Promise<void> {
  const { topo } = cluster;
  const { sourceKeyspace, targetKeyspace, workflow, tables, rules, targets } = intent;
  const needed = new Set(targets.flatMap((target) => neededTables(cluster, target)));
  // Other shards of the same move go by the same rules.
  const shared = intent.kind === 'partial' && (await isMoveUnderWay(ctx, cluster, { sourceKeyspace, targetKeyspace }, workflow));
  await guarded(ctx, topo, [targetKeyspace], (options) =>
    topo.conn.atomically(ctx, options, (writer) => {
      for (const target of targets) restoreControls(writer, target, tables);
      if (rules !== undefined && !shared) putRulesBack(writer, rules, sourceKeyspace);
      restoreVSchema(writer, intent, needed);
    }),
  );
  for (const { keyspace, shard } of targets) await refreshOrFail(ctx, cluster, await getShard(ctx, topo, keyspace, shard), 'target', { passOver: true });
  await rebuildSrvVSchema(ctx, topo);
}

/** Tables that the create made on a shard, and that streams of others write by now. */
function neededTables(cluster: Cluster, target: Target): string[] {
  const db = dbOf(cluster, target);
  const there = target.makes.filter((table) => db.findTable(table) !== undefined);
  const own = new Set(madeStreams(db, target));
  return readStreams(db).flatMap((row) => (own.has(row.id) ? [] : tablesWritten(sourceOf(db, row), there)));
}

/** The entries of the tables as they were; those of tables that stay, stay. What others changed of the rest stays as they have it. */
function restoreVSchema(writer: Writer, { targetKeyspace, tables, vschema: before }: CreateIntent, needed: ReadonlySet<string>): void {
  const now = read<VSchemaKeyspace>(writer, 'global', paths.vschema(targetKeyspace));
  if (now === undefined || before === undefined) return;
  const entries: Record<string, Table> = { ...now.tables };
  for (const table of tables) {
    const was = before.tables?.[table];
    if (was !== undefined) entries[table] = was;
    else if (!needed.has(table)) delete entries[table];
  }
  const { tables: _tables, ...rest } = now;
  const none = Object.keys(entries).length === 0 && before.tables === undefined;
  writer.put('global', paths.vschema(targetKeyspace), encodeRecord(none ? rest : { ...now, tables: entries }));
}

/** The tables that were made are gone, but for those that others write; of these a tenant's rows go. */
async function dropTables(ctx: Context, cluster: Cluster, intent: CreateIntent): Promise<void> {
  const { targetKeyspace, tenantId, tables, targets } = intent;
  for (const target of targets) {
    const db = dbOf(cluster, target);
    const needed = new Set(neededTables(cluster, target));
    const gone = target.makes.filter((table) => db.findTable(table) !== undefined && !needed.has(table));
    if (gone.length > 0) await writeTablet(ctx, cluster, db, () => gone.forEach((table) => db.dropTable(table)));
  }
  if (tenantId !== '') await deleteTenantRows(ctx, cluster, { targetKeyspace, tenantId }, await membersOf(ctx, cluster, targets), tables);
}

async function membersOf(ctx: Context, cluster: Cluster, targets: readonly Target[]): Promise<Member[]> {
  const members: Member[] = [];
  for (const { keyspace, shard } of targets) {
    const info = await getShard(ctx, cluster.topo, keyspace, shard);
    members.push(await primaryOf(ctx, cluster, info, () => plainError(`shard has no primary: ${shardText(info)}`)));
  }
  return members;
}
