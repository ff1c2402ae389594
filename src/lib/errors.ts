/**
 * Errors in the two shapes this program needs: Vitess's own (whose text and wrapping rules scripts
 * grep for) and ours (a code, what happened, on what, what to do next).
 *
 * Vitess: go/vt/vterrors. A leaf prints as its message with `.Error()` and as
 * `Code: NAME\nmessage\n` with `%v`; a wrapped error prints `message: cause` and `cause\nmessage`.
 */

/** The vtrpc codes, lowest priority first: of several errors joined, the highest gives the code. Vitess: go/vt/vterrors/aggregate.go. */
export const VT_CODES = [
  'OK',
  'CANCELED',
  'ALREADY_EXISTS',
  'OUT_OF_RANGE',
  'UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'ABORTED',
  'FAILED_PRECONDITION',
  'CLUSTER_EVENT',
  'RESOURCE_EXHAUSTED',
  'UNKNOWN',
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'UNIMPLEMENTED',
  'INTERNAL',
  'DATA_LOSS',
  'READ_ONLY',
] as const;

/** Name of a vtrpc code. */
export type VtCode = (typeof VT_CODES)[number];

/** Go's spelling of a gRPC code, as in `rpc error: code = DeadlineExceeded`. */
export function grpcCodeName(code: VtCode): string {
  if (code === 'OK') return 'OK';
  // gRPC has no name for these two; Go prints their numbers.
  if (code === 'CLUSTER_EVENT') return 'Code(17)';
  if (code === 'READ_ONLY') return 'Code(18)';
  if (code === 'CANCELED') return 'Canceled';
  return code
    .toLowerCase()
    .split('_')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
}

/** The kinds of topology error. Vitess: go/vt/topo/errors.go. */
export type TopoErrorKind =
  | 'NodeExists'
  | 'NoNode'
  | 'NodeNotEmpty'
  | 'Timeout'
  | 'Interrupted'
  | 'BadVersion'
  | 'PartialResult'
  | 'NoUpdateNeeded'
  | 'NoImplementation'
  | 'ResourceExhausted';

const TOPO_TEXT: Record<TopoErrorKind, string> = {
  NodeExists: 'node already exists: ',
  NoNode: "node doesn't exist: ",
  NodeNotEmpty: 'node not empty: ',
  Timeout: 'deadline exceeded: ',
  Interrupted: 'interrupted: ',
  BadVersion: 'bad node version: ',
  PartialResult: 'partial result: ',
  NoUpdateNeeded: 'no update needed: ',
  NoImplementation: 'no such topology implementation ',
  ResourceExhausted: 'server resource exhausted: ',
};

interface VtErrorInit {
  code: VtCode;
  /** Set for a wrapped error: the error below this message. */
  cause?: unknown;
  /** False for errors made outside vterrors (topology, plain Go errors): `%v` prints only the text. */
  coded?: boolean;
  /** False for an everyday answer, given by the thousand: where in our code it arose is of no use to anybody. */
  traced?: boolean;
  /** What to do next, for errors of ours that have a vtrpc code; a command where one exists. */
  next?: string;
}

/** An error with Vitess's text. `message` is what Go's `.Error()` returns. */
export class VtError extends Error {
  readonly code: VtCode;
  /** The message of this layer alone, without the cause's text. */
  readonly layer: string;
  readonly coded: boolean;
  readonly next: string | undefined;

  constructor(layer: string, init: VtErrorInit) {
    const below = init.cause === undefined ? '' : `: ${errorText(init.cause)}`;
    const { stackTraceLimit } = Error;
    if (init.traced === false) Error.stackTraceLimit = 0;
    super(layer + below, init.cause === undefined ? undefined : { cause: init.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'VtError';
    this.layer = layer;
    this.code = init.code;
    this.coded = init.coded ?? true;
    this.next = init.next;
  }
}

/** A topology error. Carries no vtrpc code in Vitess, so `%v` prints its text alone. */
export class TopoError extends VtError {
  readonly kind: TopoErrorKind;
  readonly node: string;

  constructor(kind: TopoErrorKind, node: string) {
    super(TOPO_TEXT[kind] + node, { code: 'UNKNOWN', coded: false, traced: false });
    this.name = 'TopoError';
    this.kind = kind;
    this.node = node;
  }
}

/** A leaf error of vterrors. */
export function vtError(code: VtCode, message: string): VtError {
  return new VtError(message, { code });
}

/** A plain Go error (`fmt.Errorf`, `errors.New`): no code, `%v` prints the text. */
export function plainError(message: string): VtError {
  return new VtError(message, { code: 'UNKNOWN', coded: false });
}

/** `vterrors.Wrap`: `message: cause`. The code stays that of the cause. */
export function wrapError(cause: unknown, message: string): VtError {
  // Where it arose is told by the cause.
  return new VtError(message, { code: errorCode(cause), cause, traced: false });
}

/** True for a topology error of this kind, not looking through wrapping (as Vitess's IsErrType does not). */
export function isTopoError(error: unknown, kind: TopoErrorKind): error is TopoError {
  return error instanceof TopoError && error.kind === kind;
}

/** What Go's `.Error()` (or `%s`) prints. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What Go's `%v` prints: see the rules at the top of this file. */
export function errorVerbose(error: unknown): string {
  if (!(error instanceof VtError)) return errorText(error);
  if (error.cause !== undefined) return `${errorVerbose(error.cause)}\n${error.layer}`;
  return error.coded ? `Code: ${error.code}\n${error.message}\n` : error.message;
}

/** The vtrpc code of any error; UNKNOWN for those that carry none. */
export function errorCode(error: unknown): VtCode {
  return error instanceof VtError ? error.code : 'UNKNOWN';
}

/** What to do next, as the error says or the one that caused it. */
export function nextOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ((at instanceof VtError || at instanceof UserError) && at.next !== undefined) return at.next;
  }
  return undefined;
}

/** The error itself, or the one that caused it, of this kind. */
export function underlying<E extends Error>(error: unknown, kind: new (...args: never[]) => E): E | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof kind) return at;
  return undefined;
}

/**
 * Several errors as one: a single one is returned as it is; texts are sorted and joined with a line feed,
 * the code is the highest by priority. Vitess: go/vt/vterrors/aggregate.go.
 */
export function aggregateErrors(errors: readonly unknown[]): unknown {
  if (errors.length <= 1) return errors[0];
  const rank = (error: unknown): number => VT_CODES.indexOf(errorCode(error));
  const highest = errors.reduce((top, error) => (rank(error) > rank(top) ? error : top));
  const text = errors.map(errorText).toSorted().join('\n');
  return new VtError(text, { code: errorCode(highest) });
}

/** What our own errors say: a stable code, what happened, on what, and what to do next. */
export interface UserErrorInit {
  /** What to do next; a command where one exists. */
  next?: string;
  /** The exit status the command ends with; 1 unless said. */
  exit?: number;
  cause?: unknown;
}

/** An error of ours that the person at the keyboard can act on. Printed as one line, without a stack. */
export class UserError extends Error {
  readonly next: string | undefined;
  readonly exit: number;

  constructor(message: string, init: UserErrorInit = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'UserError';
    this.next = init.next;
    this.exit = init.exit ?? 1;
  }
}

/** A broken promise of this program's own: a bug. The command line asks for a report and ends with 70. */
export class InvariantError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvariantError';
  }
}
