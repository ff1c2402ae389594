import { UserError, vtError } from '../../lib/errors.ts';
import { parseUuid } from '../../lib/uuid.ts';
import { checkContext, type Context, withCancel } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { goJson } from '../../topo/proto/encode.ts';
import { createVDiff, type VDiffRequest } from '../../workflow/vdiff/create.ts';
import type { TrafficSwitcher } from '../../workflow/switcher.ts';
import { showVDiff } from '../../workflow/vdiff/show.ts';
import { buildSummary, type VDiffSummary } from '../../workflow/vdiff/summary.ts';
import { clientSide } from '../client-error.ts';
import { withCluster } from '../cluster.ts';
import { CommandFailure } from '../command-failure.ts';
import { letPass } from '../deviations.ts';
import { outputFormat } from '../flags.ts';
import { refuseLaterFlag } from '../later-flags.ts';
import type { Invocation } from '../spec.ts';
import { advance, showLine, tellWaiting } from '../vdiff-advance.ts';
import { printSummary } from '../vdiff-output.ts';
import { VDiffBar } from '../vdiff-progress.ts';

/** Flags by the first release line that has them. */
const SINCE_19 = ['max-report-sample-rows', 'max-diff-duration'];
const SINCE_21 = ['row-diff-column-truncate-at', 'auto-start'];

/** vtctldclient's own checks, in its order. They come before the one for required flags. */
export function validate({ args, flags }: Invocation): void {
  if (args.length === 1) clientSide(() => parseUuid(args[0]!), { prefix: 'invalid UUID provided: ' });
  if (flags.int('limit') < 1) throw new UserError('--limit must be a positive value');
  if (flags.int('max-report-sample-rows') < 0) throw new UserError('--max-report-sample-rows must not be a negative value');
  if (flags.int('max-extra-rows-to-compare') < 0) throw new UserError('--max-extra-rows-to-compare must not be a negative value');
}

/** Makes a diff and runs it; with `--wait`, tells how far it is and ends as it does. */
export async function run(inv: Invocation): Promise<number> {
  const format = outputFormat(inv);
  return withCluster(inv, { history: true }, async ({ ctx, cluster }) => {
    refuseLaterFlags(inv, cluster);
    const { uuid, sw } = await createVDiff(ctx, cluster, requestOf(inv), ({ kind, text }) => letPass(cluster, kind, text));
    const bar = new VDiffBar(inv, { json: format === 'json' });
    if (inv.flags.bool('wait')) return await new Waiting(inv, cluster, sw, uuid, format, bar).untilEnd(ctx);
    const text = `VDiff ${uuid} scheduled on target shards, use show to view progress`;
    inv.io.stdout.write(`${format === 'json' ? goJson('plain', { UUID: uuid }) : text}\n`);
    tellWaiting(inv, await advance(ctx, cluster, sw, inv, bar, uuid));
    return 0;
  });
}

function refuseLaterFlags(inv: Invocation, { release }: Cluster): void {
  const { vdiffFlags } = release.behaviours;
  for (const flag of SINCE_19) refuseLaterFlag(inv, flag, vdiffFlags !== 'few');
  for (const flag of SINCE_21) refuseLaterFlag(inv, flag, vdiffFlags === 'all');
}

function requestOf({ flags, args }: Invocation): VDiffRequest {
  const trimmed = (name: string): string[] => flags.strings(name).map((text) => text.trim());
  return {
    keyspace: flags.str('target-keyspace'),
    workflow: flags.str('workflow'),
    uuid: args[0] ?? '',
    sourceCells: trimmed('source-cells'),
    targetCells: trimmed('target-cells'),
    tabletTypes: flags.tabletTypes('tablet-types'),
    inOrder: flags.bool('tablet-types-in-preference-order'),
    tables: trimmed('tables'),
    limit: flags.int('limit'),
    replicationWaitMs: flags.duration('filtered-replication-wait-time'),
    debugQuery: flags.bool('debug-query'),
    onlyKeys: flags.bool('only-pks'),
    updateTableStats: flags.bool('update-table-stats'),
    mostExtraRows: flags.int('max-extra-rows-to-compare'),
    autoRetry: flags.bool('auto-retry'),
    mostSampleRows: flags.int('max-report-sample-rows'),
    maxDiffMs: flags.duration('max-diff-duration'),
    truncateAt: flags.int('row-diff-column-truncate-at'),
    autoStart: flags.bool('auto-start'),
  };
}

