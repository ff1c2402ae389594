/**
 * A command that failed and has more to say than its error: the error's own text is printed first, as it is, then
 * these lines (the state that is left, the command to run next, what other releases would have left).
 */
export class CommandFailure extends Error {
  override readonly cause: unknown;
  readonly notes: readonly string[];

  constructor(cause: unknown, notes: readonly string[]) {
    super('a command failed', { cause });
    this.name = 'CommandFailure';
    this.cause = cause;
    this.notes = notes;
  }
}
