import { vtError } from '../lib/errors.ts';
import type { TabletType } from '../lib/names.ts';
import type { SrvVSchema, Table, VSchemaKeyspace } from '../topo/proto/types.ts';
import { buildPrimaryVindex, type PrimaryVindex } from '../topo/primary-vindex.ts';
import { checkTable } from './vschema-table.ts';
import { MirrorRuleSet, type MirrorTarget } from './mirror-rules.ts';
import { unknownDatabase } from './vitess-errors.ts';

/** A table as queries reach it, after routing. */
export interface GateTable {
  keyspace: string;
  sharded: boolean;
  name: string;
  /** Its entry in the VSchema; empty for a table of an unsharded keyspace that is not listed. */
  entry: Table;
  /** Undefined in an unsharded keyspace, and for reference and pinned tables. */
  primary: PrimaryVindex | undefined;
}

/** Rules that name the same `from_table`, in the order of the file. */
type RuleEntries = (readonly string[])[];

/** Tables that the VSchema does not list but that exist, per unsharded keyspace: what vtgate's schema tracking finds. */
export type TrackedTables = (keyspace: string) => readonly string[];

/**
 * A cell's SrvVSchema as vtgate reads it. Entries are looked at when they are used: a wrong rule fails the queries
 * that meet it and no others. Vitess: go/vt/vtgate/vindexes/vschema.go.
 */
export class GateVSchema {
  readonly keyspaces: ReadonlyMap<string, VSchemaKeyspace>;
  readonly #rules = new Map<string, RuleEntries>();
  readonly #keyspaceRules: ReadonlyMap<string, string>;
  readonly #shardRules: ReadonlyMap<string, string>;
  readonly #tracked: TrackedTables;
  readonly #record: SrvVSchema;
  #mirrors: MirrorRuleSet | undefined;

