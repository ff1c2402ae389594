import { isTopoError, TopoError } from '../../lib/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Context } from '../../runtime/context.ts';
import type { Processes, ProcessIdentity } from '../../runtime/processes.ts';
import type { LockDescriptor, LockView } from './conn.ts';
import type { NodeNames } from './directory.ts';
import { checkCall, endedError } from './ended.ts';
import type { LockRules } from './lock-rules.ts';

/**
 * Locks as leases with fencing tokens, the same for every store: a store only keeps the rows.
 *
 * Tickets are served in order of arrival. A grant's token is the revision at which it was granted, so tokens
 * only grow, and the fence of a resource remembers the highest. Vitess's etcd locks have the same shape
 * (create revision as queue, lease as life) but no fence: go/vt/topo/etcd2topo/lock.go.
 */
export interface LockRequest {
  /** The directory locked, which is also the resource's name here: `keyspaces/commerce`. */
  dir: string;
  /** The JSON that Vitess writes: action, host, user, time. */
  contents: string;
  ttlMs: number;
  /** Named locks need no directory; the others fail with NoNode without one. */
  mustExist: boolean;
}

/** How leases live, and how errors name nodes. May be changed until the first lock is taken. */
export interface LeasePolicy {
  names: NodeNames;
  /** True: renewed by the holder while it lives. False: only by `check`, as on etcd (K4, #20340). */
  renewed: boolean;
  /** True: a holder proved dead is removed at once. False: only expiry ends its lease, as on etcd. */
  reapDead: boolean;
  /** Which it is, as `--topo-implementation` names it; undefined on `hardened`, which has locks of its own. */
  implementation?: string;
  /** What the topology server does besides; without them as on etcd, for as long as is asked. */
  rules?: LockRules;
}

export interface LeaseRow {
  id: number;
  owner: ProcessIdentity;
  ttlMs: number;
  /** In milliseconds of the monotonic clock of the owner's boot. */
  expires: number;
  granted: number | undefined;
  step: string;
}

export interface TicketRow {
  /** Its place in the queue. */
  revision: number;
  resource: string;
  leaseId: number;
  contents: string;
  /** Set once granted. */
  token: number | undefined;
}

/** What a store keeps for locks. Every call happens inside `transact`, or `read` where nothing is changed. */
export interface LockRows {
  transact<T>(fn: () => T): T;
  /** One consistent view, without waiting for writers. */
  read<T>(fn: () => T): T;
  nextRevision(): number;
  exists(dir: string): boolean;
  tickets(resource: string): TicketRow[];
  allTickets(): TicketRow[];
  ticketOfLease(leaseId: number): TicketRow | undefined;
  addTicket(ticket: TicketRow): void;
  grant(revision: number, token: number): void;
  removeTicket(revision: number): void;
  lease(id: number): LeaseRow | undefined;
  putLease(lease: LeaseRow): void;
  removeLease(id: number): void;
  fence(resource: string): number;
  setFence(resource: string, token: number): void;
}

/** How long a thief that was put there by a fault keeps the lock, in milliseconds. */
const THIEF_MS = 2_000;
const THIEF: ProcessIdentity = {
  host: 'elsewhere',
  boot: 'elsewhere',
  pidNamespace: 'elsewhere',
  pid: 1,
  start: '0',
  user: 'thief',
};

export class LockTable {
  readonly #rows: LockRows;
  readonly #clock: Clock;
  readonly #processes: Processes;
  readonly #policy: LeasePolicy;
  readonly #retry: <T>(fn: () => T) => Promise<T>;

  /** `retry` runs a transaction of the store, waiting for other processes without blocking the loop. */
  constructor(
    rows: LockRows,
    clock: Clock,
    processes: Processes,
    policy: LeasePolicy,
    retry: <T>(fn: () => T) => Promise<T>,
  ) {
    this.#rows = rows;
    this.#clock = clock;
    this.#processes = processes;
    this.#policy = policy;
    this.#retry = retry;
  }

