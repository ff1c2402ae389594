import { ROUTED_TYPES, type RoutedType, type RoutingFacts } from './routing.ts';
import type { ShardFacts, TabletFacts } from './shard.ts';

/** Who serves a table of a keyspace for one tablet type. */
export interface ServedFacts {
  /** The keyspace that the table's qualified name leads to; '' where it leads nowhere. */
  keyspace: string;
  /** The name that the table has there. */
  table: string;
  /** Cells whose copy of the rules says otherwise, with what they say. */
  otherwise: { cell: string; to: string }[];
  /** Where queries that arrive are turned away. */
  refusedOn: Refusal[];
}

/** A shard whose tablets turn queries for a table away; `why` and `shard` make a phrase: `denied on` `commerce/0`. */
export interface Refusal {
  shard: string;
  why: RefusalReason;
}

export type RefusalReason = 'denied on' | 'still denied by the tablets of' | 'query service off on' | 'tablets not started on' | 'tablets stopped on' | 'no primary in';

/** A table that a keyspace has, or that is routed to it. */
export interface ServedTable {
  table: string;
  types: Record<RoutedType, ServedFacts>;
}

/** Queries that arrive at a keyspace and are turned away there. */
export interface Refused {
  type: RoutedType;
  tables: string[];
  on: string[];
  why: RefusalReason;
}

/** The tables of one keyspace, by name: those it has, and those routed to it from elsewhere. */
export function servedTables(keyspace: string, routing: RoutingFacts, shards: readonly ShardFacts[]): ServedTable[] {
  const own = routing.routes.filter((route) => route.from === `${keyspace}.${route.table}`);
  return [...new Set(own.map((route) => route.table))].toSorted().map((table) => ({
    table,
    types: Object.fromEntries(
      ROUTED_TYPES.map((type) => [type, serving(routing, shards, `${keyspace}.${table}`, type)]),
    ) as Record<RoutedType, ServedFacts>,
  }));
}

function serving(routing: RoutingFacts, shards: readonly ShardFacts[], from: string, type: RoutedType): ServedFacts {
  const route = routing.routes.find((candidate) => candidate.from === from && candidate.type === type);
  const [first, ...rest] = routing.cells;
  const to = (first === undefined ? undefined : route?.cells[first]) ?? route?.global ?? '';
  const [keyspace = '', table = ''] = to.split('.');
  return {
    keyspace,
    table,
    otherwise: rest.flatMap((cell) => {
      const there = route?.cells[cell] ?? '';
      return there === to ? [] : [{ cell, to: there }];
    }),
    refusedOn: refusals(shards, keyspace, table, type),
  };
}

/** The serving shards of a keyspace where no tablet of the type takes queries for a table. */
export function refusals(shards: readonly ShardFacts[], keyspace: string, table: string, type: RoutedType): Refusal[] {
  return shards.flatMap((shard) => {
    if (shard.keyspace !== keyspace || !shard.serving) return [];
    const tablets = shard.tablets.filter((tablet) => (type === 'PRIMARY' ? tablet.primary : tablet.type === type));
    // A shard without replicas refuses nobody's reads in particular: it has none to offer.
    if (tablets.length === 0 && type !== 'PRIMARY') return [];
    const reasons = tablets.map((tablet) => refusal(tablet, table));
    if (tablets.length === 0) reasons.push('no primary in');
    const [why] = reasons;
    if (why === undefined || reasons.includes(undefined)) return [];
    return [{ shard: `${keyspace}/${shard.shard}`, why }];
  });
}

function refusal({ believes, denied, state }: TabletFacts, table: string): RefusalReason | undefined {
  if (state === 'stopped') return 'tablets stopped on';
  if (believes === undefined) return 'tablets not started on';
  if (!believes.serving) return 'query service off on';
  if (!believes.deniedTables.includes(table)) return undefined;
  return denied.includes(table) ? 'denied on' : 'still denied by the tablets of';
}

/** What arrives at a keyspace, by whatever name, and is turned away there: one entry per tablet type and reason. */
export function refusedAt(keyspace: string, routing: RoutingFacts, shards: readonly ShardFacts[]): Refused[] {
  const found = new Map<string, Refused>();
  for (const { type, cells } of routing.routes) {
    for (const to of new Set(Object.values(cells))) {
      const [target, table = ''] = to.split('.');
      if (target !== keyspace) continue;
      for (const { shard, why } of refusals(shards, keyspace, table, type)) {
        const key = `${type} ${why}`;
        const entry = found.get(key) ?? { type, tables: [], on: [], why };
        if (!entry.tables.includes(table)) entry.tables.push(table);
        if (!entry.on.includes(shard)) entry.on.push(shard);
        found.set(key, entry);
      }
    }
  }
  return [...found.values()].map((entry) => ({ ...entry, tables: entry.tables.toSorted() }));
}
