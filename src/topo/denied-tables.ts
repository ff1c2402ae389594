import { plainError, vtError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import { shardText } from './keyspaces.ts';
import { checkKeyspaceLocked } from './locks.ts';
import type { Shard, TabletControl } from './proto/types.ts';
import type { TopoServer } from './server.ts';

/** A change to the denied tables of one shard record. */
export interface DeniedTablesChange {
  tabletType: string;
  tables: readonly string[];
  cells?: readonly string[];
  remove?: boolean;
  /** False: a shard without a control for the type is left alone. */
  allowCreate?: boolean;
  /** Left out: `hardened` leaves it as it is, and a release clears it (K12). */
  allowReads?: boolean;
}

/**
 * Edits the tablet controls of a shard record in memory; run it inside `updateShardFields`. The keyspace must be
 * locked. Vitess: go/vt/topo/shard.go UpdateDeniedTables; until v19 an entry that was there already, or was not,
 * was an error (#15977).
 */
export async function updateDeniedTables(
  ctx: Context,
  topo: TopoServer,
  shard: { keyspace: string; name: string },
  record: Shard,
  change: DeniedTablesChange,
): Promise<void> {
  await checkKeyspaceLocked(ctx, topo, shard.keyspace);
  const { tabletType, cells = [], tables, remove = false, allowReads } = change;
  const primary = tabletType === 'PRIMARY';
  if (primary && cells.length > 0) throw plainError("you cannot specify cells for a primary's tablet control");
  const controls = record.tablet_controls ?? [];
  const control = controls.find((candidate) => candidate.tablet_type === tabletType);
  if (control === undefined) {
    if (remove) {
      const missing = `Trying to remove TabletControl.DeniedTables for missing type ${tabletType} in shard ${shardText(shard)}`;
      topo.world.events.log('warning', missing);
    } else if (change.allowCreate === true) {
      record.tablet_controls = [...controls, newControl(tabletType, cells, tables, allowReads === true)];
    }
    return;
  }
  if (allowReads !== undefined || !topo.release.behaviours.allowReadsKept) setFlag(control, 'allow_reads', allowReads === true);
  const empty = primary
    ? editTables(topo, control, tables, remove)
    : editCells(shard, control, cells, tables, remove);
  if (empty) dropControl(record, control);
}

/**
 * Lets plain reads pass a primary's denied tables, or no more. Run it inside `updateShardFields`, with the keyspace locked.
 * Returns whether the record was changed; one without denied tables is left alone.
 */
export async function setAllowReads(
  ctx: Context,
  topo: TopoServer,
  shard: { keyspace: string },
  record: Shard,
  allowed: (denied: readonly string[]) => boolean,
): Promise<boolean> {
  await checkKeyspaceLocked(ctx, topo, shard.keyspace);
  const control = record.tablet_controls?.find((candidate) => candidate.tablet_type === 'PRIMARY');
  if (control === undefined) return false;
  const wanted = allowed(control.denied_tables ?? []);
  if ((control.allow_reads ?? false) === wanted) return false;
  setFlag(control, 'allow_reads', wanted);
  return true;
}

function newControl(
  tabletType: string,
  cells: readonly string[],
  tables: readonly string[],
  allowReads: boolean,
): TabletControl {
  const control = { tablet_type: tabletType } as TabletControl;
  if (cells.length > 0) control.cells = [...cells];
  if (tables.length > 0) control.denied_tables = [...tables];
  setFlag(control, 'allow_reads', allowReads);
  return control;
}

function setFlag(control: TabletControl, name: 'allow_reads' | 'frozen', value: boolean): void {
  if (value) control[name] = true;
  else delete control[name];
}

/** The control of a primary: a list of tables. True if none is left. */
function editTables(topo: TopoServer, control: TabletControl, tables: readonly string[], remove: boolean): boolean {
  const denied = control.denied_tables ?? [];
  const known = tables.filter((table) => denied.includes(table));
  if (remove) {
    if (known.length < tables.length) complain(topo, 'one or more tables did not exist in the denylist', tables);
    const left = tables.length === 0 ? [] : denied.filter((table) => !tables.includes(table));
    control.denied_tables = left;
    return left.length === 0;
  }
  if (known.length > 0) complain(topo, 'one or more tables were already present in the denylist', tables);
  const added = [...denied, ...tables];
  control.denied_tables = known.length > 0 ? [...new Set(added)].toSorted() : added;
  return false;
}

const OLD_TEXTS: Record<string, string> = {
  'one or more tables were already present in the denylist': 'one or more tables are already present in the denylist',
  'one or more tables did not exist in the denylist': 'cannot remove tables since one or more do not exist in the denylist',
};

function complain(topo: TopoServer, text: string, tables: readonly string[]): void {
  if (topo.release.behaviours.denyEntries === 'error') throw vtError('INVALID_ARGUMENT', OLD_TEXTS[text] ?? text);
  topo.world.events.log('warning', `${text}:${tables.join(',')}`);
}

/** The control of another type: the same tables in more or fewer cells. True if no cell is left. */
function editCells(
  shard: { keyspace: string; name: string },
  control: TabletControl,
  cells: readonly string[],
  tables: readonly string[],
  remove: boolean,
): boolean {
  const current = control.cells ?? [];
  if (remove) {
    control.cells = cells.length === 0 ? [] : current.filter((cell) => !cells.includes(cell));
    return control.cells.length === 0;
  }
  const denied = control.denied_tables ?? [];
  if (denied.join('\0') !== tables.join('\0')) {
    const sets = `[${denied.join(' ')}] and [${tables.join(' ')}]`;
    throw vtError(
      'INVALID_ARGUMENT',
      `trying to use two different sets of denied tables for shard ${shardText(shard)}: ${sets}`,
    );
  }
  // No cells means all of them, on either side.
  control.cells = current.length === 0 || cells.length === 0 ? [] : [...new Set([...current, ...cells])];
  return false;
}

/** Every control of the type goes, also where several were written by hand. Vitess: removeShardTabletControl. */
function dropControl(record: Shard, control: TabletControl): void {
  const left = (record.tablet_controls ?? []).filter((candidate) => candidate.tablet_type !== control.tablet_type);
  if (left.length > 0) record.tablet_controls = left;
  else delete record.tablet_controls;
}
