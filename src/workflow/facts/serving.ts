import { ROUTED_TYPES, type RoutedType, type RoutingFacts } from './routing.ts';
import type { ShardFacts, TabletFacts } from './shard.ts';

/** Who serves a table of a keyspace for one tablet type. */
export interface ServedFacts {
  /** The keyspace that the table's qualified name leads to; '' where it leads nowhere. */
  keyspace: string;
  /** The name that the table has there. */
  table: string;
  /** Shards of that keyspace whose rows are in another one, by shard routing rules; all in one, it is `keyspace`. */
  moved: { keyspace: string; shards: string[] }[];
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
  const placeOf = shardPlaces(routing);
  const moved = movedShards(shards, keyspace, placeOf);
  const all = moved.length === 1 && moved[0]!.shards.length === shards.filter((shard) => shard.keyspace === keyspace && shard.serving).length;
  return {
    keyspace: all ? moved[0]!.keyspace : keyspace,
    table,
    moved: all ? [] : moved,
    otherwise: rest.flatMap((cell) => {
      const there = route?.cells[cell] ?? '';
      return there === to ? [] : [{ cell, to: there }];
    }),
    refusedOn: refusals(shards, keyspace, table, type, placeOf),
  };
}

/** Which keyspace has the rows of a shard. */
type PlaceOf = (keyspace: string, shard: string) => string;

/** By the rules of the first cell. */
function shardPlaces({ cells, shards }: RoutingFacts): PlaceOf {
  const [first = ''] = cells;
  const places = new Map(shards.map((route) => [`${route.keyspace}/${route.shard}`, route.cells[first] ?? route.global]));
  return (keyspace, shard) => places.get(`${keyspace}/${shard}`) ?? keyspace;
}

function movedShards(shards: readonly ShardFacts[], keyspace: string, placeOf: PlaceOf): ServedFacts['moved'] {
  const moved = new Map<string, string[]>();
  for (const { keyspace: own, shard, serving: serves } of shards) {
    const place = placeOf(keyspace, shard);
    if (own === keyspace && serves && place !== keyspace) moved.set(place, [...(moved.get(place) ?? []), shard]);
  }
  return [...moved].map(([place, names]) => ({ keyspace: place, shards: names }));
}

/** The shards of a keyspace to which gates send a type, and where no tablet of the type takes queries for a table; of those that have moved, the new ones. */
export function refusals(
  shards: readonly ShardFacts[],
  keyspace: string,
  table: string,
  type: RoutedType,
  placeOf: PlaceOf = (own) => own,
): Refusal[] {
  return shards.flatMap((named) => {
    if (named.keyspace !== keyspace || !named.routed.includes(type)) return [];
    const place = placeOf(keyspace, named.shard);
    const shard = place === keyspace ? named : shards.find((one) => one.keyspace === place && one.shard === named.shard);
    if (shard === undefined) return [{ shard: `${place}/${named.shard}`, why: 'no primary in' as const }];
    const tablets = shard.tablets.filter((tablet) => (type === 'PRIMARY' ? tablet.primary : tablet.type === type));
    // A shard without replicas refuses nobody's reads in particular: it has none to offer.
    if (tablets.length === 0 && type !== 'PRIMARY') return [];
    const reasons = tablets.map((tablet) => refusal(tablet, table));
    if (tablets.length === 0) reasons.push('no primary in');
    const [why] = reasons;
    if (why === undefined || reasons.includes(undefined)) return [];
    return [{ shard: `${place}/${shard.shard}`, why }];
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
  const placeOf = shardPlaces(routing);
  for (const { type, cells } of routing.routes) {
    for (const to of new Set(Object.values(cells))) {
      const [target = '', table = ''] = to.split('.');
      for (const { shard, why } of refusals(shards, target, table, type, placeOf)) {
        if (!shard.startsWith(`${keyspace}/`)) continue;
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
