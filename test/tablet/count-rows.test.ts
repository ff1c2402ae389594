import { expect, it } from 'vitest';
import { countRows } from '../../src/tablet/count-rows.ts';
import { testCluster } from '../helpers/shell.ts';

it.each([199_999, 200_000, 200_001, 400_000])('counts %i rows, which is about the end of a piece', async (rows) => {
  const { host, ok } = testCluster();
  await ok('init commerce');
  const shard = host.shards.open('commerce', '0');
  await ok("query --target commerce:0 'create table big (rowid int, k int not null, primary key (k))'");
  shard.db.run(`INSERT INTO big WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT 1, i * 3 - 7 FROM n`);
  expect(await countRows(shard, 'big', host.world().clock)).toBe(rows);
  expect(await countRows(shard, 'none', host.world().clock)).toBe(0);
});
