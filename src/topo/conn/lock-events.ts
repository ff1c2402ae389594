/** What became of a lock. The holder is told of its own grant alone, and finds out the rest. */
export type LockEventKind =
  /** Somebody got it. */
  | 'granted'
  /** The lease of its holder ran out, and the next to ask took it away. */
  | 'expired'
  /** Its holder was proved dead, and the next to ask took it away. */
  | 'reaped'
  /** Taken from a holder that lived: by a fault, as an operator may do on etcd. */
  | 'stolen'
  /** Ended by `lock release`. */
  | 'released';

/** One line of the history of locks, which is kept with the topology. */
export interface LockEvent {
  /** Epoch milliseconds. */
  at: number;
  kind: LockEventKind;
  resource: string;
  /** The token of the grant that it is about. */
  token: number;
  /** Who held it: `user@host pid N`. */
  owner: string;
  /** The command that it was taken for; of one that lost it the last step, or who ended it. */
  detail: string;
}

/** So many are kept at least; the older ones are thrown away PRUNED_EVERY at a time. */
export const MOST_EVENTS = 1_000;
export const PRUNED_EVERY = 64;
