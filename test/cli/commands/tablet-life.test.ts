import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../helpers/fingerprint.ts';
import { movingCluster, switchLine, type TestCluster, testCluster } from '../../helpers/shell.ts';

const refusedAt = (uid: number): string =>
  `latest balancer error: connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:${16_000 + uid}: connect: connection refused"`;
const STATUS = 'MoveTables --workflow c2c --target-keyspace customer status';
const rows = async (cluster: TestCluster, keyspace: string): Promise<string> =>
  /\d+ rows?/.exec(await cluster.ok(`query --target ${keyspace} 'select * from customer'`))![0];

/** The time that a command took on the cluster's clock, in seconds, and its result. */
async function timed(cluster: TestCluster, line: string): Promise<{ seconds: number; exit: number; stderr: string }> {
  const start = cluster.machine.clock.now();
  const { exit, stderr } = await cluster.run(line);
  return { seconds: (cluster.machine.clock.now() - start) / 1000, exit, stderr };
}

describe('a tablet that is stopped', () => {
  it('keeps its records, answers nothing, and is told of', async () => {
    const cluster = await movingCluster();
    const before = await cluster.ok('GetTablets');
    expect(await cluster.ok('tablet stop zone1-101')).toBe('Tablet zone1-0000000101 (replica of commerce/0) is stopped\n');
    expect(await cluster.ok('tablet stop zone1-101')).toBe('Tablet zone1-0000000101 is stopped already\n');
    expect(await cluster.ok('GetTablets')).toBe(before);
    expect(await cluster.ok('show tablet 101')).toContain('is stopped');
    expect(await cluster.ok('show keyspace commerce')).toContain('replica zone1-0000000101 (stopped)');
    expect(JSON.parse(await cluster.ok('show tablet 101 --format json'))).toMatchObject({ tablets: [{ state: 'stopped', differs: [] }] });
    expect((await cluster.run("query --target commerce@replica 'select * from customer'")).stderr).toContain('no healthy tablet available for');
    expect((await cluster.run("query --target 'commerce:0@replica|zone1-101' 'select * from customer'")).stderr).toContain('no healthy tablet');
  });

  it('lets a call wait until its context ends, and then says what gRPC says', async () => {
    const cluster = await movingCluster('v22');
    await cluster.ok('tablet stop zone1-101');
    expect(await timed(cluster, 'RefreshState zone1-101 --action-timeout 7s')).toEqual({
      seconds: 7,
      exit: 1,
      stderr: `rpc error: code = DeadlineExceeded desc = ${refusedAt(101)}\n`,
    });
    const byShard = await cluster.run('RefreshStateByShard commerce/0');
    expect(byShard).toMatchObject({ exit: 0, stdout: 'Refreshed state on commerce/0\nState refresh was partial; some tablets in the shard may not have succeeded.\n' });
  });

  it('is waited for until it is started', async () => {
    const cluster = await movingCluster();
    await cluster.ok('tablet stop zone1-101');
    const refresh = cluster.run('RefreshState zone1-101');
    await cluster.machine.clock.sleep(5000);
    expect(await cluster.ok('tablet start zone1-101')).toBe('Tablet zone1-0000000101 runs as replica of commerce/0\n');
    expect(await refresh).toMatchObject({ exit: 0, stdout: 'Refreshed state on zone1-0000000101\n' });
    expect(await cluster.ok('tablet start zone1-101')).toBe('Tablet zone1-0000000101 runs already\n');
  });

  it('refuses the switch after 30 seconds, and nothing changes', async () => {
    for (const version of ['hardened', 'v21']) {
      const cluster = await movingCluster(version);
      await cluster.ok('tablet stop zone1-202');
      const before = fingerprint(cluster.host);
      const { seconds, exit, stderr } = await timed(cluster, switchLine());
      expect([seconds, exit]).toEqual([30, 1]);
      expect(stderr).toContain(
        'cannot switch traffic for workflow c2c at this time: could not refresh all of the tablets involved in the operation:\n' +
          'failed to successfully refresh all tablets in the customer/0 target shard (<nil>):\n' +
          `  failed to refresh tablet zone1-0000000202: Code: DEADLINE_EXCEEDED\nrpc error: code = DeadlineExceeded desc = ${refusedAt(202)}\n\n`,
      );
      expect(fingerprint(cluster.host)).toEqual(before);
      const dry = await cluster.run(switchLine('--dry-run'));
      expect([dry.exit, dry.stderr.includes(refusedAt(202))]).toEqual([1, true]);
    }
  });

  it('takes the transactions of a primary with it: a commit never passes for one', async () => {
    const cluster = await movingCluster();
    await cluster.ok("query --session a begin");
    await cluster.ok("query --session a \"update customer set email = 'new' where customer_id = 1\"");
    await cluster.ok("query --session b begin");
    expect(await cluster.ok('tablet stop zone1-100')).toContain('and 2 transactions open there are gone');
    const down = await cluster.run("query 'select * from customer'");
    expect(down.stderr).toBe(
      'switchtraffic: target: commerce.0.primary: primary is not serving, there may be a reparent operation in progress\n',
    );
    await cluster.ok('tablet start zone1-100');
    const commit = await cluster.run('query --session a commit');
    expect(commit.exit).toBe(1);
    expect(commit.stderr).toMatch(/target: commerce\.0\.primary: vttablet: rpc error: code = Aborted desc = transaction \d+: not found \(potential transaction timeout\)/);
    const write = await cluster.run("query --session b \"update customer set email = 'new' where customer_id = 1\"");
    expect(write.stderr).toContain('not found (potential transaction timeout)');
    await cluster.ok('query --session b rollback');
    await cluster.ok("query \"update customer set email = 'newer' where customer_id = 1\"");
    expect(await cluster.ok("query 'select email from customer where customer_id = 1'")).toContain('newer');
  });

  it('starts again as what it starts as', async () => {
    const cluster = testCluster();
    await cluster.ok('init commerce');
    await cluster.ok('tablet set-type zone1-102 drained');
    await cluster.ok('tablet stop zone1-102');
    expect(await cluster.ok('tablet start zone1-102')).toContain('runs as rdonly');
    await cluster.ok('tablet set-type zone1-101 backup');
    await cluster.ok('tablet stop zone1-101');
    expect(await cluster.ok('tablet start zone1-101')).toContain('runs as replica');
    await cluster.ok('tablet stop zone1-100');
    expect(await cluster.ok('tablet start zone1-100')).toContain('runs as primary');
  });

  it('reads what it missed when it starts', async () => {
    const cluster = await movingCluster();
    await cluster.ok('tablet stop zone1-100');
    await cluster.ok('SetShardTabletControl --denied-tables=customer commerce/0 primary');
    await cluster.ok('tablet start zone1-100');
    expect((await cluster.run("query 'select * from customer'")).stderr).toContain('enforce denied tables');
  });
});

