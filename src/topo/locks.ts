import { formatDuration } from '../lib/duration.ts';
import { errorText, isTopoError, vtError } from '../lib/errors.ts';
import { formatRfc3339 } from '../lib/go-time.ts';
import { COMMAND_LINE } from '../runtime/command-line.ts';
import { background, checkContext, type Context, contextKey, withTimeout, withValue } from '../runtime/context.ts';
import type { LockDescriptor, WriteOptions, Writer } from './conn/conn.ts';
import { leaseMs } from './conn/lock-rules.ts';
import { isLeaseGone, lostAtCheck, lostAtRelease, lostBeforeLoan, lostLock, lostPlace } from './lost-locks.ts';
import { lockDirs } from './paths.ts';
import type { TopoServer } from './server.ts';

/**
 * Locks and the bookkeeping of who holds them. Vitess: go/vt/topo/locks.go, keyspace_lock.go, named_lock.go.
 *
 * What a call has locked travels in its context. A context made from scratch therefore holds nothing, whatever
 * the store says: "keyspace commerce is not locked (no locksInfo)".
 */
type LockKind = 'keyspace' | 'shard' | 'named' | 'routing_rules';

interface HeldLock {
  kind: LockKind;
  descriptor: LockDescriptor;
}

/** Shared by every context below the one that took the first lock. Keyed by resource name, as in Vitess. */
type LocksInfo = Map<string, HeldLock>;

const LOCKS = contextKey<LocksInfo | undefined>('locksInfo');

/** Locks that whoever runs this call holds for it, by the directory that is locked. */
const LENT = contextKey<Map<string, HeldLock>>('lentLocks');

/** Locks that a roll-back found lost and has dealt with: there is nothing left to release. */
const FORGOTTEN = new WeakSet<LockDescriptor>();

/** How long a lock on a name is asked for. What a lock lives that asks for nothing is the topology server's matter. */
const NAMED_TTL_MS = 24 * 3_600_000;
const UNLOCK_TIMEOUT_MS = 15_000;
/** So much of a command line stands beside the locks it takes. */
const LONGEST_COMMAND = 300;

/** A context that holds the lock, and how to let it go. */
export interface Locked {
  readonly ctx: Context;
  /**
   * Releases the lock. `failure` is the error that the action ended with, if any: then a failing release is only
   * logged; otherwise it is thrown and becomes the action's own error.
   */
  unlock(failure: unknown): Promise<void>;
}

/** Locks a keyspace. Throws NoNode for an unknown one, Timeout when the wait runs out, `already held` when nested. */
export function lockKeyspace(
  ctx: Context,
  topo: TopoServer,
  keyspace: string,
  action: string,
  options: { ttlMs?: number } = {},
): Promise<Locked> {
  return lock(ctx, topo, {
    kind: 'keyspace',
    name: keyspace,
    dir: lockDirs.keyspace(keyspace),
    action,
    ttlMs: options.ttlMs,
    mustExist: true,
  });
}

/** Runs `body` under a keyspace's lock and lets it go however that ends; a failing release fails what had succeeded. */
export async function withKeyspaceLock<T>(
  ctx: Context,
  topo: TopoServer,
  keyspace: string,
  action: string,
  body: (ctx: Context) => Promise<T>,
): Promise<T> {
  const locked = await lockKeyspace(ctx, topo, keyspace, action);
  let failure: unknown;
  try {
    return await body(locked.ctx);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    await locked.unlock(failure);
  }
}

/**
 * Locks a shard: for reparents and deletions, which need no lock of the keyspace. Throws as `lockKeyspace`.
 * Vitess: go/vt/topo/shard_lock.go.
 */
export function lockShard(ctx: Context, topo: TopoServer, keyspace: string, shard: string, action: string): Promise<Locked> {
  const dir = lockDirs.shard(keyspace, shard);
  return lock(ctx, topo, { kind: 'shard', name: `${keyspace}/${shard}`, dir, action, mustExist: true });
}

