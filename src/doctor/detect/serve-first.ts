import { keyRangeFromProto } from '../../topo/proto/key-range.ts';
import { checkPartitions, PartitionError } from '../../topo/partitions.ts';
import { partitionOf } from '../../topo/srv-keyspace.ts';
import { lockName } from '../../workflow/facts/stranded/found.ts';
import type { WorkflowFacts } from '../../workflow/facts/workflow.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture, ServingRecord } from '../picture.ts';
import { servingGraph } from './serving-graph.ts';

/**
 * A Reshard past its journal puts its target shards in the place of its source shards, in every cell. Where a cell serves by other
 * shards altogether, what comes of it has gaps, and the switch fails however often it is run: there the graph is rebuilt first.
 * Vitess: MigrateServedType, OrderAndCheckPartitions (vitessio/vitess#7481).
 */
export function withGraphFirst(finding: Finding, picture: DoctorPicture): Finding {
  if (finding.kind !== 'journal-without-frozen' && finding.kind !== 'journals-disagree') return finding;
  const reshard = picture.workflows.find((one) => one.kind === 'shards' && finding.workflows.includes(lockName(one)));
  if (reshard === undefined) return finding;
  const cells = picture.records.serving.filter(({ keyspace, cell }) => keyspace === reshard.keyspace && !picture.stoppedCells.includes(cell));
  if (cells.every((cell) => canChange(cell, reshard, picture))) return finding;
  const rebuild = servingGraph(picture).find(({ object }) => object === reshard.keyspace)?.repairs?.[0]?.commands ?? [];
  return { ...finding, next: [...rebuild, ...finding.next] };
}

function canChange({ cell, record }: ServingRecord, { keyspace, sources, targets }: WorkflowFacts, { records }: DoctorPicture): boolean {
  const primary = partitionOf(record, 'PRIMARY');
  const nameOf = (shard: string): string => `${keyspace}/${shard}`;
  const kept = (primary?.shard_references ?? []).filter(({ name }) => !sources.includes(nameOf(name)) && !targets.includes(nameOf(name)));
  const added = records.shards.filter(({ keyspace: own, shard }) => own === keyspace && targets.includes(nameOf(shard)));
  const references = [...kept, ...added.map(({ shard, record: { key_range: range } }) => ({ name: shard, ...(range !== undefined && { key_range: range }) }))];
  const start = ({ key_range: range }: (typeof references)[number]): string => keyRangeFromProto(range).start;
  try {
    checkPartitions(cell, [{ served_type: 'PRIMARY', shard_references: references.toSorted((a, b) => (start(a) < start(b) ? -1 : 1)) }]);
    return true;
  } catch (error) {
    if (error instanceof PartitionError) return false;
    throw error;
  }
}