describe('streams', () => {
  it('of a stopped primary do not run, and catch up when it does', async () => {
    const cluster = await movingCluster();
    const before = await rows(cluster, 'commerce');
    await cluster.ok('tablet stop zone1-200');
    await cluster.ok("query \"insert into customer (email) values ('late')\"");
    expect(await cluster.ok('show keyspace customer')).toContain('primary zone1-0000000200 (stopped)');
    const copied = (): number => cluster.host.shards.open('customer', '0').db.all('SELECT 1 FROM customer').length;
    expect(copied()).toBe(Number.parseInt(before, 10));
    await cluster.ok('tablet start zone1-200');
    await cluster.ok(STATUS);
    expect(copied()).toBe(Number.parseInt(before, 10) + 1);
  });

  it('wait while no tablet is up that they may read from, say so, and go on', async () => {
    const cluster = await movingCluster();
    // The workflow reads from replicas and primaries; an rdonly tablet is none of its own.
    await cluster.ok('tablet stop zone1-101');
    await cluster.ok("query \"insert into customer (email) values ('by the primary')\"");
    expect(await cluster.ok(STATUS)).toContain('Status: Running');
    await cluster.ok('tablet stop zone1-100');
    const status = await cluster.ok(STATUS);
    expect(status).toContain('Status: Error');
    expect(status).toContain('vttablet: rpc error: code = Unavailable desc = error reading from server: EOF');
    await cluster.ok('tablet start zone1-101');
    expect(await cluster.ok(STATUS)).toContain('Status: Running');
  });

  it('of a workflow in cells without a tablet never begin', async () => {
    const cluster = testCluster();
    await cluster.ok('init two-cells');
    const lonely = 'MoveTables --workflow w --target-keyspace customer';
    for (const uid of ['zone1-102', 'zone2-104']) await cluster.ok(`tablet set-type ${uid} spare`);
    await cluster.ok(`${lonely} create --source-keyspace commerce --tables customer --tablet-types rdonly --cells zone2`);
    const shown = await cluster.ok(`${lonely} status`);
    expect(shown).toContain('VStream has not started');
    // The cell of the target's primary counts as well.
    await cluster.ok('tablet set-type zone1-102 rdonly');
    expect(await cluster.ok(`${lonely} status`)).not.toContain('VStream has not started');
  });
});

