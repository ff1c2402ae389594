import { runQuery } from '../gate/query.ts';
import { errorText } from '../lib/errors.ts';
import { type Context, withTimeout } from '../runtime/context.ts';
import { quoteName } from '../sql/format-expr.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { cellNames } from '../topo/cells.ts';

/** What the gate answered a statement that was only tried. */
export interface Probe {
  passed: boolean;
  /** Why it was refused; '' when it was not. */
  error: string;
  rows: readonly (readonly unknown[])[];
}

/** A client would wait longer; on the scenario's clock a second is as good as any. */
const PATIENCE_MS = 1000;

/** Whether a routed write of a table passes. The statement matches no row, so that nothing is changed by looking. */
export function probeWrite(ctx: Context, cluster: Cluster, table: string): Promise<Probe> {
  return probe(ctx, cluster, `delete from ${quoted(table)} where 1 = 0`);
}

/** Whether a routed read passes; `customer@replica` reads from a replica. */
export function probeRead(ctx: Context, cluster: Cluster, name: string): Promise<Probe> {
  const [table = '', type = ''] = name.split('@');
  return probe(ctx, cluster, `select 1 from ${quoted(table)} limit 1`, type);
}

/** How many rows a table has, as routed. */
export function probeCount(ctx: Context, cluster: Cluster, name: string): Promise<Probe> {
  const [table = '', type = ''] = name.split('@');
  return probe(ctx, cluster, `select count(*) from ${quoted(table)}`, type);
}

async function probe(ctx: Context, cluster: Cluster, sql: string, tabletType = ''): Promise<Probe> {
  const limited = withTimeout(ctx, cluster.world.clock, PATIENCE_MS);
  try {
    const [cell = ''] = await cellNames(ctx, cluster.topo);
    const { rows } = await runQuery(limited.ctx, cluster, { sql, cell, ...(tabletType === '' ? {} : { target: `@${tabletType}` }) });
    return { passed: true, error: '', rows };
  } catch (error) {
    return { passed: false, error: errorText(error), rows: [] };
  } finally {
    limited.end();
  }
}

function quoted(name: string): string {
  return name.split('.').map(quoteName).join('.');
}
