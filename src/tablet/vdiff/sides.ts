/**
 * Both sides of a table as they are at one position of the sources: the streams are stopped, each source's rows are taken as they
 * are now, the streams run on up to there, the target's rows are taken, and the streams go on. What is written meanwhile is on
 * neither side. Vitess: go/vt/vttablet/tabletmanager/vdiff/table_differ.go initialize.
 */
import { formatDuration } from '../../lib/duration.ts';
import { aggregateErrors, errorText, isTopoError, plainError, wrapError } from '../../lib/errors.ts';
import { parsePosition, positionAtLeast } from '../../lib/gtid.ts';
import { type Context, ContextError, withoutCancel, withTimeout } from '../../runtime/context.ts';
import type { Database } from '../../store/database.ts';
import { type Locked, lockKeyspace, lockName } from '../../topo/locks.ts';
import { LockLostError } from '../../topo/lost-locks.ts';
import type { Tablet } from '../../topo/proto/types.ts';
import type { BinlogSource } from '../../topo/proto/types-workflow.ts';
import { aliasText } from '../../topo/tablets.ts';
import type { Cluster } from '../cluster.ts';
import { callTablet, writeTablet } from '../manager.ts';
import type { ShardDb } from '../shard-db.ts';
import { readStream } from '../vreplication/streams.ts';
import { waitForPos } from '../vreplication/wait-for-pos.ts';
import { holdStreams, letGo, runUpTo } from './held-streams.ts';
import type { VDiffOptions } from './options.ts';
import { pickTablet } from './pick.ts';
import type { VDiffRow } from './records.ts';

/** What a diff needs and somebody else has, or nobody: it goes on waiting, in the next command that looks at it. */
export class StillWaiting extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'StillWaiting';
  }
}

/** A stream of the workflow, as it was when the diff began. */
export interface DiffStream {
  id: number;
  source: BinlogSource;
}

/** The rows of both sides. */
export interface Sides {
  /** By stream id. */
  sources: ReadonlyMap<number, Database>;
  target: Database;
  close(): void;
}

/** What a diff of one target shard works with. */
export interface DiffScope {
  ctx: Context;
  cluster: Cluster;
  /** The target shard, and its primary. */
  shard: ShardDb;
  tablet: Tablet;
  vdiff: VDiffRow;
  options: VDiffOptions;
  streams: readonly DiffStream[];
  /** The target's tablets may not serve. */
  nonServing: boolean;
}

/** Takes both sides of a table. Close them. Throws StillWaiting, and what a diff then fails with. */
export async function openSides(scope: DiffScope, table: { name: string; sourceTable: string }): Promise<Sides> {
  const locked = await lockForDiff(scope);
  let failure: unknown;
  try {
    const sources = await pickSources({ ...scope, ctx: locked.ctx });
    return await holding({ ...scope, ctx: locked.ctx }, () => takeSides({ ...scope, ctx: locked.ctx }, table, sources));
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    await locked.unlock(failure);
  }
}

async function lockForDiff({ ctx, cluster, vdiff }: DiffScope): Promise<Locked> {
  const { topo, release } = cluster;
  const how = release.behaviours.vdiffLock;
  try {
    if (how === 'keyspace') return await lockKeyspace(ctx, topo, vdiff.keyspace, 'vdiff');
    return await lockName(ctx, topo, `${vdiff.keyspace}/${vdiff.workflow}`, 'vdiff');
  } catch (error) {
    if (how !== 'workflow, again and again' || ctx.err() !== undefined || !isTopoError(error, 'Timeout')) throw error;
    throw new StillWaiting(`somebody has the lock of workflow ${vdiff.keyspace}.${vdiff.workflow} (${errorText(error)})`);
  }
}

/** The tablets that rows are read from: one for each source, one for the target. Their rows are those of their shard. */
async function pickSources(scope: DiffScope): Promise<ReadonlyMap<number, Tablet>> {
  const { ctx, cluster, shard, tablet, options, streams, nonServing } = scope;
  const { tablet_types: tabletTypes, source_cell, target_cell } = options.picker_options;
  const ownCell = tablet.alias.cell;
  const picked = new Map<number, Tablet>();
  for (const { id, source } of streams) {
    const request = { keyspace: source.keyspace, shard: source.shard, cells: source_cell, ownCell, tabletTypes, nonServing: false };
    const found = await pickTablet(ctx, cluster, request);
    if (found === undefined) throw new StillWaiting(noTablet(request.keyspace, request.shard));
    picked.set(id, found);
  }
  const own = { keyspace: shard.keyspace, shard: shard.shard, cells: target_cell, ownCell, tabletTypes, nonServing };
  if ((await pickTablet(ctx, cluster, own)) === undefined) throw new StillWaiting(noTablet(own.keyspace, own.shard));
  return picked;
}

function noTablet(keyspace: string, shard: string): string {
  return `no tablet found to source data in keyspace ${keyspace}, shard ${shard}`;
}

