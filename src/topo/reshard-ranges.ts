import { plainError } from '../lib/errors.ts';
import { formatKeyRange, joinKeyRanges, type KeyRange, keyRangesEqual } from '../lib/key-range.ts';

/**
 * Throws unless two sets of shards cover the same range of keyspace ids, each without a hole, and share no shard's range.
 * Vitess: go/vt/topotools/split.go ValidateForReshard.
 */
export function validateForReshard(sources: readonly (KeyRange | undefined)[], targets: readonly (KeyRange | undefined)[]): void {
  for (const source of sources) {
    if (!targets.some((target) => keyRangesEqual(source, target))) continue;
    throw plainError(`same keyrange is present in source and target: ${formatKeyRange(source)}`);
  }
  const [from, to] = [combine(sources), combine(targets)];
  if (!keyRangesEqual(from, to)) throw plainError(`source and target keyranges don't match: ${formatKeyRange(from)} vs ${formatKeyRange(to)}`);
}

/** Neighbours as one range, whatever their order. */
function combine(ranges: readonly (KeyRange | undefined)[]): KeyRange | undefined {
  if (ranges.length === 0) throw plainError('there are no shards to combine');
  let [result] = ranges;
  const left = ranges.slice(1);
  while (left.length > 0) {
    const next = left.findIndex((range) => joinKeyRanges(result, range) !== undefined);
    if (next < 0) throw plainError("shards don't form a contiguous keyrange");
    result = joinKeyRanges(result, left[next]);
    left.splice(next, 1);
  }
  return result;
}
