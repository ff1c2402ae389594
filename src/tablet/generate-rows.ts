import type { Cluster } from './cluster.ts';
import type { ShardDb } from './shard-db.ts';
import { sqliteName } from '../sql/storage.ts';

const CHUNK = 5_000;

/** Fills the example's tables up to a number of rows, with values that anyone can predict. Returns how many were added. */
export async function generateRows(cluster: Cluster, shard: ShardDb, count: number): Promise<number> {
  let added = 0;
  const insert = async (table: string, columns: string[], row: (id: number) => (string | number)[], from: number): Promise<void> => {
    added += await shard.db.write(cluster.world.clock, () => {
      let changed = 0;
      const sql = `INSERT OR IGNORE INTO ${sqliteName(table)} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
      for (let id = from; id < from + CHUNK && id <= count; id++) changed += shard.db.run(sql, ...row(id));
      return changed;
    });
  };
  for (let from = 1; from <= count; from += CHUNK) {
    await insert('customer', ['customer_id', 'email'], (id) => [id, `customer${id}@example.com`], from);
    await insert('corder', ['order_id', 'customer_id', 'sku', 'price'], (id) => [id, id, `SKU-100${1 + (id % 2)}`, 30], from);
    await cluster.world.clock.turn();
  }
  await shard.db.write(cluster.world.clock, () => void shard.skip());
  return added;
}
