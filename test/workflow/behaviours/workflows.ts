import { expect } from 'vitest';
import type { WORKFLOWS } from '../../../src/lib/behaviours/workflows.ts';
import type { BuiltName } from '../../../src/lib/behaviours.ts';
import type { Shard } from '../../../src/topo/proto/types.ts';
import { beforeReshard, reshardCreate, reshardLine } from '../../helpers/reshard.ts';
import { shardedCluster } from '../../helpers/sharded.ts';
import { movingCluster, switchLine, type TestCluster, testCluster } from '../../helpers/shell.ts';
import { denied, idle, mirrored, type RunsOf, saveMirrors, shared, streams, switchWith } from './see.ts';

const MT = 'MoveTables --workflow c2c --target-keyspace customer';
const MIRRORING = 'Mirroring 0.00 percent of traffic';

/** What a stop of one of two shards does. */
async function stopOne(version: string, line: string): Promise<'unknown' | 'ignored' | 'obeyed'> {
  const cluster = await shared('sharded', () => shardedCluster());
  await cluster.ok('Workflow --keyspace customer start --workflow c2c');
  const { exit, stderr } = await cluster.run(`${line} --shards -80 --vitess-version ${version}`);
  const stopped = (shard: string): boolean => streams(cluster, 'c2c', 'customer', shard)[0]?.state === 'Stopped';
  if (exit !== 0) {
    expect(stderr).toMatch(/^unknown flag: --shards\n/);
    expect(stopped('-80')).toBe(false);
    return 'unknown';
  }
  expect(stopped('-80')).toBe(true);
  if (!stopped('80-')) return 'obeyed';
  expect(stderr).toContain(`warning: vtctldclient ${version} does not send --shards of Workflow stop: every shard is meant`);
  return 'ignored';
}

/** A cancel that finds one of the target's tables gone. */
function cancelledWithoutTable(version: string): Promise<{ cluster: TestCluster; exit: number; stderr: string }> {
  return shared(`without table ${version}`, async () => {
    const cluster = await movingCluster(version);
    await cluster.ok('SetShardTabletControl --remove customer/0 primary');
    await cluster.ok('RefreshStateByShard customer/0');
    await cluster.ok("query --target customer:0 'drop table customer'");
    return { cluster, ...(await cluster.run(`${MT} cancel`)) };
  });
}

