import { type LoadedDump, loadDump, type LoadOptions } from '../../../src/tablet/dump/load-dump.ts';
import { sqliteName } from '../../../src/sql/storage.ts';
import { TestCluster } from '../../helpers/cluster.ts';

/** A keyspace to load into: its cluster, and what a test asks of it. */
export interface Loading {
  test: TestCluster;
  load(sql: string | Uint8Array, size?: number, options?: LoadOptions): Promise<LoadedDump>;
  /** All rows of a table of a shard, in order of their first column; integers as bigint. */
  rows(table: string, shard?: string): unknown[][];
}

/** An empty keyspace `k`. */
export async function emptyKeyspace(shards: readonly string[] = ['0'], vschema = {}): Promise<Loading> {
  const test = await TestCluster.make({ k: { shards, vschema } });
  return {
    test,
    load: (sql, size = 1 << 20, options = {}) =>
      loadDump(test.ctx, test.cluster, 'k', shards, { name: 'dump.sql', chunks: () => pieces(Buffer.from(sql as string), size) }, options),
    rows: (table, shard = shards[0]!) =>
      test.cluster.shards.open('k', shard).db.allStored(`SELECT * FROM ${sqliteName(table)} ORDER BY 1`),
  };
}

/** The bytes in pieces of one size. */
export function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
