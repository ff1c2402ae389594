import { errorVerbose, vtError, wrapError } from '../../../lib/errors.ts';
import type { Context } from '../../../runtime/context.ts';
import type { Cluster } from '../../../tablet/cluster.ts';
import { callTablet, writeTablet } from '../../../tablet/manager.ts';
import { untilFree } from '../../../tablet/query/waiting.ts';
import { noteSequenceChange } from '../../../tablet/sequence-changes.ts';
import { isSequenceTable } from '../../../tablet/sequence-table.ts';
import { createSequence } from '../../../tablet/sequences.ts';
import { getShard } from '../../../topo/keyspaces.ts';
import { paths } from '../../../topo/paths.ts';
import { listNames } from '../../../topo/server.ts';
import { getVSchema, saveVSchema } from '../../../topo/vschema.ts';
import { primaryOf, type TrafficSwitcher } from '../../switcher.ts';
import type { SwitchIntent } from '../intent.ts';
import { addSequenceEntries, changeName, expectSequenceChanges } from '../sequences-undo.ts';
import { sequencePlace, type SequencePlace } from './places.ts';
import { canReplace, defaultDatabase, type Sequence } from './sequence.ts';

/**
 * Makes the sequence tables that were found nowhere, in the global keyspace of the workflow, and gives them entries in its VSchema.
 * Throws where there is none, and before v21, which cannot. Vitess: createMissingSequenceTables.
 */
export async function createMissing(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, sequences: readonly Sequence[]): Promise<void> {
  const missing = sequences.filter(({ located }) => !located);
  if (missing.length === 0) return;
  const place = await globalPlace(ctx, cluster, sw, sequences);
  const { keyspace } = place.info;
  const { record: vschema, version } = await getVSchema(ctx, cluster.topo, keyspace);
  const entries = { ...vschema.tables };
  for (const sequence of missing) {
    await createOn(ctx, cluster, place, sequence.name);
    // With an entry of another kind Vitess leaves it where it was looked for, which may be nowhere.
    if (entries[sequence.name] !== undefined) continue;
    entries[sequence.name] = { type: 'sequence' };
    settle(sequence, keyspace);
  }
  if (Object.keys(entries).length === Object.keys(vschema.tables ?? {}).length) return;
  try {
    await saveVSchema(ctx, cluster.topo, keyspace, { ...vschema, tables: entries }, version);
  } catch (error) {
    throw wrapError(error, `failed to update vschema in the global-keyspace ${keyspace}`);
  }
}

/**
 * The same on `hardened`, where a switch can take it back; tables that the VSchema names and that are not there are made too, before
 * writes stop. What is no sequence is refused.
 */
export async function prepareSequences(
  ctx: Context,
  cluster: Cluster,
  sw: TrafficSwitcher,
  sequences: readonly Sequence[],
  intent: SwitchIntent,
): Promise<void> {
  const missing = sequences.filter(({ located }) => !located);
  const global = missing.length === 0 ? undefined : await globalPlace(ctx, cluster, sw, missing);
  for (const sequence of missing) settle(sequence, global!.info.keyspace);
  await checkSequences(ctx, cluster, sequences);
  for (const [place, own] of await byPlace(ctx, cluster, sequences)) {
    const absent = own.filter(({ name }) => place.db.findTable(name) === undefined);
    if (absent.length === 0) continue;
    await expectSequenceChanges(ctx, cluster, intent, [place]);
    for (const { name } of absent) await createOn(ctx, cluster, place, name, changeName(intent));
  }
  if (global === undefined) return;
  await addSequenceEntries(ctx, cluster, intent, global.info.keyspace, missing.map(({ name }) => name));
}

/** Refuses what cannot be a sequence: a keyspace without a single shard, a table that is something else. Reads only. */
export async function checkSequences(ctx: Context, cluster: Cluster, sequences: readonly Sequence[]): Promise<void> {
  for (const [{ info, db }, own] of await byPlace(ctx, cluster, sequences)) {
    const { tables = {} } = (await getVSchema(ctx, cluster.topo, info.keyspace)).record;
    for (const { name, uses } of own) {
      const def = db.findTable(name);
      const kind = tables[name]?.type ?? '';
      if ((def === undefined || isSequenceTable(def)) && (kind === 'sequence' || tables[name] === undefined)) continue;
      const why = def !== undefined && !isSequenceTable(def) ? `it lacks the comment 'vitess_sequence'` : 'its entry in the VSchema has another type';
      throw vtError('FAILED_PRECONDITION', `${info.keyspace}.${name}, from which ${uses.map(({ table }) => table).join(', ')} takes ids, is no sequence: ${why}`);
    }
  }
}

/** Sequences by the shard that they are on. */
export async function byPlace(ctx: Context, cluster: Cluster, sequences: readonly Sequence[]): Promise<Map<SequencePlace, Sequence[]>> {
  const places = new Map<string, SequencePlace>();
  const found = new Map<SequencePlace, Sequence[]>();
  for (const sequence of sequences) {
    const { keyspace } = sequence;
    const place = places.get(keyspace) ?? (await sequencePlace(ctx, cluster, keyspace));
    places.set(keyspace, place);
    const own = found.get(place);
    if (own === undefined) found.set(place, [sequence]);
    else own.push(sequence);
  }
  return found;
}

function settle(sequence: Sequence, keyspace: string): void {
  sequence.keyspace = keyspace;
  sequence.database = defaultDatabase(keyspace);
}

/** Where missing tables can be made. `sequences` are those that Vitess then says are missing: all of them. */
export async function globalPlace(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, sequences: readonly Sequence[]): Promise<SequencePlace> {
  const { behaviours } = cluster.release;
  const names = sequences.map(({ name }) => name);
  const failed = 'failed to locate all of the backing sequence tables being used';
  if (!canReplace(behaviours)) {
    // Until v19 the map of pointers itself was printed; where they pointed to is no fact.
    const list = behaviours.sequenceNames === 'plain' ? `; sequence table metadata: map[${names.map((name) => `${name}:0xc000`).join(' ')}]` : `: ${names.join(',')}`;
    throw vtError('INTERNAL', `${failed}${list}`);
  }
  const { global_keyspace: keyspace = '' } = sw.options;
  if (keyspace === '') throw vtError('INTERNAL', `${failed} and no global-keyspace was provided to auto create them in: ${names.join(',')}`);
  const shards = await listNames(ctx, cluster.topo.conn, paths.shards(keyspace));
  const [only] = shards;
  if (only === undefined || shards.length !== 1) throw vtError('FAILED_PRECONDITION', `global-keyspace ${keyspace} is not unsharded`);
  const info = await getShard(ctx, cluster.topo, keyspace, only);
  return primaryOf(ctx, cluster, info, () =>
    vtError('FAILED_PRECONDITION', `global-keyspace ${keyspace} does not currently have a primary tablet`),
  );
}

/** Creates a sequence table; under a name of a change, so that it can be taken back. */
async function createOn(ctx: Context, cluster: Cluster, { info, primary, db }: SequencePlace, table: string, change?: string): Promise<void> {
  const create = (): boolean => createSequence(cluster, db, table);
  try {
    await callTablet(ctx, cluster, primary, 'ApplySchema', () =>
      untilFree(ctx, cluster.world, () =>
        writeTablet(ctx, cluster, db, () => (change === undefined ? create() : noteSequenceChange(db, change, table, create))),
      ),
    );
  } catch (error) {
    throw vtError('INTERNAL', `failed to create the backing sequence table ${table} in the global-keyspace ${info.keyspace}: ${errorVerbose(error)}`);
  }
}
