import { formatRfc3339Nano } from '../lib/go-time.ts';
import { errorText, errorVerbose, InvariantError, UserError, VtError } from '../lib/errors.ts';
import { ExitFault } from '../lib/exit-fault.ts';
import { CommandFailure } from './command-failure.ts';
import { linesWithoutControls, withoutControls } from './controls.ts';
import type { Io } from './io.ts';
import { withProgram } from './program-words.ts';
import type { Family } from './spec.ts';
import { UsageError } from './usage-error.ts';

/** What of the command line decides how an error is printed. */
export interface ErrorContext {
  readonly family: Family;
  /** `--server`; `''` when not given. */
  readonly server: string;
  /** `--log-format`, when given. */
  readonly logFormat: string | undefined;
  /** `--verbose`: the stack of an internal error too. */
  readonly verbose: boolean;
  /** How a command for the same cluster begins. */
  readonly program: string;
}

/** An error as it is printed: its text, the lines after it, the exit status. */
interface Rendered {
  readonly text: string;
  readonly notes: readonly string[];
  readonly exit: number;
}

const INTERNAL_ERROR = 70;

/** Prints an error on stderr and gives the exit status. */
export function renderError(error: unknown, context: ErrorContext, io: Io): number {
  const rendered = render(error, context);
  const { text, exit } = rendered;
  const notes = rendered.notes.map((note) => withProgram(note, context.program));
  if (context.logFormat === 'json') io.stderr.write(logLine(text, notes, io.now()));
  else io.stderr.write([text, ...notes].map((line) => `${line}\n`).join(''));
  return exit;
}

function render(error: unknown, context: ErrorContext): Rendered {
  if (error instanceof CommandFailure) {
    const inner = render(error.cause, context);
    return { ...inner, notes: [...inner.notes, ...error.notes] };
  }
  if (error instanceof ExitFault) return { text: `switchtraffic: ${oneLine(error.message)}`, notes: [], exit: error.status };
  if (error instanceof UsageError) return render(userError(error), { ...context, family: error.family });
  if (error instanceof UserError) return fromUserError(error, context.family);
  if (error instanceof VtError) return fromVtError(error, context);
  const known = environmentError(error);
  return known === undefined ? fromBug(error, context.verbose) : fromUserError(known, context.family);
}

/** A UsageError has said which family it belongs to; the rest is that of any UserError. */
function userError(error: UsageError): UserError {
  return new UserError(error.message, { exit: error.exit, ...(error.next === undefined ? {} : { next: error.next }) });
}

function fromUserError(error: UserError, family: Family): Rendered {
  const text = oneLine(error.message);
  const notes = error.next === undefined ? [] : [`next: ${oneLine(error.next)}`];
  if (family === 'own') return { text: `switchtraffic: ${text}`, notes, exit: error.exit };
  // vtctldclient ends with 0 or 1, whatever went wrong; only a signal shows.
  return { text, notes, exit: error.exit > 128 ? error.exit : 1 };
}

/** An error of the server: over gRPC it has a prefix, with `--server internal` it is printed with Go's `%v`. */
function fromVtError(error: VtError, { family, server }: ErrorContext): Rendered {
  const text = linesWithoutControls(server === 'internal' && family !== 'own' ? errorVerbose(error).replace(/\n$/, '') : errorText(error));
  if (family === 'own') return { text: `switchtraffic: ${text}`, notes: [], exit: 1 };
  if (server === '' || server === 'internal') return { text, notes: [], exit: 1 };
  // The handlers of vtctld never turn Vitess's codes into gRPC's.
  return { text: `rpc error: code = Unknown desc = ${text}`, notes: [], exit: 1 };
}

/** Errors of the machine, not of ours: a library that is not built, a full disk, a directory without permission. */
function environmentError(error: unknown): UserError | undefined {
  if (!(error instanceof Error) || error instanceof InvariantError) return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'ERR_DLOPEN_FAILED' || /could not locate the bindings file/i.test(error.message)) {
    return new UserError('better-sqlite3 is not built for this Node', { next: 'npm rebuild better-sqlite3' });
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return new UserError('the state is locked by another process', { next: 'run it again; see who holds locks: switchtraffic lock show' });
  }
  // Whoever opened the file had no part in the call: which one it is, is not known here (store/sqlite-errors.ts).
  if (/^SQLITE_(?:CORRUPT|NOTADB|READONLY|CANTOPEN|FULL|IOERR|PERM|NOMEM)/.test(code)) {
    return new UserError(`a file of the state cannot be used: ${error.message}`, { next: 'free space and check the disk, then run it again', exit: 2, cause: error });
  }
  return 'syscall' in error && code !== '' ? new UserError(error.message) : undefined;
}

function fromBug(error: unknown, verbose: boolean): Rendered {
  const stack = error instanceof Error && verbose ? (error.stack ?? '').split('\n').slice(1) : [];
  return {
    text: `switchtraffic: internal error: ${oneLine(errorText(error))}`,
    notes: [...stack, 'next: please report this, with the command line, what --verbose adds, and --version'],
    exit: INTERNAL_ERROR,
  };
}

function oneLine(text: string): string {
  return withoutControls(text).trim();
}

/** One line of Vitess 24's structured log. Keys in its order; `notes` is ours. */
function logLine(text: string, notes: readonly string[], now: number): string {
  const source = { function: 'main.main', file: 'go/cmd/vtctldclient/main.go', line: 63 };
  const entry = { time: formatRfc3339Nano(now), level: 'ERROR', source, msg: text };
  return `${JSON.stringify(notes.length === 0 ? entry : { ...entry, notes })}\n`;
}
