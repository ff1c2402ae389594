import type { ShardDb } from '../shard-db.ts';
import type { StreamRow } from './streams.ts';

/** What a stream without tablet types of its own reads from: vttablet's `--vreplication-tablet-type`. */
const ANY_TYPE = 'replica,primary';

interface TabletRow {
  alias: string;
  type: string;
  stopped: number;
}

/** A shard's tablets as they are themselves. */
function tabletsOf(shard: ShardDb): readonly TabletRow[] {
  return shard.db.remember('_process _tablet', 'tablets', () =>
    shard.db.all<TabletRow>(
      `SELECT _tablet.alias, json_extract(view, '$.type') AS type, ifnull(stopped, 0) AS stopped
       FROM _tablet LEFT JOIN _process ON _process.alias = _tablet.alias`,
    ),
  );
}

/**
 * True if a stream finds a tablet to read from: one of its types, in its cells or in the cell of the target's primary. That
 * it serves queries is not asked, since a stream goes on when they are turned off. A shard none of whose tablets has ever
 * started is not asked about. Vitess: go/vt/discovery/tablet_picker.go GetMatchingTablets.
 */
export function hasSourceTablet(from: ShardDb, target: ShardDb, row: Pick<StreamRow, 'cell' | 'tablet_types'>): boolean {
  const tablets = tabletsOf(from);
  if (tablets.length === 0) return true;
  const types = ((row.tablet_types ?? '') || ANY_TYPE).replace(/^in_order:/, '').toUpperCase().split(',');
  // There is one primary, in whatever cell it is.
  const anywhere = types.length === 1 && types[0] === 'PRIMARY';
  const local = tabletsOf(target).find(({ type }) => type === 'PRIMARY');
  const cells = new Set([...(row.cell ?? '').split(','), ...(local === undefined ? [] : [cellOf(local.alias)])]);
  return tablets.some(({ alias, type, stopped }) => stopped === 0 && types.includes(type) && (anywhere || cells.has(cellOf(alias))));
}

function cellOf(alias: string): string {
  return alias.slice(0, alias.lastIndexOf('-'));
}

/** What a stream says of a source that has gone while it was read from. [derived] Vitess: vstreamer client over gRPC. */
export const SOURCE_GONE = 'vttablet: rpc error: code = Unavailable desc = error reading from server: EOF';
