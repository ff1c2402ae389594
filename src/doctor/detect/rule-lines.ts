import { shellQuote } from '../../lib/shell-quote.ts';
import type { RoutingRules } from '../../topo/proto/types.ts';
import { type KeyspaceMap, keyspaceRoutingMap, keyspaceRoutingRecord, type RoutingMap, routingMap, routingRecord, shardRoutingMap, shardRoutingRecord } from '../../topo/rules.ts';
import type { WorkflowFacts } from '../../workflow/facts/workflow.ts';
import type { Records } from '../picture.ts';

/** `source`: as before a switch, `target`: as after it. */
export type Side = 'source' | 'target';

/** The tablet types of table routing rules, as their names end: '' is PRIMARY. */
export const RULE_TYPES = ['', '@replica', '@rdonly'] as const;
export type RuleType = (typeof RULE_TYPES)[number];

/** The command that replaces all table routing rules with others, and the one that puts these back. */
export function applyRules(now: RoutingRules, change: (rules: RoutingMap) => void): { command: string; undo: string } {
  const rules = routingMap(now);
  change(rules);
  const line = (record: RoutingRules): string => `ApplyRoutingRules --rules ${shellQuote(JSON.stringify(record))}`;
  return { command: line(routingRecord(rules)), undo: line({ rules: now.rules ?? [] }) };
}

/** What a switch, or its reversal, writes for the tables of a workflow and these types. Vitess: trafficSwitcher.changeWriteRoute, switchTableReads. */
export function routeTables({ sourceKeyspace, keyspace, tables }: WorkflowFacts, side: Side, types: readonly RuleType[]): (rules: RoutingMap) => void {
  const to = side === 'target' ? keyspace : sourceKeyspace;
  const other = side === 'target' ? sourceKeyspace : keyspace;
  return (rules) => {
    for (const table of tables) {
      for (const type of types) {
        rules.set(`${table}${type}`, [`${to}.${table}`]);
        rules.set(`${other}.${table}${type}`, [`${to}.${table}`]);
        // Only reads keep a rule for the name that needs none.
        if (type === '') rules.delete(`${to}.${table}`);
        else rules.set(`${to}.${table}${type}`, [`${to}.${table}`]);
      }
    }
  };
}

/** The commands that make the writes of a workflow go to one of its sides, and those that take it back. */
export function routeWrites(workflow: WorkflowFacts, records: Records, side: Side): { commands: string[]; undo: string[] } {
  const { kind, sourceKeyspace, keyspace, sources } = workflow;
  const to = side === 'target' ? keyspace : sourceKeyspace;
  const from = side === 'target' ? sourceKeyspace : keyspace;
  if (kind === 'partial') {
    const shards = sources.map((name) => name.slice(name.indexOf('/') + 1));
    return applyOther('ApplyShardRoutingRules', shardRoutingMap(records.shardRules), shardRoutingRecord, (rules) => {
      for (const shard of shards) {
        rules.delete(`${to}.${shard}`);
        rules.set(`${from}.${shard}`, to);
      }
    });
  }
  if (kind === 'multi-tenant') {
    return applyOther('ApplyKeyspaceRoutingRules', keyspaceRoutingMap(records.keyspaceRules), keyspaceRoutingRecord, (rules) => rules.set(sourceKeyspace, to));
  }
  const { command, undo } = applyRules(records.rules, routeTables(workflow, side, ['']));
  return { commands: [command], undo: [undo] };
}

/** The command that leads a single shard of a keyspace to the same shard of another, and the one that takes it back. */
export function routeShard(records: Records, { keyspace, shard }: { keyspace: string; shard: string }, to: string): { commands: string[]; undo: string[] } {
  return applyOther('ApplyShardRoutingRules', shardRoutingMap(records.shardRules), shardRoutingRecord, (rules) => {
    rules.delete(`${to}.${shard}`);
    rules.set(`${keyspace}.${shard}`, to);
  });
}

function applyOther(command: string, now: KeyspaceMap, record: (map: KeyspaceMap) => object, change: (rules: KeyspaceMap) => void): { commands: string[]; undo: string[] } {
  const next = new Map(now);
  change(next);
  const line = (rules: KeyspaceMap): string => `${command} --rules ${shellQuote(JSON.stringify({ rules: [], ...record(rules) }))}`;
  return { commands: [line(next)], undo: [line(now)] };
}
