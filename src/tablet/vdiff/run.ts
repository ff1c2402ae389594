/**
 * Runs a diff on one target shard, from where it stands to its end. Vitess: go/vt/vttablet/tabletmanager/vdiff/controller.go,
 * workflow_differ.go.
 */
import { errorText, InvariantError, plainError, wrapError } from '../../lib/errors.ts';
import { ContextError, type Context } from '../../runtime/context.ts';
import type { Tablet } from '../../topo/proto/types.ts';
import { getVSchema } from '../../topo/vschema.ts';
import type { Cluster } from '../cluster.ts';
import { countRows } from '../count-rows.ts';
import type { ShardDb } from '../shard-db.ts';
import { sourceOf } from '../vreplication/stream-source.ts';
import { readStreams } from '../vreplication/streams.ts';
import { claimVDiff, ownsVDiff, releaseVDiff } from './claim.ts';
import { diffTable, type TableScope } from './diff-table.ts';
import { listOf, type VDiffOptions } from './options.ts';
import { mayNotServe } from './pick.ts';
import { logVDiff, putVDiffTable, readVDiff, readVDiffTables, setVDiffState, updateVDiffTable } from './records.ts';
import { streamTables } from './rules.ts';
import { type DiffScope, type DiffStream, goAlias, StillWaiting } from './sides.ts';

/** How far a diff is on its shard. */
export interface VDiffProgress {
  shard: string;
  table: string;
  /** Rows compared of all tables of this shard, and how many there are. */
  compared: number;
  rows: number;
}

/** A diff of one target shard. */
export interface VDiffJob {
  ctx: Context;
  cluster: Cluster;
  shard: ShardDb;
  /** The shard's primary. */
  tablet: Tablet;
  /** The id in `_vt.vdiff`. */
  id: number;
  onProgress?: ((progress: VDiffProgress) => void) | undefined;
}

/** `waiting`: for a lock or a tablet, and still started; `busy`: another process is at it. */
export type VDiffOutcome = { kind: 'completed' | 'error' | 'stopped' | 'busy' } | { kind: 'waiting'; what: string };

/** Somebody has stopped or deleted the diff. */
export class StoppedByUser extends Error {
  constructor() {
    super('vdiff was stopped by user');
    this.name = 'StoppedByUser';
  }
}

/** Tables of Vitess's own operations, which a diff passes over; those of Online DDL are compared. Vitess: go/vt/schema/name.go. */
const INTERNAL_TABLE = /^_vt_(?:(?!vrp)[a-zA-Z0-9]{3}_[0-9a-f]{32}_\d{14}_|(?:HOLD|PURGE|EVAC|DROP)_[0-9a-f]{32}_\d{14})$/;

/**
 * Runs a diff that is pending or started, and records how it ends; errors of the diff are not thrown.
 * Throws the context's error when that ends first: the diff is then still started, and goes on when it is run again.
 */
export async function runVDiff(job: VDiffJob): Promise<VDiffOutcome> {
  const { ctx, cluster, shard, id } = job;
  const { world } = cluster;
  const claimed = await shard.db.write(world.clock, () => {
    const state = readVDiff(shard, id)?.state;
    return (state === 'pending' || state === 'started') && claimVDiff(shard, world, id);
  });
  if (!claimed) return { kind: 'busy' };
  try {
    await diffWorkflow(job);
    return { kind: 'completed' };
  } catch (error) {
    if (error instanceof StoppedByUser) return { kind: 'stopped' };
    if (error instanceof StillWaiting) return { kind: 'waiting', what: error.message };
    if (error instanceof InvariantError || ctx.err() !== undefined) throw error;
    await saveError(job, error);
    return { kind: 'error' };
  } finally {
    await shard.db.write(world.clock, () => releaseVDiff(shard, world, id));
  }
}

async function saveError({ cluster, shard, id }: VDiffJob, error: unknown): Promise<void> {
  const { clock, events } = cluster.world;
  events.log('error', `Encountered an error for vdiff ${readVDiff(shard, id)?.vdiff_uuid ?? ''}: ${errorText(error)}`);
  await shard.db.write(clock, () => {
    if (readVDiff(shard, id) === undefined) return;
    setVDiffState(shard, id, 'error', clock.now(), errorText(error));
    logVDiff(shard, id, `Error: ${errorText(error)}`, clock.now());
  });
}

