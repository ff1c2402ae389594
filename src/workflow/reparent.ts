import { errorVerbose, plainError, vtError, wrapError } from '../lib/errors.ts';
import type { TabletAlias } from '../lib/names.ts';
import { type Context, withTimeout } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import type { Rpc } from '../tablet/rpc-names.ts';
import { callTablet, refreshState } from '../tablet/manager.ts';
import { readProcess } from '../tablet/process.ts';
import { demotePrimary, promoteReplica, setReplicationSource } from '../tablet/reparent.ts';
import { refreshView } from '../tablet/view.ts';
import { canCommit, checkDurability } from '../topo/durability.ts';
import { getKeyspace, getShard, type ShardInfo } from '../topo/keyspaces.ts';
import { checkShardLocked, lockShard } from '../topo/locks.ts';
import type { Tablet, Time } from '../topo/proto/types.ts';
import { aliasText, shardTablets } from '../topo/tablets.ts';
import { REMOTE_OPERATION_TIMEOUT_MS } from './change-type.ts';

/** What PlannedReparentShard was asked for. */
export interface ReparentRequest {
  keyspace: string;
  shard: string;
  newPrimary: TabletAlias | undefined;
  avoidPrimary: TabletAlias | undefined;
  expectedPrimary: TabletAlias | undefined;
  /** How long replicas may take, before and after. */
  waitReplicasMs: number;
  /** 0: not looked at. */
  tolerableLagMs: number;
  allowCrossCell: boolean;
}

/** A line of the log that vtctld sends along with its answer, with the place in its source that writes it. */
export interface ReparentEvent {
  level: 'I' | 'W' | 'E';
  /** Epoch milliseconds. */
  at: number;
  place: string;
  text: string;
}

const same = (a: TabletAlias | undefined, b: TabletAlias | undefined): boolean => aliasText(a) === aliasText(b);

/**
 * Makes another tablet of a shard its primary, under the shard's lock and not the keyspace's: a switch may be under way.
 * All tablets must answer. Resolves to the log. Vitess: go/vt/vtctl/reparentutil/planned_reparenter.go.
 */
export async function plannedReparentShard(ctx: Context, cluster: Cluster, request: ReparentRequest): Promise<ReparentEvent[]> {
  const { keyspace, shard, newPrimary, avoidPrimary } = request;
  const action = `PlannedReparentShard(${aliasText(newPrimary)}, AvoidPrimary = ${aliasText(avoidPrimary)})`;
  const locked = await lockShard(ctx, cluster.topo, keyspace, shard, action);
  let failure: unknown;
  try {
    return await new Reparent(locked.ctx, cluster, request).run();
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    await locked.unlock(failure);
  }
}

/** One reparent under way, holding the shard's lock. */
class Reparent {
  readonly #ctx: Context;
  readonly #cluster: Cluster;
  readonly #request: ReparentRequest;
  readonly #log: ReparentEvent[] = [];

  constructor(ctx: Context, cluster: Cluster, request: ReparentRequest) {
    this.#ctx = ctx;
    this.#cluster = cluster;
    this.#request = request;
  }

