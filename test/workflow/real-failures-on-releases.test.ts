import { describe, expect, it } from 'vitest';
import { readViews } from '../../src/tablet/view.ts';
import type { SrvVSchema } from '../../src/topo/proto/types.ts';
import { during } from '../helpers/during.ts';
import { movingCluster, switchLine, type TestCluster, testCluster } from '../helpers/shell.ts';
import { shardedCluster } from '../helpers/sharded.ts';
import { denied, record, ruleOf, streams } from './behaviours/see.ts';

/** What releases make of things that really break; the K numbers are those of the catalogue of known failures. */

const WRITES = 'switchTraffic/writes';
const refusedAt = (uid: number): string =>
  `latest balancer error: connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:${16_000 + uid}: connect: connection refused"`;
const seconds = async <T>(cluster: TestCluster, run: () => Promise<T>): Promise<[T, number]> => {
  const start = cluster.machine.clock.now();
  return [await run(), (cluster.machine.clock.now() - start) / 1000];
};
const journals = (cluster: TestCluster): number => cluster.host.shards.open('commerce', '0').db.all('SELECT 1 FROM "_vt.resharding_journal"').length;

describe('K6: a tablet that cannot be refreshed', () => {
  const RUNS = [
    { version: 'v18', told: false, target: [] },
    { version: '20.0.6', told: true, target: ['corder', 'customer'] },
    { version: 'v22', told: true, target: ['corder', 'customer'] },
    { version: '24.0.0-SNAPSHOT', told: true, target: ['corder', 'customer'] },
  ];
  it.each(RUNS)('fails the roll-back too, although the records are right: $version', async ({ version, told, target }) => {
    const cluster = await movingCluster(version);
    const backup = (): Promise<string> => cluster.ok('tablet set-type zone1-102 backup');
    const { exit, stderr } = await during(cluster, switchLine('--tablet-types primary'), `${WRITES}/stopSourceWrites`, backup);
    expect(exit).toBe(1);
    const why = 'failed to refresh tablet zone1-0000000102: Code: DEADLINE_EXCEEDED\nrpc error: code = DeadlineExceeded desc = context deadline exceeded';
    expect(stderr).toContain(`failed to stop writes in the commerce keyspace: failed to successfully refresh all tablets in the commerce/0 source shard (<nil>):\n  ${why}`);
    expect(stderr.includes('cancel migration failed, manual cleanup work may be necessary')).toBe(told);
    expect([denied(cluster, 'commerce'), denied(cluster, 'customer')]).toEqual([[], target]);
    if (told) expect(stderr).toContain('state: the roll-back says that it failed, but the records are right: there is nothing to clean up');
    // The source was given free at once; only the tablet in the backup was waited for.
    expect(stderr).toMatch(/writes to corder, customer were refused for 30(\.\d)?s/);
    expect(stderr).toContain('down: zone1-0000000102 of commerce/0 is in a backup: switchtraffic tablet set-type zone1-0000000102 rdonly');
    await cluster.ok('tablet set-type zone1-102 rdonly');
    await cluster.ok(switchLine());
  });
});

describe('K18: a source primary that changes in the middle', () => {
  it.each(['v18', '20.0.6', 'v22', '24.0.0-SNAPSHOT'])('is still called, and has no engine any more: %s', async (version) => {
    const cluster = await movingCluster(version);
    const reparent = (): Promise<string> => cluster.ok('PlannedReparentShard commerce/0 --new-primary zone1-101');
    const { exit, stderr } = await during(cluster, switchLine(), `${WRITES}/stopSourceWrites`, reparent);
    expect(exit).toBe(1);
    expect(stderr).toContain('failed to create the reverse vreplication streams');
    expect(stderr).toContain('rpc error: code = Unavailable desc = TabletManager.VReplicationExec on zone1-0000000100: vreplication engine is closed');
    // The tables are freed in the shard's record, which all tablets are told of: the new primary as well.
    expect(denied(cluster, 'commerce')).toEqual([]);
    await cluster.ok("query \"insert into customer (email) values ('after')\"");
    expect((await cluster.run(switchLine())).exit).toBe(0);
  });
});

