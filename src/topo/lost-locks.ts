import { isTopoError, type TopoError, VtError } from '../lib/errors.ts';
import type { LockDescriptor, LockView } from './conn/conn.ts';
import type { LockEvent } from './conn/lock-events.ts';
import { lockText } from './lock-names.ts';
import type { TopoServer } from './server.ts';

/** On `hardened`, a lock that is gone: which, how it was lost, who has it now, what became of the write, what to do next. */
export class LockLostError extends VtError {
  constructor(text: string, resource: string, cause: unknown) {
    super(text, { code: 'FAILED_PRECONDITION', cause, next: `see who has it or had it since, before you run this again: switchtraffic lock show ${lockText(resource)}` });
    this.name = 'LockLostError';
  }
}

/** True for what a store says of a lease that is gone. */
export function isLeaseGone(error: unknown): error is TopoError {
  return isTopoError(error, 'NoNode') && error.node === 'lease';
}

/** The error of a guarded write whose lock is gone: it changed nothing. */
export function lostLock(topo: TopoServer, guards: readonly LockDescriptor[], cause: TopoError): LockLostError {
  const granted = grantedNow(topo);
  const lost = guards.find((guard) => !granted.some((view) => view.token === guard.token)) ?? guards[0];
  const resource = lost?.resource ?? '';
  return new LockLostError(`lock on ${lockText(resource)} was lost (${whatBecame(topo, lost, granted)}), the write was refused`, resource, cause);
}

/** The error of a check that found a lock gone, before anything was written. */
export function lostAtCheck(topo: TopoServer, lost: LockDescriptor, cause: TopoError): LockLostError {
  return new LockLostError(`lock on ${lockText(lost.resource)} was lost (${whatBecame(topo, lost, grantedNow(topo))})`, lost.resource, cause);
}

/** The error of a command that was to run under a lock that whoever runs it has lost. */
export function lostBeforeLoan(topo: TopoServer, lost: LockDescriptor, cause: TopoError): LockLostError {
  return new LockLostError(`lock on ${lockText(lost.resource)} was lost (${whatBecame(topo, lost, grantedNow(topo))}), nothing was begun under it`, lost.resource, cause);
}

/** The error of a release that came too late. All that was written under the lock was checked where it committed, so it stands. */
export function lostAtRelease(topo: TopoServer, lost: LockDescriptor, cause: TopoError): LockLostError {
  const became = whatBecame(topo, lost, grantedNow(topo));
  const text = `lock on ${lockText(lost.resource)} was lost before it was released (${became}); what this command wrote, it wrote while it held it`;
  return new LockLostError(text, lost.resource, cause);
}

/** The error of a command that stood still in the queue for longer than a lease lasts, and was given up. */
export function lostPlace(resource: string, topo: TopoServer, cause: TopoError): LockLostError {
  const holder = grantedNow(topo).find((view) => view.resource === resource);
  const now = holder === undefined ? 'nobody holds it now' : `held by ${holder.owner}`;
  return new LockLostError(`the place in the queue for ${lockText(resource)} was lost (${now}): this process stood still for too long`, resource, cause);
}

function grantedNow(topo: TopoServer): LockView[] {
  return topo.conn.locks().filter((view) => view.token !== undefined && view.expiresMs > 0);
}

/** So far back the history is read for what became of a lock. */
const EVENTS_READ = 1_000;

const HOW: Readonly<Record<LockEvent['kind'], string>> = {
  granted: '',
  expired: 'its lease ran out',
  reaped: 'its holder was taken for dead',
  stolen: 'it was taken away',
  released: 'it was ended by `lock release`',
};

function whatBecame(topo: TopoServer, lost: LockDescriptor | undefined, granted: readonly LockView[]): string {
  const events = topo.conn.lockEvents(EVENTS_READ).filter((event) => event.resource === lost?.resource && event.token >= lost.token);
  const end = events.find((event) => event.token === lost?.token && event.kind !== 'granted');
  const how = HOW[end?.kind ?? 'expired'];
  const holder = granted.find((view) => view.resource === lost?.resource);
  if (holder !== undefined) return `${how}; now held by ${holder.owner}${holder.command === '' ? '' : `: ${holder.command}`}`;
  const since = events.findLast((event) => event.kind === 'granted' && event.token !== lost?.token);
  return since === undefined ? `${how}; nobody holds it now` : `${how}; held since by ${since.owner}${since.detail === '' ? '' : `: ${since.detail}`}, nobody holds it now`;
}
