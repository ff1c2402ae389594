import type { Repair } from '../../report/doctor/diagnosis.ts';
import type { ShardFacts } from '../../workflow/facts/shard.ts';
import { unique } from '../../workflow/facts/stranded/found.ts';
import type { Finding } from '../finding.ts';
import { type DoctorPicture, nameOfShard } from '../picture.ts';
import { undoOf } from '../undo.ts';
import { routeShard } from './rule-lines.ts';
import { freeShard } from './two-writers.ts';

/**
 * A shard that denies what is routed to it, while the same shard of another keyspace has the same tables and takes writes: a move of
 * single shards that was ended by way of its reverse workflow, as such moves are, leaves it so (K50). Which of the two has the rows of
 * since then no record tells.
 */
export function withTwin(finding: Finding, picture: DoctorPicture): Finding {
  if ((finding.kind !== 'refused' && finding.kind !== 'denied-left-over') || finding.workflows.length > 0) return finding;
  const shard = picture.shards.find((one) => nameOfShard(one) === finding.object && one.routed.includes('PRIMARY'));
  const denied = shard?.denied.find(({ type }) => type === 'PRIMARY')?.tables ?? [];
  const twin = shard === undefined ? undefined : twinOf(picture, shard, denied);
  if (shard === undefined || twin === undefined || leadsAway(picture, shard)) return finding;
  const [own, other] = [nameOfShard(shard), nameOfShard(twin)];
  const { commands, undo } = routeShard(picture.records, shard, twin.keyspace);
  const free = freeShard(own, denied);
  const ways: Repair[] = [
    { title: `lead ${own} to ${twin.keyspace}`, consequence: `queries for this shard are answered by ${other}, with all that was written there; ${own} keeps its old tables`, commands, undo },
    { title: `free ${own}`, consequence: `queries are answered from its own tables; rows that only ${other} has are not among them`, commands: free, undo: undoOf(free) },
  ];
  return {
    ...finding,
    kind: 'refused',
    keyspaces: unique([shard.keyspace, twin.keyspace]),
    evidence: [`${own} denies ${denied.join(', ')}, and queries of ${shard.keyspace} are routed there`, `${other} has ${denied.join(', ')} too, and takes writes`],
    impact: [`rows of ${denied.join(', ')} that belong to ${own}: nobody serves them`],
    repairs: ways,
    note: `the two may differ by what was written since the way back was deleted: compare them before you choose`,
  };
}

function twinOf({ shards }: DoctorPicture, { keyspace, shard }: ShardFacts, denied: readonly string[]): ShardFacts | undefined {
  const ofShards = shards.filter((one) => one.keyspace === keyspace && one.serving).length > 1;
  if (!ofShards || denied.length === 0) return undefined;
  const takes = (one: ShardFacts): boolean => denied.every((table) => one.tables.includes(table)) && one.denied.every(({ tables }) => !denied.some((table) => tables.includes(table)));
  return shards.find((one) => one.keyspace !== keyspace && one.shard === shard && takes(one));
}

function leadsAway({ routing }: DoctorPicture, { keyspace, shard }: ShardFacts): boolean {
  return routing.shards.some((route) => route.keyspace === keyspace && route.shard === shard && route.global !== keyspace);
}
