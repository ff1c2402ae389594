import { errorText, vtError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import { guarded } from './locks.ts';
import { paths } from './paths.ts';
import type { MirrorRule, MirrorRules } from './proto/types.ts';
import { getMirrorRules, saveMirrorRules } from './rules.ts';
import { encodeRecord, type TopoServer } from './server.ts';

/** Mirror rules: from_table -> to_table -> percent. Vitess: go/vt/topotools/mirror_rules.go. */
export type MirrorMap = Map<string, Map<string, number>>;

/** `commerce.customer`, `commerce.customer@replica`: the name that reads of a tablet type are mirrored from. */
export function mirrorFrom(keyspace: string, table: string, type: string): string {
  return `${keyspace}.${table}${type === 'PRIMARY' ? '' : `@${type.toLowerCase()}`}`;
}

/** Rules as a map. Of two with the same names the last one counts. */
export function mirrorMap(record: MirrorRules): MirrorMap {
  const map: MirrorMap = new Map();
  for (const { from_table: from = '', to_table: to = '', percent = 0 } of record.rules ?? []) setMirror(map, from, to, percent);
  return map;
}

/** Adds a rule, or replaces its percentage. */
export function setMirror(map: MirrorMap, from: string, to: string, percent: number): void {
  const targets = map.get(from) ?? new Map<string, number>();
  map.set(from, targets.set(to, percent));
}

/** A map as rules, sorted: Vitess writes them in Go's random map order. */
export function mirrorRecord(map: MirrorMap): MirrorRules {
  const rules: MirrorRule[] = [];
  for (const [from, targets] of map) for (const [to, percent] of targets) rules.push({ from_table: from, to_table: to, percent });
  return { rules: sortMirrors(rules) };
}

/** In the order in which rules are written. */
export function sortMirrors(rules: readonly MirrorRule[]): MirrorRule[] {
  const key = (rule: MirrorRule): string => `${rule.from_table}\0${rule.to_table}`;
  return rules.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

/**
 * Changes some rules on behalf of a workflow to a keyspace; what `change` throws leaves them as they are. As with routing
 * rules a release reads, edits and overwrites them without a lock (K38), and `hardened` does it in one guarded transaction.
 */
export async function changeMirrorRules(
  ctx: Context,
  topo: TopoServer,
  keyspace: string,
  change: (rules: MirrorMap) => void,
): Promise<void> {
  if (!topo.release.behaviours.routingRulesGuarded) {
    const map = mirrorMap(await getMirrorRules(ctx, topo));
    change(map);
    try {
      await saveMirrorRules(ctx, topo, mirrorRecord(map));
    } catch (error) {
      // #18775 gave the error its words.
      throw topo.release.behaviours.allowReads ? vtError('INTERNAL', `failed to save mirror rules: ${errorText(error)}`) : error;
    }
    return;
  }
  await guarded(ctx, topo, [keyspace], (options) =>
    topo.conn.atomically(ctx, options, (writer) => {
      const node = writer.get('global', paths.mirrorRules);
      const map = mirrorMap(node === undefined ? {} : (JSON.parse(node.contents) as MirrorRules));
      change(map);
      const record = mirrorRecord(map);
      if ((record.rules ?? []).length === 0) writer.remove('global', paths.mirrorRules);
      else writer.put('global', paths.mirrorRules, encodeRecord(record));
    }),
  );
}