describe('tablet set-type', () => {
  it('begins a backup, which holds the action lock until the type is changed again', async () => {
    const cluster = await movingCluster('v22');
    expect(await cluster.ok('tablet set-type zone1-101 backup')).toBe(
      'Tablet zone1-0000000101 was replica and is backup now, and in a backup until that is changed again\n',
    );
    expect(await cluster.ok('GetTablet zone1-101')).toContain('"type": "BACKUP"');
    expect(await cluster.ok('show keyspace commerce')).toContain('zone1-0000000101 of commerce/0 is in a backup');
    const refresh = await cluster.run('RefreshState zone1-101 --action-timeout 5s');
    expect(refresh.stderr).toBe('rpc error: code = DeadlineExceeded desc = context deadline exceeded\n');
    const change = await timed(cluster, 'ChangeTabletType zone1-101 replica');
    expect(change).toEqual({ seconds: 15, exit: 1, stderr: 'rpc error: code = DeadlineExceeded desc = context deadline exceeded\n' });
    const failed = await cluster.run(switchLine());
    expect(failed.stderr).toContain('failed to refresh tablet zone1-0000000101: Code: DEADLINE_EXCEEDED\nrpc error: code = DeadlineExceeded desc = context deadline exceeded\n');
    expect(await cluster.ok('tablet set-type zone1-101 replica')).toBe('Tablet zone1-0000000101 was backup and is replica now\n');
    await cluster.ok('RefreshState zone1-101');
    await cluster.ok(switchLine());
  });

  it.each(['spare', 'restore', 'backup'])('as %s it serves no queries; as drained only those for drained tablets', async (type) => {
    const cluster = testCluster();
    await cluster.ok('init commerce');
    await cluster.ok(`tablet set-type zone1-101 ${type}`);
    expect((await cluster.run("query --target commerce@replica 'select 1 from customer'")).exit).toBe(1);
    expect(await cluster.ok('show tablet 101')).toContain(`not serving: not a serving tablet type(${type.toUpperCase()})`);
    await cluster.ok('tablet set-type zone1-101 drained');
    expect((await cluster.run("query --target commerce@replica 'select 1 from customer'")).exit).toBe(1);
    expect(await cluster.ok('show tablet 101')).toContain('serving');
  });
});

describe('ChangeTabletType', () => {
  it('prints the tablet before and after, and what it would do', async () => {
    const cluster = testCluster();
    await cluster.ok('init commerce');
    const line = (type: string): string => `zone1-0000000101 commerce 0 ${type} localhost:15101 localhost:17101 [] <null>`;
    expect(await cluster.ok('ChangeTabletType zone1-101 rdonly --dry-run')).toBe(`--- DRY RUN ---\n- ${line('replica')}\n+ ${line('rdonly')}\n`);
    expect(await cluster.ok('GetTablet zone1-101')).toContain('"type": "REPLICA"');
    expect(await cluster.ok('ChangeTabletType zone1-101 rdonly')).toBe(`- ${line('replica')}\n+ ${line('rdonly')}\n`);
    await cluster.ok("query --target 'commerce:0@rdonly|zone1-101' 'select 1 from customer'");
    // Other than a backup that runs, the type holds nothing.
    await cluster.ok('ChangeTabletType zone1-101 backup');
    await cluster.ok('RefreshState zone1-101');
  });

  it.each([
    ['ChangeTabletType zone1-100 replica', 'tablet cell:"zone1" uid:100 type change PRIMARY -> REPLICA is not an allowed transition for ChangeTabletType'],
    ['ChangeTabletType zone1-101 primary', 'tablet cell:"zone1" uid:101 type change REPLICA -> PRIMARY is not an allowed transition for ChangeTabletType'],
    ['ChangeTabletType zone1-101 restore', 'tablet cell:"zone1" uid:101 type change REPLICA -> RESTORE is not an allowed transition for ChangeTabletType'],
    ['ChangeTabletType zone1-999 replica', "node doesn't exist: /vitess/zone1/tablets/zone1-0000000999/Tablet"],
    ['ChangeTabletType zone1-101 foo', 'unknown TabletType foo'],
  ])('%s', async (line, text) => {
    const cluster = testCluster();
    await cluster.ok('init commerce');
    const { exit, stderr } = await cluster.run(line);
    expect([exit, stderr.split('\n')[0]]).toEqual([1, text]);
  });

  it('drains a tablet once', async () => {
    const cluster = testCluster();
    await cluster.ok('init commerce');
    await cluster.ok('ChangeTabletType zone1-101 drained');
    const { stderr } = await cluster.run('ChangeTabletType zone1-101 drained');
    expect(stderr).toBe('rpc error: code = Unknown desc = TabletManager.ChangeType on zone1-0000000101: Tablet: cell:"zone1" uid:101, is already drained\n');
  });
});

it('a buffering gate holds statements while the primary is down, and runs them when it is back', async () => {
  const cluster = await movingCluster();
  await cluster.ok('tablet stop zone1-100');
  const start = cluster.machine.clock.now();
  const held = cluster.run("query --enable-buffer \"insert into customer (email) values ('held')\"");
  await cluster.machine.clock.sleep(3000);
  await cluster.ok('tablet start zone1-100');
  const { exit, stderr } = await held;
  expect([exit, stderr]).toEqual([0, '']);
  expect(cluster.machine.clock.now() - start).toBeLessThan(4000);
  expect(await cluster.ok("query \"select email from customer where email = 'held'\"")).toContain('1 row');
});