  async run(): Promise<ReparentEvent[]> {
    const { keyspace, shard, expectedPrimary } = this.#request;
    const { topo } = this.#cluster;
    const info = await getShard(this.#ctx, topo, keyspace, shard);
    const primaryAlias = info.record.primary_alias;
    if (expectedPrimary !== undefined && !same(expectedPrimary, primaryAlias)) {
      throw vtError('FAILED_PRECONDITION', `primary ${aliasText(primaryAlias)} is not equal to expected alias ${aliasText(expectedPrimary)}`);
    }
    const { durability_policy: durability = 'none' } = await getKeyspace(this.#ctx, topo, keyspace);
    this.#say('I', 'planned_reparenter.go:524', `Getting a new durability policy for ${durability}`);
    checkDurability(durability);
    const tablets = await shardTablets(this.#ctx, topo, info);
    await this.#verifyReachable(tablets);
    const elect = this.#preflight(info, tablets, durability);
    if (elect === undefined) return this.#log;
    await this.#checkLock();
    const current = this.#currentPrimary(tablets);
    const initial = current === undefined && info.record.primary_term_start_time === undefined;
    if (initial) await this.#promoteFirst(elect);
    else if (current === undefined) await this.#demoteAll(elect, tablets);
    else if (same(current.alias, elect.alias)) await this.#recoverPartial(elect);
    else await this.#demoteCurrent(current, elect);
    await this.#checkLock();
    const promote = !initial && !same(current?.alias, elect.alias);
    await this.#reparentAll(elect, current, tablets, promote);
    if (initial) await refreshState(this.#ctx, this.#cluster, elect).catch(() => {});
    return this.#log;
  }

  #say(level: ReparentEvent['level'], place: string, text: string): void {
    this.#log.push({ level, at: this.#cluster.world.clock.now(), place, text });
  }

  async #checkLock(): Promise<void> {
    try {
      await checkShardLocked(this.#ctx, this.#cluster.topo, this.#request.keyspace, this.#request.shard);
    } catch (error) {
      throw wrapError(error, 'lost topology lock, aborting');
    }
  }

  /** One call with a limit of its own. */
  async #call<T>(ms: number, tablet: Tablet, method: Rpc, body: (ctx: Context) => T | Promise<T>): Promise<T> {
    const limited = withTimeout(this.#ctx, this.#cluster.world.clock, ms);
    try {
      return await callTablet(limited.ctx, this.#cluster, tablet, method, () => body(limited.ctx));
    } finally {
      limited.end();
    }
  }

  async #verifyReachable(tablets: readonly Tablet[]): Promise<void> {
    const limited = withTimeout(this.#ctx, this.#cluster.world.clock, REMOTE_OPERATION_TIMEOUT_MS);
    try {
      for (const tablet of tablets) await callTablet(limited.ctx, this.#cluster, tablet, 'GetGlobalStatusVars', () => {});
    } finally {
      limited.end();
    }
  }

  /** The tablet to promote; undefined where there is nothing to do. */
  #preflight({ record }: ShardInfo, tablets: readonly Tablet[], durability: string): Tablet | undefined {
    const { newPrimary } = this.#request;
    const avoid = this.#request.avoidPrimary ?? (newPrimary === undefined ? record.primary_alias : undefined);
    if (newPrimary !== undefined && avoid !== undefined && same(newPrimary, avoid)) {
      throw vtError('FAILED_PRECONDITION', `primary-elect tablet ${aliasText(newPrimary)} is the same as the tablet to avoid`);
    }
    if (newPrimary === undefined && record.primary_alias !== undefined && !same(avoid, record.primary_alias)) return undefined;
    const elect = this.#elect(record.primary_alias, avoid, tablets);
    this.#say('I', 'planned_reparenter.go:192', `elected new primary candidate ${aliasText(elect.alias)}`);
    if (!canCommit(durability, elect, tablets)) {
      throw vtError('FAILED_PRECONDITION', `primary-elect tablet ${aliasText(elect.alias)} won't be able to make forward progress on promotion`);
    }
    return elect;
  }

  /** All replicas are equally far here: of several that may be promoted, the first by alias. Vitess: ElectNewPrimary. */
  #elect(primary: TabletAlias | undefined, avoid: TabletAlias | undefined, tablets: readonly Tablet[]): Tablet {
    const { newPrimary, allowCrossCell, tolerableLagMs } = this.#request;
    const reasons: string[] = [];
    const objection = ({ alias, type }: Tablet): string | undefined => {
      if (newPrimary !== undefined) return same(alias, newPrimary) ? undefined : 'does not match the new primary alias provided';
      if (!allowCrossCell && primary !== undefined && alias.cell !== primary.cell) return 'is not in the same cell as the previous primary';
      if (avoid !== undefined && same(alias, avoid)) return 'matches the primary alias to avoid';
      return type === 'REPLICA' ? undefined : 'is not a replica';
    };
    const object = (tablet: Tablet, reason: string): void => void reasons.push(`\n${aliasText(tablet.alias)} ${reason}`);
    const candidates = tablets.filter((tablet) => {
      const reason = objection(tablet);
      if (reason !== undefined) object(tablet, reason);
      return reason === undefined;
    });
    if (candidates.length === 1 && tolerableLagMs === 0) return candidates[0]!;
    const fit = candidates.filter((tablet) => {
      const alias = aliasText(tablet.alias);
      this.#say('I', 'util.go:174', `getting replication position from ${alias}`);
      if (tablet.type === 'PRIMARY') this.#say('W', 'util.go:183', `no replication statue from ${alias}, using empty gtid set`);
      const busy = readProcess(this.#cluster.shards.open(tablet.keyspace, tablet.shard), alias).busy === 'BACKUP';
      if (busy) object(tablet, 'is taking a backup');
      return !busy;
    });
    const [first] = fit;
    if (first === undefined) throw vtError('INTERNAL', `cannot find a tablet to reparent to${reasons.join('')}`);
    return first;
  }

  /** The primary with the newest term; undefined where there is none, or no telling. */
  #currentPrimary(tablets: readonly Tablet[]): Tablet | undefined {
    let found: Tablet | undefined;
    for (const tablet of tablets.filter(({ type }) => type === 'PRIMARY')) {
      const [start, other] = [nanoseconds(tablet.primary_term_start_time), nanoseconds(found?.primary_term_start_time)];
      if (found !== undefined && start === other) {
        const tied = `Multiple primaries (${aliasText(found.alias)} and ${aliasText(tablet.alias)}) are tied for PrimaryTermStartTime`;
        this.#say('W', 'util.go:244', `${tied}; can't determine the true primary.`);
        return undefined;
      }
      if (found === undefined || start > other) found = tablet;
    }
    return found;
  }

  async #promoteFirst(elect: Tablet): Promise<void> {
    try {
      await this.#call(this.#request.waitReplicasMs, elect, 'InitPrimary', (ctx) => promoteReplica(ctx, this.#cluster, elect, undefined));
    } catch (error) {
      throw wrapError(error, `primary-elect tablet ${aliasText(elect.alias)} failed to be promoted to primary; please try again`);
    }
  }

  /** There was a primary, and nobody says that it is one: all of them stop, so that none has more than the others. */
  async #demoteAll(elect: Tablet, tablets: readonly Tablet[]): Promise<void> {
    const text = `no clear winner found for current primary term; checking if it's safe to recover by electing ${aliasText(elect.alias)}`;
    this.#say('I', 'planned_reparenter.go:384', text);
    const failed: string[] = [];
    for (const tablet of tablets) {
      const alias = aliasText(tablet.alias);
      this.#say('I', 'planned_reparenter.go:427', `demoting tablet ${alias}`);
      try {
        await this.#call(REMOTE_OPERATION_TIMEOUT_MS, tablet, 'DemotePrimary', () => demotePrimary(this.#cluster, tablet));
      } catch (error) {
        failed.push(wrapError(error, `DemotePrimary(${alias}) failed on contested primary`).message);
      }
    }
    if (failed.length > 0) throw plainError(`failed to demote all tablets: ${failed.join(';')}`);
  }

  /** The primary is the one asked for: an earlier attempt may have left replicas behind. */
  async #recoverPartial(elect: Tablet): Promise<void> {
    const alias = aliasText(elect.alias);
    try {
      await this.#call(REMOTE_OPERATION_TIMEOUT_MS, elect, 'SetReadWrite', (ctx) => refreshView(ctx, this.#cluster, elect));
    } catch (error) {
      throw wrapError(error, `failed to SetReadWrite on current primary ${alias}`);
    }
  }

