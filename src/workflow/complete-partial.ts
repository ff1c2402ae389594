/** Completing a move that is made shard by shard: its last workflow takes the rules along. No release can (K50). */
import { plainError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { rebuildSrvVSchema } from '../topo/vschema.ts';
import { denyTables } from './denied.ts';
import { deleteRules, deleteStreams, forgetTables, removeTables } from './ending.ts';
import { isMoveUnderWay, moveOf } from './partial-moves.ts';
import { frozenProblems } from './ending-checks.ts';
import type { TrafficSwitcher } from './switcher.ts';

/** What is kept at the end, and how tables go. */
interface Ending {
  keepData: boolean;
  keepRoutingRules: boolean;
  renameTables: boolean;
  ignoreSource: boolean;
}

/** True for a partial workflow whose end is not that of its move. */
export async function isPartOfMove(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<boolean> {
  // Without its source there is nothing that the rest could wait for.
  return sw.kind === 'partial' && sw.sources.length > 0 && (await isMoveUnderWay(ctx, cluster, moveOf(sw), sw.workflow));
}

/**
 * Drops the tables of the workflow's source shards, and the workflow. While others of its move are to come, the rules stay (they lead to
 * shards that have moved, too), and the VSchema of the source.
 */
export async function completePart(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, request: Ending): Promise<void> {
  validatePartial(sw);
  const part = await isPartOfMove(ctx, cluster, sw);
  await deleteStreams(ctx, cluster, sw.sources, sw.reverseWorkflow);
  if (!request.keepData) {
    await removeTables(ctx, cluster, sw.sources, sw.tables, request.renameTables ? 'rename' : 'drop');
    if (!part && !request.ignoreSource) await forgetTables(ctx, cluster, sw.sourceKeyspace, sw.tables);
  }
  await denyTables(ctx, cluster, sw, 'source', true);
  await denyTables(ctx, cluster, sw, 'target', true);
  await deleteStreams(ctx, cluster, sw.targets, sw.workflow);
  if (!part && !request.keepRoutingRules) await deleteRules(ctx, cluster, sw);
  await rebuildSrvVSchema(ctx, cluster.topo);
}

/** Throws unless every stream is frozen. That rules lead to the source keyspace is as it should be: those of its shards lead on. */
export function validatePartial(sw: TrafficSwitcher): void {
  const problems = frozenProblems(sw);
  if (problems.length > 0) throw plainError(problems.join('\n'));
}

/** What a dry run says, of which this part of the move does not do everything. */
export function partLines(lines: readonly string[]): string[] {
  return lines
    .filter((line) => !/^(?:Shard r|R)outing rules for participating /.test(line))
    .map((line) => line.replace(/ from the database and removing them from the vschema for keyspace [^:]+:/, ' from the database:'));
}
