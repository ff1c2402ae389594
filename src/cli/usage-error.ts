import { UserError } from '../lib/errors.ts';
import type { Family } from './spec.ts';

/** A command line that cannot be understood. Exit 1 for vtctldclient's commands, as there; 2 for our own. */
export class UsageError extends UserError {
  readonly family: Family;

  constructor(message: string, family: Family) {
    super(message, { exit: family === 'own' ? 2 : 1 });
    this.name = 'UsageError';
    this.family = family;
  }
}
