import { plainError, UserError } from '../../lib/errors.ts';
import { hasCopyState, FROZEN, readStream, readStreams, type StreamRow } from '../../tablet/vreplication/streams.ts';
import { callTablet } from '../../tablet/manager.ts';
import { BinlogSource as BinlogSourceMessage } from '../../topo/proto/messages-binlogdata.ts';
import { parsePrototext } from '../../topo/proto/prototext-parse.ts';
import type { BinlogSource } from '../../topo/proto/types-workflow.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import { getVSchema } from '../../topo/vschema.ts';
import { type MigrationSource, WORKFLOW_TYPES } from '../switcher.ts';
import { forAll } from '../fan-out.ts';
import type { SwitchRun } from './run.ts';
import { isReferenceStream, templateOf } from './stream-templates.ts';

/** A stream of another workflow on a source shard. */
export interface ForeignStream {
  row: StreamRow;
  source: BinlogSource;
}

/**
 * The other streams that live on the source shards of a Reshard, and go with it to the target shards.
 * Vitess: go/vt/vtctl/workflow/stream_migrator.go.
 */
export interface StreamMigrator {
  vschema: VSchemaKeyspace;
  /** By source shard; shards without any are not in it. */
  streams: Map<string, ForeignStream[]>;
  workflows: string[];
  /** What each target shard gets, with a mark where its key range will stand. Filled once the streams have stopped. */
  templates: ForeignStream[];
}

/** Reads the other streams, and throws where they cannot be moved: nothing has been stopped yet. */
export async function buildStreamMigrator(run: SwitchRun): Promise<void> {
  const { cluster, sw, ctx } = run;
  const { record: vschema } = await getVSchema(ctx, cluster.topo, sw.sourceKeyspace);
  const streams = new Map<string, ForeignStream[]>();
  await forAll(sw.sources, async (source) => {
    const found = await readForeign(run, source, vschema);
    if (found.length > 0) streams.set(source.info.name, found);
  });
  refuseMismatch(run, streams);
  const first = [...streams.values()][0] ?? [];
  const templates = first.map(({ row, source }) => ({ row, source: templateOf(source, vschema) }));
  run.migrator = { vschema, streams, workflows: [...new Set(templates.map(({ row }) => row.workflow))].toSorted(), templates: [] };
}

async function readForeign(run: SwitchRun, source: MigrationSource, vschema: VSchemaKeyspace): Promise<ForeignStream[]> {
  const { cluster, sw } = run;
  const all = await callTablet(run.ctx, cluster, source.primary, 'ReadVReplicationWorkflows', async () =>
    foreignOn(source, sw.reverseWorkflow).filter((stream) => {
      refuseName(run, source, stream.row);
      return !isReference(stream, vschema);
    }),
  );
  refuseStopped(run, source, all);
  if (all.some(({ row }) => hasCopyState(source.db, row.id))) {
    throw plainError(`cannot migrate while vreplication streams in source shards are still copying: ${source.info.name}`);
  }
  return all;
}

function foreignOn(source: MigrationSource, reverse: string): ForeignStream[] {
  return readStreams(source.db)
    .filter((row) => row.workflow !== reverse)
    .map((row) => ({ row, source: parsePrototext(BinlogSourceMessage, row.source) as BinlogSource }));
}

function isReference({ source }: ForeignStream, vschema: VSchemaKeyspace): boolean {
  try {
    return isReferenceStream(source, vschema);
  } catch (error) {
    throw plainError(`blsIsReference: ${(error as Error).message}`);
  }
}

function refuseName({ sw }: SwitchRun, { info }: MigrationSource, { workflow }: StreamRow): void {
  const where = `shard: ${info.keyspace}:${info.name}`;
  if (workflow === '') throw plainError(`VReplication streams must have named workflows for migration: ${where}`);
  if (workflow === sw.workflow) throw plainError(`VReplication stream has the same workflow name as the resharding workflow: ${where}`);
}

/**
 * A stopped stream may be one that was only half made, or one that its operator had stopped: after the switch nobody could tell.
 * Vitess misses those without a message, and takes frozen ones along, which unfreezes them (K9); `hardened` refuses both.
 */
function refuseStopped(run: SwitchRun, { info, primary }: MigrationSource, streams: readonly ForeignStream[]): void {
  const { rollbackRestoresAll } = run.cluster.release.behaviours;
  const stopped = streams.filter(({ row }) => row.state === 'Stopped' && row.message !== FROZEN && (row.message !== null || rollbackRestoresAll));
  if (stopped.length > 0) throw plainError(`cannot migrate until all streams are running: ${info.name}: ${primary.alias?.uid ?? 0}`);
  const frozen = streams.find(({ row }) => row.message === FROZEN)?.row;
  if (frozen === undefined || !rollbackRestoresAll) return;
  throw new UserError(`the workflow ${frozen.workflow} is switched and not completed, and its frozen streams on ${info.keyspace}/${info.name} would be started`, {
    next: `complete it first: switchtraffic ${WORKFLOW_TYPES[frozen.workflow_type] === 'Reshard' ? 'Reshard' : 'MoveTables'} --workflow ${frozen.workflow} --target-keyspace ${info.keyspace} complete`,
  });
}

/** Every source shard has to have the same streams. A release does not look at shards without any. */
function refuseMismatch({ sw, cluster }: SwitchRun, streams: StreamMigrator['streams']): void {
  const keysOf = (shard: string): string =>
    (streams.get(shard) ?? []).map(({ row, source }) => `${row.workflow} ${source.keyspace} ${source.shard}`).toSorted().join();
  const shards = cluster.release.vitess || streams.size === 0 ? [...streams.keys()] : sw.sources.map((source) => source.info.name);
  const [first, ...rest] = shards;
  const other = rest.find((shard) => keysOf(shard) !== keysOf(first!));
  if (other !== undefined) throw plainError(`streams are mismatched across source shards: ${first} vs ${other}`);
}

/** True for a stream from the keyspace that is resharded into itself: both of its ends move. */
export function isIntraKeyspace(run: SwitchRun, { row, source }: ForeignStream): boolean {
  return WORKFLOW_TYPES[row.workflow_type] === 'Materialize' && source.keyspace === run.sw.targetKeyspace;
}

/** The migrator's streams of a source as their rows stand now; one that is gone is left out. */
export function currentStreams(migrator: StreamMigrator, source: MigrationSource): ForeignStream[] {
  return (migrator.streams.get(source.info.name) ?? []).flatMap(({ row, source: binlog }) => {
    const now = readStream(source.db, row.id);
    return now === undefined ? [] : [{ row: now, source: binlog }];
  });
}
