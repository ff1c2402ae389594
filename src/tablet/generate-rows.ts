import type { Cluster } from './cluster.ts';
import type { ShardDb } from './shard-db.ts';
import { sqliteName } from '../sql/storage.ts';

const CHUNK = 5_000;

/** Fills the example's tables up to a number of rows, with values that anyone can predict. */
export async function generateRows(cluster: Cluster, shard: ShardDb, count: number): Promise<void> {
  const insert = (table: string, columns: string[], row: (id: number) => (string | number)[], from: number): Promise<void> =>
    shard.db.write(cluster.world.clock, () => {
      const sql = `INSERT OR IGNORE INTO ${sqliteName(table)} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
      for (let id = from; id < from + CHUNK && id <= count; id++) shard.db.run(sql, ...row(id));
    });
  for (let from = 1; from <= count; from += CHUNK) {
    await insert('customer', ['customer_id', 'email'], (id) => [id, `customer${id}@example.com`], from);
    await insert('corder', ['order_id', 'customer_id', 'sku', 'price'], (id) => [id, id, `SKU-100${1 + (id % 2)}`, 30], from);
    await cluster.world.clock.turn();
  }
  await shard.db.write(cluster.world.clock, () => void shard.skip());
}
