import { formatDuration, parseDuration } from '../lib/duration.ts';
import { VT_CODES, type VtCode } from '../lib/errors.ts';
import { quote, splitOutside, unquote } from './fault-text.ts';

/** What a fault does where it strikes. */
export type FaultAction =
  | { kind: 'off' }
  | { kind: 'return'; code: VtCode; message: string | undefined }
  | { kind: 'panic' }
  /** An orderly end of the command, with this status: nothing is rolled back, locks are released. */
  | { kind: 'exit'; status: number }
  | { kind: 'sleep'; ms: number }
  /** Waits until it is released or the context ends. */
  | { kind: 'pause' }
  /** Lets everything else have its turn. */
  | { kind: 'yield' }
  | { kind: 'print'; message: string }
  | { kind: 'ctx'; reason: 'canceled' | 'deadline' }
  | { kind: 'lease'; how: 'expire' | 'steal' }
  /** The held leases are not renewed for so long. */
  | { kind: 'lease'; how: 'stall'; ms: number }
  /** What becomes of a call to a tablet: it or its answer is lost; it arrives twice; it arrives after the next one. */
  | { kind: 'drop' | 'dup' | 'reorder' };

/** What becomes of a call. */
export type Delivery = 'drop' | 'dup' | 'reorder';

export function isDelivery(action: FaultAction): action is { kind: Delivery } {
  return action.kind === 'drop' || action.kind === 'dup' || action.kind === 'reorder';
}

/** Every action, as people write it. */
export const ACTIONS =
  'return, return(CODE[,MESSAGE]), panic, exit(N), sleep(DURATION), pause, yield, print(MESSAGE), ' +
  'ctx(cancel), ctx(deadline), lease(expire), lease(steal), lease(stall,DURATION), drop, dup, reorder, off';

const LATER = new Set(['break', 'corrupt']);
/** Other dialects' names: containerd's, fail-rs's, etcd's. */
const ALIASES: Readonly<Record<string, string>> = { error: 'return', delay: 'sleep' };
const LONGEST_SLEEP_MS = 366 * 24 * 3_600_000;

/** Reads an action by its name and what stands in its brackets. The second form says what is wrong. */
export function parseAction(typed: string, args: string | undefined): FaultAction | { wrong: string } {
  const name = ALIASES[typed] ?? typed;
  switch (name) {
    case 'off':
    case 'pause':
    case 'yield':
    case 'drop':
    case 'dup':
    case 'reorder':
      return (args ?? '').trim() === '' ? { kind: name } : { wrong: `action "${name}" takes no argument` };
    case 'panic':
      // Other dialects give it a message; a killed process has no use for one.
      return { kind: 'panic' };
    case 'return':
      return parseReturn(args ?? '');
    case 'exit':
      return parseExit((args ?? '').trim());
    case 'sleep':
      return parseSleep(typed, args ?? '');
    case 'print':
      return { kind: 'print', message: unquote(args ?? '') };
    case 'ctx':
      return parseCtx((args ?? '').trim());
    case 'lease':
      return parseLease(args ?? '');
    default:
      return { wrong: LATER.has(name) ? `action "${name}" is not built yet; there are: ${ACTIONS}` : `unknown action "${name}"; there are: ${ACTIONS}` };
  }
}

/** An action as text that parses to the same. */
export function formatAction(action: FaultAction): string {
  switch (action.kind) {
    case 'return':
      return `return(${action.code}${action.message === undefined ? '' : `,${quote(action.message)}`})`;
    case 'exit':
      return `exit(${action.status})`;
    case 'sleep':
      return `sleep(${formatDuration(action.ms)})`;
    case 'print':
      return `print(${quote(action.message)})`;
    case 'ctx':
      return `ctx(${action.reason === 'canceled' ? 'cancel' : 'deadline'})`;
    case 'lease':
      return action.how === 'stall' ? `lease(stall,${formatDuration(action.ms)})` : `lease(${action.how})`;
    default:
      return action.kind;
  }
}

function parseReturn(args: string): FaultAction | { wrong: string } {
  const [first = '', ...rest] = splitOutside(args, ',') ?? [args];
  const wanted = unquote(first);
  const code = wanted === '' ? 'UNAVAILABLE' : codeOf(wanted);
  if (code === undefined) return { wrong: `"${wanted}" is not a vtrpc code; there are: ${VT_CODES.slice(1).join(', ')}` };
  const message = unquote(rest.join(','));
  return { kind: 'return', code, message: message === '' ? undefined : message };
}

/** By number: gRPC's own, and the two that vtrpc adds. Vitess: proto/vtrpc.proto. */
const BY_NUMBER: readonly VtCode[] = [
  'OK', 'CANCELED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS', 'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE',
  'DATA_LOSS', 'UNAUTHENTICATED', 'CLUSTER_EVENT', 'READ_ONLY',
];

function codeOf(wanted: string): VtCode | undefined {
  if (/^\d{1,2}$/.test(wanted)) return Number(wanted) === 0 ? undefined : BY_NUMBER[Number(wanted)];
  const letters = (text: string): string => text.replace(/[_-]/g, '').toUpperCase();
  return VT_CODES.slice(1).find((code) => letters(code) === letters(wanted));
}

function parseExit(args: string): FaultAction | { wrong: string } {
  if (/^\d{1,3}$/.test(args) && Number(args) <= 255) return { kind: 'exit', status: Number(args) };
  return { wrong: `exit takes a status from 0 to 255, not "${args}"` };
}

function parseSleep(name: string, args: string): FaultAction | { wrong: string } {
  const ms = durationOf(args);
  return ms === undefined ? { wrong: `${name} takes a duration such as 500ms or 5s, not "${args}"` } : { kind: 'sleep', ms };
}

/** Go's durations, and a bare number of milliseconds. */
function durationOf(text: string): number | undefined {
  const typed = text.trim();
  try {
    const ms = parseDuration(/^\d+(?:\.\d+)?$/.test(typed) ? `${typed}ms` : typed);
    return ms >= 0 && ms <= LONGEST_SLEEP_MS ? ms : undefined;
  } catch {
    return undefined;
  }
}

function parseCtx(args: string): FaultAction | { wrong: string } {
  if (args === 'cancel') return { kind: 'ctx', reason: 'canceled' };
  if (args === 'deadline') return { kind: 'ctx', reason: 'deadline' };
  return { wrong: 'ctx takes cancel or deadline' };
}

function parseLease(args: string): FaultAction | { wrong: string } {
  const [how = '', duration, ...more] = args.split(',').map((arg) => arg.trim());
  if (duration === undefined) {
    if (how === 'steal') return { kind: 'lease', how };
    // An admin who revokes a lease and one that runs out leave the same: no lock, and nobody who has it.
    if (how === 'expire' || how === 'revoke') return { kind: 'lease', how: 'expire' };
  }
  const ms = duration === undefined || more.length > 0 ? undefined : durationOf(duration);
  if (how === 'stall' && ms !== undefined) return { kind: 'lease', how, ms };
  return { wrong: 'lease takes expire, steal, revoke, or stall and a duration: lease(stall,15s)' };
}

/** True for what can be done while a transaction is open: nothing that waits, and nothing that writes elsewhere. */
export function strikesAtCommit({ kind }: FaultAction): boolean {
  return kind === 'off' || kind === 'return' || kind === 'panic' || kind === 'exit' || kind === 'print';
}
