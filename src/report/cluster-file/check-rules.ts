import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import { checkRules } from '../../topo/rules-check.ts';
import type { PathPart } from '../input/yaml.ts';
import { hint } from './check-keyspaces.ts';
import type { LocatedFile } from './located.ts';
import type { ClusterFile } from './schema.ts';
import { type ResolvedParts, shardEntries } from './spec.ts';

type Field = 'routing_rules' | 'shard_routing_rules' | 'keyspace_routing_rules' | 'mirror_rules';

/** What only the queries that meet a rule would find out. Throws FileError. */
export function checkRuleTargets(
  file: ClusterFile,
  vschemas: ReadonlyMap<string, VSchemaKeyspace>,
  rules: ResolvedParts['rules'],
  at: LocatedFile,
): void {
  const names = [...vschemas.keys()];
  const known = (keyspace: string, path: readonly PathPart[]): void => {
    if (!vschemas.has(keyspace)) throw at.wrong(path, `there is no keyspace "${keyspace}"${hint(keyspace, names)}`);
  };
  checkRouting(file, vschemas, rules, at, known);
  (rules.shardRoutingRules?.rules ?? []).forEach((rule, index) => {
    const path = rulePath(file, 'shard_routing_rules', index, at);
    for (const field of ['from_keyspace', 'to_keyspace'] as const) known(rule[field], [...path, field]);
    const shards = Object.keys(shardEntries(file.keyspaces[rule.to_keyspace] ?? null));
    if (!shards.includes(rule.shard)) {
      throw at.wrong([...path, 'shard'], `there is no shard "${rule.shard}" in ${rule.to_keyspace}${hint(rule.shard, shards)}`, `its shards are: ${shards.join(', ')}`);
    }
  });
  (rules.keyspaceRoutingRules?.rules ?? []).forEach((rule, index) => {
    const path = rulePath(file, 'keyspace_routing_rules', index, at);
    const [from = '', type] = rule.from_keyspace.split('@');
    known(from, [...path, 'from_keyspace']);
    if (type !== undefined && !['primary', 'replica', 'rdonly'].includes(type)) {
      throw at.wrong([...path, 'from_keyspace'], `there is no tablet type "${type}" (in lower case: primary, replica, rdonly)`);
    }
    known(rule.to_keyspace, [...path, 'to_keyspace']);
  });
  (rules.mirrorRules?.rules ?? []).forEach((rule, index) => {
    const path = rulePath(file, 'mirror_rules', index, at);
    for (const field of ['from_table', 'to_table'] as const) {
      const [keyspace = '', table = '', ...more] = rule[field].split('@')[0]!.split('.');
      if (table === '' || more.length > 0) throw at.wrong([...path, field], `"${rule[field]}" has to be of the form keyspace.table`);
      known(keyspace, [...path, field]);
    }
    if (!(rule.percent >= 0 && rule.percent <= 100)) throw at.wrong([...path, 'percent'], 'has to be from 0 to 100');
  });
}

function checkRouting(
  file: ClusterFile,
  vschemas: ReadonlyMap<string, VSchemaKeyspace>,
  { routingRules }: ResolvedParts['rules'],
  at: LocatedFile,
  known: (keyspace: string, path: readonly PathPart[]) => void,
): void {
  const seen = new Set<string>();
  (routingRules?.rules ?? []).forEach((rule, index) => {
    const path = rulePath(file, 'routing_rules', index, at);
    const [target] = rule.to_tables ?? [];
    if (target?.includes('.')) known(target.slice(0, target.indexOf('.')), [...path, 'to_tables', 0]);
    const [mistake] = checkRules({ rules: [rule] }, vschemas);
    if (mistake !== undefined) throw at.wrong(path, mistake.text);
    if (seen.has(rule.from_table)) throw at.wrong([...path, 'from_table'], `there is a rule for "${rule.from_table}" already`);
    seen.add(rule.from_table);
  });
}

/** Rules stand in a list, or in a map under `rules` as vtctldclient prints them. */
function rulePath(file: ClusterFile, field: Field, index: number, at: LocatedFile): PathPart[] {
  const plain = [field, index];
  if (typeof file[field] === 'object') return Array.isArray(file[field]) ? plain : [field, 'rules', index];
  return at.holdsList([field]) ? plain : [field, 'rules', index];
}
