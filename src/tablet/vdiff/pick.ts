import { vtError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import type { Tablet } from '../../topo/proto/types.ts';
import { aliasText, shardTablets } from '../../topo/tablets.ts';
import type { Cluster } from '../cluster.ts';
import { isStopped } from '../process.ts';
import { readView } from '../view.ts';
import { listOf, tabletTypesOf } from './options.ts';

/** True for workflows whose target may not serve yet: the shards of a Reshard. `workflow_type` as streams have it. */
export function mayNotServe(workflowType: number | undefined): boolean {
  return workflowType === RESHARD;
}

const RESHARD = 4;

/** Which tablets will do. */
export interface PickerRequest {
  keyspace: string;
  shard: string;
  /** Cells with commas between them; the picker's own counts too. */
  cells: string;
  ownCell: string;
  /** As `tabletTypesText` writes them. */
  tabletTypes: string;
  /** The target shards of a Reshard may not serve. */
  nonServing: boolean;
}

/**
 * A tablet to read rows from; undefined where there is none. The first type that there is a tablet of counts, and the picker's own
 * cell before others. Throws INVALID_ARGUMENT when no type is given. Vitess: go/vt/discovery/tablet_picker.go.
 */
export async function pickTablet(ctx: Context, cluster: Cluster, request: PickerRequest): Promise<Tablet | undefined> {
  const { keyspace, shard, ownCell } = request;
  const types = tabletTypesOf(request.tabletTypes);
  if (types.length === 0) throw vtError('INVALID_ARGUMENT', 'Missing required field(s) for tablet picker: Tablet Types');
  const cells = new Set([...listOf(request.cells), ownCell]);
  // A shard has one primary, wherever it is.
  const anywhere = types.length === 1 && types[0] === 'PRIMARY';
  const all = await shardTablets(ctx, cluster.topo, { keyspace, name: shard });
  const view = cluster.shards.open(keyspace, shard);
  const fitting = all.filter(
    ({ alias, hostname = '', type = 'UNKNOWN' }) =>
      hostname !== '' &&
      !isStopped(view, aliasText(alias)) &&
      types.includes(type) &&
      (anywhere || cells.has(alias.cell)) &&
      (request.nonServing || readView(view, aliasText(alias))?.serving === true),
  );
  const rank = (tablet: Tablet): number => types.indexOf(tablet.type ?? 'UNKNOWN') * 2 + (tablet.alias.cell === ownCell ? 0 : 1);
  return fitting.toSorted((a, b) => rank(a) - rank(b))[0];
}