/** Locks a name, such as a workflow's `customer/commerce2customer`. Lives for 24 hours on a release. */
export function lockName(ctx: Context, topo: TopoServer, name: string, action: string): Promise<Locked> {
  return lock(ctx, topo, { kind: 'named', name, dir: lockDirs.named(name), action, ttlMs: NAMED_TTL_MS, mustExist: false });
}

/** Locks the keyspace routing rules, the only rules that Vitess locks. NoNode until the first rules are saved. */
export function lockRoutingRules(ctx: Context, topo: TopoServer, action: string): Promise<Locked> {
  return lock(ctx, topo, {
    kind: 'routing_rules',
    name: 'routing_rules',
    dir: lockDirs.routingRules,
    action,
    mustExist: true,
  });
}

/**
 * Throws unless this context holds the keyspace's lock and the lease still lives, as far as the topology server tells; on etcd this renews it. Until v20 a lease
 * that is gone goes unnoticed: only the context is asked. Vitess: go/vt/topo/locks.go CheckKeyspaceLocked (#16260).
 */
export async function checkKeyspaceLocked(ctx: Context, topo: TopoServer, keyspace: string): Promise<void> {
  const { descriptor } = heldLock(ctx, topo, 'keyspace', keyspace);
  if (topo.release.behaviours.lockCheckAsks) await checkLock(ctx, topo, descriptor);
}

/** The same of a shard's lock. Vitess: go/vt/topo/shard_lock.go CheckShardLocked. */
export async function checkShardLocked(ctx: Context, topo: TopoServer, keyspace: string, shard: string): Promise<void> {
  const { descriptor } = heldLock(ctx, topo, 'shard', `${keyspace}/${shard}`);
  if (topo.release.behaviours.lockCheckAsks) await checkLock(ctx, topo, descriptor);
}

/** Throws NoNode `lease` for a lock that is gone; on `hardened` LockLostError, which says more. */
export async function checkLock(ctx: Context, topo: TopoServer, descriptor: LockDescriptor): Promise<void> {
  try {
    await descriptor.check(ctx);
  } catch (error) {
    throw topo.release.behaviours.fencedWrites && isLeaseGone(error) ? lostAtCheck(topo, descriptor, error) : error;
  }
}

/** Every lock that this context holds. */
export function heldLocks(ctx: Context): LockDescriptor[] {
  return [...(ctx.value(LOCKS)?.values() ?? [])].map((held) => held.descriptor);
}

/**
 * Takes the locks that are gone out of the context's bookkeeping, so that they can be taken again in it.
 * For a roll-back: a lock that is still held stays held throughout.
 */
export async function forgetLostLocks(ctx: Context, topo: TopoServer): Promise<void> {
  for (const [name, held] of ctx.value(LOCKS) ?? []) {
    try {
      await held.descriptor.check(ctx);
    } catch (error) {
      if (!isTopoError(error, 'NoNode')) throw error;
      ctx.value(LOCKS)?.delete(name);
      // Who lent it has lost it too: it is to be taken anew, and is then this call's own.
      ctx.value(LENT)?.delete(held.descriptor.resource);
      topo.held.delete(held.descriptor);
      FORGOTTEN.add(held.descriptor);
    }
  }
}

/**
 * A context for one command that runs inside another which holds locks: what that command locks of them it has at once, by
 * the same token, and what it unlocks of them stays locked. Until it locks them it holds nothing, as any other command; what
 * is below `background()` is lent nothing (#17620). A lock that was lost is refused with LockLostError.
 */
export function lendLocks(ctx: Context): Context {
  const lent = new Map(ctx.value(LENT));
  for (const held of ctx.value(LOCKS)?.values() ?? []) lent.set(held.descriptor.resource, held);
  return withValue(withValue(ctx, LOCKS, undefined), LENT, lent);
}

/** True if this context has locked a directory, or can have the lock of whoever runs it: nobody else is at work there. */
export function isHeldOrLent(ctx: Context, dir: string): boolean {
  return ctx.value(LENT)?.has(dir) === true || heldLocks(ctx).some((lock) => lock.resource === dir);
}