export const WORKFLOWS_RUNS: RunsOf<Extract<BuiltName, keyof typeof WORKFLOWS>> = {
  deniedTablesOnTargetAtCreate: async (version) => denied(await movingCluster(version), 'customer').length > 0,
  createBesideFrozen: async (version) => {
    const cluster = await shared('frozen', async () => {
      const made = await movingCluster();
      await made.ok(switchLine());
      return made;
    });
    const { exit, stderr } = await cluster.run(`MoveTables --workflow p2c --target-keyspace customer create --source-keyspace commerce --tables product --vitess-version ${version}`);
    if (exit !== 0) {
      expect(stderr).toContain('found previous frozen workflow on tablet cell:"zone1" uid:200');
      return false;
    }
    await cluster.ok('MoveTables --workflow p2c --target-keyspace customer cancel');
    return true;
  },
  deferByDefault: async (version) => {
    const deferred = async (line: string, shard: string): Promise<boolean> => {
      const cluster = await beforeReshard('1 to 2', { version, rows: 0, reference: false });
      await cluster.ok(line);
      return cluster.host.shards.open('customer', shard).db.get<{ deferred: number }>('SELECT max(defer_secondary_keys) AS deferred FROM "_vt.vreplication"')!.deferred === 1;
    };
    expect(await deferred(reshardCreate('1 to 2', '--defer-secondary-keys=true'), '-80')).toBe(true);
    return deferred(reshardCreate('1 to 2'), '-80');
  },
  configOverrides: async (version) => {
    const cluster = await beforeReshard('1 to 2', { version, rows: 0, reference: false });
    const { exit, stderr } = await cluster.run(reshardCreate('1 to 2', '--config-overrides vstream-packet-size=1000'));
    if (exit === 0) return (await cluster.ok(reshardLine('show'))).includes('"vstream-packet-size": "1000"');
    expect(stderr).toMatch(/^unknown flag: --config-overrides\n/);
    return false;
  },
  referenceTables: async (version) => {
    const cluster = await shared('references', () => beforeReshard('1 to 2', { rows: 0 }));
    const line = `Materialize --workflow more --target-keyspace customer create --source-keyspace global --reference-tables nope --vitess-version ${version}`;
    const { stderr } = await cluster.run(line);
    if (stderr.startsWith('unknown flag: --reference-tables\n')) return false;
    expect(stderr).toContain('nope');
    return true;
  },
  targetWithoutPrimary: async (version) => {
    const cluster = await beforeReshard('1 to 2', { version, rows: 0, reference: false });
    const { contents } = cluster.host.store.cell('global').get('keyspaces/customer/shards/-80/Shard')!;
    const { primary_alias: _alias, ...record } = JSON.parse(contents) as Shard;
    cluster.host.store.put('global', 'keyspaces/customer/shards/-80/Shard', JSON.stringify(record));
    const { exit, stderr } = await cluster.run(reshardCreate('1 to 2'));
    expect(exit).toBe(1);
    if (stderr.includes('buildResharder: target shard -80 has no primary tablet')) return 'error';
    expect(stderr).toMatch(/^uncaught panic: runtime error: invalid memory address or nil pointer dereference/);
    return 'panic';
  },
  filteredUpdates: async (version) => {
    const cluster = testCluster();
    await cluster.ok(`init commerce --vitess-version ${version}`);
    const settings = [{ target_table: 'dear', source_expression: 'select * from corder where price > 50', create_ddl: 'create table dear (order_id bigint, customer_id bigint, sku varbinary(128), price bigint, primary key (order_id))' }];
    await cluster.ok(`Materialize --workflow dear --target-keyspace customer create --source-keyspace commerce --table-settings '${JSON.stringify(settings)}'`);
    await cluster.ok('show keyspace');
    await cluster.ok("query --target commerce:0 'update corder set price = 1 where order_id = 1'");
    await cluster.ok("query --target commerce:0 'update corder set price = 99 where order_id = 2'");
    await cluster.ok('show keyspace');
    const rows = cluster.host.shards.open('customer', '0').db.all('SELECT order_id, price FROM dear');
    if (JSON.stringify(rows) === JSON.stringify([{ order_id: 2, price: 99 }])) return 'one image';
    expect(rows).toEqual([{ order_id: 1, price: 1 }]);
    return 'both images';
  },
  cancelOrder: async (version) => {
    const cluster = await movingCluster(version);
    await cluster.run(switchLine("--tablet-types primary --fault 'switchTraffic/writes/checkJournals=panic'"));
    // The dead process's lock stands for a while; what comes before it is done.
    const waited = await cluster.run(`${MT} cancel --lock-timeout 1s --vitess-version ${version}`);
    if (waited.exit !== 0 && streams(cluster, 'c2c').length === 0) return 'stream-first';
    const { cluster: other, exit } = await cancelledWithoutTable(version);
    return exit !== 0 && streams(other, 'c2c')[0]?.state === 'Running' ? 'unstopped' : 'stopped';
  },
  missingTables: async (version) => {
    const { exit, stderr } = await cancelledWithoutTable(version);
    if (exit === 0) return 'warning';
    expect(stderr).toContain("Unknown table 'vt_customer.customer' (errno 1051)");
    return 'error';
  },
  cancelAfterReads: async (version) => {
    const { cluster } = await switchWith(version, [], '--tablet-types replica,rdonly');
    return (await cluster.run(`${MT} cancel`)).exit === 0;
  },
  ignoreSourceKeyspace: async (version) => {
    const { cluster } = await switchWith(version, []);
    const nodes = cluster.host.store.cell('global');
    for (const path of nodes.keys()) if (path.startsWith('keyspaces/commerce/shards/')) nodes.delete(path);
    const { exit, stderr } = await cluster.run(`${MT} complete --ignore-source-keyspace`);
    if (exit !== 0) {
      expect(stderr).toMatch(/^unknown flag: --ignore-source-keyspace\n/);
      return false;
    }
    expect(streams(cluster, 'c2c')).toEqual([]);
    return true;
  },
  workflowShards: (version) => stopOne(version, 'Workflow --keyspace customer stop --workflow c2c'),
  moveTablesShards: async (version) => {
    const answer = await stopOne(version, `${MT} stop`);
    if (answer === 'ignored') throw new Error('a release that knows the flag means it');
    return answer;
  },
  denyEntries: async (version) => {
    const deny = 'SetShardTabletControl --denied-tables=customer commerce/0 primary';
    const cluster = await shared('denied', async () => {
      const made = await movingCluster();
      await made.ok(deny);
      return made;
    });
    return (await cluster.run(`${deny} --vitess-version ${version}`)).exit === 0 ? 'warning' : 'error';
  },
  mirrorRemoval: async (version) => {
    const dryRun = switchLine(`--dry-run --vitess-version ${version}`);
    if ((await (await idle()).ok(dryRun)).includes(MIRRORING)) return 'always';
    const cluster = await shared('mirrored', async () => {
      const made = await movingCluster();
      saveMirrors(made);
      return made;
    });
    return (await cluster.ok(dryRun)).includes(MIRRORING) ? 'when-mirrored' : 'none';
  },
  mirrorEntry: async (version) => {
    const cluster = await movingCluster(version);
    saveMirrors(cluster);
    await cluster.ok(switchLine());
    const left = mirrored(cluster);
    if (left.includes('customer')) return 'none';
    return left.includes('elsewhere') ? 'own' : 'whole';
  },
};
