import { errorText, vtError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { setAllowReads, updateDeniedTables } from '../topo/denied-tables.ts';
import { type ShardInfo, updateShardFields } from '../topo/keyspaces.ts';
import { changeMirrorRules, mirrorFrom, type MirrorMap, mirrorMap, setMirror } from '../topo/mirror-rules.ts';
import { getMirrorRules } from '../topo/rules.ts';
import { rebuildSrvVSchema } from '../topo/vschema.ts';
import { type DenyOptions, refreshOrFail } from './denied.ts';
import type { TrafficSwitcher } from './switcher.ts';

/** Tablet types whose reads may be mirrored. */
export const MIRRORED_TYPES = ['PRIMARY', 'REPLICA', 'RDONLY'] as const;

/**
 * Mirrors so much percent of the reads of a workflow's tables, of these tablet types, to its target; none at 0. The target's
 * denied tables let reads pass as long as any are mirrored, and the cells are told. The target keyspace has to be locked on
 * releases whose denied tables take part. Throws `wrong number of pre-existing mirror rules`, with nothing changed.
 * Vitess: trafficSwitcher.mirrorTableTraffic.
 */
export async function mirrorTables(
  ctx: Context,
  cluster: Cluster,
  sw: TrafficSwitcher,
  types: readonly string[],
  percent: number,
  options: DenyOptions = {},
): Promise<void> {
  const { topo } = cluster;
  await changeMirrorRules(ctx, topo, sw.targetKeyspace, (rules) => changeRules(cluster, rules, sw, types, percent));
  await allowMirroredReads(ctx, cluster, sw, options);
  await rebuildSrvVSchema(ctx, topo);
}

function changeRules({ release }: Cluster, rules: MirrorMap, sw: TrafficSwitcher, types: readonly string[], percent: number): void {
  const { mirrorEntry, mirrorSets } = release.behaviours;
  let existing = 0;
  for (const table of sw.tables) {
    const to = `${sw.targetKeyspace}.${table}`;
    for (const type of types) {
      const from = mirrorFrom(sw.sourceKeyspace, table, type);
      const known = rules.get(from)?.has(to) === true;
      if (known) existing++;
      if (percent !== 0) setMirror(rules, from, to, percent);
      // Until #19121 the rules of the table to other keyspaces went along.
      else if (known && mirrorEntry === 'whole') rules.delete(from);
      else rules.get(from)?.delete(to);
    }
  }
  if (mirrorSets === 'any' || existing === 0 || existing === types.length * sw.tables.length) return;
  throw vtError('ALREADY_EXISTS', 'wrong number of pre-existing mirror rules');
}

/**
 * Lets reads pass the denied tables of the target's primaries, if any are mirrored there, and has its tablets notice. A
 * mirrored query is a plain SELECT whatever the type of its tablets.
 */
export async function allowMirroredReads(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, options: DenyOptions = {}): Promise<void> {
  const { topo, release } = cluster;
  if (!release.behaviours.allowReads) return;
  const rules = mirrorMap(await getMirrorRules(ctx, topo));
  const edit = release.behaviours.allowReadsKept ? editAsNeeded(ctx, cluster, rules, sw) : editAsVitess(ctx, cluster, rules, sw);
  try {
    for (const { info } of sw.targets) {
      await updateShardFields(ctx, topo, info.keyspace, info.name, (record) => edit(info, record));
      await refreshOrFail(ctx, cluster, info, 'target', options);
    }
  } catch (error) {
    throw vtError('INTERNAL', `failed to update target denied tables: ${errorText(error)}`);
  }
}

type Edit = (shard: ShardInfo, record: ShardInfo['record']) => Promise<boolean>;

/** Vitess asks after the workflow's own rules alone, though the flag is of every table that is denied there. */
function editAsVitess(ctx: Context, { topo }: Cluster, rules: MirrorMap, sw: TrafficSwitcher): Edit {
  const allowReads = sw.tables.some((table) =>
    MIRRORED_TYPES.some((type) => rules.get(mirrorFrom(sw.sourceKeyspace, table, type))?.has(`${sw.targetKeyspace}.${table}`) === true),
  );
  return async (shard, record) => {
    await updateDeniedTables(ctx, topo, shard, record, { tabletType: 'PRIMARY', tables: sw.tables, allowReads });
    return true;
  };
}

/** As long as any table that is denied there is mirrored to, by whichever workflow. */
function editAsNeeded(ctx: Context, { topo }: Cluster, rules: MirrorMap, { targetKeyspace }: TrafficSwitcher): Edit {
  const mirrored = new Set([...rules.values()].flatMap((targets) => [...targets.keys()]));
  return (shard, record) => setAllowReads(ctx, topo, shard, record, (denied) => denied.some((table) => mirrored.has(`${targetKeyspace}.${table}`)));
}