/** Runs `body` while the workflow's streams are stopped, and lets them go however it ends. */
async function holding<T>({ ctx, cluster, shard, vdiff }: DiffScope, body: () => Promise<T>): Promise<T> {
  await writeTablet(ctx, cluster, shard, () => holdStreams(cluster, shard, vdiff.id, vdiff.keyspace, vdiff.workflow));
  try {
    return await body();
  } finally {
    // Also when the command is to end: streams that stay behind would be found stopped.
    const release = (): void => {
      const held = shard.db.get<{ held: string | null }>('SELECT held FROM _vdiff_run WHERE vdiff_id = ?', vdiff.id)?.held;
      if (held !== null && held !== undefined) letGo(cluster, shard, vdiff.id, vdiff.workflow, held);
    };
    await writeTablet(withoutCancel(ctx), cluster, shard, release).catch((error: unknown) => {
      if (!(error instanceof LockLostError)) throw error;
      // Whoever has the lock now finds the streams as they were, or they have changed and stay as they are.
      return shard.db.write(cluster.world.clock, release);
    });
  }
}

/** What is read of a shard besides the table. */
const KNOWN = ['_meta', '_tables'];

async function takeSides(scope: DiffScope, table: { name: string; sourceTable: string }, tablets: ReadonlyMap<number, Tablet>): Promise<Sides> {
  const { cluster, shard, streams } = scope;
  const sources = new Map<number, Database>();
  let target: Database | undefined;
  const close = (): void => {
    for (const source of sources.values()) source.close();
    target?.close();
  };
  try {
    refuseUnstarted(scope);
    const positions = new Map<number, string>();
    await everySource(streams, async ({ id, source }) => {
      await waitForSource(scope, tablets.get(id)!);
      const from = cluster.shards.open(source.keyspace, source.shard);
      const snapshot = from.db.snapshot([...KNOWN, table.sourceTable]);
      sources.set(id, snapshot);
      positions.set(id, String(from.positionAt(from.sequence({ db: snapshot, schema: 'main' }))));
    });
    await everySource(streams, ({ id }) => syncStream(scope, id, positions.get(id)!));
    target = shard.db.snapshot([...KNOWN, table.name]);
    return { sources, target, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Does something for each source, one after another, and throws what failed as one error. */
async function everySource(streams: readonly DiffStream[], effect: (stream: DiffStream) => Promise<void>): Promise<void> {
  const errors: unknown[] = [];
  for (const stream of streams) await effect(stream).catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw aggregateErrors(errors);
}

function refuseUnstarted({ shard, tablet, streams }: DiffScope): void {
  for (const { id } of streams) {
    if ((readStream(shard, id)?.pos ?? '') !== '') continue;
    throw plainError(`stream ${id} has not started on tablet ${goAlias(tablet)}`);
  }
}

/** An alias as Go prints the record. */
export function goAlias({ alias }: Tablet): string {
  return `cell:"${alias.cell}" uid:${alias.uid}`;
}

/** A source's tablet has executed what its own stream has applied: only a wait without time can fail. */
async function waitForSource({ ctx, cluster, options }: DiffScope, tablet: Tablet): Promise<void> {
  const limited = withTimeout(ctx, cluster.world.clock, options.core_options.timeout_seconds * 1000);
  try {
    await callTablet(limited.ctx, cluster, tablet, 'WaitForPosition', () => Promise.resolve());
  } catch (error) {
    throw wrapError(error, `WaitForPosition for tablet ${aliasText(tablet.alias)}`);
  } finally {
    limited.end();
  }
}

/** Lets a stream apply what its source's side has, and not more. */
async function syncStream({ ctx, cluster, shard, options }: DiffScope, id: number, position: string): Promise<void> {
  const { clock } = cluster.world;
  const wanted = parsePosition(position);
  const row = readStream(shard, id);
  // One that is there already stays: running, it would apply the next transaction before it looked.
  if (row !== undefined && positionAtLeast(parsePosition(row.pos), wanted)) return;
  const started = clock.now();
  const limited = withTimeout(ctx, clock, options.core_options.timeout_seconds * 1000);
  try {
    await writeTablet(limited.ctx, cluster, shard, () => runUpTo(cluster, shard, id, position));
    await waitForPos(limited.ctx, cluster, shard, id, position);
  } catch (error) {
    if (ctx.err() !== undefined || !(error instanceof ContextError)) throw wrapError(error, `WaitForPosition for stream id ${id}`);
    const pos = readStream(shard, id)?.pos ?? '';
    const text =
      `error waiting for pos: ${position}, last pos: ${pos}: ${errorText(error)}, wait time: ${formatDuration(clock.now() - started)}: ` +
      'possibly no tablets are available to stream in the source keyspace for your cell and tablet_types setting';
    throw wrapError(plainError(text), `WaitForPosition for stream id ${id}`);
  } finally {
    limited.end();
  }
}
