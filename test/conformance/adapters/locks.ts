import { parseDuration } from '../../../src/lib/duration.ts';
import { TopoError, type TopoErrorKind } from '../../../src/lib/errors.ts';
import { background, type Context } from '../../../src/runtime/context.ts';
import type { Cluster } from '../../../src/tablet/cluster.ts';
import { checkKeyspaceLocked, lockKeyspace, lockName, lockRoutingRules } from '../../../src/topo/locks.ts';
import { saveKeyspaceRoutingRules } from '../../../src/topo/rules.ts';
import { outcomeOf, readError, readErrorEntry, same } from '../compare.ts';
import { type Adapter, type Case, type Check, Skipped } from '../fields.ts';
import { topoWorld } from '../topo-world.ts';

const area = 'locks';

/** The text of each kind of topology error, of the path that `when` names. */
function readErrors({ given, when, then }: Case): Check {
  const kinds = given.strings('classes');
  const path = when.str('path');
  const expected = then.map('texts');
  const wanted = kinds.map((kind) => [kind, expected.str(kind)] as const);
  return () => {
    for (const [kind, text] of wanted) same(text, new TopoError(kind as TopoErrorKind, path).message, kind);
  };
}

/** Locks keyspaces one inside the other; the context is that of the last. */
async function hold(ctx: Context, cluster: Cluster, keyspaces: readonly string[]): Promise<Context> {
  let inner = ctx;
  for (const keyspace of keyspaces) inner = (await lockKeyspace(inner, cluster.topo, keyspace, 'a case')).ctx;
  return inner;
}

function readCheck({ given, when, then }: Case): Check {
  const held = given.strings('held', []);
  const wanted = when.has('cases') ? when.strings('cases') : [when.str('keyspace')];
  const results = then.has('results') ? then.list('results') : undefined;
  const checks = results?.map((entry, index) => readErrorEntry(then, entry, `results[${index}]`)) ?? [readError(then) ?? missing()];
  if (checks.length !== wanted.length) throw new Skipped('then.results has not one entry for each case');
  return async () => {
    const world = await topoWorld(['zone1'], Object.fromEntries([...held, ...wanted].map((keyspace) => [keyspace, []])));
    const { ctx, cluster } = world.engine();
    const inner = await hold(ctx, cluster, held);
    for (const [index, keyspace] of wanted.entries()) checks[index]!((await outcomeOf(() => checkKeyspaceLocked(inner, cluster.topo, keyspace))).failure);
  };
}

const missing = (): never => {
  throw new Skipped('then says nothing of an error');
};

/** A keyspace's lock, taken where others are held: in the context of the first, or by somebody else. */
function readLock({ given, when, then }: Case): Check {
  const held = given.strings('held', []);
  const by = given.has('held_by') ? given.str('held_by') : 'the caller';
  const keyspace = when.str('keyspace', given.str('keyspace', ''));
  if (keyspace === '') throw new Skipped('no keyspace is to be locked');
  const names = given.strings('keyspaces', [keyspace]);
  const context = when.has('context') ? when.str('context') : 'a new one';
  if (context !== 'the one returned by the first lock' && context !== 'a new one') throw new Skipped(`when.context is not known: ${context}`);
  const timeout = parseDuration(given.str('lock_timeout', '45s'));
  const ttlMs = when.has('ttl') ? parseDuration(when.str('ttl')) : undefined;
  const state = then.has('check') ? then.str('check') : undefined;
  if (state !== undefined && state !== 'locked') throw new Skipped(`then.check is not known: ${state}`);
  const calls = then.has('backend_calls') ? then.raw('backend_calls') : undefined;
  const error = readError(then) ?? missing();
  return async () => {
    const world = await topoWorld(['zone1'], Object.fromEntries([...new Set([...names, ...held, keyspace])].map((name) => [name, []])));
    const { ctx, cluster } = world.engine(timeout);
    const holder = by === 'the caller' ? { ctx, cluster } : world.engine();
    const inner = await hold(holder.ctx, holder.cluster, held);
    const counted = countLocks(cluster);
    const { value, failure } = await outcomeOf(() => lockKeyspace(context === 'a new one' ? ctx : inner, cluster.topo, keyspace, 'a case', ttlMs === undefined ? {} : { ttlMs }));
    error(failure);
    if (state !== undefined) await checkKeyspaceLocked(value!.ctx, cluster.topo, keyspace);
    if (calls !== undefined) same(calls, await counted.calls(), 'backend_calls');
  };
}

/** Counts the locks that are asked of the store, those with a lease of their own by themselves. */
function countLocks(cluster: Cluster): { calls(): Promise<Record<string, number>> } {
  const { conn } = cluster.topo;
  const leases: (number | undefined)[] = [];
  const lock = conn.lock.bind(conn);
  conn.lock = (ctx, request) => {
    leases.push(request.ttlMs);
    return lock(ctx, request);
  };
  return {
    calls: async () => {
      const asked = leases.slice();
      // What a lock has that asks for nothing.
      await outcomeOf(() => lockRoutingRules(background(), cluster.topo, 'a case'));
      const usual = leases.at(-1);
      const [own, others] = [asked.filter((lease) => lease !== usual).length, asked.filter((lease) => lease === usual).length];
      return { ...(others > 0 && { Lock: others }), ...(own > 0 && { LockWithTTL: own }) };
    },
  };
}

/** A lock that somebody else holds and does not let go. */
function readWaiting(take: (ctx: Context, cluster: Cluster, name: string) => Promise<unknown>) {
  return ({ given, when, then }: Case): Check => {
    const timeout = parseDuration(given.str('lock_timeout', '45s'));
    const holder = given.has('held_by') ? given.str('held_by') : undefined;
    if (holder !== undefined && holder !== 'another context') throw new Skipped(`given.held_by is not known: ${holder}`);
    const name = when.str('name', given.str('name', 'ks/workflow'));
    const error = readError(then) ?? missing();
    return async () => {
      const world = await topoWorld(['zone1']);
      const { ctx, cluster } = world.engine(timeout);
      await saveKeyspaceRoutingRules(ctx, cluster.topo, { rules: [{ from_keyspace: 'a', to_keyspace: 'b' }] });
      const other = world.engine();
      if (holder !== undefined) await take(other.ctx, other.cluster, name);
      error((await outcomeOf(() => take(ctx, cluster, name))).failure);
    };
  };
}

export const lockAdapters: readonly Adapter[] = [
  { area, op: 'format topo error', read: readErrors },
  { area, op: 'CheckKeyspaceLocked', read: readCheck },
  { area, op: 'LockKeyspace', read: readLock },
  { area, op: 'LockRoutingRules', read: readWaiting((ctx, { topo }) => lockRoutingRules(ctx, topo, 'a case')) },
  { area, op: 'LockName', read: readWaiting((ctx, { topo }, name) => lockName(ctx, topo, name, 'a case')) },
];

