import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { type Mirrored, readMirrored } from '../../tablet/mirrored.ts';
import { mirrorFrom, mirrorMap } from '../../topo/mirror-rules.ts';
import { getMirrorRules } from '../../topo/rules.ts';
import { MIRRORED_TYPES } from '../mirror-tables.ts';
import type { TrafficSwitcher } from '../switcher.ts';

/** What of a workflow's reads is mirrored, and what came of it since that began. */
export interface MirrorFacts extends Mirrored {
  /** Percentages by tablet type: one, unless tables differ. Types that are not mirrored are not there. */
  percent: Record<string, number[]>;
}

/** Reads the saved rules and what gates have counted. Undefined where nothing is mirrored. */
export async function mirrorFacts(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<MirrorFacts | undefined> {
  const rules = mirrorMap(await getMirrorRules(ctx, cluster.topo));
  const to = sw.tables.map((table) => `${sw.targetKeyspace}.${table}`);
  const percent: Record<string, number[]> = {};
  for (const type of MIRRORED_TYPES) {
    const found = sw.tables.flatMap((table) => rules.get(mirrorFrom(sw.sourceKeyspace, table, type))?.get(`${sw.targetKeyspace}.${table}`) ?? []);
    if (found.length > 0) percent[type] = [...new Set(found)].toSorted((a, b) => a - b);
  }
  if (Object.keys(percent).length === 0) return undefined;
  return { percent, ...readMirrored(sw.sources.map(({ db }) => db), to) };
}
