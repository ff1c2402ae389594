import { VtError, wrapError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import { couldNotBuffer, isFailover } from './buffer/failover.ts';
import type { QueryBuffer } from './buffer/query-buffer.ts';
import type { Released } from './buffer/shard-buffer.ts';
import type { Place } from './query-scope.ts';
import { placeText } from './tablets.ts';

/** One try of a statement on its way through a gate that buffers. For each shard it is held once at most. */
export class Passage {
  readonly #ctx: Context;
  readonly #buffer: QueryBuffer | undefined;
  readonly #vschema: number;
  readonly #released = new Map<string, Released>();

  /** `vschema` is the version that the statement is planned with. */
  constructor(ctx: Context, buffer: QueryBuffer | undefined, vschema: number) {
    this.#ctx = ctx;
    this.#buffer = buffer;
    this.#vschema = vschema;
  }

  /** True if it was held, and let go because the failover is over. */
  get drained(): boolean {
    return [...this.#released.values()].some((released) => released.drained);
  }

  /** Before a statement is sent to a place: waits while statements for it are held. */
  async before(place: Place): Promise<void> {
    await this.#wait(place);
  }

  /** After a place refused it: waits there if that is a failover. The error is still the caller's to throw. */
  async refused(place: Place, error: unknown): Promise<void> {
    const below = error instanceof VtError ? (error.cause ?? error) : error;
    if (isFailover(below)) await this.#wait(place, below);
  }

  /** The statement has been tried: others that were held may go on. */
  end(): void {
    for (const { done } of this.#released.values()) done();
  }

  async #wait(place: Place, error?: VtError): Promise<void> {
    const { keyspace, shard, tabletType } = place;
    if (this.#buffer === undefined || tabletType !== 'PRIMARY') return;
    const key = placeText(place);
    if (this.#released.has(key)) return;
    let released: Released | undefined;
    try {
      released = await this.#buffer.wait(this.#ctx, keyspace, shard, error === undefined ? undefined : { error, vschema: this.#vschema });
    } catch (failure) {
      if (!(failure instanceof VtError)) throw failure;
      throw wrapError(couldNotBuffer(failure, error), `target: ${key}`);
    }
    if (released !== undefined) this.#released.set(key, released);
  }
}