  /**
   * Waits in line. Throws NoNode for a missing directory, Timeout or Interrupted when the context ends first,
   * NoNode `lease` if its own lease ran out meanwhile; the ticket is gone then.
   */
  async acquire(ctx: Context, request: LockRequest): Promise<LockDescriptor> {
    const node = this.#policy.names.lock(request.dir);
    checkCall(ctx, () => request.mustExist ? this.#policy.names.directory('global', request.dir) : node);
    // A lock that is free costs one commit, not two: it is asked for and granted in the same transaction.
    const asked = await this.#retry(() => {
      const ticket = this.#enqueue(request);
      return { revision: ticket, place: this.#tryGrant(ticket) };
    });
    const { revision } = asked;
    let { place } = asked;
    for (let waited = 0; ; waited++) {
      if (place === undefined) throw new TopoError('NoNode', 'lease');
      if (place.token !== undefined) return this.#descriptor(request, revision, place.token);
      const ended = ctx.err();
      if (ended !== undefined) {
        await this.#retry(() => this.#forget(revision));
        throw endedError(ended, node);
      }
      // The next in line looks often, the rest seldom: they cannot be served before it.
      await this.#clock.sleep(place.ahead <= 1 ? Math.min(1 + waited / 4, 20) : Math.min(4 * place.ahead, 40), ctx);
      place = await this.#retry(() => this.#tryGrant(revision));
    }
  }

  /** Throws NoNode `lease` unless every lock is still held, its token the newest. For use inside a transaction. */
  verify(guards: readonly LockDescriptor[]): void {
    for (const guard of guards) this.#verify(guard.resource, guard.token);
  }

