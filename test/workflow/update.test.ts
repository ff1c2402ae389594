import { describe, expect, it } from 'vitest';
import { fingerprint } from '../helpers/fingerprint.ts';
import { shardedCluster } from '../helpers/sharded.ts';
import { movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';
import { streams } from './behaviours/see.ts';

const update = (more: string, workflow = 'c2c'): string => `Workflow --keyspace customer update --workflow ${workflow} ${more}`;
const row = (cluster: TestCluster, shard = '0'): ReturnType<typeof streams>[number] => streams(cluster, 'c2c', 'customer', shard)[0]!;

/** What `show` says of the stream. */
async function shown(cluster: TestCluster): Promise<Record<string, unknown>> {
  const { workflows } = JSON.parse(await cluster.ok('Workflow --keyspace customer show --workflow c2c')) as {
    workflows: { options: { config: object }; shard_streams: Record<string, { streams: Record<string, unknown>[] }> }[];
  };
  const [workflow] = workflows;
  return { ...workflow!.shard_streams['0/zone1-0000000200']!.streams[0], config: workflow!.options.config };
}

describe('Workflow update', () => {
  it('answers as start does, and says what did not change', async () => {
    const cluster = await movingCluster();
    const answer = (changed: boolean): object => ({
      summary: 'Successfully updated the c2c workflow on (1) target primary tablets in the customer keyspace',
      details: [{ tablet: { cell: 'zone1', uid: 200 }, changed }],
    });
    expect(JSON.parse(await cluster.ok(update('--tablet-types rdonly,replica')))).toEqual(answer(true));
    expect(JSON.parse(await cluster.ok(update('--tablet-types rdonly,replica')))).toEqual(answer(false));
  });

  it('changes cells and tablet types, and keeps their order unless told', async () => {
    const cluster = await movingCluster();
    // Create's own start has dropped the order.
    expect(row(cluster)).toMatchObject({ cell: 'zone1', tablet_types: 'REPLICA,PRIMARY' });
    await cluster.ok(update('--cells zone1 --tablet-types-in-order'));
    await cluster.ok(update("--cells 'zone1, zone1' --tablet-types primary"));
    expect(row(cluster)).toMatchObject({ cell: 'zone1,zone1', tablet_types: 'in_order:PRIMARY', state: 'Running' });
    await cluster.ok(update('--tablet-types primary,rdonly --tablet-types-in-order=false'));
    expect(row(cluster)).toMatchObject({ cell: 'zone1,zone1', tablet_types: 'PRIMARY,RDONLY' });
    // Without the flag the order is as it was: not minded.
    await cluster.ok(update('--cells zone1'));
    expect(row(cluster)).toMatchObject({ cell: 'zone1', tablet_types: 'PRIMARY,RDONLY' });
    await cluster.ok(update('--cells zone1 --tablet-types-in-order'));
    expect(row(cluster).tablet_types).toBe('in_order:PRIMARY,RDONLY');
    expect(await shown(cluster)).toMatchObject({ tablet_types: ['PRIMARY', 'RDONLY'], tablet_selection_preference: 'INORDER', cells: ['zone1'] });
  });

  it('changes what DDL does, at once', async () => {
    const cluster = await movingCluster();
    await cluster.ok(update('--on-ddl exec'));
    await cluster.ok("query 'alter table customer add column nick varchar(20)'");
    await cluster.ok(`query "insert into customer (email, nick) values ('n@example.com', 'n')"`);
    expect(await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status')).toContain('Status: Running');
    expect(cluster.host.shards.open('customer', '0').table('customer').columns.map(({ name }) => name)).toContain('nick');
    await cluster.ok(update('--on-ddl STOP'));
    expect(row(cluster).source).toContain('on_ddl:STOP');
    await cluster.ok("query 'alter table customer add column more varchar(20)'");
    expect(await cluster.ok('MoveTables --workflow c2c --target-keyspace customer status')).toContain('Status: Stopped');
    await cluster.ok(update('--on-ddl ignore'));
    expect(row(cluster).source).not.toContain('on_ddl');
  });

  it('replaces settings as a whole, and takes single ones away', async () => {
    const cluster = await movingCluster();
    await cluster.ok(update('--config-overrides vreplication-retry-delay=1s,relay-log-max-items=5'));
    expect((await shown(cluster))['config']).toEqual({ 'relay-log-max-items': '5', 'vreplication-retry-delay': '1s' });
    await cluster.ok(update('--config-overrides relay-log-max-items='));
    expect((await shown(cluster))['config']).toEqual({ 'vreplication-retry-delay': '1s' });
    await cluster.ok(update('--config-overrides vstream-packet-size=10 --config-overrides relay-log-max-items='));
    expect((await shown(cluster))['config']).toEqual({ 'vstream-packet-size': '10' });
    expect(JSON.parse(row(cluster).options)).toEqual({ sharded_auto_increment_handling: 1, config: { 'vstream-packet-size': '10' } });
  });

  it('changes every shard, or those that are named', async () => {
    const cluster = await shardedCluster();
    const types = (): (string | null)[] => ['-80', '80-'].map((shard) => row(cluster, shard).tablet_types);
    await cluster.ok(update('--tablet-types replica'));
    expect(types()).toEqual(['REPLICA', 'REPLICA']);
    const { details } = JSON.parse(await cluster.ok(update('--tablet-types rdonly --shards 80-'))) as { details: object[] };
    expect(details).toEqual([{ tablet: { cell: 'zone1', uid: 300 }, changed: true }]);
    expect(types()).toEqual(['REPLICA', 'RDONLY']);
  });

  it('decides where a reverse workflow can stream from', async () => {
    const cluster = await movingCluster();
    await cluster.ok('DeleteTablets zone1-0000000202');
    await cluster.ok(update('--tablet-types rdonly'));
    const { stderr } = await cluster.run(switchLine());
    expect(stderr).toMatch(/^no tablets were available to stream from in the customer keyspace: no tablet found to source data in keyspace customer, shard 0\n/);
    await cluster.ok(update('--tablet-types primary'));
    await cluster.ok(switchLine());
  });

  it('changes nothing when it is refused', async () => {
    const cluster = await movingCluster();
    const before = fingerprint(cluster.host);
    for (const [line, text] of [
      [update('--cells zone1', 'nope'), 'the nope workflow does not exist in the customer keyspace'],
      ['Workflow --keyspace nope update --workflow c2c --cells zone1', "nope keyspace does not exist: node doesn't exist: /vitess/global/keyspaces/nope/shards/"],
      [update('--cells zone1 --shards 9'), 'shard 9 not found in keyspace customer'],
      [update(''), 'no configuration options specified to update'],
      // Before the check for required flags.
      ['Workflow update', 'no configuration options specified to update'],
      ['Workflow update --cells zone1', 'required flag(s) "keyspace", "workflow" not set'],
      [update('--on-ddl drop'), 'invalid on-ddl value: drop'],
      [update('--config-overrides vreplication-heartbeat-update-interval=12s'), 'rpc error: code = Unknown desc = TabletManager.UpdateVReplicationWorkflow on zone1-0000000200: invalid value for vreplication-heartbeat-update-interval: 12s'],
      [update('--config-overrides a=b'), 'unknown vreplication config flag: a'],
      [update('--config-overrides a'), 'invalid config override format (var=value expected): a'],
    ] as const) {
      expect((await cluster.run(line)).stderr.split('\n')[0], line).toBe(text);
    }
    expect(fingerprint(cluster.host)).toEqual(before);
  });

  it('stands back from a switch that was interrupted, on hardened', async () => {
    const cluster = await movingCluster();
    await cluster.run(switchLine("--fault 'switchTraffic/writes/waitForCatchup=panic'"));
    expect((await cluster.run(update('--cells zone1'))).stderr).toContain('SwitchTraffic c2c was interrupted');
  });
});

describe('GetWorkflows', () => {
  const names = async (cluster: TestCluster, line: string): Promise<string[]> =>
    (JSON.parse(await cluster.ok(line)) as { workflows: { name: string }[] }).workflows.map(({ name }) => name);

  it('leaves stopped streams out unless asked for all', async () => {
    const cluster = await movingCluster();
    await cluster.ok('MoveTables --workflow p2c --target-keyspace customer create --source-keyspace commerce --tables product');
    await cluster.ok('Workflow --keyspace customer stop --workflow c2c');
    expect(await names(cluster, 'GetWorkflows customer')).toEqual(['p2c']);
    expect(await names(cluster, 'GetWorkflows customer -a')).toEqual(['c2c', 'p2c']);
    expect(await names(cluster, 'GetWorkflows commerce --show-all')).toEqual([]);
    // Bare, `Workflow` is the same on a release: it takes a word for a keyspace, whatever --keyspace says.
    expect(await names(cluster, 'Workflow --keyspace commerce customer --vitess-version 24.0.0-SNAPSHOT')).toEqual(['p2c']);
  });

  it('shows the logs of streams, or not', async () => {
    const cluster = await movingCluster();
    const logs = async (more: string): Promise<unknown> => (JSON.parse(await cluster.ok(`GetWorkflows customer ${more}`)) as { workflows: { shard_streams: Record<string, { streams: { logs: unknown[] }[] }> }[] }).workflows[0]!.shard_streams['0/zone1-0000000200']!.streams[0]!.logs.length;
    expect(await logs('')).toBeGreaterThan(2);
    expect(await logs('--include-logs=false')).toBe(0);
  });
});
