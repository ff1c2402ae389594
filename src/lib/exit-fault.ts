/**
 * Thrown by the fault `exit(n)`: the command ends here, in order. Whoever turns failures into roll-backs lets it pass;
 * `finally` blocks run and locks are released.
 */
export class ExitFault extends Error {
  readonly status: number;

  constructor(status: number, point: string) {
    super(`ended with status ${status} by a fault at ${point}`);
    this.name = 'ExitFault';
    this.status = status;
  }
}