describe('K21: a replica that dies past the journal', () => {
  it.each(['v18', '20.0.6', 'v22', '24.0.0-SNAPSHOT'])('stops all writes, and is refused at the next try: %s', async (version) => {
    const cluster = await movingCluster(version);
    const stop = (): Promise<string> => cluster.ok('tablet stop zone1-202');
    const [{ exit, stderr }, took] = await seconds(cluster, () => during(cluster, switchLine(), `${WRITES}/allowTargetWrites`, stop));
    // On main all that comes after the journal shares one budget, and 5 s of it are gone.
    expect([exit, Math.floor(took)]).toEqual([1, version === '24.0.0-SNAPSHOT' ? 30 : 35]);
    expect(stderr).toContain(`failed to refresh tablet zone1-0000000202: Code: DEADLINE_EXCEEDED\nrpc error: code = DeadlineExceeded desc = ${refusedAt(202)}`);
    expect([journals(cluster), denied(cluster, 'commerce'), denied(cluster, 'customer')]).toEqual([1, ['corder', 'customer'], []]);
    expect((await cluster.run("query 'select * from customer'")).stderr).toContain('enforce denied tables');
    // No vtctldclient sends the flag; older ones have none.
    const force = version === 'v18' || version === '20.0.6' ? '' : '--force';
    const again = await cluster.run(switchLine(`${force} --max-replication-lag-allowed 48h`));
    expect(again.stderr).toContain('could not refresh all of the tablets involved in the operation');
    // What the release has for it: the tablet goes.
    await cluster.ok('DeleteTablets zone1-202');
    await cluster.ok(switchLine('--max-replication-lag-allowed 48h'));
    await cluster.ok("query 'select * from customer'");
  });
});

describe('K22: a cell that is down when the rules are published', () => {
  const twoCells = async (version: string): Promise<TestCluster> => {
    const cluster = testCluster();
    await cluster.ok(`init two-cells --vitess-version ${version}`);
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder');
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status');
    return cluster;
  };
  const served = (cluster: TestCluster, cell: string): string | undefined =>
    record<SrvVSchema>(cluster, cell, 'SrvVSchema')?.routing_rules?.rules?.find((rule) => rule.from_table === 'customer')?.to_tables?.[0];

  it.each(['v18', '20.0.6', 'v22', '24.0.0-SNAPSHOT', 'hardened'])('keeps its old ones: %s', async (version) => {
    const cluster = await twoCells(version);
    const { exit, stderr } = await during(cluster, switchLine(), `${WRITES}/changeRouting`, () => cluster.ok('cell stop zone2'));
    expect(exit).toBe(1);
    expect(stderr.split('\n')[0]).toBe('failed to update the routing rules: deadline exceeded: /vitess/zone2/SrvVSchema');
    expect(stderr).toContain('down: the topology of cell zone2: switchtraffic cell start zone2');
    expect([ruleOf(cluster, 'customer'), served(cluster, 'zone1'), served(cluster, 'zone2')]).toEqual(['customer.customer', 'customer.customer', 'commerce.customer']);
    await cluster.ok("query --cell zone1 \"insert into customer (email) values ('one')\"");
    expect((await cluster.run("query --cell zone2 \"insert into customer (email) values ('two')\"")).stderr).toContain('enforce denied tables');
    await cluster.ok('cell start zone2');
    await cluster.ok('RebuildVSchemaGraph');
    await cluster.ok(switchLine(version === 'v18' || version === '20.0.6' || version === 'v22' ? '--max-replication-lag-allowed 48h' : ''));
    await cluster.ok("query --cell zone2 \"insert into customer (email) values ('two')\"");
    expect(streams(cluster, 'c2c_reverse', 'commerce')[0]?.state).toBe('Running');
  });

  it('is asked by hardened just before the journal, where there still is a way back', async () => {
    const cluster = await twoCells('hardened');
    const { stderr } = await during(cluster, switchLine(), `${WRITES}/createJournals`, () => cluster.ok('cell stop zone2'));
    expect(stderr.split('\n')[0]).toBe('failed to create the journal: cell zone2 cannot learn where the writes go: deadline exceeded: /vitess/zone2/SrvVSchema');
    expect(stderr).toContain('state: rolled back; everything is as it was before the command');
    for (const cell of ['zone1', 'zone2']) await cluster.ok(`query --cell ${cell} "insert into customer (email) values ('after')"`);
    await cluster.ok('cell start zone2');
    await cluster.ok(switchLine());
    expect(served(cluster, 'zone2')).toBe('customer.customer');
  });
});

