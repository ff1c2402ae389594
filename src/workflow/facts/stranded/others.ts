import { deleteRowsCommand, reshardRecoveryCommands } from '../../recovery.ts';
import type { StreamFacts, WorkflowFacts } from '../workflow.ts';
import { type Found, lockName, type Picture, unique } from './found.ts';

/** A stream of some workflow. */
export interface PlacedStream {
  workflow: string;
  stream: StreamFacts;
}

/** Streams of other workflows on these shards of the Reshard's keyspace. */
function streamsOn({ workflows }: Picture, reshard: WorkflowFacts, shards: readonly string[]): PlacedStream[] {
  return workflows
    .filter((one) => one.keyspace === reshard.keyspace && one.kind !== 'shards')
    .flatMap((one) => one.streams.filter((stream) => shards.includes(`${one.keyspace}/${stream.shard}`)).map((stream) => ({ workflow: one.workflow, stream })));
}

/** Those that the switch had stopped on its source shards. */
export function stoppedOthers(picture: Picture, reshard: WorkflowFacts): PlacedStream[] {
  const marks = ['for cutover', 'synchronizing for cutover'];
  return streamsOn(picture, reshard, reshard.sources).filter(({ stream }) => marks.includes(stream.message) || stream.message.startsWith('Stopped at position'));
}

/** What the switch had made of them on the target shards. */
export function copiesOf(picture: Picture, reshard: WorkflowFacts): PlacedStream[] {
  const moved = new Set(streamsOn(picture, reshard, reshard.sources).map(({ workflow }) => workflow));
  return streamsOn(picture, reshard, reshard.targets).filter(({ workflow, stream }) => moved.has(workflow) && stream.stored === 'Stopped');
}

/** Streams of other workflows that a Reshard's switch had stopped, and copies of them that it had made. */
export function leftOthers(picture: Picture, reshard: WorkflowFacts): Found[] {
  const { keyspace, workflow, reverse } = reshard;
  // Of the two, the one that was switched is meant: to the other, its sources are targets.
  if (workflow.endsWith('_reverse') && reverse !== undefined && !reverse.frozen) return [];
  const stopped = stoppedOthers(picture, reshard);
  const copies = copiesOf(picture, reshard);
  const others = unique([...stopped, ...copies].map((one) => `${keyspace}/${one.workflow}`));
  const place = ({ workflow: name, stream }: PlacedStream): string => `${name} on ${keyspace}/${stream.shard}`;
  const commands = reshardRecoveryCommands({ keyspace, workflow, sources: [], stopped: stopped.map((one) => ({ workflow: one.workflow, ...one.stream })), copies: copies.map((one) => ({ workflow: one.workflow, tablet: one.stream.tablet })) });
  const about = { object: `${keyspace}.${workflow}`, keyspaces: [keyspace], workflows: [lockName(reshard), ...others] };
  const found: Found[] = [];
  if (copies.length > 0) {
    const next = unique(copies.map(({ workflow: name, stream }) => deleteRowsCommand(stream.tablet, name)));
    const text = `${keyspace}.${workflow}: stopped copies of ${copies.map(place).join(', ')} were made for a switch that did not happen (no journal)`;
    found.push({ kind: 'copies-left-over', ...about, text, next });
  }
  if (stopped.length > 0) {
    const text = `${keyspace}.${workflow}: streams of ${stopped.map(place).join(', ')} were stopped for a cutover that did not happen (no journal)`;
    found.push({ kind: 'stopped-for-cutover', ...about, text, next: commands.slice(0, -1) });
  }
  return found;
}