/** True if this context has locked the keyspace, as far as it knows. */
export function holdsKeyspace(ctx: Context, keyspace: string): boolean {
  return ctx.value(LOCKS)?.get(keyspace)?.kind === 'keyspace';
}

/** True if this context has locked the name, as far as it knows. */
export function holdsName(ctx: Context, name: string): boolean {
  return ctx.value(LOCKS)?.get(name)?.kind === 'named';
}

/**
 * Notes the step a command is in beside each of its locks, for those who wait for them; with `also`, which may write other
 * records of the global topology, in one transaction. It is written whatever became of the context.
 */
export async function noteStep(ctx: Context, topo: TopoServer, step: string, also?: (writer: Writer) => void): Promise<void> {
  if (heldLocks(ctx).length === 0 && also === undefined) return;
  await note(ctx, topo, step, {}, also);
}

/** The same for the first step that changes anything: throws LockLostError, as any guarded write, where the locks are gone by then. */
export async function noteFirstStep(ctx: Context, topo: TopoServer, step: string, also: (writer: Writer) => void): Promise<void> {
  await guarded(ctx, topo, [], (options) => note(ctx, topo, step, options, also));
}

async function note(ctx: Context, topo: TopoServer, step: string, options: WriteOptions, also?: (writer: Writer) => void): Promise<void> {
  await topo.conn.atomically(background(), options, (writer) => {
    for (const descriptor of heldLocks(ctx)) descriptor.note(step);
    also?.(writer);
  });
}

/**
 * Runs a write that needs these keyspaces' locks. On `hardened` they must be in the context, and the store checks
 * every lock of the context in the transaction that writes; a release checks only where Vitess does.
 * Throws `keyspace X is not locked (…)` or LockLostError.
 */
export async function guarded<T>(
  ctx: Context,
  topo: TopoServer,
  keyspaces: readonly string[],
  write: (options: WriteOptions) => Promise<T>,
): Promise<T> {
  if (!topo.release.behaviours.fencedWrites) return write({});
  for (const keyspace of keyspaces) heldLock(ctx, topo, 'keyspace', keyspace);
  const guards = heldLocks(ctx);
  try {
    return await write({ guards });
  } catch (error) {
    throw isLeaseGone(error) ? lostLock(topo, guards, error) : error;
  }
}

function heldLock(ctx: Context, topo: TopoServer, kind: LockKind, name: string): HeldLock {
  const info = ctx.value(LOCKS);
  const code = topo.release.behaviours.notLockedCode;
  if (info === undefined) throw vtError(code, `${kind} ${name} is not locked (no locksInfo)`);
  const held = info.get(name);
  if (held === undefined) throw vtError(code, `${kind} ${name} is not locked (no lockInfo in map)`);
  return held;
}

interface LockOrder {
  kind: LockKind;
  name: string;
  dir: string;
  action: string;
  ttlMs?: number | undefined;
  mustExist: boolean;
}

async function lock(ctx: Context, topo: TopoServer, order: LockOrder): Promise<Locked> {
  const known = ctx.value(LOCKS);
  const info: LocksInfo = known ?? new Map();
  if (info.has(order.name)) throw vtError('INTERNAL', `lock for ${order.kind} ${order.name} is already held`);
  warnOfRefusedLife(topo, order);
  const waiting = withTimeout(ctx, topo.world.clock, topo.lockTimeoutMs);
  const lent = ctx.value(LENT)?.get(order.dir);
  let descriptor: LockDescriptor;
  try {
    topo.world.events.log('info', `Locking ${order.kind} ${order.name} for action ${order.action}`);
    descriptor = lent === undefined ? await take(waiting.ctx, topo, order, info) : await borrow(waiting.ctx, topo, lent);
  } catch (error) {
    throw topo.release.behaviours.fencedWrites && isLeaseGone(error) ? lostPlace(order.dir, topo, error) : error;
  } finally {
    waiting.end();
  }
  info.set(order.name, { kind: order.kind, descriptor });
  topo.held.add(descriptor);
  return {
    ctx: known === undefined ? withValue(ctx, LOCKS, info) : ctx,
    unlock: (failure) => unlock(topo, info, order, descriptor, failure),
  };
}

