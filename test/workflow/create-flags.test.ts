import { describe, expect, it } from 'vitest';
import { fingerprint } from '../helpers/fingerprint.ts';
import { shardedCluster } from '../helpers/sharded.ts';
import { switchLine, testCluster, type TestCluster } from '../helpers/shell.ts';
import { denied, record, ruleOf, streams } from './behaviours/see.ts';

const MT = 'MoveTables --workflow c2c --target-keyspace customer';
const create = (more: string): string => `${MT} create --source-keyspace commerce --tables customer,corder ${more}`;

async function made(more: string, version = 'hardened'): Promise<TestCluster> {
  const cluster = testCluster();
  await cluster.ok(`init commerce --vitess-version ${version}`);
  await cluster.ok(create(more));
  return cluster;
}

const insert = (cluster: TestCluster): Promise<string> => cluster.ok("query \"insert into customer (email) values ('x@example.com')\"");

async function count(cluster: TestCluster, target: string): Promise<number> {
  const json = await cluster.ok(`query --format json --target ${target} 'select count(*) from customer'`);
  return Number((JSON.parse(json) as { rows: unknown[][] }).rows[0]![0]);
}

/** Switches, reverses, switches and completes, with a write in each stage; every row is at the target in the end. */
async function wholeLife(cluster: TestCluster): Promise<void> {
  await insert(cluster);
  await cluster.ok(switchLine());
  await insert(cluster);
  await cluster.ok(`${MT} reversetraffic`);
  expect(await count(cluster, 'commerce:0')).toBe(7);
  await insert(cluster);
  await cluster.ok(switchLine());
  expect(await count(cluster, 'customer:0')).toBe(8);
  await cluster.ok(`${MT} complete`);
  expect(streams(cluster, 'c2c')).toEqual([]);
  expect(streams(cluster, 'c2c_reverse', 'commerce')).toEqual([]);
  expect(denied(cluster, 'customer')).toEqual([]);
  await insert(cluster);
  expect(await count(cluster, 'customer:0')).toBe(9);
}

describe('create --all-cells and --config-overrides', () => {
  it('are recorded with the streams', async () => {
    const cluster = testCluster();
    await cluster.ok('init two-cells');
    const { keyspaces } = JSON.parse(await cluster.ok('show keyspace --format json')) as { keyspaces: { keyspace: string; tables: { table: string }[] }[] };
    const [source, target] = keyspaces.map(({ keyspace }) => keyspace);
    const table = keyspaces[0]!.tables[0]!.table;
    await cluster.ok(
      `MoveTables --workflow w --target-keyspace ${target} create --source-keyspace ${source} --tables ${table} --all-cells --config-overrides vreplication-retry-delay=2s,relay-log-max-items=9`,
    );
    const { workflows } = JSON.parse(await cluster.ok(`Workflow --keyspace ${target} show --workflow w`)) as {
      workflows: { options: { config: object }; shard_streams: Record<string, { streams: { cells: string[] }[] }> }[];
    };
    expect(Object.values(workflows[0]!.shard_streams)[0]!.streams[0]!.cells).toEqual(['zone1', 'zone2']);
    expect(workflows[0]!.options.config).toEqual({ 'relay-log-max-items': '9', 'vreplication-retry-delay': '2s' });
  });

  it('are refused as vtctldclient refuses them', async () => {
    const cluster = testCluster();
    await cluster.ok('init commerce');
    const before = fingerprint(cluster.host);
    for (const [more, text] of [
      ['--cells zone1 --all-cells', 'cannot specify both --cells and --all-cells'],
      ['--config-overrides x', 'invalid config override format (var=value expected): x'],
      ['--config-overrides x=1', 'unknown vreplication config flag: x'],
      ['--config-overrides vreplication-retry-delay=5,relay-log-max-items=1s', 'invalid value for vreplication-retry-delay: 5, invalid value for relay-log-max-items: 1s'],
      ['--config-overrides vreplication-retry-delay=1s --vitess-version 20', 'unknown flag: --config-overrides'],
    ] as const) {
      expect((await cluster.run(create(more))).stderr.split('\n')[0], more).toBe(text);
    }
    expect(fingerprint(cluster.host)).toEqual(before);
  });
});

