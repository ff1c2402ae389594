import { UserError } from '../../lib/errors.ts';
import type { Release } from '../../lib/releases.ts';
import { CONSUL_NAMES, ETCD_NAMES, MEMORY_NAMES, type NodeNames, ZK_NAMES } from './directory.ts';
import { DAY_MS, type LockRules, NEVER_MS, SECOND_MS as SECOND, type TtlRules } from './lock-rules.ts';
import type { LeasePolicy } from './lease-policy.ts';

/**
 * What the topology servers do differently with locks, as one table: the lock table reads it, and docs/topologies.md is made
 * from it. What releases do differently with one of them stands in the table of behaviours (`zkDirectories`).
 *
 * Facts: Vitess's go/vt/topo/{etcd2topo,zk2topo,consultopo,memorytopo}/lock.go, the same from v18 to main of March 2026 but for
 * what the table of behaviours says; Consul's api/lock.go, api/session.go and agent/consul/session_{endpoint,ttl}.go.
 */

/** A topology server, as `--topo-implementation` names it. */
export interface TopoImplementation extends LockRules {
  /** What people call it. */
  title: string;
  names: NodeNames;
  /** What frees the lock on a directory before its time, typed into the server's own client. */
  cure(dir: string): string;
}

/** etcd: a lease with a time to live. Its keep-alive ends with the context of the call that takes the lock (#11811, #20340). */
const etcd2: TopoImplementation = {
  title: 'etcd',
  // The server grants 2 s at least (one and a half election timeouts); `--topo-etcd-lease-ttl` is 30.
  ttl: { ownMs: 30 * SECOND, asked: true, leastMs: 2 * SECOND, belowLeast: 'raised', mostMs: NEVER_MS, wholeSeconds: true, times: 1 },
  keptAlive: 'by checks',
  check: 'asks the server',
  unlockLost: 'NoNode lease',
  needDirectory: 'all but named ones',
  delayMs: 0,
  noticesEveryMs: 0,
  goneCaller: 'interrupted',
  waiterLost: 'NoNode lease',
  numbered: false,
  names: ETCD_NAMES,
  cure: (dir) => `etcdctl del --prefix ${ETCD_NAMES.lock(dir)}/`,
};

/** ZooKeeper: a node that lives as long as the session of whoever made it. Nobody looks whether it is still there. */
const zk2: TopoImplementation = {
  title: 'ZooKeeper',
  // `--topo-zk-base-timeout`: the session's.
  ttl: { ownMs: 30 * SECOND, asked: false, leastMs: 0, belowLeast: 'raised', mostMs: NEVER_MS, wholeSeconds: false, times: 1 },
  keptAlive: 'by its process',
  check: 'never knows',
  unlockLost: 'NoNode of its node',
  needDirectory: 'none',
  delayMs: 0,
  noticesEveryMs: 0,
  goneCaller: 'interrupted',
  waiterLost: 'no previous node',
  numbered: true,
  names: ZK_NAMES,
  cure: (dir) => `zkCli.sh deleteall ${ZK_NAMES.node('global', dir)}/locks`,
};

/**
 * Consul: a key held by a session, which the client library renews and watches. Whatever goes wrong with taking a lock is told as
 * a deadline. A session is ended after twice its time to live, and its locks rest for 15 s then (`--topo-consul-lock-delay`). The
 * library looks at its caller between two polls of 15 s; a lock that comes free meanwhile is taken all the same.
 */
const consul: TopoImplementation = {
  title: 'Consul',
  // The client library's 15 s, unless `--topo-consul-lock-session-ttl` is given; the server takes from 10 s to 24 h.
  ttl: { ownMs: 15 * SECOND, asked: true, leastMs: 10 * SECOND, belowLeast: 'refused', mostMs: DAY_MS, wholeSeconds: false, times: 2 },
  keptAlive: 'by its process',
  check: 'was told',
  unlockLost: 'nothing',
  needDirectory: 'all but named ones',
  delayMs: 15 * SECOND,
  noticesEveryMs: 15 * SECOND,
  goneCaller: 'deadline exceeded',
  waiterLost: 'deadline exceeded',
  numbered: false,
  names: CONSUL_NAMES,
  cure: (dir) => `consul kv delete ${CONSUL_NAMES.lock(dir)}`,
};

