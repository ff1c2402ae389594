// Whether every keyspace answers.
import { runQuery } from '../../dist/gate/query.js';
import { background, withTimeout } from '../../dist/runtime/context.js';
import { CELL } from './writers.js';

const PATIENCE = 5_000;

/** Reads of every table on primaries, replicas and rdonly tablets. That each takes writes is for the writers to say. Returns what is refused. */
export async function serves(cluster, { tables, materialized = false }) {
  const wrong = [];
  for (const table of [...tables, ...(materialized ? ['sale'] : [])]) {
    for (const target of [undefined, '@replica', '@rdonly']) {
      const limited = withTimeout(background(), cluster.world.clock, PATIENCE);
      try {
        await runQuery(limited.ctx, cluster, { sql: `select count(*) from ${table}`, cell: CELL, ...(target === undefined ? {} : { target }) });
      } catch (error) {
        wrong.push(`table ${table} cannot be read ${target ?? 'on primaries'}: ${error.message}`);
      } finally {
        limited.end();
      }
    }
  }
  return wrong;
}
