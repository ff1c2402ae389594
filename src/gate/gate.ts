import { checkContext, type Context, withTimeout } from '../runtime/context.ts';
import { type Cluster, watchedCluster } from '../tablet/cluster.ts';
import type { QueryResult } from '../tablet/query/request.ts';
import { paths } from '../topo/paths.ts';
import { findRecord } from '../topo/server.ts';
import type { BufferWindow } from '../topo/gate-records.ts';
import { type BufferConfig, checkBuffer } from './buffer/config.ts';
import { failedAfterRetries, isClusterEvent, isDeniedTable, isShardMissing, noUpstreamShards } from './buffer/failover.ts';
import { QueryBuffer } from './buffer/query-buffer.ts';
import { Passage } from './passage.ts';
import { runQuery } from './query.ts';
import type { Mirrored } from '../tablet/mirrored.ts';
import type { Query } from './query-scope.ts';
import { hasOpenTransaction } from './sessions.ts';

/** How often a statement is tried in all. */
const TRIES = 3;
/** How often to look whether a newer VSchema has come. vtgate, which has it in memory, looks every 10ms. */
const VSCHEMA_LOOK_MS = 50;
/** How long vtgate waits for one without a buffer, and until v19 always. */
export const VITESS_VSCHEMA_WAIT_MS = 30_000;

/** What a gate does beyond routing. */
export interface GateOptions {
  /** The cell whose serving records it reads. */
  cell: string;
  /** False: shard routing rules are not followed. */
  shardRules?: boolean;
  /** Holds statements while their shard fails over. */
  buffer?: BufferConfig;
  /**
   * Without a buffer: how long a statement that a tablet refused for its denied tables waits for a newer VSchema, before
   * each of its two further tries. 0, unless given, tells the refusal at once; vtgate waits `VITESS_VSCHEMA_WAIT_MS`.
   */
  vschemaWaitMs?: number;
}

/**
 * One gate that several clients share: `runQuery` with vtgate's buffer and its retries. Throws UserError for a buffer
 * that vtgate would not start with.
 */
export class Gate {
  readonly #cluster: Cluster;
  readonly #options: GateOptions;
  readonly #buffer: QueryBuffer | undefined;
  /** Reads that it sent to a mirror too. */
  readonly mirrored: Mirrored = { sent: 0, failed: 0 };

  constructor(cluster: Cluster, options: GateOptions) {
    // It keeps what it watched, also while its cell's topology does not answer.
    this.#cluster = watchedCluster(cluster);
    this.#options = options;
    const { buffer } = options;
    if (buffer !== undefined) checkBuffer(buffer, cluster.release.behaviours.doubleBufferingWindow);
    this.#buffer = buffer === undefined ? undefined : new QueryBuffer(this.#cluster, options.cell, buffer);
  }

  /** The times at which it held statements, oldest first. */
  get windows(): readonly BufferWindow[] {
    return this.#buffer?.windows ?? [];
  }

  /**
   * Runs a statement as `runQuery` does. Outside a transaction one that was refused for denied tables is planned anew
   * and tried again, twice; throws `query SQL failed after retries: …` then. One that was held for a shard which is no more
   * is sent to those that are, at once. Vitess: go/vt/vtgate/plan_execute.go, vcursor_impl.go ExecutePrimitive.
   */
  async run(ctx: Context, query: Omit<Query, 'cell'>): Promise<QueryResult> {
    const { cell, shardRules = true } = this.#options;
    const whole = { ...query, cell, shardRules };
    const wait = this.#vschemaWait();
    if (wait === 0) return runQuery(ctx, this.#cluster, whole, undefined, this.mirrored);
    const refreshes = this.#cluster.release.behaviours.vschemaWait !== '30s';
    let known = await this.#vschema(ctx);
    let planned = known;
    let failure: unknown;
    for (let tries = 0; tries < TRIES; tries++) {
      const passage = new Passage(ctx, this.#buffer, planned);
      try {
        return await runQuery(ctx, this.#cluster, whole, passage, this.mirrored);
      } catch (error) {
        failure = error;
      } finally {
        passage.end();
      }
      const inside = await hasOpenTransaction(ctx, this.#cluster, query.session);
      // The failover is over, and brings no newer VSchema: the gateway itself sends the statement again.
      if (!inside && passage.drained && isClusterEvent(failure)) {
        planned = await this.#vschema(ctx);
        continue;
      }
      // Its shard was split or merged: where its rows are now is in the serving graph, and no newer VSchema comes of it.
      if (!inside && isShardMissing(failure)) {
        planned = await this.#vschema(ctx);
        continue;
      }
      if (!isDeniedTable(failure) || inside) throw failure;
      if (tries === TRIES - 1) break;
      // Until v19 a newer VSchema that was waited for once is not waited for again.
      const newer = refreshes || planned === known ? await this.#newerVSchema(ctx, known, wait, passage.drained) : planned;
      planned = newer;
      if (refreshes) known = newer;
    }
    if (isShardMissing(failure)) throw noUpstreamShards();
    throw isDeniedTable(failure) ? failedAfterRetries(query.sql, failure) : failure;
  }

  /** Ends what the gate has running. Call it when no statement is under way. */
  async close(): Promise<void> {
    await this.#buffer?.close();
  }

  #vschemaWait(): number {
    const { buffer, vschemaWaitMs = 0 } = this.#options;
    if (buffer === undefined) return vschemaWaitMs;
    return this.#cluster.release.behaviours.vschemaWait === '30s' ? VITESS_VSCHEMA_WAIT_MS : buffer.maxFailoverMs / (TRIES - 1);
  }

  async #vschema(ctx: Context): Promise<number> {
    const conn = this.#cluster.topo.conn.forCell(this.#options.cell);
    return (await findRecord(ctx, conn, paths.srvVSchema))?.version ?? 0;
  }

  /** Waits for another version of the VSchema than `known`; resolves to the version there is in the end. */
  async #newerVSchema(ctx: Context, known: number, forMs: number, drained: boolean): Promise<number> {
    const { clock } = this.#cluster.world;
    // A failover that ended without a switch brings no newer one.
    const patient = !(drained && this.#cluster.release.behaviours.vschemaWait === 'half-failover-unless-drained');
    const limited = withTimeout(ctx, clock, patient ? forMs : 0);
    try {
      for (;;) {
        checkContext(ctx);
        const found = await this.#vschema(ctx);
        if (found !== known || limited.ctx.err() !== undefined) return found;
        await clock.sleep(VSCHEMA_LOOK_MS, limited.ctx);
      }
    } finally {
      limited.end();
    }
  }
}