async function take(ctx: Context, topo: TopoServer, order: LockOrder, info: LocksInfo): Promise<LockDescriptor> {
  if (topo.release.behaviours.endedLock === 'the context') checkContext(ctx);
  // What is lent to this call stays held meanwhile as much as what it has locked itself.
  const [held] = [...info.values(), ...(ctx.value(LENT)?.values() ?? [])];
  return topo.conn.lock(ctx, {
    dir: order.dir,
    contents: lockContents(topo, order.action),
    ttlMs: order.ttlMs,
    mustExist: order.mustExist,
    command: (ctx.value(COMMAND_LINE) ?? '').slice(0, LONGEST_COMMAND),
    ...(held === undefined ? {} : { chain: held.descriptor.chain }),
  });
}

/** The lock of whoever runs this call. To let it go is to say whether it was held to the end. Throws LockLostError. */
async function borrow(ctx: Context, topo: TopoServer, { descriptor }: HeldLock): Promise<LockDescriptor> {
  try {
    return await topo.conn.borrow(ctx, descriptor);
  } catch (error) {
    throw isLeaseGone(error) ? lostBeforeLoan(topo, descriptor, error) : error;
  }
}

/** A server that takes no lock of such a life says nothing of it: all that is told is a deadline. */
function warnOfRefusedLife({ conn, world }: TopoServer, { ttlMs = 0, kind, name }: LockOrder): void {
  const { rules } = conn.policy;
  if (rules === undefined || leaseMs(rules, ttlMs) !== undefined) return;
  const { leastMs, mostMs } = rules.ttl;
  const limits = `from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}`;
  world.events.emit({ kind: 'warning', text: `the topology server takes locks ${limits}, and that on ${kind} ${name} is asked for ${formatDuration(ttlMs)}: it answers at once, and Vitess tells that as a deadline` });
}

async function unlock(
  topo: TopoServer,
  info: LocksInfo,
  order: LockOrder,
  descriptor: LockDescriptor,
  failure: unknown,
): Promise<void> {
  const { events, clock } = topo.world;
  if (FORGOTTEN.has(descriptor)) return;
  if (info.get(order.name)?.descriptor !== descriptor) {
    const twice = vtError('INTERNAL', `trying to unlock ${order.kind} ${order.name} multiple times`);
    if (failure === undefined) throw twice;
    events.log('error', twice.message);
    return;
  }
  info.delete(order.name);
  topo.held.delete(descriptor);
  events.log(
    'info',
    failure === undefined
      ? `Unlocking ${order.kind} ${order.name} for successful action ${order.action}`
      : `Unlocking ${order.kind} ${order.name} for action ${order.action} with error ${errorText(failure)}`,
  );
  // A fresh context: the caller's may be what failed.
  const fresh = withTimeout(background(), clock, UNLOCK_TIMEOUT_MS);
  try {
    await descriptor.unlock(fresh.ctx);
  } catch (error) {
    if (failure === undefined) throw topo.release.behaviours.fencedWrites && isLeaseGone(error) ? lostAtRelease(topo, descriptor, error) : error;
    events.log('error', `unlock ${order.kind} ${order.name} failed: ${errorText(error)}`);
  } finally {
    fresh.end();
  }
}

/** The JSON that Vitess writes into a lock: two spaces, this order of keys, Go's escaping of <, > and &. */
function lockContents(topo: TopoServer, action: string): string {
  const { host, user } = topo.world.processes.self;
  const contents = {
    Action: action,
    HostName: host,
    UserName: user,
    Time: formatRfc3339(topo.world.clock.now()),
    Options: {},
    Status: 'Running',
  };
  const escape = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(contents, null, 2).replace(/[<>&]/g, escape);
}
