import { expect, it } from 'vitest';
import { seededRandom } from '../../src/runtime/random.ts';
import { memoryShards } from '../../src/tablet/shard-db.ts';
import { testCluster } from '../helpers/shell.ts';

it('a shard that nobody has written to has a position: an empty one means a stream that has not begun', () => {
  const shard = memoryShards({ random: seededRandom(1) }).create('k', '0');
  expect(shard.positionText()).toMatch(/^MySQL56\/[0-9a-f-]{36}:1$/);
});

it('a switch to shards of which one has no row leaves reverse streams that go on from where they are', async () => {
  const cluster = testCluster();
  await cluster.ok('init customer-sharded');
  await cluster.ok("query --target commerce:0 'delete from customer where customer_id <> 1'");
  await cluster.ok('MoveTables --workflow w --target-keyspace customer create --source-keyspace commerce --tables customer');
  await cluster.ok('MoveTables --workflow w --target-keyspace customer switchtraffic');
  const { workflows } = JSON.parse(await cluster.ok('show workflow --format json')) as {
    workflows: { workflow: string; streams: { state: string; rowsCopied: number }[] }[];
  };
  const reverse = workflows.find(({ workflow }) => workflow === 'w_reverse');
  expect(reverse?.streams.map(({ state, rowsCopied }) => [state, rowsCopied])).toEqual([['Running', 0], ['Running', 0]]);
});
