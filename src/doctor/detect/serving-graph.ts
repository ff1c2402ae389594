import { keyRangesEqual } from '../../lib/key-range.ts';
import type { Repair } from '../../report/doctor/diagnosis.ts';
import { keyRangeFromProto } from '../../topo/proto/key-range.ts';
import type { KeyspacePartition } from '../../topo/proto/types.ts';
import { checkPartitions, PartitionError } from '../../topo/partitions.ts';
import { sameRange } from '../../topo/served-types.ts';
import { partitionOf } from '../../topo/srv-keyspace.ts';
import { lockName } from '../../workflow/facts/stranded/found.ts';
import type { WorkflowFacts } from '../../workflow/facts/workflow.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture, ServingRecord, ShardRecord } from '../picture.ts';

/** Keyspaces whose cells serve by something else than what the shard records say. */
export function servingGraph(picture: DoctorPicture): Finding[] {
  return picture.keyspaces.flatMap((keyspace) => {
    const shards = picture.records.shards.filter((shard) => shard.keyspace === keyspace);
    const serving = shards.filter(({ record }) => record.is_primary_serving === true);
    const cells = picture.records.serving.filter((one) => one.keyspace === keyspace && !picture.stoppedCells.includes(one.cell));
    if (shards.length === 0) return [];
    const records = recordFaults(serving);
    const evidence = [...records, ...cells.flatMap((cell) => cellFaults(cell, serving))];
    return evidence.length === 0 ? [] : [differs(picture, keyspace, { evidence, records: records.length > 0, shards, cells })];
  });
}

/** The shards that serve have to cover every keyspace id once. */
function recordFaults(serving: readonly ShardRecord[]): string[] {
  const references = serving
    .map(({ shard, record }) => ({ name: shard, ...(record.key_range !== undefined && { key_range: record.key_range }) }))
    .toSorted((a, b) => (keyRangeFromProto(a.key_range).start < keyRangeFromProto(b.key_range).start ? -1 : 1));
  const names = references.map(({ name }) => name).join(', ');
  return partitionFault('shard records', { served_type: 'PRIMARY', shard_references: references }) === undefined
    ? []
    : [`the shard records say that ${names === '' ? 'no shard serves' : `${names} serve`} the writes, which is not every keyspace id once`];
}

function partitionFault(cell: string, partition: KeyspacePartition): string | undefined {
  try {
    checkPartitions(cell, [partition]);
    return undefined;
  } catch (error) {
    if (error instanceof PartitionError) return error.message;
    throw error;
  }
}

function cellFaults({ cell, record }: ServingRecord, serving: readonly ShardRecord[]): string[] {
  if (record === undefined) return [`cell ${cell} has no serving record (SrvKeyspace)`];
  const references = partitionOf(record, 'PRIMARY')?.shard_references ?? [];
  const same = references.length === serving.length && serving.every((shard) => references.some((reference) => sameRange(reference, shard.record)));
  const broken = (record.partitions ?? []).flatMap((partition) => partitionFault(cell, partition) ?? []);
  // A shard that is turned off and routed to for reads: for writes `refused` says so.
  const off = (record.partitions ?? []).flatMap(({ served_type: type, shard_references: routed = [], shard_tablet_controls: controls = [] }) =>
    type === 'PRIMARY'
      ? []
      : controls
          .filter((control) => control.query_service_disabled === true && routed.some((one) => keyRangesEqual(keyRangeFromProto(one.key_range), keyRangeFromProto(control.key_range))))
          .map(({ name }) => `cell ${cell} routes ${type} to ${name} and has its query service off`),
  );
  return [...(same ? [] : [`cell ${cell} serves writes by ${references.map(({ name }) => name).join(', ') || 'no shard'}, the shard records say ${serving.map(({ shard }) => shard).join(', ') || 'none'}`]), ...broken, ...off];
}

interface Graph {
  evidence: string[];
  /** The shard records themselves are wrong. */
  records: boolean;
  shards: readonly ShardRecord[];
  cells: readonly ServingRecord[];
}

function differs(picture: DoctorPicture, keyspace: string, graph: Graph): Finding {
  const reshards = picture.workflows.filter((one) => one.kind === 'shards' && one.keyspace === keyspace);
  const repair = repairOf(keyspace, graph, reshards);
  return {
    kind: 'serving-graph-differs',
    object: keyspace,
    keyspaces: [keyspace],
    workflows: reshards.map(lockName),
    text: `the serving graph of ${keyspace} is not what its shard records say`,
    next: [],
    evidence: graph.evidence,
    impact: [`queries of ${keyspace} go to other shards than those that have the rows, or nowhere`],
    repairs: repair === undefined ? [] : [repair],
    ...(repair === undefined && { note: `nothing says which shards of ${keyspace} have the rows: look at each (show shard ${keyspace}), then SetShardIsPrimaryServing and RebuildKeyspaceGraph` }),
  };
}

function repairOf(keyspace: string, { records, shards, cells }: Graph, reshards: readonly WorkflowFacts[]): Repair | undefined {
  const commands: string[] = [];
  const undo: string[] = [];
  if (records) {
    // Before the journal the sources have all rows; past it the switch itself puts this right.
    const reshard = reshards.find((one) => !one.workflow.endsWith('_reverse') && one.journal.on.length === 0 && !one.frozen);
    if (reshard === undefined) return undefined;
    for (const { shard, record } of shards) {
      const name = `${keyspace}/${shard}`;
      const serves = reshard.sources.includes(name) ? true : reshard.targets.includes(name) ? false : undefined;
      if (serves === undefined || (record.is_primary_serving === true) === serves) continue;
      commands.push(`SetShardIsPrimaryServing ${name} ${serves}`);
      undo.push(`SetShardIsPrimaryServing ${name} ${!serves}`);
    }
  }
  const off = new Set(
    cells.flatMap(({ record }) =>
      (record?.partitions ?? []).flatMap(({ served_type: type, shard_tablet_controls: controls = [] }) =>
        controls.filter(({ query_service_disabled: disabled }) => disabled === true).map(({ name }) => `${keyspace}/${name} ${type.toLowerCase()}`),
      ),
    ),
  );
  for (const one of off) commands.push(`SetShardTabletControl --disable-query-service=false ${one}`);
  commands.push(`RebuildKeyspaceGraph ${keyspace}`, ...shards.map(({ shard }) => `RefreshStateByShard ${keyspace}/${shard}`));
  const moved = readsMoved(cells);
  return {
    title: 'rebuild the serving graph',
    consequence: `every cell serves by the shard records${moved ? '; reads that had been switched go back with the writes, and can be switched again' : ''}`,
    commands,
    undo,
  };
}

/** True if reads go to other shards than writes in some cell: a rebuild makes them one. */
export function readsMoved(cells: readonly ServingRecord[]): boolean {
  const names = (record: ServingRecord['record'], type: string): string => (partitionOf(record, type)?.shard_references ?? []).map(({ name }) => name).join();
  return cells.some(({ record }) => record !== undefined && ['REPLICA', 'RDONLY'].some((type) => names(record, type) !== names(record, 'PRIMARY')));
}