async function diffWorkflow(job: VDiffJob): Promise<void> {
  const { cluster, shard, id } = job;
  const { clock } = cluster.world;
  const vdiff = readVDiff(shard, id);
  if (vdiff === undefined) throw new StoppedByUser();
  const options = JSON.parse(vdiff.options) as VDiffOptions;
  const rows = readStreams(shard, vdiff.workflow);
  const streams = rows.map((row): DiffStream => ({ id: row.id, source: sourceOf(shard, row) }));
  const scope: DiffScope & VDiffJob = { ...job, vdiff, options, streams, nonServing: mayNotServe(rows[0]?.workflow_type) };
  await shard.db.write(clock, () => setVDiffState(shard, id, 'started', clock.now()));
  const tables = await planTables(scope);
  await noteRows(scope, tables);
  for (const table of tables) {
    try {
      await diffTable(table);
    } catch (error) {
      const isOver = !(error instanceof StoppedByUser || error instanceof StillWaiting) && job.ctx.err() === undefined;
      if (isOver) await saveTableError(job, table.name, error);
      throw error;
    }
  }
  await shard.db.write(clock, () => {
    if (!ownsVDiff(shard, cluster.world, id) || readVDiff(shard, id)?.state !== 'started') throw new StoppedByUser();
    if (readVDiffTables(shard, id).every((table) => table.state === 'completed')) setVDiffState(shard, id, 'completed', clock.now());
  });
}

async function saveTableError({ cluster, shard, id }: VDiffJob, table: string, error: unknown): Promise<void> {
  const { clock } = cluster.world;
  await shard.db.write(clock, () => {
    if (readVDiff(shard, id) === undefined) return;
    updateVDiffTable(shard, id, table, { state: 'error' }, clock.now());
    logVDiff(shard, id, `Table ${table} Error: ${errorText(error)}`, clock.now());
  });
}

/** The tables to be compared, by name: those of the workflow that the target has, or of them those that were asked for. */
async function planTables(scope: DiffScope & VDiffJob): Promise<TableScope[]> {
  const { ctx, cluster, shard, tablet, options, streams } = scope;
  const asked = options.core_options.tables.trim();
  const wanted = listOf(asked);
  const plans = new Map<string, TableScope>();
  const isReference = await referenceTables(scope);
  for (const stream of streams) {
    for (const of of await streamTables(ctx, cluster, stream.source, shard).catch(failedPlan)) {
      const { table: name, sourceTable } = of;
      if ((wanted.length > 0 && !wanted.includes(name)) || INTERNAL_TABLE.test(name)) continue;
      const plan = plans.get(name) ?? { ...scope, name, sourceTable, streamTables: new Map(), isReference: isReference(name), check: () => check(scope), progress: () => {} };
      plan.streamTables.set(stream.id, of);
      plans.set(name, plan);
    }
  }
  if (plans.size === 0) throw wrapError(plainError(`no tables found to diff, ${asked}:[${wanted.join(' ')}], on tablet ${goAlias(tablet)}`), 'buildPlan');
  return [...plans.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function failedPlan(error: unknown): never {
  throw error instanceof ContextError ? error : wrapError(error, 'buildPlan');
}

/** Which tables are reference tables, in the VSchemas of both keyspaces. */
async function referenceTables({ ctx, cluster, shard, streams }: DiffScope): Promise<(table: string) => { source: boolean; target: boolean }> {
  const [first] = streams;
  const source = first === undefined ? undefined : (await getVSchema(ctx, cluster.topo, first.source.keyspace)).record;
  const target = (await getVSchema(ctx, cluster.topo, shard.keyspace)).record;
  return (table) => ({ source: source?.tables?.[table]?.type === 'reference', target: target.tables?.[table]?.type === 'reference' });
}

/** Notes the tables with their numbers of rows, which progress is measured by. They are counted, not estimated. */
async function noteRows(scope: DiffScope & VDiffJob, tables: TableScope[]): Promise<void> {
  const { cluster, shard, id } = scope;
  const { clock } = cluster.world;
  const rows = new Map<string, number>();
  for (const { name } of tables) {
    rows.set(name, await countRows(shard, name, clock));
    check(scope);
  }
  await shard.db.write(clock, () => {
    for (const [name, count] of rows) putVDiffTable(shard, id, name, count, clock.now());
  });
  const compared = new Map(readVDiffTables(shard, id).map((row) => [row.table_name, row.rows_compared]));
  const total = [...rows.values()].reduce((sum, count) => sum + count, 0);
  for (const table of tables) {
    table.progress = (done) => {
      compared.set(table.name, done);
      const sum = [...compared.values()].reduce((all, one) => all + one, 0);
      scope.onProgress?.({ shard: shard.shard, table: table.name, compared: sum, rows: total });
    };
  }
}

/** Throws if the command is to end, or the diff was stopped, deleted or taken over. */
function check({ ctx, cluster, shard, id }: VDiffJob): void {
  const ended = ctx.err();
  if (ended !== undefined) throw new ContextError(ended.reason);
  if (readVDiff(shard, id)?.state !== 'started' || !ownsVDiff(shard, cluster.world, id)) throw new StoppedByUser();
}