/** The topology of Vitess's own unit tests: locks of one process, which cannot be lost. */
const memorytopo: TopoImplementation = {
  title: 'memory',
  ttl: { ownMs: NEVER_MS, asked: false, leastMs: 0, belowLeast: 'raised', mostMs: NEVER_MS, wholeSeconds: false, times: 1 },
  keptAlive: 'by its process',
  check: 'never knows',
  unlockLost: 'not locked',
  needDirectory: 'all but named ones',
  delayMs: 0,
  noticesEveryMs: 0,
  goneCaller: 'interrupted',
  waiterLost: 'deadline exceeded',
  numbered: false,
  names: MEMORY_NAMES,
  cure: () => 'start the process again',
};

/** Every topology server that a cluster can have. */
export const TOPO_IMPLEMENTATIONS = { etcd2, zk2, consul, memorytopo } as const satisfies Record<string, TopoImplementation>;

export type TopoImplementationName = keyof typeof TOPO_IMPLEMENTATIONS;

/** Vitess's own default. */
export const DEFAULT_IMPLEMENTATION: TopoImplementationName = 'etcd2';

/** The names that may be asked for. */
export const CHOSEN_IMPLEMENTATIONS = ['etcd2', 'zk2', 'consul'] as const satisfies readonly TopoImplementationName[];

/** The topology server of a name. Throws UserError, in Vitess's words, for one that there is not. */
function chooseImplementation(name: string): TopoImplementationName {
  const found = CHOSEN_IMPLEMENTATIONS.find((one) => one === name);
  if (found !== undefined) return found;
  throw new UserError(`no such topology implementation ${name}`, { next: `one of ${CHOSEN_IMPLEMENTATIONS.join(', ')}`, exit: 2 });
}

/** Throws UserError for a topology server that there is not, and for any on `hardened`, which has locks of its own. `source`: who asks. */
export function refuseImplementation(release: Release, name: string, source: string): void {
  chooseImplementation(name);
  if (release.vitess) return;
  throw new UserError(`${source} chooses whose locks a release of Vitess has, and ${release.name} has none of them: its own are fenced and renewed, and none is left behind`, {
    next: `leave it out, or name a release: --vitess-version v22`,
    exit: 2,
  });
}

/** The locks of `hardened`: short leases that their process renews, and whose owner can be proved dead. */
const OWN_TTL: TtlRules = { ownMs: 10 * SECOND, asked: false, leastMs: 0, belowLeast: 'raised', mostMs: NEVER_MS, wholeSeconds: false, times: 1 };

const OWN_RULES: LockRules = { ...etcd2, ttl: OWN_TTL, keptAlive: 'by its process' };

/** The locks of a release, on the topology server of its cluster; those of `hardened` are its own. */
export function leasePolicyOf(release: Release, implementation: string | undefined): LeasePolicy {
  const name = implementationOf(implementation);
  const row = TOPO_IMPLEMENTATIONS[name];
  if (release.behaviours.leases === 'renewed') {
    return { names: ETCD_NAMES, renewed: true, reapDead: true, rules: OWN_RULES };
  }
  const needDirectory = row === zk2 && release.behaviours.zkDirectories === 'one' ? 'all' : row.needDirectory;
  return { implementation: name, names: row.names, renewed: row.keptAlive === 'by its process', reapDead: false, rules: { ...row, needDirectory } };
}

/**
 * The locks of a command that repairs, whatever the release has: those of `hardened`, so that a repair that dies leaves none behind, and
 * what dead processes left is in nobody's way. What they are called is the server's.
 */
export function repairPolicyOf(release: Release, implementation: string | undefined): LeasePolicy {
  return { ...leasePolicyOf(release, implementation), renewed: true, reapDead: true, rules: OWN_RULES };
}

/** The topology server that a cluster's record names; etcd where it names none. */
export function implementationOf(recorded: string | undefined): TopoImplementationName {
  return recorded !== undefined && Object.hasOwn(TOPO_IMPLEMENTATIONS, recorded) ? (recorded as TopoImplementationName) : DEFAULT_IMPLEMENTATION;
}
