import { TABLET_TYPES } from '../lib/names.ts';
import type { Context } from '../runtime/context.ts';
import { keyspaceNames } from './keyspaces.ts';
import { paths } from './paths.ts';
import type { RoutingRule, RoutingRules, VSchemaKeyspace } from './proto/types.ts';
import { findRecord, type TopoServer } from './server.ts';

/** Something wrong with routing rules that only the queries that meet the rule would find out. */
export interface RuleMistake {
  kind: 'malformed' | 'duplicate' | 'many-targets' | 'unknown-keyspace' | 'unknown-table';
  text: string;
}

/** Finds what the gates would trip over, in the order of the rules. Reads the VSchemas and changes nothing. */
export async function findRuleMistakes(ctx: Context, topo: TopoServer, rules: RoutingRules): Promise<RuleMistake[]> {
  const vschemas = new Map<string, VSchemaKeyspace>();
  for (const name of await keyspaceNames(ctx, topo)) {
    vschemas.set(name, (await findRecord<VSchemaKeyspace>(ctx, topo.conn, paths.vschema(name)))?.record ?? {});
  }
  return checkRules(rules, vschemas);
}

/**
 * The same for VSchemas already read, one per keyspace that exists. The texts are those a query would get.
 * Vitess: go/vt/vtgate/vindexes/vschema.go buildRoutingRule.
 */
export function checkRules(rules: RoutingRules, vschemas: ReadonlyMap<string, VSchemaKeyspace>): RuleMistake[] {
  const seen = new Set<string>();
  return (rules.rules ?? []).flatMap((rule) => {
    const { from_table: from = '' } = rule;
    const twice = seen.has(from);
    seen.add(from);
    if (twice) return [mistake('duplicate', rule, `duplicate rule for entry ${from}`)];
    return checkFrom(rule) ?? checkTargets(rule, vschemas) ?? [];
  });
}

function mistake(kind: RuleMistake['kind'], rule: RoutingRule, text: string): RuleMistake {
  return { kind, text: `routing rule for '${rule.from_table ?? ''}': ${text}` };
}

const TYPE_SUFFIXES = new Set(TABLET_TYPES.map((type) => type.name.toLowerCase()));

/** `t`, `ks.t`, either with `@type` after it: no query asks for anything else. */
function checkFrom(rule: RoutingRule): RuleMistake | undefined {
  const { from_table: from = '' } = rule;
  if (from === '') return mistake('malformed', rule, 'from_table is missing');
  const at = from.lastIndexOf('@');
  const type = at < 0 ? undefined : from.slice(at + 1);
  if (type !== undefined && !TYPE_SUFFIXES.has(type)) {
    return mistake('malformed', rule, `there is no tablet type '${type}' (in lower case: primary, replica, rdonly)`);
  }
  const parts = (at < 0 ? from : from.slice(0, at)).split('.');
  return parts.length > 2 || parts.includes('') ? mistake('malformed', rule, invalidName(from)) : undefined;
}

function checkTargets(rule: RoutingRule, vschemas: ReadonlyMap<string, VSchemaKeyspace>): RuleMistake | undefined {
  const { from_table: from = '', to_tables: targets = [] } = rule;
  const [target] = targets;
  if (targets.length > 1) return mistake('many-targets', rule, `table ${from} has more than one target: [${targets.join(' ')}]`);
  // A rule without a target disables its table, and is meant to.
  if (target === undefined) return undefined;
  const [keyspace = '', table = '', ...more] = target.split('.');
  if (more.length === 0 && !target.includes('.')) return mistake('malformed', rule, `table ${target} must be qualified`);
  if (more.length > 0 || keyspace === '' || table === '') return mistake('malformed', rule, invalidName(target));
  if (table.includes('@')) return mistake('malformed', rule, `to_tables: tablet type may not be specified: '${target}'`);
  const vschema = vschemas.get(keyspace);
  if (vschema === undefined) return mistake('unknown-keyspace', rule, `VT05003: unknown database '${keyspace}' in vschema`);
  const known = vschema.sharded !== true || Object.hasOwn(vschema.tables ?? {}, table);
  return known ? undefined : mistake('unknown-table', rule, `table ${table} not found`);
}

function invalidName(name: string): string {
  const form = '<keyspace_name>.<table_name> (dots are not allowed in either name)';
  return `invalid table name: '${name}', it must be of the qualified form ${form}`;
}
