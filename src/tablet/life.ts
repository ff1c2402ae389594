import { plainError, UserError, wrapError } from '../lib/errors.ts';
import { goQuote } from '../lib/go-quote.ts';
import type { Context } from '../runtime/context.ts';
import type { Tablet, TabletAlias, TabletType, Time } from '../topo/proto/types.ts';
import { aliasText, changeRecordType, getTablet } from '../topo/tablets.ts';
import { type Cluster, watchedCluster } from './cluster.ts';
import { type Busy, keepRead, lastRead, readProcess, type TabletProcess, writeProcess } from './process.ts';
import { loseTransactions } from './query/sessions.ts';
import { forgetAllSequences } from './sequence-cache.ts';
import type { ShardDb } from './shard-db.ts';
import { keepView, readTopology, readView, refreshView } from './view.ts';

/** A tablet found by whoever starts and stops processes: its cell's topology need not answer. */
async function find(ctx: Context, cluster: Cluster, alias: TabletAlias): Promise<{ tablet: Tablet; shard: ShardDb }> {
  const tablet = await getTablet(ctx, watchedCluster(cluster).topo, alias);
  return { tablet, shard: cluster.shards.open(tablet.keyspace, tablet.shard) };
}

/** The type that a tablet has by itself, which its record follows. */
function ownType(shard: ShardDb, tablet: Tablet): TabletType {
  return (readView(shard, aliasText(tablet.alias))?.type as TabletType | undefined) ?? tablet.type;
}

/** What stopping a tablet did; undefined where it was stopped already. */
export interface Stopped {
  tablet: Tablet;
  /** Open transactions that went with it. */
  transactions: number;
}

/**
 * Ends a tablet's process, as `kill -9` of vttablet and mysqld does: its records stay, nothing answers any more, and with a
 * primary go the transactions that are open there. Throws NoNode.
 */
export async function stopTablet(ctx: Context, cluster: Cluster, alias: TabletAlias): Promise<Stopped | undefined> {
  const { tablet, shard } = await find(ctx, cluster, alias);
  const text = aliasText(alias);
  const process = readProcess(shard, text);
  if (process.stopped) return undefined;
  await writeProcess(shard, cluster.world, text, { ...process, stopped: true, busy: undefined });
  await shard.db.write(cluster.world.clock, () => forgetAllSequences(shard, text));
  const primary = ownType(shard, tablet) === 'PRIMARY';
  return { tablet, transactions: primary ? await loseTransactions(shard, cluster.world) : 0 };
}

/**
 * Starts a tablet that was stopped: it takes the type it starts as, or is the primary still, and reads its records. Returns
 * undefined where it runs already. Throws NoNode, and what its cell's topology says if that is down: then it does not start.
 */
export async function restartTablet(ctx: Context, cluster: Cluster, alias: TabletAlias): Promise<Tablet | undefined> {
  const { tablet, shard } = await find(ctx, cluster, alias);
  const text = aliasText(alias);
  const { stopped, base } = readProcess(shard, text);
  if (!stopped) return undefined;
  const type = tablet.type === 'PRIMARY' ? 'PRIMARY' : (base ?? startType(tablet.type));
  let record: Tablet;
  try {
    // Its record is the first thing that it writes.
    record = type === tablet.type ? await getTablet(ctx, cluster.topo, alias) : await changeRecordType(ctx, cluster.topo, alias, type);
    await refreshView(ctx, cluster, record);
  } catch (error) {
    throw wrapError(error, `tablet ${text} cannot start`);
  }
  await takeType(ctx, cluster, record, type);
  await writeProcess(shard, cluster.world, text, { stopped: false, busy: undefined, base: undefined });
  return record;
}

/** `--init-tablet-type`, as far as a type tells it: the others are states that a replica got into. */
export function startType(type: TabletType): TabletType {
  return type === 'RDONLY' ? 'RDONLY' : 'REPLICA';
}

/**
 * Changes a tablet's type as something that happens to it: a backup or a restore begins, and holds its action lock until
 * its type is changed again; or it is done with one. Throws UserError for a primary, and for a tablet that is stopped.
 */
export async function setTabletType(ctx: Context, cluster: Cluster, alias: TabletAlias, type: TabletType): Promise<{ before: Tablet; after: Tablet }> {
  const { tablet, shard } = await find(ctx, cluster, alias);
  const text = aliasText(alias);
  const where = `${tablet.keyspace}/${tablet.shard}`;
  const now = ownType(shard, tablet);
  const process = readProcess(shard, text);
  if (type === 'PRIMARY') {
    throw new UserError('a tablet becomes primary by a reparent', { next: `switchtraffic PlannedReparentShard ${where} --new-primary ${text}` });
  }
  if (now === 'PRIMARY') {
    throw new UserError(`${text} is the primary of ${where}`, { next: `make another one primary: switchtraffic PlannedReparentShard ${where}` });
  }
  if (process.stopped) throw new UserError(`${text} is stopped`, { next: `switchtraffic tablet start ${text}` });
  const after = await changeRecordType(ctx, cluster.topo, alias, type);
  await takeType(ctx, cluster, after, type);
  const busy: Busy | undefined = type === 'BACKUP' || type === 'RESTORE' ? type : undefined;
  await writeProcess(shard, cluster.world, text, { stopped: false, busy, base: baseBehind(process, now, type) });
  return { before: { ...tablet, type: now }, after };
}

/** The type to start as that has to be remembered behind a new type. */
function baseBehind({ base }: TabletProcess, now: TabletType, next: TabletType): TabletType | undefined {
  const start = base ?? startType(now);
  return start === next ? undefined : start;
}

/**
 * What a tablet does on the call ChangeType; whoever calls has its action lock. Throws `Tablet: …, is already drained`.
 * Vitess: go/vt/vttablet/tabletmanager/rpc_actions.go changeTypeLocked.
 */
export async function changeType(ctx: Context, cluster: Cluster, tablet: Tablet, type: TabletType): Promise<void> {
  const shard = cluster.shards.open(tablet.keyspace, tablet.shard);
  const text = aliasText(tablet.alias);
  const now = ownType(shard, tablet);
  if (type === 'DRAINED' && now === 'DRAINED') throw plainError(`Tablet: ${aliasProto(tablet.alias)}, is already drained`);
  const after = await changeRecordType(ctx, cluster.topo, tablet.alias, type);
  await takeType(ctx, cluster, after, type);
  const process = readProcess(shard, text);
  await writeProcess(shard, cluster.world, text, { ...process, base: baseBehind(process, now, type) });
}

/** An alias as Go prints the message. */
export function aliasProto({ cell, uid }: TabletAlias): string {
  return `cell:${goQuote(cell)} uid:${uid}`;
}

/** The tablet's own part of a change of type: what it serves from then on, by what it read last. */
export async function takeType(ctx: Context, cluster: Cluster, tablet: Tablet, type: TabletType): Promise<void> {
  const shard = cluster.shards.open(tablet.keyspace, tablet.shard);
  const alias = aliasText(tablet.alias);
  const read = lastRead(shard, alias) ?? (await readTopology(ctx, cluster, tablet));
  await shard.db.write(cluster.world.clock, () => {
    keepRead(shard, alias, read);
    keepView(shard, alias, type, read);
    if (type !== 'PRIMARY') forgetAllSequences(shard, alias);
  });
}

/** A moment as records have it. */
export function recordTime(ms: number): Time {
  const seconds = Math.floor(ms / 1000);
  return { seconds: String(seconds), nanoseconds: Math.round((ms - seconds * 1000) * 1e6) };
}
