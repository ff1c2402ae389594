import { type Change, diffTrees } from '../../../lib/diff-trees.ts';
import { parsePosition, positionAtLeast } from '../../../lib/gtid.ts';
import type { Context } from '../../../runtime/context.ts';
import type { Cluster } from '../../../tablet/cluster.ts';
import { tablesWritten } from '../../../tablet/vreplication/rule.ts';
import { sourceOf } from '../../../tablet/vreplication/stream-source.ts';
import { FROZEN, readStreams } from '../../../tablet/vreplication/streams.ts';
import { type Area, AREAS, printState, type StatePrint } from './print.ts';
import { compareRows, type RowsDifference } from './rows.ts';
import { type OpenShard, shardsOf } from './shards.ts';

/** How two states of a cluster differ. */
export interface StateDifference {
  /** Areas in which something differs, in their order. */
  areas: { area: Area; changes: Change[] }[];
  /** Tables of both whose rows differ. */
  rows: RowsDifference[];
  /** Tables that streams write, `customer/0 corder`: their rows follow those of the source, and say nothing. */
  notCompared: string[];
}

/** True where nothing differs. */
export function areEqualStates({ areas, rows }: StateDifference): boolean {
  return areas.length === 0 && rows.length === 0;
}

/**
 * What differs between two states by "equal to what it was": see print.ts. A stream may have come further; one that has gone back is a
 * difference. Rows of tables that a stream writes in both are compared only with `copied`. Both clusters have to lie still.
 */
export async function compareStates(ctx: Context, before: Cluster, after: Cluster, { copied = false }: { copied?: boolean } = {}): Promise<StateDifference> {
  const [was, is] = [await printState(ctx, before), await printState(ctx, after)];
  alignPositions(was, is);
  const areas = AREAS.flatMap((area) => {
    const changes = diffTrees(was[area], is[area]);
    return changes.length === 0 ? [] : [{ area, changes }];
  });
  const rows: RowsDifference[] = [];
  const notCompared: string[] = [];
  const others = new Map((await shardsOf(ctx, after)).map(({ name, db }) => [name, db]));
  for (const { name, db } of await shardsOf(ctx, before)) {
    const other = others.get(name);
    if (other === undefined) continue;
    const [writtenThen, writtenNow] = [tablesOfStreams({ name, db }), tablesOfStreams({ name, db: other })];
    for (const def of db.tables()) {
      const now = other.findTable(def.name);
      // Where the definitions differ, that is told instead.
      if (now === undefined || JSON.stringify([def.columns.map((column) => column.name), def.primaryKey]) !== JSON.stringify([now.columns.map((column) => column.name), now.primaryKey])) continue;
      if (!copied && writtenThen.has(def.name) && writtenNow.has(def.name)) {
        notCompared.push(`${name} ${def.name}`);
        continue;
      }
      const difference = await compareRows(after.world.clock, name, def, db, other);
      if (difference !== undefined) rows.push(difference);
    }
  }
  return { areas, rows, notCompared };
}

/** A position that is at least what it was is as good as the same. */
function alignPositions(was: StatePrint, is: StatePrint): void {
  for (const [name, stream] of Object.entries(is.streams)) {
    const before = was.streams[name];
    if (isStream(before) && isStream(stream) && isAtLeast(stream.position, before.position)) stream.position = before.position;
  }
}

function isStream(value: unknown): value is { position: string } {
  return typeof value === 'object' && value !== null && 'position' in value && typeof value.position === 'string';
}

function isAtLeast(after: string, before: string): boolean {
  if (before === '') return true;
  try {
    return positionAtLeast(parsePosition(after), parsePosition(before));
  } catch {
    return after === before;
  }
}

function tablesOfStreams({ db }: OpenShard): Set<string> {
  const names = db.tables().map(({ name }) => name);
  return new Set(readStreams(db).filter(({ message }) => message !== FROZEN).flatMap((row) => tablesWritten(sourceOf(db, row), names)));
}
