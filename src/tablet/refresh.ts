import { errorText, errorVerbose, type TopoError } from '../lib/errors.ts';
import { type Context, withTimeout } from '../runtime/context.ts';
import { shardText } from '../topo/keyspaces.ts';
import type { Tablet } from '../topo/proto/types.ts';
import { aliasText, readableTablets } from '../topo/tablets.ts';
import type { Cluster } from './cluster.ts';
import { refreshState } from './manager.ts';
import { answers } from './reach.ts';

/** A shard whose tablets are to read their records again. */
interface ShardName {
  keyspace: string;
  name: string;
}

/** How refreshing a shard's tablets went. */
export interface RefreshResult {
  /** Some tablet did not answer, or some cell. */
  partial: boolean;
  details: string;
  /** Set where the tablets of some cell could not be read. */
  error: TopoError | undefined;
}

/**
 * One round of refreshing a shard's tablets. In Vitess all are asked at once, so one that does not answer takes no time
 * from the others: here those that answer come first, and the others are waited for together.
 */
export class ShardRefresh {
  readonly #cluster: Cluster;
  readonly #shard: ShardName;
  readonly #failures: string[] = [];
  readonly #refreshed = new Set<string>();
  #waiting: Tablet[] = [];
  #error: TopoError | undefined;

  constructor(cluster: Cluster, shard: ShardName) {
    this.#cluster = cluster;
    this.#shard = shard;
  }

  /** Asks the tablets that answer; of the cells given, or of all. */
  async now(ctx: Context, cells: readonly string[] = []): Promise<void> {
    const { tablets, error } = await readableTablets(ctx, this.#cluster.topo, this.#shard, cells);
    this.#error = error;
    if (error !== undefined) {
      this.#failures.push(`got partial results from topo server for shard ${shardText(this.#shard)}: ${errorText(error)}`);
    }
    for (const tablet of tablets) {
      if ((tablet.hostname ?? '') === '') continue;
      if (answers(this.#cluster, tablet, 'RefreshState')) await this.#refresh(ctx, tablet);
      else this.#waiting.push(tablet);
    }
  }

  /** Waits for the others, until the context ends. */
  async rest(ctx: Context): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    await Promise.all(waiting.map((tablet) => this.#refresh(ctx, tablet)));
  }

  /** Counts the others as failed, without waiting for them. */
  passOver(): void {
    for (const { alias } of this.#waiting) this.#failures.push(`failed to refresh tablet ${aliasText(alias)}: it does not answer`);
    this.#waiting = [];
  }

  /** Tablets that `rest` would wait for. */
  get waiting(): readonly Tablet[] {
    return this.#waiting;
  }

  /** Texts of what failed so far. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  get result(): RefreshResult {
    return { partial: this.#failures.length > 0, details: this.#failures.join(''), error: this.#error };
  }

  /** True once the tablet of this alias has read its records. */
  hasRefreshed(alias: string): boolean {
    return this.#refreshed.has(alias);
  }

  async #refresh(ctx: Context, tablet: Tablet): Promise<void> {
    const alias = aliasText(tablet.alias);
    try {
      await refreshState(ctx, this.#cluster, tablet);
      this.#refreshed.add(alias);
    } catch (error) {
      this.#failures.push(`failed to refresh tablet ${alias}: ${errorVerbose(error)}`);
    }
  }
}

/**
 * Refreshes every tablet of a shard; those that fail are told in `details`, not thrown. `passOver`: without waiting for those that
 * do not answer.
 * Vitess: go/vt/topotools/keyspace.go RefreshTabletsByShard.
 */
export async function refreshTabletsByShard(
  ctx: Context,
  cluster: Cluster,
  shard: ShardName,
  options: { cells?: readonly string[]; timeoutMs?: number; passOver?: boolean } = {},
): Promise<RefreshResult> {
  const limited = withTimeout(ctx, cluster.world.clock, options.timeoutMs ?? 60_000);
  const refresh = new ShardRefresh(cluster, shard);
  try {
    await refresh.now(limited.ctx, options.cells);
    if (options.passOver === true) refresh.passOver();
    else await refresh.rest(limited.ctx);
    return refresh.result;
  } finally {
    limited.end();
  }
}
