// The state of a cluster as a text, to see whether it is one of those that a command may leave.
import { takeFingerprint } from '../../dist/workflow/facts/fingerprint.js';

/**
 * Records, streams, what tablets believe, journals. Not rows, which the application changes all the time and which are looked at by
 * themselves; of a position at which a stream stops, only whether there is one; locks are looked at by themselves too.
 */
export async function mark(ctx, cluster) {
  const { topology, shards } = await takeFingerprint(ctx, cluster);
  const lines = Object.entries(topology).map(([path, record]) => `${path} ${JSON.stringify(record)}`);
  for (const [shard, { streams, tablets, journals }] of Object.entries(shards)) {
    for (const stream of streams) lines.push(`${shard} stream ${JSON.stringify({ ...stream, stop_pos: (stream.stop_pos ?? '') !== '' })}`);
    for (const [alias, view] of Object.entries(tablets)) lines.push(`${shard} tablet ${alias} ${JSON.stringify(view)}`);
    for (const journal of journals) lines.push(`${shard} journal ${journal}`);
  }
  return lines.toSorted().join('\n');
}

/** The lines in which two marks differ. */
export function difference(found, expected) {
  const [a, b] = [new Set(found.split('\n')), new Set(expected.split('\n'))];
  return [...[...a].filter((line) => !b.has(line)).map((line) => `+ ${line}`), ...[...b].filter((line) => !a.has(line)).map((line) => `- ${line}`)];
}
