import { UserError } from '../lib/errors.ts';
import { lockText, resourceOf } from '../topo/lock-names.ts';

/** The lock that somebody names, in one word or two. Throws UserError with 2 for what can be no lock. */
export function lockArgument(args: readonly string[], there: readonly string[]): string {
  const typed = args.join(' ');
  const found = resourceOf(typed, there);
  if (found !== undefined) return found;
  const known = there.length === 0 ? 'locks are named as in: keyspace commerce, shard commerce/0, named customer/c2c, routing_rules' : `there are ${there.map(lockText).join(', ')}`;
  throw new UserError(`"${typed}" names no lock`, { exit: 2, next: known });
}
