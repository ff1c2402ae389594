import type { Context } from '../runtime/context.ts';
import { findAllShards, keyspaceNames } from './keyspaces.ts';
import type { KeyspaceRoutingRules, ShardRoutingRules } from './proto/types.ts';
import type { TopoServer } from './server.ts';

/** Types that a keyspace routing rule may be about; one of the primary has none. */
const TYPES = ['replica', 'rdonly'];

/**
 * Finds what is wrong with shard or keyspace routing rules, in their order: queries would not find what they lead to, or never look
 * at them.
 */
export async function findPartRuleMistakes(ctx: Context, topo: TopoServer, kind: 'shard' | 'keyspace', { rules = [] }: ShardRoutingRules | KeyspaceRoutingRules): Promise<string[]> {
  const keyspaces = await keyspaceNames(ctx, topo);
  const seen = new Set<string>();
  const found: string[] = [];
  for (const rule of rules) {
    const { from_keyspace: from = '', to_keyspace: to = '' } = rule;
    // Unset where it is empty: the kind cannot be told by it.
    const shard = kind === 'shard' ? (('shard' in rule ? rule.shard : undefined) ?? '') : undefined;
    const name = shard === undefined ? from : `${from}.${shard}`;
    const add = (text: string): void => void found.push(`${kind} routing rule for '${name}': ${text}`);
    if (seen.has(name)) add('there is another one, and the last counts');
    seen.add(name);
    const [keyspace = '', type] = shard === undefined ? from.split('@') : [from];
    if (type !== undefined && !TYPES.includes(type)) add(`no query looks for '@${type}': only @replica and @rdonly, or nothing for all that have no rule of their own`);
    else if (keyspace === '' || to === '' || shard === '') add('a keyspace or shard is missing');
    else {
      for (const one of new Set([keyspace, to])) {
        if (!keyspaces.includes(one)) add(`there is no keyspace '${one}'`);
        else if (shard !== undefined && !(await findAllShards(ctx, topo, one)).some((info) => info.name === shard)) add(`keyspace ${one} has no shard '${shard}'`);
      }
    }
  }
  return found;
}
