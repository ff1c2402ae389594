import { isValidKeyRange } from '../lib/key-range.ts';
import { UserError } from '../lib/errors.ts';
import { goQuote } from '../lib/go-quote.ts';
import { parseUuid } from '../lib/uuid.ts';
import { clientSide } from './client-error.ts';
import type { Invocation } from './spec.ts';

/** Reads arguments of `VDiff` as vtctldclient does. All throw UserError. */

/** The first argument, which has to be a UUID. */
export function uuidArgument({ args }: Invocation): string {
  return clientSide(() => parseUuid(args[0] ?? ''), { prefix: 'invalid UUID provided: ' });
}

/** The first argument: one of these words in any case, or a UUID. */
export function uuidOrWord({ args }: Invocation, words: readonly string[]): string {
  const [typed = ''] = args;
  const lower = typed.toLowerCase();
  if (words.includes(lower)) return lower;
  try {
    return parseUuid(typed);
  } catch {
    const list = words.map((word) => `'${word}'`).join(', ');
    throw new UserError(`invalid argument provided (${typed}), valid arguments are ${list}${words.length > 1 ? ',' : ''} or a valid UUID`);
  }
}

/** `--target-shards`, each of which has to look like a shard. */
export function targetShards({ flags }: Invocation): readonly string[] {
  const shards = flags.strings('target-shards');
  const wrong = shards.find((shard) => !isValidKeyRange(shard));
  if (wrong !== undefined) throw new UserError(`invalid shard: ${goQuote(wrong)}`);
  return shards;
}
