import { aggregateErrors, errorText, VtError } from '../lib/errors.ts';
import { type Context, withTimeout } from '../runtime/context.ts';
import type { StepScope } from '../runtime/step.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { isStopped } from '../tablet/process.ts';
import { ShardRefresh } from '../tablet/refresh.ts';
import { updateDeniedTables } from '../topo/denied-tables.ts';
import { getShard, type ShardInfo, shardText, updateShardFields } from '../topo/keyspaces.ts';
import { aliasText } from '../topo/tablets.ts';
import type { TrafficSwitcher } from './switcher.ts';

/** How long refreshing one shard's tablets may take. */
export const REFRESH_TIMEOUT_MS = 30_000;

export type Side = 'source' | 'target';

/** How tables are denied or freed. */
export interface DenyOptions {
  scope?: StepScope;
  /** Going back, or past the journal: tablets that do not answer are passed over where the release does so. */
  passOver?: boolean;
  /** It was asked to go on whatever does not answer. A release does; `hardened` does what it does when it goes back. */
  force?: boolean;
  /** Called when all records are written and every tablet that answers has read them, before the others are waited for. */
  onAsked?: () => void;
}

/** Some tablets of a shard could not be refreshed; its record has been written. */
class RefreshFailed extends VtError {
  constructor(text: string) {
    super(text, { code: 'UNKNOWN', coded: false });
    this.name = 'RefreshFailed';
  }
}

/** A shard whose tablets were asked, and those of them that did not answer. */
interface Asked {
  shard: ShardInfo;
  side: Side;
  refresh: ShardRefresh;
}

/** Denies (or frees) the workflow's tables on each shard of one side and has its tablets notice. */
export async function denyTables(
  ctx: Context,
  cluster: Cluster,
  sw: TrafficSwitcher,
  side: Side,
  remove: boolean,
  options: DenyOptions = {},
): Promise<void> {
  const asked = await editTables(ctx, cluster, sw, side, remove, options);
  options.onAsked?.();
  const failed = await refreshRest(ctx, cluster, asked, options);
  if (failed.length > 0) throw aggregateErrors(failed);
}

async function editTables(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, side: Side, remove: boolean, { scope }: DenyOptions): Promise<Asked[]> {
  const asked: Asked[] = [];
  const shards = (side === 'source' ? sw.sources : sw.targets).map((member) => member.info);
  for (const shard of shards) {
    const edit = async (): Promise<void> => void asked.push(await denyOnShard(ctx, cluster, shard, sw.tables, side, remove));
    await (scope === undefined ? edit() : scope.onTarget(shardText(shard), edit));
  }
  return asked;
}

async function denyOnShard(ctx: Context, cluster: Cluster, shard: ShardInfo, tables: readonly string[], side: Side, remove: boolean): Promise<Asked> {
  await updateShardFields(ctx, cluster.topo, shard.keyspace, shard.name, async (record) => {
    const change = { tabletType: 'PRIMARY', tables, remove, allowCreate: true };
    await updateDeniedTables(ctx, cluster.topo, shard, record, change);
    return true;
  });
  return ask(ctx, cluster, shard, side);
}

async function ask(ctx: Context, cluster: Cluster, shard: ShardInfo, side: Side): Promise<Asked> {
  const limited = withTimeout(ctx, cluster.world.clock, REFRESH_TIMEOUT_MS);
  const refresh = new ShardRefresh(cluster, shard);
  try {
    await refresh.now(limited.ctx);
  } finally {
    limited.end();
  }
  return { shard, side, refresh };
}