  /** A lock that another connection of this process took: it is asked after and noted here, kept alive and released there. */
  borrow(lock: LockDescriptor): LockDescriptor {
    const { resource, token } = lock;
    const renew = (): Promise<void> => this.#retry(() => this.#renew(resource, token));
    return {
      ...lock,
      check: async (ctx) => {
        checkCall(ctx, () => 'lease');
        return renew();
      },
      // One that was lost is an error, as for whoever releases it.
      unlock: renew,
      note: (step) => {
        this.#quietly(() => {
          const lease = this.#verify(resource, token);
          this.#rows.putLease({ ...lease, step });
        });
      },
    };
  }

  views(): LockView[] {
    return this.#rows.read(() =>
      this.#rows.allTickets().map((ticket) => {
        const lease = this.#rows.lease(ticket.leaseId);
        const owner = lease?.owner;
        return {
          resource: ticket.resource,
          token: ticket.token,
          contents: ticket.contents,
          owner: owner === undefined ? 'unknown' : `${owner.user}@${owner.host} pid ${owner.pid}`,
          alive: owner === undefined ? 'unknown' : this.#processes.liveness(owner),
          heldMs: lease?.granted === undefined ? undefined : this.#now() - lease.granted,
          expiresMs: (lease?.expires ?? this.#now()) - this.#now(),
          step: lease?.step ?? '',
        };
      }),
    );
  }

  /** Leases outlive processes, so they are measured on a clock that all processes of one boot share. */
  #now(): number {
    return this.#clock.monotonic();
  }

  #enqueue(request: LockRequest): number {
    if (request.mustExist && !this.#rows.exists(request.dir)) {
      throw new TopoError('NoNode', this.#policy.names.directory('global', request.dir));
    }
    const revision = this.#rows.nextRevision();
    this.#rows.putLease({
      id: revision,
      owner: this.#processes.self,
      ttlMs: request.ttlMs,
      expires: this.#now() + request.ttlMs,
      granted: undefined,
      step: '',
    });
    this.#rows.addTicket({
      revision,
      resource: request.dir,
      leaseId: revision,
      contents: request.contents,
      token: undefined,
    });
    return revision;
  }

  /** Undefined if the waiter's own lease has run out: it is granted nothing then (etcd#11456). */
  #tryGrant(revision: number): { token?: number; ahead: number } | undefined {
    const own = this.#rows.lease(revision);
    const ticket = this.#rows.ticketOfLease(revision);
    if (own === undefined || ticket === undefined || this.#expired(own)) {
      this.#forget(revision);
      return undefined;
    }
    // A waiter keeps its own lease alive, in time but not at each look: every write is one to the disk.
    if (own.expires - this.#now() < own.ttlMs / 2) this.#rows.putLease({ ...own, expires: this.#now() + own.ttlMs });
    // A holder counts wherever it stands: one that stole the lock came later than those who wait.
    const ahead = this.#reap(ticket.resource).filter((other) => other.revision < revision || other.token !== undefined);
    if (ahead.length > 0) return { ahead: ahead.length };
    const token = this.#rows.nextRevision();
    this.#rows.grant(revision, token);
    this.#rows.setFence(ticket.resource, token);
    this.#rows.putLease({ ...own, expires: this.#now() + own.ttlMs, granted: this.#now() });
    return { token, ahead: 0 };
  }

  /** Removes what has expired or is proved dead, and returns who is left, in order. */
  #reap(resource: string): TicketRow[] {
    return this.#rows.tickets(resource).filter((ticket) => {
      const lease = this.#rows.lease(ticket.leaseId);
      const gone = lease === undefined || (this.#expired(lease) && !this.#rests(lease)) || this.#provedDead(lease);
      if (gone) this.#forget(ticket.revision);
      return !gone;
    });
  }

  /** A lease of an earlier boot of this host was measured on a clock that has stopped. */
  #expired(lease: LeaseRow): boolean {
    const self = this.#processes.self;
    if (lease.owner.host === self.host && lease.owner.boot !== self.boot) return true;
    return lease.expires <= this.#now();
  }

  /** On Consul nobody gets a lock for some time after its lease has run out. */
  #rests({ granted, expires }: LeaseRow): boolean {
    return granted !== undefined && this.#now() < expires + (this.#policy.rules?.delayMs ?? 0);
  }

  #provedDead(lease: LeaseRow): boolean {
    return this.#policy.reapDead && this.#processes.liveness(lease.owner) === 'dead';
  }

  #forget(revision: number): void {
    this.#rows.removeTicket(revision);
    this.#rows.removeLease(revision);
  }

  #verify(resource: string, token: number): LeaseRow {
    const ticket = this.#rows.tickets(resource).find((candidate) => candidate.token === token);
    const lease = ticket === undefined ? undefined : this.#rows.lease(ticket.leaseId);
    if (lease === undefined || this.#expired(lease) || this.#rows.fence(resource) !== token) {
      throw new TopoError('NoNode', 'lease');
    }
    return lease;
  }

  #renew(resource: string, token: number): void {
    const lease = this.#verify(resource, token);
    this.#rows.putLease({ ...lease, expires: this.#now() + lease.ttlMs });
  }

  #descriptor(request: LockRequest, revision: number, token: number): LockDescriptor {
    const resource = request.dir;
    let stopRenewal = (): void => {};
    const keepAlive = (): void => {
      stopRenewal = this.#clock.at(this.#clock.now() + request.ttlMs / 3, () => {
        if (this.#processes.liveness(this.#processes.self) === 'dead') return;
        // A lease that is gone is found out by the next guarded write. A store that is busy is tried again next time.
        if (this.#quietly(() => this.#renew(resource, token))) keepAlive();
      });
    };
    if (this.#policy.renewed) keepAlive();
    return {
      resource,
      token,
      check: async (ctx) => {
        checkCall(ctx, () => 'lease');
        return this.#retry(() => this.#renew(resource, token));
      },
      unlock: async () => {
        stopRenewal();
        await this.#retry(() => {
          this.#verify(resource, token);
          this.#forget(revision);
        });
      },
      expire: () => {
        stopRenewal();
        this.#rows.transact(() => this.#forget(revision));
      },
      steal: () => {
        stopRenewal();
        this.#rows.transact(() => this.#steal(resource, revision));
      },
      stall: (ms) => {
        if (!this.#policy.renewed) return;
        stopRenewal();
        const renewAgain = (): void => {
          if (this.#quietly(() => this.#renew(resource, token))) keepAlive();
        };
        stopRenewal = this.#clock.at(this.#clock.now() + ms, renewAgain);
      },
      note: (step) => {
        this.#quietly(() => {
          const lease = this.#rows.lease(revision);
          if (lease !== undefined) this.#rows.putLease({ ...lease, step });
        });
      },
    };
  }

  /** False only if the lease is gone. */
  #quietly(fn: () => void): boolean {
    try {
      this.#rows.transact(fn);
      return true;
    } catch (error) {
      return !isTopoError(error, 'NoNode');
    }
  }

  /** Another owner, of whom nothing is known, takes the lock, changes nothing, and lets it run out. */
  #steal(resource: string, revision: number): void {
    this.#forget(revision);
    const token = this.#rows.nextRevision();
    const now = this.#now();
    this.#rows.putLease({ id: token, owner: THIEF, ttlMs: THIEF_MS, expires: now + THIEF_MS, granted: now, step: '' });
    this.#rows.addTicket({ revision: token, resource, leaseId: token, contents: '{}', token });
    this.#rows.setFence(resource, token);
  }
}
