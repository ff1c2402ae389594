/** The routing rules of a new workflow: everything leads to the source, whatever its kind. */
import { vtError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import type { Writer } from '../../topo/conn/conn.ts';
import { servingShards } from '../../topo/keyspaces.ts';
import { paths } from '../../topo/paths.ts';
import {
  changeKeyspaceRoutingRules,
  changeRoutingRules,
  changeShardRoutingRules,
  getKeyspaceRoutingRules,
  getRoutingRules,
  getShardRoutingRules,
  keyspaceRoutingMap,
  readKeyspaceRoutingMap,
  readRoutingMap,
  readShardRoutingMap,
  routingMap,
  shardRoutingMap,
  writeKeyspaceRoutingMap,
  writeRoutingMap,
  writeShardRoutingMap,
} from '../../topo/rules.ts';
import { rebuildSrvVSchema } from '../../topo/vschema.ts';
import { keyspaceRuleKeys, ruleKeys } from '../switch/intent-images.ts';
import { kindAsked, type MoveTablesRequest } from './request.ts';

/** Throws for flags that do not go together. Vitess: go/vt/vtctl/workflow/server.go validateRoutingRuleFlags. */
export function refuseRuleFlags(request: MoveTablesRequest): void {
  if (kindAsked(request) !== 'multi-tenant') return;
  if (request.noRoutingRules) throw vtError('FAILED_PRECONDITION', 'cannot use --no-routing-rules in a multi-tenant migration');
  if (request.sourceShards.length > 0) {
    throw vtError('FAILED_PRECONDITION', 'cannot run partial shard migration along with multi-tenant migration');
  }
}

/** Writes the rules, under the target's lock. Vitess: go/vt/vtctl/workflow/server.go setupInitialRoutingRules. */
export async function setInitialRules(ctx: Context, cluster: Cluster, request: MoveTablesRequest, tables: readonly string[]): Promise<void> {
  const { topo } = cluster;
  const { sourceKeyspace, targetKeyspace, workflow } = request;
  refuseRuleFlags(request);
  if (request.noRoutingRules) {
    const text = `Found --no-routing-rules flag, not creating routing rules for workflow ${targetKeyspace}.${workflow}`;
    cluster.world.events.log('info', text);
    return;
  }
  const kind = kindAsked(request);
  if (kind === 'multi-tenant') {
    // There is never one for the target, which takes the writes of every tenant.
    await changeKeyspaceRoutingRules(ctx, topo, [targetKeyspace], 'Create', (rules) => {
      for (const from of keyspaceRuleKeys({ sourceKeyspace })) rules.set(from, sourceKeyspace);
    });
    return;
  }
  if (kind === 'partial') await setShardRules(ctx, cluster, request);
  await changeRoutingRules(ctx, topo, [targetKeyspace], (rules) => {
    for (const from of ruleKeys({ sourceKeyspace, targetKeyspace, tables })) rules.set(from, [`${sourceKeyspace}.${tableOf(from)}`]);
  });
}

/**
 * Points each shard of the target at the source, unless a rule says where the shard's rows are: those of other moves between the two
 * keyspaces stay. Published at once. Vitess: go/vt/vtctl/workflow/utils.go createDefaultShardRoutingRules.
 */
async function setShardRules(ctx: Context, cluster: Cluster, { sourceKeyspace, targetKeyspace }: MoveTablesRequest): Promise<void> {
  const names = (await servingShards(ctx, cluster.topo, sourceKeyspace)).map((info) => info.name);
  const lacks = (rules: ReadonlyMap<string, string>, shard: string): boolean =>
    (rules.get(`${sourceKeyspace}.${shard}`) ?? '') === '' && (rules.get(`${targetKeyspace}.${shard}`) ?? '') === '';
  const now = shardRoutingMap(await getShardRoutingRules(ctx, cluster.topo));
  if (!names.some((shard) => lacks(now, shard))) return;
  await changeShardRoutingRules(ctx, cluster.topo, [targetKeyspace], (rules) => {
    for (const shard of names) if (lacks(rules, shard)) rules.set(`${targetKeyspace}.${shard}`, sourceKeyspace);
  });
  await rebuildSrvVSchema(ctx, cluster.topo);
}

/** `customer@replica` and `commerce.customer` are both about `customer`. */
function tableOf(from: string): string {
  const name = from.slice(from.indexOf('.') + 1);
  const at = name.indexOf('@');
  return at < 0 ? name : name.slice(0, at);
}

/** Rules as they were before a create; null where there was none. */
export interface RulesBefore {
  tables: Record<string, readonly string[] | null>;
  shards: Record<string, string | null>;
  keyspaces: Record<string, string | null>;
  /** Their file is made with the first of them. */
  keyspaceFile: boolean;
}

/** Reads the rules that a create is about to write. */
export async function rulesBefore(ctx: Context, cluster: Cluster, request: MoveTablesRequest, tables: readonly string[]): Promise<RulesBefore> {
  const { topo } = cluster;
  const kind = kindAsked(request);
  const shards = kind === 'partial' ? (await servingShards(ctx, topo, request.sourceKeyspace)).map((info) => `${request.targetKeyspace}.${info.name}`) : [];
  const [byTable, byShard] = [routingMap(await getRoutingRules(ctx, topo)), shardRoutingMap(await getShardRoutingRules(ctx, topo))];
  const record = await getKeyspaceRoutingRules(ctx, topo);
  const byKeyspace = keyspaceRoutingMap(record);
  return {
    tables: pick(kind === 'multi-tenant' ? [] : ruleKeys({ ...request, tables }), byTable),
    shards: pick(shards, byShard),
    keyspaces: pick(kind === 'multi-tenant' ? keyspaceRuleKeys(request) : [], byKeyspace),
    keyspaceFile: record !== undefined,
  };
}

function pick<T>(keys: readonly string[], map: ReadonlyMap<string, T>): Record<string, T | null> {
  return Object.fromEntries(keys.map((key) => [key, map.get(key) ?? null]));
}

/** Puts the rules back as they were, but for those that somebody else has pointed elsewhere than a create does. */
export function putRulesBack(writer: Writer, { tables, shards, keyspaces, keyspaceFile }: RulesBefore, sourceKeyspace: string): void {
  const isOurs = (to: string | undefined): boolean => to === sourceKeyspace;
  if (Object.keys(tables).length > 0) {
    writeRoutingMap(writer, restored(readRoutingMap(writer), tables, (to) => to[0]?.startsWith(`${sourceKeyspace}.`) === true));
  }
  if (Object.keys(shards).length > 0) writeShardRoutingMap(writer, restored(readShardRoutingMap(writer), shards, isOurs));
  if (Object.keys(keyspaces).length === 0) return;
  const rules = restored(readKeyspaceRoutingMap(writer), keyspaces, isOurs);
  if (rules.size === 0 && !keyspaceFile) writer.remove('global', paths.keyspaceRoutingRules);
  else writeKeyspaceRoutingMap(writer, rules);
}

function restored<T>(map: Map<string, T>, before: Readonly<Record<string, T | null>>, isOurs: (to: T) => boolean): Map<string, T> {
  for (const [from, to] of Object.entries(before)) {
    const now = map.get(from);
    if (now !== undefined && !isOurs(now)) continue;
    if (to === null) map.delete(from);
    else map.set(from, to);
  }
  return map;
}