/** Waits for the tablets that did not answer, all together; resolves to an error for each shard that is not refreshed. */
async function refreshRest(ctx: Context, cluster: Cluster, asked: readonly Asked[], { passOver = false, force = false }: DenyOptions): Promise<Error[]> {
  const passes = (passOver || force) && cluster.release.behaviours.unrefreshedTablets === 'passed over';
  const failed: Error[] = [];
  const passed = new Set<Asked>();
  if (passes) {
    for (const one of asked) if (await isPassable(ctx, cluster, one, passOver)) passed.add(one);
  }
  const rest = asked.filter((one) => !passed.has(one));
  if (rest.some(({ refresh }) => refresh.waiting.length > 0)) {
    const limited = withTimeout(ctx, cluster.world.clock, REFRESH_TIMEOUT_MS);
    try {
      await Promise.all(rest.map(({ refresh }) => refresh.rest(limited.ctx)));
    } finally {
      limited.end();
    }
  }
  for (const one of rest) {
    const { partial, details, error } = one.refresh.result;
    if (!partial) continue;
    const how = error === undefined ? '<nil>' : errorText(error);
    const text = `failed to successfully refresh all tablets in the ${shardText(one.shard)} ${one.side} shard (${how}):\n  ${details}`;
    if (force && cluster.release.vitess) cluster.world.events.emit({ kind: 'warning', text });
    else failed.push(new RefreshFailed(text));
  }
  return failed;
}

/**
 * True if nothing is lost by going on: the shard's primary has noticed, or is down and will read its records when it
 * starts. One that is only busy serves on by what it read before, which is no harm where tables are freed alone. The tablets
 * that have not noticed are told of.
 */
async function isPassable(ctx: Context, cluster: Cluster, { shard, refresh }: Asked, freeing: boolean): Promise<boolean> {
  const { record } = await getShard(ctx, cluster.topo, shard.keyspace, shard.name);
  const primary = aliasText(record.primary_alias);
  const down = refresh.waiting.some(({ alias }) => aliasText(alias) === primary) && (freeing || isStopped(cluster.shards.open(shard.keyspace, shard.name), primary));
  if (!down && !refresh.hasRefreshed(primary)) return false;
  const missed = [...refresh.waiting.map((tablet) => `tablet ${aliasText(tablet.alias)} does not answer`), ...refresh.failures];
  if (missed.length > 0) {
    const next = `when it does: RefreshStateByShard ${shardText(shard)}`;
    cluster.world.events.emit({ kind: 'warning', text: `${shardText(shard)} is not refreshed in full: ${missed.join('; ').replace(/\s*\n\s*/g, ' ')}; ${next}` });
  }
  return true;
}

/** Refreshes every tablet of a shard, and resolves to the error where one is not refreshed. */
export async function refreshProblem(ctx: Context, cluster: Cluster, shard: ShardInfo, side: Side, options: DenyOptions = {}): Promise<Error | undefined> {
  const [failed] = await refreshRest(ctx, cluster, [await ask(ctx, cluster, shard, side)], options);
  return failed;
}

/** Refreshes every tablet of a shard. Throws `failed to successfully refresh all tablets in the …`. */
export async function refreshOrFail(ctx: Context, cluster: Cluster, shard: ShardInfo, side: Side, options: DenyOptions = {}): Promise<void> {
  const failed = await refreshProblem(ctx, cluster, shard, side, options);
  if (failed !== undefined) throw failed;
}

/**
 * Moves the denial from one side to the other: forward denies the source and frees the target.
 * Vitess: trafficSwitcher.switchDeniedTables, where the two halves run at once and the first error wins (K52).
 */
export async function switchDeniedTables(
  ctx: Context,
  cluster: Cluster,
  sw: TrafficSwitcher,
  backward: boolean,
  options: DenyOptions = {},
): Promise<void> {
  try {
    const asked = [
      ...(await editTables(ctx, cluster, sw, 'source', backward, options)),
      ...(await editTables(ctx, cluster, sw, 'target', !backward, options)),
    ];
    options.onAsked?.();
    const [first] = await refreshRest(ctx, cluster, asked, options);
    if (first !== undefined) throw first;
  } catch (error) {
    cluster.world.events.log('warning', `Error in switchDeniedTables: ${errorText(error)}`);
    throw error;
  }
}