describe('create --source-time-zone', () => {
  const TABLE = 'create table event (id int primary key, at datetime(3), day date, stamp timestamp null)';
  const line = (zone: string): string => `MoveTables --workflow e --target-keyspace customer create --source-keyspace commerce --tables event --source-time-zone ${zone}`;
  const at = async (cluster: TestCluster, keyspace: string): Promise<unknown[][]> =>
    (JSON.parse(await cluster.ok(`query --format json --target ${keyspace}:0@replica 'select id, at, day, stamp from event order by id'`)) as { rows: unknown[][] }).rows;

  async function events(version = 'hardened'): Promise<TestCluster> {
    const cluster = testCluster();
    await cluster.ok(`init commerce --vitess-version ${version}`);
    await cluster.ok(`query --target commerce '${TABLE}'`);
    await cluster.ok(`query --target commerce "insert into event values (1, '2024-01-01 20:00:00', '2024-01-01', '2024-01-01 20:00:00'), (2, null, null, null)"`);
    return cluster;
  }

  it('turns DATETIMEs into UTC, in the copy and after it, and back for the reverse workflow', async () => {
    const cluster = await events();
    await cluster.ok(line('America/New_York'));
    await cluster.ok("query \"insert into event values (3, '2024-07-01 20:00:00.5', null, null)\"");
    await cluster.ok("query \"update event set at = '2024-01-01 21:00:00' where id = 1\"");
    await cluster.ok('MoveTables --workflow e --target-keyspace customer status');
    expect(await at(cluster, 'customer')).toEqual([
      ['1', '2024-01-02 02:00:00.000', '2024-01-01', '2024-01-01 20:00:00'],
      ['2', null, null, null],
      ['3', '2024-07-02 00:00:00.500', null, null],
    ].map((row) => [Number(row[0]), ...row.slice(1)]));
    expect(streams(cluster, 'e')[0]!.source).toContain('source_time_zone:"America/New_York" target_time_zone:"UTC"');
    expect(await cluster.ok('VDiff --workflow e --target-keyspace customer create --wait')).toContain('RowsCompared: 3\nHasMismatch:  false');
    await cluster.ok('MoveTables --workflow e --target-keyspace customer switchtraffic');
    expect(streams(cluster, 'e_reverse', 'commerce')[0]!.source).toContain('source_time_zone:"UTC" target_time_zone:"America/New_York"');
    await cluster.ok("query \"insert into event values (4, '2024-07-02 00:00:00', null, null)\"");
    await cluster.ok('MoveTables --workflow e --target-keyspace customer reversetraffic');
    expect((await at(cluster, 'commerce'))[3]).toEqual([4, '2024-07-01 20:00:00.000', null, null]);
    expect((await at(cluster, 'commerce'))[0]![1]).toBe('2024-01-01 21:00:00.000');
    expect(await cluster.ok('VDiff --workflow e --target-keyspace customer create --wait')).toContain('RowsCompared: 4\nHasMismatch:  false');
  });

  it('refuses a zone that the target does not know: hardened first, a release when all is made', async () => {
    const text = /^unable to perform time_zone conversions from Mars\/Olympus to UTC — value from DB was: \[\[NULL\]\] and .*Either the specified source time zone is invalid or the time zone tables have not been loaded on the cell:"zone1" uid:200 tablet\n/;
    for (const [version, same] of [['hardened', true], ['24.0.0-SNAPSHOT', false]] as const) {
      const cluster = await events(version);
      const before = fingerprint(cluster.host);
      const failed = await cluster.run(line('Mars/Olympus'));
      expect(failed.stderr).toMatch(text);
      expect(failed.exit).toBe(1);
      if (same) expect(fingerprint(cluster.host)).toEqual(before);
      else expect(fingerprint(cluster.host)).not.toEqual(before);
      expect(streams(cluster, 'e')).toEqual([]);
    }
  });
});

describe('create --atomic-copy', () => {
  const atomic = `${MT} create --source-keyspace commerce --all-tables --atomic-copy`;

  async function started(): Promise<TestCluster> {
    const cluster = testCluster();
    await cluster.ok('init commerce');
    await cluster.ok(`${atomic} --auto-start=false`);
    return cluster;
  }

  it('is a sub type of its own, and lives as any other', async () => {
    const cluster = testCluster();
    await cluster.ok('init commerce');
    await cluster.ok(atomic);
    expect(JSON.parse(await cluster.ok(`${MT} show`))).toMatchObject({ workflows: [{ workflow_type: 'MoveTables', workflow_sub_type: 'AtomicCopy' }] });
    await wholeLife(cluster);
  });

  it('ends for good with an error in the copy, which others only try again', async () => {
    for (const [flag, state] of [['--atomic-copy', 'Error'], ['', 'Copying']] as const) {
      const cluster = testCluster();
      await cluster.ok('init commerce');
      await cluster.ok(`${MT} create --source-keyspace commerce --all-tables ${flag} --auto-start=false`);
      // Nothing that MySQL would call hopeless: the vindex that the rule names is gone.
      const target = cluster.host.shards.open('customer', '0');
      target.db.run(`UPDATE "_vt.vreplication" SET source = replace(source, 'select * from product', 'select * from product where in_keyrange(sku, ''customer.nope'', ''-80'')')`);
      await cluster.ok(`${MT} start`);
      await cluster.ok(`${MT} status`);
      const [row] = streams(cluster, 'c2c');
      expect(row!.state, flag).toBe(state);
      expect(row!.message!.startsWith('terminal error: '), flag).toBe(flag !== '');
    }
  });

  it('is not started again once it was stopped in the middle', async () => {
    const cluster = await started();
    await cluster.ok("query --session blocker --target customer:0 'lock tables customer write'");
    await cluster.ok(`${MT} start`);
    await cluster.ok(`${MT} status`);
    expect(streams(cluster, 'c2c')[0]!.state).toBe('Copying');
    await cluster.ok(`${MT} stop`);
    const [row] = streams(cluster, 'c2c');
    const refused = await cluster.run(`${MT} start`);
    expect(refused.stderr.split('\n')[0]).toBe(`stream ${row!.id} is still in the copy phase: can only start workflow c2c if all streams have completed the copy phase`);
    expect(streams(cluster, 'c2c')[0]!.state).toBe('Stopped');
    await cluster.ok('session kill blocker');
    await cluster.ok(`${MT} cancel`);
  });
});

