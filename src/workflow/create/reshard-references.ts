import { plainError, wrapError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { callTablet } from '../../tablet/manager.ts';
import { FROZEN, readStreams, type StreamRow } from '../../tablet/vreplication/streams.ts';
import { BinlogSource } from '../../topo/proto/messages-binlogdata.ts';
import { Tablet } from '../../topo/proto/messages-topodata.ts';
import { parsePrototext } from '../../topo/proto/prototext-parse.ts';
import { prototext } from '../../topo/proto/prototext.ts';
import type { BinlogSource as Source } from '../../topo/proto/types-workflow.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import type { Member } from './request.ts';
import type { ReferenceStream } from './reshard-request.ts';

/**
 * The streams that fill reference tables on the source shards, which must have the same ones. A stream is about reference
 * tables or about others, never both. Vitess: resharder.readRefStreams, blsIsReference.
 */
export async function readReferences(ctx: Context, cluster: Cluster, sources: readonly Member[], vschema: VSchemaKeyspace): Promise<ReferenceStream[]> {
  const found = new Map<string, ReferenceStream>();
  for (const [index, member] of sources.entries()) {
    compareSource(cluster, member, await readLive(ctx, cluster, member), vschema, found, index === 0);
  }
  return [...found.values()];
}

async function readLive(ctx: Context, cluster: Cluster, { db, primary }: Member): Promise<StreamRow[]> {
  try {
    const rows = await callTablet(ctx, cluster, primary, 'ReadVReplicationWorkflows', () => readStreams(db));
    return rows.filter((row) => isLive(cluster, row));
  } catch (error) {
    throw wrapError(error, `ReadVReplicationWorkflows(${prototext(Tablet, primary)}, exclude_frozen:true)`);
  }
}

function compareSource(
  cluster: Cluster,
  { info }: Member,
  rows: readonly StreamRow[],
  vschema: VSchemaKeyspace,
  found: Map<string, ReferenceStream>,
  first: boolean,
): void {
  const missing = new Set(first ? [] : found.keys());
  for (const workflow of new Set(rows.map((row) => row.workflow))) {
    if (workflow === '') throw plainError(`VReplication streams must have named workflows for migration: shard: ${info.keyspace}:${info.name}`);
    for (const row of rows.filter((candidate) => candidate.workflow === workflow)) {
      const source = parsePrototext(BinlogSource, row.source) as Source;
      if (!isReference(source, vschema)) continue;
      const key = `${workflow}:${source.keyspace}:${source.shard}`;
      if (first) found.set(key, referenceStream(row));
      else if (!missing.delete(key)) throw plainError(`streams are mismatched across source shards for workflow: ${workflow}`);
    }
    // Vitess looks after every workflow, so that a second one passes for a mismatch.
    if (!cluster.release.behaviours.rollbackRestoresAll) refuseMissing(missing);
  }
  refuseMissing(missing);
}

/** SQL's `message != 'FROZEN'`: in Vitess a stream without a message, one that was never started, is passed over too. */
function isLive(cluster: Cluster, { message }: StreamRow): boolean {
  return message === null ? cluster.release.behaviours.rollbackRestoresAll : message !== FROZEN;
}

function refuseMissing(missing: ReadonlySet<string>): void {
  if (missing.size === 0) return;
  throw plainError(`streams are mismatched across source shards: map[${[...missing].toSorted().map((key) => `${key}:true`).join(' ')}]`);
}

function referenceStream(row: StreamRow): ReferenceStream {
  const { workflow, source, cell, tablet_types: tabletTypes, workflow_type: workflowType, workflow_sub_type: workflowSubType } = row;
  return { workflow, source, cell, tabletTypes, workflowType, workflowSubType };
}

const INTERNAL = /^_vt_[a-zA-Z0-9]{3}_[0-9a-f]{32}_[0-9]{14}_$/;

function isReference(source: Source, vschema: VSchemaKeyspace): boolean {
  let kind: 'reference' | 'sharded' | undefined;
  try {
    for (const { match } of source.filter?.rules ?? []) {
      const table = vschema.tables?.[match];
      if (table === undefined && !INTERNAL.test(match)) throw plainError(`table ${match} not found in vschema`);
      const own = table?.type === 'reference' ? 'reference' : 'sharded';
      if (kind !== undefined && kind !== own) {
        throw plainError(`cannot reshard streams with a mix of reference and sharded tables: ${prototext(BinlogSource, source)}`);
      }
      kind = own;
    }
  } catch (error) {
    throw wrapError(error, 'blsIsReference');
  }
  return kind === 'reference';
}