describe('K54: a target primary that dies', () => {
  it.each(['20.0.6', 'v22', '24.0.0-SNAPSHOT'])('takes the two minutes of the roll-back, and what comes after: %s', async (version) => {
    const cluster = await shardedCluster({ version });
    const stop = async (): Promise<void> => void (await cluster.ok('tablet stop zone1-300'));
    const fault = `--fault '${WRITES}/createReverseVReplication:after=return'`;
    const [{ exit, stderr }, took] = await seconds(cluster, () => during(cluster, switchLine(`${fault} --tablet-types primary`), `${WRITES}/createReverseVReplication`, stop));
    expect([exit, Math.floor(took)]).toEqual([1, 5 + 120]);
    expect(stderr).toContain(`could not restart vreplication: Code: DEADLINE_EXCEEDED\nrpc error: code = DeadlineExceeded desc = ${refusedAt(300)}`);
    expect(stderr).toContain('could not delete reverse vreplication streams: Code: DEADLINE_EXCEEDED\nrpc error: code = DeadlineExceeded desc = context deadline exceeded');
    expect(stderr).toContain('cancel migration failed, manual cleanup work may be necessary');
    expect([denied(cluster, 'commerce'), journals(cluster)]).toEqual([[], 0]);
    expect([streams(cluster, 'c2c', 'customer', '-80')[0]?.state, streams(cluster, 'c2c', 'customer', '80-')[0]?.state]).toEqual(['Running', 'Stopped']);
    expect(streams(cluster, 'c2c_reverse', 'commerce').length).toBe(2);
  });

  it('on hardened the live shards are put back, the rest when it is up again', async () => {
    const cluster = await shardedCluster();
    const stop = async (): Promise<void> => void (await cluster.ok('tablet stop zone1-300'));
    const { exit, stderr } = await during(cluster, switchLine('--tablet-types primary'), `${WRITES}/createReverseVReplication:after`, stop);
    expect(exit).toBe(1);
    expect(stderr).toContain('customer/80- cannot take the writes');
    expect(stderr).toContain('what is left of it is recorded');
    await cluster.ok("query \"insert into customer (email) values ('served')\"");
    expect(streams(cluster, 'c2c', 'customer', '-80')[0]?.state).toBe('Running');
    await cluster.ok('tablet start zone1-300');
    const again = await cluster.run(switchLine(`--fault 'switchTraffic/prepare/canSwitch=return'`));
    expect(again.stderr).toContain('was interrupted before its journal; going back to the state before it first');
    expect(streams(cluster, 'c2c', 'customer', '80-')[0]?.state).toBe('Running');
    expect(streams(cluster, 'c2c_reverse', 'commerce')).toEqual([]);
    await cluster.ok(switchLine());
  });
});

describe('what somebody left before the switch', () => {
  it.each(['hardened', 'v22'])('a transaction that has a moved table open is waited for, and none of it is lost: %s', async (version) => {
    const cluster = await movingCluster(version);
    await cluster.ok('query --session a begin');
    await cluster.ok("query --session a \"update customer set email = 'late' where customer_id = 1\"");
    const running = cluster.run(switchLine());
    await cluster.machine.clock.sleep(10_000);
    await cluster.ok('query --session a commit');
    const { exit, stderr } = await running;
    expect(exit, stderr).toBe(0);
    expect(await cluster.ok("query 'select email from customer.customer where customer_id = 1'")).toContain('late');
  });

  it('and one that stays open fails it when its time is up, with everything back on hardened', async () => {
    const cluster = await movingCluster();
    await cluster.ok('query --session a begin');
    await cluster.ok("query --session a \"update customer set email = 'late' where customer_id = 1\"");
    const { exit, stderr } = await cluster.run(switchLine('--action-timeout 1m'));
    expect([exit, stderr.split('\n')[0]]).toEqual([
      1,
      'failed to execute LOCK TABLES (attempt 1 of 2) on sources: rpc error: code = DeadlineExceeded desc = context deadline exceeded',
    ]);
    expect(stderr).toContain('state: rolled back; everything is as it was before the command');
    await cluster.ok('query --session a commit');
    expect(await cluster.ok("query 'select email from customer where customer_id = 1'")).toContain('late');
    await cluster.ok(switchLine());
  });

  it.each(['hardened', 'v22'])('tables that are denied already: %s', async (version) => {
    const cluster = await movingCluster(version);
    await cluster.ok('SetShardTabletControl --denied-tables=customer commerce/0 primary');
    await cluster.ok('RefreshStateByShard commerce/0');
    const failed = await cluster.run(switchLine(`--fault '${WRITES}/createReverseVReplication=return'`));
    expect(failed.exit).toBe(1);
    // A release frees what it finds; hardened leaves it as it was.
    expect(denied(cluster, 'commerce')).toEqual(version === 'hardened' ? ['customer'] : []);
    await cluster.ok(switchLine());
    await cluster.ok("query \"insert into customer (email) values ('after')\"");
    const views = readViews(cluster.host.shards.open('customer', '0')).filter(({ view }) => view.type === 'PRIMARY');
    expect(views.map(({ view }) => view.deniedTables)).toEqual([[]]);
  });
});