  constructor(record: SrvVSchema, tracked: TrackedTables = () => []) {
    const sorted = Object.entries(record.keyspaces ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
    this.keyspaces = new Map(sorted);
    for (const rule of record.routing_rules?.rules ?? []) {
      const entries = this.#rules.get(rule.from_table);
      if (entries === undefined) this.#rules.set(rule.from_table, [rule.to_tables ?? []]);
      else entries.push(rule.to_tables ?? []);
    }
    // Of two rules for the same keyspace or shard the last one counts, as in Vitess's maps.
    this.#keyspaceRules = new Map(
      (record.keyspace_routing_rules?.rules ?? []).map((rule) => [rule.from_keyspace, rule.to_keyspace]),
    );
    this.#shardRules = new Map(
      (record.shard_routing_rules?.rules ?? []).map((rule) => [`${rule.from_keyspace}.${rule.shard}`, rule.to_keyspace]),
    );
    this.#tracked = tracked;
    this.#record = record;
  }

  /** Throws VT05003. */
  keyspace(name: string): VSchemaKeyspace {
    const keyspace = this.keyspaces.get(name);
    if (keyspace === undefined) throw unknownDatabase(name);
    return keyspace;
  }

  /** The keyspace where there is only one. */
  onlyKeyspace(): string | undefined {
    return this.keyspaces.size === 1 ? [...this.keyspaces.keys()][0] : undefined;
  }

  /** The keyspace for a statement about no table: the first sharded one by name, else the first. */
  anyKeyspace(): string | undefined {
    const names = [...this.keyspaces.keys()];
    return names.find((name) => this.keyspaces.get(name)?.sharded === true) ?? names[0];
  }

  /** Which keyspace has a shard's rows after the shard routing rules. */
  routedShard(keyspace: string, shard: string): string {
    return this.#shardRules.get(`${keyspace}.${shard}`) ?? keyspace;
  }

  /** One step only; a key `K@primary` is never looked up. */
  routedKeyspace(keyspace: string, type: TabletType): string {
    const plain = this.#keyspaceRules.get(keyspace);
    if (type === 'PRIMARY') return plain ?? keyspace;
    return this.#keyspaceRules.get(`${keyspace}@${type.toLowerCase()}`) ?? plain ?? keyspace;
  }

  /**
   * The table that a name means for a tablet type: keyspace rules, then table rules (`@type` first), then the
   * VSchema. `keyspace` is empty where none is selected. Throws what a rule is wrong about, VT05003,
   * `ambiguous table reference: T`, `ambiguous vindex reference: V`, `table T not found`.
   */
  findRoutedTable(keyspace: string, name: string, type: TabletType): GateTable {
    const table = this.findIfAny(keyspace, name, type);
    if (table !== undefined) return table;
    if (this.#isVindex(keyspace, name)) {
      throw vtError('UNIMPLEMENTED', `unsupported: a query on the vindex ${name} (give a table)`);
    }
    throw tableNotFound(name);
  }

  /** As `findRoutedTable`, undefined where no table has the name: CREATE TABLE is about one that is not there. */
  findIfAny(keyspace: string, name: string, type: TabletType): GateTable | undefined {
    const routed = this.routedKeyspace(keyspace, type);
    const qualified = routed === '' ? name : `${routed}.${name}`;
    for (const from of [`${qualified}@${type.toLowerCase()}`, qualified]) {
      const entries = this.#rules.get(from);
      if (entries !== undefined) return this.#ruleTarget(from, entries, name);
    }
    return routed === '' ? this.#findGlobal(name) : this.#findIn(routed, name);
  }

  /** Where reads of a table, after routing, are mirrored to. */
  findMirror(keyspace: string, table: string, type: TabletType): MirrorTarget | undefined {
    const { rules = [] } = this.#record.mirror_rules ?? {};
    if (rules.length === 0) return undefined;
    this.#mirrors ??= new MirrorRuleSet(rules, (name, wanted) => this.#exists(name, wanted));
    return this.#mirrors.find(keyspace, table, type);
  }

  /** A table by its own name, whatever the rules say of it. Throws VT05003, `table T not found` and what is wrong with it. */
  tableOf(keyspace: string, name: string): GateTable {
    const table = this.#findIn(keyspace, name);
    if (table === undefined) throw tableNotFound(name);
    return table;
  }

  #exists(keyspace: string, name: string): boolean {
    try {
      return this.#findIn(keyspace, name) !== undefined;
    } catch {
      return false;
    }
  }

  /** What the entries of one `from_table` come to. Vitess: buildRoutingRule. */
  #ruleTarget(from: string, entries: RuleEntries, name: string): GateTable {
    const last = entries.at(-1) ?? [];
    if (last.length > 1) {
      throw vtError('INVALID_ARGUMENT', `table ${from} has more than one target: [${last.join(' ')}]`);
    }
    const [target] = last;
    if (target === undefined) throw vtError('FAILED_PRECONDITION', `table ${name} has been disabled`);
    if (entries.length > 1) throw vtError('ALREADY_EXISTS', `duplicate rule for entry ${from}`);
    const [toKeyspace, toTable, ...more] = target.split('.');
    if (toKeyspace === undefined || toTable === undefined || more.length > 0) {
      const form = 'it must be of the qualified form <keyspace_name>.<table_name> (dots are not allowed in either name)';
      throw vtError('INVALID_ARGUMENT', `invalid table name: '${target}', ${form}`);
    }
    if (toKeyspace === '') throw vtError('INVALID_ARGUMENT', `table ${target} must be qualified`);
    const table = this.#findIn(toKeyspace, toTable);
    if (table === undefined) throw tableNotFound(toTable);
    return table;
  }

  #findIn(keyspace: string, name: string): GateTable | undefined {
    const record = this.keyspace(keyspace);
    const entry = record.tables?.[name];
    const sharded = record.sharded === true;
    if (entry === undefined) return sharded ? undefined : { keyspace, sharded, name, entry: {}, primary: undefined };
    checkTable(record, name, entry);
    return { keyspace, sharded, name, entry, primary: sharded ? buildPrimaryVindex(record, name, entry) : undefined };
  }

  #findGlobal(name: string): GateTable | undefined {
    const owner = this.#globalOwner(name);
    if (owner.length === 1) return this.#findIn(owner[0]!, name);
    const only = this.onlyKeyspace();
    if (only !== undefined) return this.#findIn(only, name);
    if (owner.length > 1) throw vtError('FAILED_PRECONDITION', `ambiguous table reference: ${name}`);
    return undefined;
  }

  /** The keyspaces whose table a bare name means: none, the one, or several where it is ambiguous. */
  #globalOwner(name: string): string[] {
    const owners: string[] = [];
    for (const [keyspace, entry] of this.#listed(name)) {
      const source = entry.type === 'reference' ? (entry.source ?? '') : '';
      const parts = source.split('.');
      if (source !== '' && owners.length > 0 && (parts.length === 1 || parts[0] === owners[0])) continue;
      // A reference table that names its source by its own name is reached through the source.
      if (source !== '' && owners.length === 0 && parts.at(-1) === name) continue;
      owners.push(keyspace);
    }
    return owners.length > 0 ? owners : this.#trackedOwners(name);
  }

  *#listed(name: string): Iterable<[string, Table]> {
    for (const [keyspace, record] of this.keyspaces) {
      const entry = record.tables?.[name];
      if (entry !== undefined && record.require_explicit_routing !== true) yield [keyspace, entry];
    }
  }

  #trackedOwners(name: string): string[] {
    return [...this.keyspaces]
      .filter(([, record]) => record.sharded !== true && record.require_explicit_routing !== true)
      .flatMap(([keyspace]) => (this.#tracked(keyspace).includes(name) ? [keyspace] : []));
  }

  #isVindex(keyspace: string, name: string): boolean {
    if (keyspace !== '') return this.keyspace(keyspace).vindexes?.[name] !== undefined;
    const owners = [...this.keyspaces.values()].filter(
      (record) => record.vindexes?.[name] !== undefined && record.require_explicit_routing !== true,
    );
    if (owners.length > 1) throw vtError('FAILED_PRECONDITION', `ambiguous vindex reference: ${name}`);
    return owners.length === 1;
  }
}

function tableNotFound(name: string): Error {
  return vtError('NOT_FOUND', `table ${name} not found`);
}