/** `--wait`. */
class Waiting {
  readonly #inv: Invocation;
  readonly #cluster: Cluster;
  readonly #sw: TrafficSwitcher;
  readonly #uuid: string;
  readonly #format: 'text' | 'json';
  readonly #bar: VDiffBar;
  readonly #interval: number;
  /** When it is next to be printed. */
  #next: number;

  constructor(inv: Invocation, cluster: Cluster, sw: TrafficSwitcher, uuid: string, format: 'text' | 'json', bar: VDiffBar) {
    this.#inv = inv;
    this.#cluster = cluster;
    this.#sw = sw;
    this.#uuid = uuid;
    this.#format = format;
    this.#bar = bar;
    this.#interval = inv.flags.duration('wait-update-interval');
    this.#next = cluster.world.clock.now() + this.#interval;
  }

  /** Runs the diff and prints it at each interval. Throws UserError on `hardened` if it ends otherwise than completed. */
  async untilEnd(ctx: Context): Promise<number> {
    try {
      return await this.#loop(ctx);
    } catch (error) {
      if (ctx.err() === undefined) throw error;
      throw new CommandFailure(vtError('CANCELED', 'context has expired'), error instanceof CommandFailure ? error.notes : []);
    }
  }

  async #loop(ctx: Context): Promise<number> {
    // Go's own end of a ticker without a period.
    if (this.#interval <= 0) throw new UserError('panic: non-positive interval for NewTicker');
    for (;;) {
      tellWaiting(this.#inv, await this.#advanceTicking(ctx));
      const summary = await this.#summary(ctx);
      if (summary.State === 'completed') return this.#print(summary);
      if (!this.#cluster.release.vitess && (summary.State === 'error' || summary.State === 'stopped')) return this.#failed(summary);
      await this.#nextTick(ctx);
      checkContext(ctx);
      this.#tick(await this.#summary(ctx));
    }
  }

  /** Sleeps until the interval is over, wherever it began. */
  async #nextTick(ctx: Context): Promise<void> {
    const { clock } = this.#cluster.world;
    await clock.sleep(this.#next - clock.now(), ctx);
    while (this.#next <= clock.now()) this.#next += this.#interval;
  }

  async #advanceTicking(ctx: Context): Promise<string[]> {
    const ticking = withCancel(ctx);
    const tick = async (): Promise<void> => {
      for (;;) {
        await this.#nextTick(ticking.ctx);
        if (ticking.ctx.err() !== undefined) return;
        this.#tick(await this.#summary(ctx));
      }
    };
    const ticks = tick();
    try {
      return await advance(ctx, this.#cluster, this.#sw, this.#inv, this.#bar, this.#uuid);
    } finally {
      ticking.end();
      await ticks;
    }
  }

  async #summary(ctx: Context): Promise<VDiffSummary> {
    const { targetKeyspace: keyspace, workflow } = this.#sw;
    const rows = await showVDiff(ctx, this.#cluster, this.#sw, this.#uuid);
    return buildSummary({ keyspace, workflow, uuid: this.#uuid, verbose: false, now: this.#cluster.world.clock.now() }, rows);
  }

  /** One document is the answer: what comes before it would break it. */
  #tick(summary: VDiffSummary): void {
    if (this.#format === 'text' || this.#cluster.release.vitess) this.#print(summary);
  }

  #print(summary: VDiffSummary): number {
    this.#bar.clear();
    printSummary(this.#inv, this.#cluster, summary, this.#format);
    return 0;
  }

  #failed(summary: VDiffSummary): never {
    this.#print(summary);
    const { workflow, targetKeyspace } = this.#sw;
    if (summary.State === 'stopped') {
      const line = `switchtraffic VDiff --workflow ${workflow} --target-keyspace ${targetKeyspace} resume ${this.#uuid}`;
      throw new UserError(`VDiff ${this.#uuid} was stopped`, { next: line });
    }
    const errors = [...summary.Errors].map(([shard, error]) => `(shard ${shard}) ${error}`);
    throw new UserError(`VDiff ${this.#uuid} failed: ${errors.join('; ')}`, { next: showLine(this.#inv, this.#uuid) });
  }
}
