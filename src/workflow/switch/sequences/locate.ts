import { errorVerbose, vtError } from '../../../lib/errors.ts';
import { goQuote } from '../../../lib/go-quote.ts';
import { unescapeId } from '../../../lib/sqlescape.ts';
import type { Context } from '../../../runtime/context.ts';
import type { Cluster } from '../../../tablet/cluster.ts';
import { keyspaceNames } from '../../../topo/keyspaces.ts';
import type { VSchemaKeyspace } from '../../../topo/proto/types.ts';
import { getRoutingRules, routingMap } from '../../../topo/rules.ts';
import { getVSchema } from '../../../topo/vschema.ts';
import type { TrafficSwitcher } from '../../switcher.ts';
import { defaultDatabase, type Sequence } from './sequence.ts';

/**
 * Looks for backing tables in the VSchema of every unsharded keyspace, as Vitess does: for the qualified ones too, once one is
 * not. Of two keyspaces that have one the first by name counts; there the faster one.
 */
export async function locateAsReleased(ctx: Context, cluster: Cluster, sequences: readonly Sequence[]): Promise<void> {
  const missing = new Map(sequences.map((sequence) => [sequence.name, sequence]));
  const escaped = cluster.release.behaviours.sequenceNames !== 'plain';
  for (const { keyspace, vschema } of await unsharded(ctx, cluster)) {
    for (const name of sequenceEntries(vschema, keyspace, escaped)) {
      const sequence = missing.get(name);
      if (sequence === undefined) continue;
      place(sequence, keyspace);
      missing.delete(name);
    }
    if (missing.size === 0) return;
  }
  for (const sequence of missing.values()) sequence.located = false;
}

/** Says where a backing table is; an empty keyspace: nowhere yet. */
function place(sequence: Sequence, keyspace: string): void {
  sequence.keyspace = keyspace;
  sequence.located = keyspace !== '';
  sequence.database = keyspace === '' ? '' : defaultDatabase(keyspace);
}

async function unsharded(ctx: Context, cluster: Cluster): Promise<{ keyspace: string; vschema: VSchemaKeyspace }[]> {
  const found: { keyspace: string; vschema: VSchemaKeyspace }[] = [];
  for (const keyspace of await keyspaceNames(ctx, cluster.topo)) {
    try {
      const vschema = (await getVSchema(ctx, cluster.topo, keyspace)).record;
      if (vschema.sharded !== true) found.push({ keyspace, vschema });
    } catch (error) {
      throw vtError('INTERNAL', `failed to get vschema for keyspace ${keyspace}: ${errorVerbose(error)}`);
    }
  }
  return found;
}

/** The names of a keyspace's sequences; without their backticks, where the release looks past those. */
function sequenceEntries(vschema: VSchemaKeyspace, keyspace: string, escaped: boolean): string[] {
  return Object.entries(vschema.tables ?? {}).flatMap(([name, entry]) => {
    let plain = name;
    if (escaped) {
      try {
        plain = unescapeId(name);
      } catch (error) {
        throw vtError('INTERNAL', `invalid table name ${goQuote(name)} in keyspace ${keyspace}: ${errorVerbose(error)}`);
      }
    }
    return entry.type === 'sequence' ? [plain] : [];
  });
}

/**
 * Finds the tables from which ids will really come after the switch: through the routing rules, as a gate does, and in the
 * target where the sequence moves along. Throws where two keyspaces have one and nothing says which is meant.
 */
export async function locateByRules(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, sequences: Sequence[]): Promise<void> {
  const rules = routingMap(await getRoutingRules(ctx, cluster.topo));
  const listed = (await unsharded(ctx, cluster)).map(({ keyspace, vschema }) => ({ keyspace, names: new Set(sequenceEntries(vschema, keyspace, true)) }));
  for (const sequence of sequences) {
    const having = listed.filter(({ names }) => names.has(sequence.name)).map(({ keyspace }) => keyspace);
    const candidates = sequence.keyspace === '' ? having : [sequence.keyspace];
    if (sw.tables.includes(sequence.name) && candidates.length > 0 && candidates.every((keyspace) => isSide(sw, keyspace))) {
      place(sequence, sw.targetKeyspace);
      continue;
    }
    const [only] = candidates;
    // A gate asks for the rule of the name as it is written, and then follows no other.
    const to = ruled(rules.get(sequence.keyspace === '' ? sequence.name : `${sequence.keyspace}.${sequence.name}`));
    if (to === undefined && candidates.length > 1) throw ambiguous(sequence, candidates);
    if (to !== undefined) sequence.name = to.table;
    place(sequence, to?.keyspace ?? only ?? '');
  }
  joinSame(sequences);
}

function isSide(sw: TrafficSwitcher, keyspace: string): boolean {
  return keyspace === sw.sourceKeyspace || keyspace === sw.targetKeyspace;
}

function ruled(to: readonly string[] | undefined): { keyspace: string; table: string } | undefined {
  const [keyspace, ...table] = (to?.[0] ?? '').split('.');
  return keyspace === undefined || keyspace === '' || table.length === 0 ? undefined : { keyspace, table: table.join('.') };
}

/** `seq` and `commerce.seq` may have turned out to be one. */
function joinSame(sequences: Sequence[]): void {
  const seen = new Map<string, Sequence>();
  for (const sequence of sequences.splice(0)) {
    const key = `${sequence.keyspace}.${sequence.name}`;
    const other = seen.get(key);
    if (other === undefined) {
      seen.set(key, sequence);
      sequences.push(sequence);
    } else {
      other.uses.push(...sequence.uses);
    }
  }
}

function ambiguous(sequence: Sequence, keyspaces: readonly string[]): Error {
  const tables = sequence.uses.map(({ table }) => table).join(', ');
  return vtError(
    'FAILED_PRECONDITION',
    `the sequence table ${sequence.name}, which ${tables} uses, is in more than one keyspace: ${keyspaces.join(', ')}; name one of them in the VSchema, as ${keyspaces[0]}.${sequence.name}`,
  );
}