describe('create --stop-after-copy', () => {
  it('stops when all is copied; started again it follows, and can be switched', async () => {
    const cluster = await made('--stop-after-copy');
    expect(await cluster.ok(`${MT} status`)).toContain('Status: Stopped');
    expect(streams(cluster, 'c2c')[0]!.message).toBe('Stopped after copy.');
    await insert(cluster);
    expect(await count(cluster, 'customer:0@replica')).toBe(5);
    await cluster.ok(`${MT} start`);
    await cluster.ok("query \"delete from customer where email = 'x@example.com'\"");
    await cluster.ok(`${MT} status`);
    await wholeLife(cluster);
  });
});

describe('create --no-routing-rules', () => {
  it('makes none: the state then knows of no read, and the switch makes those it needs', async () => {
    const cluster = await made('--no-routing-rules');
    expect(record(cluster, 'global', 'RoutingRules')).toBeUndefined();
    expect(denied(cluster, 'customer')).toEqual(['corder', 'customer']);
    expect(await cluster.ok(`${MT} status`)).toContain('Traffic State: Reads Not Switched. Writes Not Switched');
    // A bare name is ambiguous now: without rules two keyspaces list it.
    await cluster.ok("query --target commerce \"insert into customer (email) values ('x@example.com')\"");
    await cluster.ok(switchLine());
    expect(ruleOf(cluster, 'customer')).toBe('customer.customer');
    expect(ruleOf(cluster, 'commerce.customer@replica')).toBe('customer.customer');
    await insert(cluster);
    await cluster.ok(`${MT} reversetraffic`);
    expect(await count(cluster, 'commerce:0')).toBe(7);
    await cluster.ok(switchLine());
    await cluster.ok(`${MT} complete`);
    expect(record(cluster, 'global', 'RoutingRules')).toBeUndefined();
    expect(await count(cluster, 'customer')).toBe(7);
  });

  it('leaves rules that were there, also when it is cancelled with them kept', async () => {
    const cluster = testCluster();
    await cluster.ok('init commerce');
    await cluster.ok(`ApplyRoutingRules --rules '{"rules":[{"from_table":"customer","to_tables":["commerce.customer"]}]}'`);
    const before = fingerprint(cluster.host);
    await cluster.ok(create('--no-routing-rules'));
    await cluster.ok(`${MT} cancel --keep-routing-rules`);
    expect(fingerprint(cluster.host)).toEqual(before);
  });
});

describe('switchtraffic --enable-reverse-replication=false', () => {
  it('makes the reverse workflow and leaves it stopped; complete deletes it', async () => {
    const cluster = await made('');
    await cluster.ok(switchLine('--enable-reverse-replication=false'));
    expect(streams(cluster, 'c2c_reverse', 'commerce')[0]!.state).toBe('Stopped');
    await insert(cluster);
    expect(await count(cluster, 'commerce:0@replica')).toBe(5);
    await cluster.ok(`${MT} complete`);
    expect(streams(cluster, 'c2c_reverse', 'commerce')).toEqual([]);
    expect(await count(cluster, 'customer:0')).toBe(6);
  });

  it('has no way back until the reverse workflow runs: the reversal is rolled back, and then works', async () => {
    const cluster = await made('');
    await cluster.ok(switchLine('--enable-reverse-replication=false'));
    await insert(cluster);
    const before = fingerprint(cluster.host);
    const failed = await cluster.run(`${MT} reversetraffic --timeout 2s`);
    expect(failed.exit).toBe(1);
    expect(failed.stderr).toMatch(/^failed to sync up replication between the source and target: .*replication has stopped at .* before reaching position /);
    expect(fingerprint(cluster.host)).toEqual(before);
    await cluster.ok('Workflow --keyspace commerce start --workflow c2c_reverse');
    await cluster.ok(`${MT} reversetraffic`);
    expect(await count(cluster, 'commerce:0')).toBe(6);
  });

  it('does so on several shards, each row on its own', async () => {
    const cluster = await shardedCluster();
    await cluster.ok(switchLine('--enable-reverse-replication=false'));
    expect(streams(cluster, 'c2c_reverse', 'commerce').map(({ state }) => state)).toEqual(['Stopped', 'Stopped']);
    await cluster.ok("query \"insert into customer (customer_id, email) values (70, 'x@example.com')\"");
    await cluster.ok('Workflow --keyspace commerce start --workflow c2c_reverse');
    await cluster.ok(`${MT} reversetraffic`);
    expect(await count(cluster, 'commerce:0')).toBe(6);
  });
});
