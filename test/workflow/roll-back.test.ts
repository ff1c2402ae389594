import { describe, expect, it } from 'vitest';
import { insertStream, readStreams } from '../../src/tablet/vreplication/streams.ts';
import { fingerprint } from '../helpers/fingerprint.ts';
import { movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';

const FAIL = "--fault 'switchTraffic/writes/createReverseVReplication:after=return'";

async function write(cluster: TestCluster): Promise<void> {
  await cluster.ok(`query "insert into customer (email) values ('after@example.com')"`);
}

describe('the roll-back of hardened', () => {
  it.each(['relock', 'revertDeniedTables', 'restartTargetStreams', 'deleteReverseVReplication'])(
    'interrupted at %s, it is finished by the next run',
    async (step) => {
      for (const edge of ['before', 'after']) {
        const cluster = await movingCluster();
        const before = fingerprint(cluster.host);
        const failed = await cluster.run(switchLine(`${FAIL} --fault 'switchTraffic/rollback/${step}:${edge}=return'`));
        expect(failed.exit).toBe(1);
        expect(failed.stderr).toContain('cancel migration failed, manual cleanup work may be necessary');
        expect(failed.stderr).toContain('finish the roll-back by running it again');
        const killed = await cluster.run(switchLine(`--fault 'switchTraffic/rollback/${step}:${edge}=panic'`));
        expect(killed.exit).toBe(137);
        // The roll-back that was interrupted twice ends here; then this run fails by itself, and goes back too.
        const again = await cluster.run(switchLine(FAIL));
        expect(again.stderr).toContain('was interrupted before its journal');
        expect(again.stderr).toContain('rolled back; everything is as it was');
        expect(fingerprint(cluster.host)).toEqual(before);
        await write(cluster);
      }
    },
  );

  it('a half-done switch keeps other commands away from its keyspaces', async () => {
    const cluster = await movingCluster();
    await cluster.run(switchLine("--fault 'switchTraffic/writes/lockTables=panic'"));
    const before = fingerprint(cluster.host);
    for (const command of ['cancel', 'stop', 'start', 'complete', 'switchtraffic --dry-run']) {
      const refused = await cluster.run(`MoveTables --workflow c2c --target-keyspace customer ${command}`);
      expect(refused.exit, command).toBe(1);
    }
    expect(fingerprint(cluster.host)).toEqual(before);
    await cluster.ok(switchLine());
  });

  it('a reverse workflow that was there before is there after', async () => {
    const cluster = await movingCluster();
    const source = cluster.host.shards.open('commerce', '0');
    const left = { workflow: 'c2c_reverse', source: readStreams(cluster.host.shards.open('customer', '0'))[0]!.source, pos: '', state: 'Stopped' as const, db_name: 'vt_commerce', time_updated: 1 };
    insertStream(source, left, 1);
    const before = fingerprint(cluster.host);
    const failed = await cluster.run(switchLine(FAIL));
    expect(failed.exit).toBe(1);
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('mirror rules and denials of other tables are as they were', async () => {
    const cluster = await movingCluster();
    const mirror = ['', '@replica', '@rdonly'].flatMap((suffix) =>
      ['customer', 'corder'].map((table) => ({ from_table: `commerce.${table}${suffix}`, to_table: `customer.${table}`, percent: 5 })),
    );
    cluster.host.store.put('global', 'MirrorRules', JSON.stringify({ rules: mirror }));
    await cluster.ok('SetShardTabletControl --denied-tables=product commerce/0 primary');
    await cluster.ok('RebuildVSchemaGraph');
    await cluster.ok('RefreshStateByShard commerce/0');
    const before = fingerprint(cluster.host);
    for (const step of ['reads/switchTableReads:after', 'writes/mirrorOff:after', 'writes/checkLocks#6']) {
      const failed = await cluster.run(switchLine(`--fault 'switchTraffic/${step}=return'`));
      expect(failed.exit, failed.stderr).toBe(1);
      expect(fingerprint(cluster.host), step).toEqual(before);
    }
    await cluster.ok(switchLine());
  });

  it('what others changed while the lock was lost is left alone', async () => {
    const cluster = await movingCluster();
    const name = 'switchTraffic/writes/waitForCatchup';
    // The lock is lost; before the roll-back takes it again, somebody denies another table and redirects one of ours.
    const running = cluster.run(switchLine(`--fault '${name}=1*lease(expire)' --fault '${name}:after=sleep(5s)'`));
    const meddle = (async () => {
      await cluster.machine.clock.sleep(2_000);
      await cluster.ok('SetShardTabletControl --denied-tables=product commerce/0 primary');
    })();
    const [failed] = await Promise.all([running, meddle]);
    expect(failed.exit, failed.stderr).toBe(1);
    const { shard } = JSON.parse(await cluster.ok('GetShard commerce/0')) as { shard: { tablet_controls: { denied_tables: string[] }[] } };
    expect(shard.tablet_controls.map((control) => control.denied_tables)).toEqual([['product']]);
    await write(cluster);
  });
});

describe('DDL on the source', () => {
  const create = (onDdl: string): string =>
    `MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer --on-ddl ${onDdl}`;
  const status = 'MoveTables --workflow c2c --target-keyspace customer status';

  it.each([
    ['IGNORE', 'Status: Error', undefined],
    ['EXEC', 'Status: Running', 'nick'],
    ['EXEC_IGNORE', 'Status: Running', 'nick'],
    ['STOP', 'Status: Stopped', undefined],
  ])('%s', async (onDdl, state, column) => {
    const cluster = await movingCluster();
    await cluster.ok('MoveTables --workflow c2c --target-keyspace customer cancel');
    await cluster.ok(create(onDdl));
    await cluster.ok(status);
    await cluster.ok("query 'alter table customer add column nick varchar(20)'");
    await cluster.ok(`query "insert into customer (email, nick) values ('n@example.com', 'n')"`);
    expect(await cluster.ok(status)).toContain(state);
    const columns = cluster.host.shards.open('customer', '0').table('customer').columns.map((each) => each.name);
    expect(columns.includes('nick')).toBe(column !== undefined);
    if (onDdl === 'STOP') {
      const row = readStreams(cluster.host.shards.open('customer', '0'))[0]!;
      expect(row.message).toMatch(/^Stopped at DDL alter table customer add column `nick`/);
    }
    if (onDdl === 'IGNORE') expect(await cluster.ok(status)).toContain("Unknown column 'nick' in 'field list' (errno 1054)");
  });
});

describe('two switches at once', () => {
  it('the one that waited sees what the first has done, on hardened', async () => {
    const cluster = await movingCluster();
    const slow = cluster.run(switchLine("--fault 'switchTraffic/writes/waitForCatchup=sleep(5s)'"));
    const second = cluster.run(switchLine());
    const [first, waited] = await Promise.all([slow, second]);
    expect(first.exit, first.stderr).toBe(0);
    expect(waited.exit, waited.stderr).toBe(0);
    expect(waited.stdout + first.stdout).toContain('Start State: All Reads Switched. Writes Switched');
    await write(cluster);
    expect(await cluster.ok("query --target customer:0 'select count(*) from customer'")).toContain('6');
  });

  it('of opposite directions end with one side serving', async () => {
    const cluster = await movingCluster();
    await cluster.ok(switchLine());
    const back = 'MoveTables --workflow c2c --target-keyspace customer reversetraffic';
    const results = await Promise.all([cluster.run(`${back} --fault 'switchTraffic/writes/waitForCatchup=sleep(3s)'`), cluster.run(switchLine()), cluster.run(back)]);
    for (const result of results) expect([0, 1]).toContain(result.exit);
    await write(cluster);
    expect(JSON.parse(await cluster.ok('show locks --format json'))).toBeDefined();
    expect(cluster.host.store.tickets).toEqual([]);
  });
});
