import { errorText, UserError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import { parseStatement } from '../sql/parser.ts';
import { tableDef } from '../sql/schema-build.ts';
import { splitStatements } from '../sql/tokenizer.ts';
import type { Cluster } from './cluster.ts';
import { createTable } from './create-table.ts';
import { loadRows } from './load-rows.ts';

/** SQL text to load: how messages name it, and its bytes from the start each time they are asked for. */
export interface SqlSource {
  name: string;
  chunks(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** What was loaded, and what is to be said of it. */
export interface LoadedSql {
  tables: number;
  rows: number;
  /** What was left out or changed, each with its place. */
  notes: string[];
}

/**
 * Runs a script of CREATE TABLE and INSERT statements on the shards of a keyspace. Throws UserError with the line of the
 * statement that cannot be run.
 */
export async function loadSql(
  _ctx: Context,
  cluster: Cluster,
  keyspace: string,
  shards: readonly string[],
  source: SqlSource,
): Promise<LoadedSql> {
  const loaded: LoadedSql = { tables: 0, rows: 0, notes: [] };
  const text = await readAll(source);
  let from = 0;
  for (const sql of splitStatements(text)) {
    const start = text.indexOf(sql, from);
    from = start + sql.length;
    try {
      await loadStatement(cluster, keyspace, shards, sql, loaded);
    } catch (error) {
      const line = text.slice(0, start).split('\n').length;
      throw new UserError(`${source.name}:${line}: ${errorText(error)}`, { exit: 2, cause: error });
    }
  }
  return loaded;
}

async function loadStatement(cluster: Cluster, keyspace: string, shards: readonly string[], sql: string, loaded: LoadedSql): Promise<void> {
  const statement = parseStatement(sql);
  if (statement.kind === 'create-table') {
    for (const name of shards) {
      const shard = cluster.shards.open(keyspace, name);
      await shard.db.write(cluster.world.clock, () => {
        createTable(shard, tableDef(statement));
        shard.skip();
      });
    }
    loaded.tables++;
    return;
  }
  if (statement.kind !== 'insert') throw new UserError('only CREATE TABLE and INSERT can be loaded');
  const [only, ...more] = shards;
  if (only === undefined || more.length > 0) throw new UserError(`rows of keyspace ${keyspace} need exactly one shard`);
  loaded.rows += await loadRows(cluster, cluster.shards.open(keyspace, only), sql);
}

async function readAll(source: SqlSource): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  try {
    for await (const chunk of source.chunks()) text += decoder.decode(chunk, { stream: true });
    return text + decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UserError(`${source.name}:${text.split('\n').length}: not UTF-8 text`, { exit: 2, cause: error });
  }
}
