import { expect, it } from 'vitest';
import { movingCluster, switchLine } from '../helpers/shell.ts';
import { saveRule, streams } from './behaviours/see.ts';

const MT = 'MoveTables --workflow c2c --target-keyspace customer';

/* Words and answers of releases that no row of the table of behaviours stands for; found by the ready-made scenarios. */

it('until v20 writes are switched only where the rule of the bare table leads to the target', async () => {
  const cluster = await movingCluster('v20.0.8');
  await cluster.ok(switchLine());
  for (const table of ['corder', 'customer']) saveRule(cluster, table, `elsewhere.${table}`);
  expect(await cluster.ok(`${MT} status`)).toContain('Writes Not Switched');
  expect(await cluster.ok(`${MT} status --vitess-version v21.0.0`)).toContain('. Writes Switched');
});

it.each([
  ['v21.0.5', 'cannot cancel workflow because you have already switched some or all read and write traffic'],
  ['v22.0.0', 'cannot delete workflow because you have already switched write traffic'],
])('%s says why it does not cancel a switched workflow', async (version, words) => {
  const cluster = await movingCluster(version);
  await cluster.ok(switchLine());
  const { exit, stderr } = await cluster.run(`${MT} cancel`);
  expect(exit).toBe(1);
  expect(stderr.split('\n')[0]).toBe(words);
});

it('a dry run that cannot have the lock of the workflow names it, and needs none for reads on v21', async () => {
  const cluster = await movingCluster('v21.0.5');
  await cluster.run(switchLine("--tablet-types primary --fault 'switchTraffic/writes/checkJournals=panic'"));
  const { exit, stderr } = await cluster.run(switchLine('--dry-run --lock-timeout 1s'));
  expect(exit).toBe(1);
  expect(stderr).toMatch(/^failed to lock the customer\/c2c workflow: deadline exceeded: /);
  await cluster.ok(switchLine('--dry-run --tablet-types replica --lock-timeout 1s'));
});

it('a stream that breaks on a unique key names that key', async () => {
  const cluster = await movingCluster();
  await cluster.ok('SetShardTabletControl --remove customer/0 primary');
  await cluster.ok('RefreshStateByShard customer/0');
  await cluster.ok("query --target customer:0 'alter table customer add unique key email (email)'");
  await cluster.ok(`query "update customer set email = 'bob@example.com' where customer_id = 1"`);
  expect(streams(cluster, 'c2c')[0]).toBeDefined();
  await cluster.ok(`${MT} status`);
  expect(streams(cluster, 'c2c')[0]?.message).toContain("Duplicate entry 'bob@example.com' for key 'customer.email' (errno 1062)");
});
