import type { NodeNames } from './directory.ts';
import type { LockRules } from './lock-rules.ts';

/** How leases live, and how errors name nodes. May be changed until the first lock is taken. */
export interface LeasePolicy {
  names: NodeNames;
  /** True: renewed by the holder while it lives. False: only by `check`, as on etcd (K4, #20340). */
  renewed: boolean;
  /**
   * True: processes are looked at: a holder proved dead is removed at once, and who would wait for ever is told so at once.
   * False: only expiry ends a lease, and waiters of each other wait until they give up, as on etcd (K45).
   */
  reapDead: boolean;
  /** Which it is, as `--topo-implementation` names it; undefined on `hardened`, which has locks of its own. */
  implementation?: string;
  /** What the topology server does besides; without them as on etcd, for as long as is asked. */
  rules?: LockRules;
}
