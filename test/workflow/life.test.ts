import { describe, expect, it } from 'vitest';
import { background } from '../../src/runtime/context.ts';
import { ETCD_NAMES } from '../../src/topo/conn/directory.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { movingCluster, switchLine, type TestCluster, testCluster } from '../helpers/shell.ts';

const MT = 'MoveTables --workflow c2c --target-keyspace customer';
const reverse = (more = ''): string => `${MT} reversetraffic ${more}`.trim();

async function count(cluster: TestCluster, target: string): Promise<number> {
  const json = await cluster.ok(`query --format json --target ${target} 'select count(*) from customer'`);
  return Number((JSON.parse(json) as { rows: unknown[][] }).rows[0]![0]);
}

describe('the life of a workflow', () => {
  it('switches, reverses, switches again and completes, and no row is lost on the way', async () => {
    const cluster = await movingCluster();
    const insert = (n: number): Promise<string> => cluster.ok(`query "insert into customer (email) values ('life${n}@example.com')"`);
    await insert(1);
    expect(await cluster.ok(switchLine())).toBe(
      'SwitchTraffic was successful for workflow customer.c2c\n\nStart State: Reads Not Switched. Writes Not Switched\nCurrent State: All Reads Switched. Writes Switched\n\n',
    );
    await insert(2);
    expect(await cluster.ok(reverse())).toBe(
      'ReverseTraffic was successful for workflow customer.c2c\n\nStart State: All Reads Switched. Writes Switched\nCurrent State: Reads Not Switched. Writes Not Switched\n\n',
    );
    await insert(3);
    expect(await count(cluster, 'commerce:0')).toBe(8);
    await cluster.ok(switchLine());
    await insert(4);
    expect(await count(cluster, 'customer:0')).toBe(9);
    expect(await cluster.ok(`${MT} complete`)).toBe('Successfully completed the c2c workflow in the customer keyspace\n\n');
    await insert(5);
    expect(await count(cluster, 'customer:0')).toBe(10);
    expect(JSON.parse(await cluster.ok('GetRoutingRules'))).toEqual({ rules: [] });
    expect(JSON.parse(await cluster.ok('Workflow --keyspace commerce list'))).toEqual([]);
    const gone = await cluster.run("query --target commerce:0@replica 'select * from customer'");
    expect(gone.stderr).toContain("doesn't exist");
    const shard = JSON.parse(await cluster.ok('GetShard commerce/0')) as { shard: { tablet_controls: unknown[] } };
    expect(shard.shard.tablet_controls).toEqual([]);
  });

  it('switches reads alone and back', async () => {
    const cluster = await movingCluster();
    const before = fingerprint(cluster.host);
    expect(await cluster.ok(switchLine('--tablet-types replica,rdonly'))).toContain('Current State: All Reads Switched. Writes Not Switched');
    expect(await cluster.ok(reverse('--tablet-types replica,rdonly'))).toContain('Current State: Reads Not Switched. Writes Not Switched');
    expect(fingerprint(cluster.host)).toEqual(before);
    const again = await cluster.run(reverse('--tablet-types replica'));
    expect(again.stderr).toContain(
      'invalid request: requesting reversal of read traffic for REPLICAs but REPLICA reads have not been switched',
    );
  });

  it('switching what is switched succeeds and changes nothing', async () => {
    const cluster = await movingCluster();
    await cluster.ok(switchLine());
    await cluster.ok(`${MT} status`);
    const before = fingerprint(cluster.host);
    expect(await cluster.ok(switchLine())).toContain('Start State: All Reads Switched. Writes Switched\nCurrent State: All Reads Switched. Writes Switched');
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('cancel takes everything away again', async () => {
    const cluster = testCluster();
    await cluster.ok('init commerce');
    const before = fingerprint(cluster.host);
    await cluster.ok(`${MT} create --source-keyspace commerce --tables customer,corder`);
    await cluster.ok(`${MT} status`);
    expect(await cluster.ok(`${MT} cancel`)).toBe('Successfully cancelled the c2c workflow in the customer keyspace\n\n');
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('cancel is refused once writes are switched, complete before', async () => {
    const cluster = await movingCluster();
    expect((await cluster.run(`${MT} complete`)).stderr).toContain(
      'cannot complete workflow because you have not yet switched all read and write traffic',
    );
    await cluster.ok(switchLine());
    expect((await cluster.run(`${MT} cancel`)).stderr).toContain(
      'cannot delete workflow because you have already switched write traffic',
    );
    const start = await cluster.run(`${MT} start`);
    expect(start.stderr.split('\n')[0]).toBe(
      'rpc error: code = FailedPrecondition desc = TabletManager.UpdateVReplicationWorkflow on zone1-0000000200: cannot start a workflow when it is frozen',
    );
  });

  it('a dry run prints the steps and changes nothing', async () => {
    const cluster = await movingCluster();
    const before = fingerprint(cluster.host);
    const text = await cluster.ok(switchLine('--dry-run'));
    const position = /position:(MySQL56\/[0-9a-f-]+:1-\d+)/.exec(text)?.[1];
    expect(text).toBe(
      [
        'SwitchTraffic dry run results for workflow customer.c2c at 27 Mar 26 12:00 UTC',
        '',
        'Lock keyspace commerce',
        'Lock keyspace customer',
        'Switch reads for tables [corder,customer] to keyspace customer for tablet types [REPLICA,RDONLY]',
        'Routing rules for tables [corder,customer] will be updated',
        'Unlock keyspace customer',
        'Unlock keyspace commerce',
        'Lock keyspace commerce',
        'Lock keyspace customer',
        `Stop writes on keyspace commerce for tables [corder,customer]: [keyspace:commerce;shard:0;position:${position}]`,
        'Wait for vreplication on stopped streams to catchup for up to 30s',
        'Create reverse vreplication workflow c2c_reverse',
        'Create journal entries on source databases',
        'Enable writes on keyspace customer for tables [corder,customer]',
        'Switch routing from keyspace commerce to keyspace customer',
        'Routing rules for tables [corder,customer] will be updated',
        'Switch writes completed, freeze and delete vreplication streams on: [tablet:200]',
        'Start reverse vreplication streams on: [tablet:100]',
        'Mark vreplication streams frozen on: [keyspace:customer;shard:0;tablet:200;workflow:c2c;dbname:vt_customer]',
        'Unlock keyspace customer',
        'Unlock keyspace commerce',
        '',
        '',
      ].join('\n'),
    );
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('after the journal a second run completes the switch, without asking after lag', async () => {
    for (const step of ['allowTargetWrites', 'changeRouting', 'startReverseVReplication', 'freezeTargetVReplication']) {
      const cluster = await movingCluster();
      const failed = await cluster.run(switchLine(`--fault 'switchTraffic/writes/${step}=return'`));
      expect(failed.exit).toBe(1);
      expect(failed.stderr).toContain('past the point of no return');
      cluster.machine.clock.advance(3_600_000);
      await cluster.ok(switchLine());
      await cluster.ok(`query "insert into customer (email) values ('done@example.com')"`);
      expect(await count(cluster, 'customer:0'), step).toBe(6);
      expect(JSON.parse(await cluster.ok('Workflow --keyspace commerce list'))).toEqual(['c2c_reverse']);
    }
  });

  it('a journal whose outcome is not known is looked for: there, and the switch goes on', async () => {
    const cluster = await movingCluster();
    const result = await cluster.run(switchLine(`--fault 'switchTraffic/writes/createJournals:after=return'`));
    expect(result.exit, result.stderr).toBe(0);
    expect(result.stderr).toContain('its effect is there, so the switch goes on');
    const before = await movingCluster();
    const back = await before.run(switchLine(`--fault 'switchTraffic/writes/createJournals=return'`));
    expect(back.exit).toBe(1);
    expect(back.stderr).toContain('rolled back');
  });

  it('a failed reversal leaves the original workflow alone on hardened, and deletes it on a release', async () => {
    for (const [version, left] of [['hardened', ['c2c']], ['24.0.0-SNAPSHOT', []]] as const) {
      const cluster = await movingCluster(version);
      await cluster.ok(switchLine());
      const failed = await cluster.run(reverse(`--fault 'switchTraffic/writes/createReverseVReplication:after=return'`));
      expect(failed.exit).toBe(1);
      expect(JSON.parse(await cluster.ok('Workflow --keyspace customer list')), version).toEqual(left);
    }
  });

  it('a stream that the operator had stopped stays stopped', async () => {
    const cluster = await movingCluster();
    await cluster.ok(`${MT} stop`);
    const before = fingerprint(cluster.host);
    await cluster.run(switchLine(`--fault 'switchTraffic/writes/createReverseVReplication=return'`));
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('a killed switch on hardened is finished by the next one', async () => {
    for (const step of ['stopSourceWrites:after', 'waitForCatchup:after', 'createReverseVReplication:after', 'createJournals:after', 'changeRouting:before']) {
      const cluster = await movingCluster();
      const killed = await cluster.run(switchLine(`--fault 'switchTraffic/writes/${step}=panic'`));
      expect(killed.exit).toBe(137);
      const again = await cluster.run(switchLine());
      expect(again.exit, `${step}\n${again.stderr}`).toBe(0);
      expect(again.stderr).toContain('was interrupted');
      await cluster.ok(`query "insert into customer (email) values ('x@example.com')"`);
      expect(await count(cluster, 'customer:0')).toBe(6);
    }
  });

  it('a stream breaks on a row that is there already, and says so', async () => {
    const cluster = await movingCluster();
    cluster.host.shards.open('customer', '0').db.exec("INSERT INTO customer VALUES (6, 'mine@example.com')");
    await cluster.ok(`query "insert into customer (email) values ('yours@example.com')"`);
    const status = await cluster.ok(`${MT} status`);
    expect(status).toContain("Status: Error. terminal error: Duplicate entry '6' for key 'customer.PRIMARY' (errno 1062)");
    expect((await cluster.run(switchLine())).stderr).toContain('cannot switch traffic for workflow c2c at this time: workflow has errors');
  });
});

describe('a create that fails', () => {
  it('leaves nothing on hardened; on a release the name is taken and the tables stay', async () => {
    for (const [version, same] of [['hardened', true], ['22', false]] as const) {
      const cluster = testCluster();
      await cluster.ok(`init commerce --vitess-version ${version}`);
      const before = fingerprint(cluster.host);
      const blocker = cluster.host.openTopology(cluster.machine.world(), { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
      const request = { dir: 'internal/named_locks/customer/c2c', contents: '{}', ttlMs: 60_000, mustExist: false };
      const lock = await blocker.lock(background(), request);
      const failed = await cluster.run(`--lock-timeout 1s ${MT} create --source-keyspace commerce --tables customer`);
      await lock.unlock(background());
      expect(failed.exit).toBe(1);
      expect(failed.stderr.split('\n')[0]).toBe(
        'failed to lock the customer/c2c workflow: deadline exceeded: /vitess/global/internal/named_locks/customer/c2c/locks',
      );
      const again = await cluster.run(`${MT} create --source-keyspace commerce --tables customer`);
      if (same) {
        expect(again.exit, again.stderr).toBe(0);
        await cluster.ok(`${MT} cancel`);
        expect(fingerprint(cluster.host)).toEqual(before);
      } else {
        expect(again.stderr).toContain('workflow c2c already exists in keyspace customer on tablet zone1-0000000200');
      }
    }
  });
});

it('a table without a key is copied whole, with its doubles and NULLs, and follows', async () => {
  const cluster = testCluster();
  await cluster.ok('init commerce');
  await cluster.ok("query --target commerce 'create table heap (a int, b int)'");
  const source = cluster.host.shards.open('commerce', '0');
  for (let i = 0; i < 4500; i++) source.db.run('INSERT INTO heap VALUES (?, ?)', i % 3 === 0 ? null : i % 7, i % 2);
  await cluster.ok('MoveTables --workflow h --target-keyspace customer create --source-keyspace commerce --tables heap');
  await cluster.ok('MoveTables --workflow h --target-keyspace customer status');
  await cluster.ok("query --target commerce 'delete from heap where a = 1 limit 1'");
  await cluster.ok("query --target commerce 'update heap set b = 9 where a = 2 limit 1'");
  await cluster.ok('MoveTables --workflow h --target-keyspace customer status');
  const rows = (keyspace: string): unknown[] => cluster.host.shards.open(keyspace, '0').db.all('SELECT a, b, count(*) AS n FROM heap GROUP BY a, b ORDER BY a, b');
  expect(rows('customer')).toEqual(rows('commerce'));
});
