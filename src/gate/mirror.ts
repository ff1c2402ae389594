import { withTimeout } from '../runtime/context.ts';
import type { Select } from '../sql/ast.ts';
import { executeAll, type QueryPart } from '../tablet/query/execute.ts';
import { countMirrored, type Mirrored } from '../tablet/mirrored.ts';
import { planResolved } from './plan-select.ts';
import type { Plan } from './plan-types.ts';
import type { QueryScope, ResolvedTable } from './query-scope.ts';
import { chooseTablet } from './tablets.ts';

/** How much longer than the read itself its mirrored twin may take. Vitess: maxMirrorTargetLag. */
const MOST_LATE_MS = 100;

/** A read that is to be sent to a second place too. */
export interface MirroredRead {
  plan: Plan;
  /** `keyspace.table`. */
  to: string;
}

/**
 * Plans the twin of a SELECT, if its table is mirrored and chance says so. The twin goes to the mirror's table itself,
 * whatever routing rules say of that one. Undefined where there is none, or none that could be planned.
 * Vitess: go/vt/vtgate/engine/mirror.go, go/vt/vtgate/planbuilder/operators/ast_to_op.go.
 */
export async function planMirror(scope: QueryScope, select: Select): Promise<MirroredRead | undefined> {
  if (select.from === undefined || scope.target.destination !== undefined) return undefined;
  if (!scope.cluster.release.behaviours.mirrorTraffic) return undefined;
  const { table, tabletType } = scope.resolve(select.from);
  const target = scope.vschema.findMirror(table.keyspace, table.name, tabletType);
  if (target === undefined || target.percent < scope.cluster.world.random.next() * 100) return undefined;
  try {
    const resolved: ResolvedTable = { table: scope.vschema.tableOf(target.keyspace, target.table), tabletType };
    return { plan: await planResolved(scope, select, resolved), to: `${target.keyspace}.${target.table}` };
  } catch {
    return undefined;
  }
}

/**
 * Runs a read's twin and forgets what it answers; an error is nobody's, and only counted. vtgate runs both at once and gives
 * the twin 100ms more than the read takes: here it follows the read, so that a seed repeats a run, and has 100ms.
 */
export async function runMirror(scope: QueryScope, original: Plan, { plan, to }: MirroredRead, counts: Mirrored): Promise<void> {
  const { cluster, ctx } = scope;
  const limited = withTimeout(ctx, cluster.world.clock, MOST_LATE_MS);
  let failed = false;
  try {
    const parts: QueryPart[] = [];
    for (const { place, statement } of plan.pieces) {
      const tablet = await chooseTablet(limited.ctx, cluster, scope.query.cell, place);
      const { caller } = scope.query;
      // Outside of the session: vtgate gives the twin one of its own, in which every statement stands alone.
      parts.push({ tablet, request: { statement, tabletType: place.tabletType, ...(caller === undefined ? {} : { caller }) } });
    }
    await executeAll(limited.ctx, cluster, parts, (error) => error);
  } catch {
    failed = true;
  } finally {
    limited.end();
  }
  counts.sent++;
  if (failed) counts.failed++;
  const [first] = original.pieces;
  if (first !== undefined) countMirrored(cluster.shards.open(first.place.keyspace, first.place.shard), cluster.world.clock, to, failed);
}
