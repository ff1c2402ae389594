import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import { forgetSequenceChanges, undoSequenceChanges } from '../../tablet/sequence-changes.ts';
import type { Writer } from '../../topo/conn/conn.ts';
import { guarded } from '../../topo/locks.ts';
import { paths } from '../../topo/paths.ts';
import type { SrvVSchema, VSchemaKeyspace } from '../../topo/proto/types.ts';
import { encodeRecord } from '../../topo/server.ts';
import { putIntent } from '../intent/record.ts';
import type { SwitchIntent } from './intent.ts';
import { read } from './intent-images.ts';
import { sequencePlace, type SequencePlace } from './sequences/places.ts';

/** What a switch may have done to sequences; part of its intent, and written before any of it is done. */
export interface SequenceImages {
  /** The shards that may hold notes of changes (tablet/sequence-changes.ts). */
  shards: { keyspace: string; shard: string }[];
  /** Entries that this switch gave a keyspace's VSchema. */
  entries: { keyspace: string; tables: string[] } | undefined;
}

/** The name under which a switch notes what it changes. No two switches have the same. */
export function changeName(intent: SwitchIntent): string {
  return `${intent.keyspace}/${intent.workflow}@${intent.started}`;
}

/** Writes down, before it happens, that sequences of these shards are going to be changed. */
export async function expectSequenceChanges(ctx: Context, cluster: Cluster, intent: SwitchIntent, places: readonly SequencePlace[]): Promise<void> {
  const shards = [...(intent.sequences?.shards ?? [])];
  for (const { info } of places) {
    if (!shards.some(({ keyspace }) => keyspace === info.keyspace)) shards.push({ keyspace: info.keyspace, shard: info.name });
  }
  if (shards.length === (intent.sequences?.shards.length ?? 0)) return;
  intent.sequences = { shards, entries: intent.sequences?.entries };
  await guarded(ctx, cluster.topo, sides(intent), (options) => cluster.topo.conn.atomically(ctx, options, (writer) => putIntent(writer, intent)));
}

/** Gives a keyspace's VSchema entries for new sequence tables, those apart that have one. With the intent, all or nothing. */
export async function addSequenceEntries(ctx: Context, cluster: Cluster, intent: SwitchIntent, keyspace: string, tables: readonly string[]): Promise<void> {
  const { topo } = cluster;
  await guarded(ctx, topo, sides(intent), (options) =>
    topo.conn.atomically(ctx, options, (writer) => {
      const vschema = read<VSchemaKeyspace>(writer, 'global', paths.vschema(keyspace)) ?? {};
      const missing = tables.filter((table) => vschema.tables?.[table] === undefined);
      if (missing.length === 0) return;
      const added = Object.fromEntries(missing.map((table) => [table, { type: 'sequence' }]));
      writer.put('global', paths.vschema(keyspace), encodeRecord({ ...vschema, tables: { ...vschema.tables, ...added } }));
      intent.sequences = { shards: intent.sequences?.shards ?? [], entries: { keyspace, tables: missing } };
      putIntent(writer, intent);
    }),
  );
}

/** Takes the entries out again, and out of the cells' copies, in a roll-back's transaction. One that somebody has changed stays. */
export function removeSequenceEntries(writer: Writer, intent: SwitchIntent): void {
  const { entries } = intent.sequences ?? {};
  if (entries === undefined) return;
  const { keyspace, tables } = entries;
  const vschema = read<VSchemaKeyspace>(writer, 'global', paths.vschema(keyspace));
  if (vschema !== undefined) writer.put('global', paths.vschema(keyspace), encodeRecord(without(vschema, tables)));
  for (const cell of Object.keys(intent.cells)) {
    const served = read<SrvVSchema>(writer, cell, paths.srvVSchema);
    const copy = served?.keyspaces?.[keyspace];
    if (served === undefined || copy === undefined) continue;
    const keyspaces = { ...served.keyspaces, [keyspace]: without(copy, tables) };
    writer.put(cell, paths.srvVSchema, encodeRecord({ ...served, keyspaces }));
  }
}

function without(vschema: VSchemaKeyspace, names: readonly string[]): VSchemaKeyspace {
  const { tables = {}, ...rest } = vschema;
  const ours = (name: string): boolean => names.includes(name) && JSON.stringify(tables[name]) === JSON.stringify({ type: 'sequence' });
  const kept = Object.entries(tables).filter(([name]) => !ours(name));
  return kept.length === 0 ? rest : { ...rest, tables: Object.fromEntries(kept) };
}

/**
 * Puts the sequence tables back: those that the switch made are gone, those that it raised stand where they stood. One from which
 * somebody has taken values meanwhile stays as it is, since those ids must not be given out twice; values that a tablet had cached
 * are used up, as they are when a tablet restarts.
 */
export async function undoSequences(ctx: Context, cluster: Cluster, intent: SwitchIntent): Promise<void> {
  for (const { keyspace } of intent.sequences?.shards ?? []) {
    const { primary, db } = await sequencePlace(ctx, cluster, keyspace);
    const stay = await callTablet(ctx, cluster, primary, 'ExecuteFetchAsApp', () =>
      writeTablet(ctx, cluster, db, () => undoSequenceChanges(db, cluster.world, changeName(intent))),
    );
    if (stay.length === 0) continue;
    const text = `values were taken from the sequences ${stay.map((table) => `${keyspace}.${table}`).join(', ')} meanwhile: they are left as they are`;
    cluster.world.events.emit({ kind: 'warning', text });
  }
}

/** Strikes the notes of a switch that is over, one way or the other. */
export async function forgetSequenceNotes(cluster: Cluster, intent: SwitchIntent): Promise<void> {
  for (const { keyspace, shard } of intent.sequences?.shards ?? []) {
    const db = cluster.shards.open(keyspace, shard);
    await db.db.write(cluster.world.clock, () => forgetSequenceChanges(db, changeName(intent)));
  }
}

const sides = (intent: SwitchIntent): string[] => [intent.sourceKeyspace, intent.targetKeyspace];
