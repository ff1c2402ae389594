import { createHash } from 'node:crypto';

/** Everything that happened in a run, as a hash: two runs with one seed have the same. */
export class Trace {
  readonly #hash = createHash('sha256');

  add(what: unknown): void {
    this.#hash.update(`${JSON.stringify(what)}\n`);
  }

  digest(): string {
    return this.#hash.copy().digest('hex');
  }
}