  async #demoteCurrent(current: Tablet, elect: Tablet): Promise<void> {
    const [from, to] = [aliasText(current.alias), aliasText(elect.alias)];
    const { waitReplicasMs } = this.#request;
    this.#say('I', 'planned_reparenter.go:236', `checking replication on primary-elect ${to}`);
    try {
      await this.#call(REMOTE_OPERATION_TIMEOUT_MS, current, 'PrimaryPosition', () => {});
    } catch (error) {
      const text = `cannot get replication position on current primary ${from}; current primary must be healthy to perform PlannedReparent`;
      throw wrapError(error, text);
    }
    try {
      await this.#call(waitReplicasMs, elect, 'SetReplicationSource', (ctx) => setReplicationSource(ctx, this.#cluster, elect));
    } catch (error) {
      const text = `replication on primary-elect ${to} did not catch up in time; replication must be healthy to perform PlannedReparent`;
      throw wrapError(error, text);
    }
    await this.#checkLock();
    this.#say('I', 'planned_reparenter.go:272', `demoting current primary: ${from}`);
    try {
      await this.#call(REMOTE_OPERATION_TIMEOUT_MS, current, 'DemotePrimary', () => demotePrimary(this.#cluster, current));
    } catch (error) {
      throw wrapError(error, `failed to DemotePrimary on current primary ${from}: ${errorVerbose(error)}`);
    }
    try {
      await this.#call(waitReplicasMs, elect, 'WaitForPosition', () => {});
    } catch (error) {
      // It goes back to where it was: the primary serves again.
      await this.#call(REMOTE_OPERATION_TIMEOUT_MS, current, 'UndoDemotePrimary', (ctx) => refreshView(ctx, this.#cluster, current));
      throw wrapError(error, `primary-elect tablet ${to} failed to catch up with replication`);
    }
  }

  /** Promotes the elected one and tells all others; those that do not listen fail the whole, which can be run again. */
  async #reparentAll(elect: Tablet, current: Tablet | undefined, tablets: readonly Tablet[], promote: boolean): Promise<void> {
    const cluster = this.#cluster;
    const to = aliasText(elect.alias);
    const at = BigInt(Math.round(cluster.world.clock.now())) * 1_000_000n;
    const limited = withTimeout(this.#ctx, cluster.world.clock, this.#request.waitReplicasMs);
    try {
      const others = tablets.filter((tablet) => !same(tablet.alias, elect.alias));
      for (const { alias } of others) this.#say('I', 'planned_reparenter.go:688', `setting new primary on replica ${aliasText(alias)}`);
      if (promote) {
        try {
          await callTablet(limited.ctx, cluster, elect, 'PromoteReplica', () => promoteReplica(limited.ctx, cluster, elect, current));
        } catch (error) {
          throw wrapError(error, `failed PromoteReplica(primary=${to}, ts=${at}): ${errorVerbose(error)}`);
        }
      }
      this.#say('I', 'planned_reparenter.go:723', `populating reparent journal on new primary ${to}`);
      const failed: string[] = [];
      const follow = async (tablet: Tablet): Promise<void> => {
        try {
          await callTablet(limited.ctx, cluster, tablet, 'SetReplicationSource', () => setReplicationSource(limited.ctx, cluster, tablet));
        } catch (error) {
          const text = `tablet ${aliasText(tablet.alias)} failed to SetReplicationSource(${to}): ${errorVerbose(error)}`;
          failed.push(wrapError(error, text).message);
        }
      };
      await eachWaiting(cluster, others, follow);
      if (failed.length === 0) return;
      const text = `some replicas failed to reparent; retry PlannedReparentShard with the same new primary alias (${to}) to retry failed replicas`;
      throw plainError(`${text}: ${failed.join(';')}`);
    } finally {
      limited.end();
    }
  }
}

/** One after another; those that are busy come last and are waited for together. */
async function eachWaiting(cluster: Cluster, tablets: readonly Tablet[], act: (tablet: Tablet) => Promise<void>): Promise<void> {
  const waiting: Tablet[] = [];
  for (const tablet of tablets) {
    const { stopped, busy } = readProcess(cluster.shards.open(tablet.keyspace, tablet.shard), aliasText(tablet.alias));
    if (stopped || busy !== undefined) waiting.push(tablet);
    else await act(tablet);
  }
  await Promise.all(waiting.map(act));
}

function nanoseconds(time: Time | undefined): bigint {
  return time === undefined ? 0n : BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nanoseconds ?? 0);
}
