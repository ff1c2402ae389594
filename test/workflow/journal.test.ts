import { expect, it } from 'vitest';
import { readStreams } from '../../src/tablet/vreplication/streams.ts';
import { movingCluster, switchLine } from '../helpers/shell.ts';

/** vitessio/vitess#19680: whoever starts the workflow when the journal is there turns its stream on itself. */
it.each(['22.0.4', '24.0.0-SNAPSHOT'])('a stream started after its journal reads its own shard on %s', async (version) => {
  const cluster = await movingCluster(version);
  const failed = await cluster.run(switchLine("--fault 'switchTraffic/writes/allowTargetWrites=return'"));
  expect(failed.exit).toBe(1);
  await cluster.ok('MoveTables --workflow c2c --target-keyspace customer start');
  await cluster.ok('show keyspace customer');
  const [row] = readStreams(cluster.host.shards.open('customer', '0'), 'c2c');
  expect(row?.source).toContain('keyspace:"customer" shard:"0"');
  const again = await cluster.run(switchLine());
  // The guard was part of the fix: before it the keyspace is switched to itself.
  const guarded = version !== '22.0.4';
  expect(again.exit).toBe(guarded ? 1 : 0);
  expect(again.stderr.includes('is invalid: MoveTables source keyspace matches target keyspace (customer)')).toBe(guarded);
});

it('on hardened the workflow cannot be started then, and the switch is completed', async () => {
  const cluster = await movingCluster();
  await cluster.run(switchLine("--fault 'switchTraffic/writes/allowTargetWrites=return'"));
  const started = await cluster.run('MoveTables --workflow c2c --target-keyspace customer start');
  expect(started.exit).toBe(1);
  expect(started.stderr).toContain('was interrupted');
  const { exit, stderr } = await cluster.run(switchLine());
  expect(exit, stderr).toBe(0);
  expect(readStreams(cluster.host.shards.open('customer', '0'), 'c2c')[0]?.source).toContain('keyspace:"commerce"');
});
