import type { Cluster } from '../../tablet/cluster.ts';
import type { LockView } from '../../topo/conn/conn.ts';
import type { LeaseClock } from '../../topo/conn/lease-clock.ts';
import { parseContents } from '../../topo/conn/lock-words.ts';
import { type LockName, nameOfLock } from '../../topo/lock-names.ts';

/** Who holds a topology lock, or waits for it. */
export interface LockClientFacts {
  /** `user@host pid N`. */
  owner: string;
  pid: number | undefined;
  alive: 'alive' | 'dead' | 'unknown';
  /** The fence token of its grant; undefined for a waiter. */
  token: number | undefined;
  action: string;
  /** The command line; '' where it is not known. */
  command: string;
  /** When it asked, RFC 3339. */
  since: string;
  /** Undefined for a waiter. Milliseconds. */
  heldMs: number | undefined;
  /** Undefined for the holder. Milliseconds. */
  waitedMs: number | undefined;
  /** Milliseconds left of its lease; not above zero where it has run out. */
  expiresMs: number;
  /** What these times are measured on: the clock since boot that it shares with us; the time of day where there is none; none. */
  clock: LeaseClock;
  /** The step of a switch it is in; '' where it has said none. */
  step: string;
}

/** A lock and its queue. */
export interface LockFacts {
  resource: string;
  /** The keyspace, shard or workflow that it is about. */
  name: string;
  kind: LockName['kind'];
  /** Undefined where the lock is free and somebody is about to get it. */
  holder: LockClientFacts | undefined;
  /** In the order in which they will be served. */
  waiters: LockClientFacts[];
}

/** Every topology lock, by resource. Takes none. */
export function gatherLocks(cluster: Cluster): LockFacts[] {
  const byResource = new Map<string, LockView[]>();
  for (const view of cluster.topo.conn.locks()) {
    const queue = byResource.get(view.resource);
    if (queue === undefined) byResource.set(view.resource, [view]);
    else queue.push(view);
  }
  return [...byResource]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([resource, queue]) => {
      const holder = queue.find((view) => view.token !== undefined);
      return {
        resource,
        ...nameOfLock(resource),
        holder: holder === undefined ? undefined : clientOf(holder),
        waiters: queue.filter((view) => view.token === undefined).map(clientOf),
      };
    });
}

/** True for a holder that still counts: its lease runs, and its process is not known to be dead. */
export function isAtWork(holder: LockClientFacts | undefined): holder is LockClientFacts {
  return holder !== undefined && holder.expiresMs > 0 && holder.alive !== 'dead';
}

/** True for a lock of the keyspace, or of a workflow in it. */
export function isAbout(lock: LockFacts, keyspace: string): boolean {
  return lock.name === keyspace || lock.name.startsWith(`${keyspace}/`);
}

function clientOf(view: LockView): LockClientFacts {
  const { Action: action = '', Time: since = '' } = parseContents(view.contents);
  const pid = / pid (\d+)$/.exec(view.owner)?.[1];
  return {
    owner: view.owner,
    pid: pid === undefined ? undefined : Number(pid),
    alive: view.alive,
    token: view.token,
    action,
    command: view.command,
    since,
    heldMs: view.heldMs === undefined ? undefined : Math.round(view.heldMs),
    waitedMs: view.waitedMs === undefined ? undefined : Math.round(view.waitedMs),
    expiresMs: Math.round(view.expiresMs),
    clock: view.clock,
    step: view.step,
  };
}
