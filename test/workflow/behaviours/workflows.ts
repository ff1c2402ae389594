import { expect } from 'vitest';
import type { WORKFLOWS } from '../../../src/lib/behaviours/workflows.ts';
import type { BuiltName } from '../../../src/lib/behaviours.ts';
import { background } from '../../../src/runtime/context.ts';
import { ETCD_NAMES } from '../../../src/topo/conn/directory.ts';
import type { Shard } from '../../../src/topo/proto/types.ts';
import { beforeReshard, reshardCreate, reshardLine } from '../../helpers/reshard.ts';
import { shardedCluster } from '../../helpers/sharded.ts';
import { movingCluster, switchLine, type TestCluster, testCluster } from '../../helpers/shell.ts';
import { denied, idle, mirrored, record, ruleOf, type RunsOf, saveMirrors, saveRule, shared, streams, switchWith } from './see.ts';

const MT = 'MoveTables --workflow c2c --target-keyspace customer';
const MIRRORING = 'Mirroring 0.00 percent of traffic';

const MIRROR = `${MT} mirrortraffic`;

/** What MirrorTraffic says while somebody holds the workflow's name. */
async function mirrorBesideLock(): Promise<string> {
  const cluster = await movingCluster();
  const blocker = cluster.host.openTopology(cluster.machine.world(), { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
  await blocker.lock(background(), { dir: 'internal/named_locks/customer/c2c', contents: '{}', ttlMs: 60_000, mustExist: false });
  return (await cluster.run(`${MIRROR} --lock-timeout 1s`)).stderr;
}

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
  completeOrder: async (version) => {
    const { cluster } = await switchWith(version, []);
    const { exit, stderr } = await cluster.run(`${MT} complete --fault 'complete/deleteRoutingRules:after=return'`);
    expect([exit, ruleOf(cluster, 'customer')]).toEqual([1, undefined]);
    const again = await cluster.run(`${MT} complete`);
    if (again.exit === 0) {
      expect(stderr).toContain('next: cure the cause, then run it again, which does the rest: switchtraffic MoveTables');
      return 'streams-last';
    }
    expect(stderr).toContain('next: it cannot be run again: put right by hand what is left');
    expect(again.stderr).toContain('no streams found in keyspace customer for c2c');
    return 'streams-first';
  },
  completeDryRun: async (version) => {
    const { cluster } = await switchWith(version, []);
    saveRule(cluster, 'news', 'commerce.product');
    await cluster.ok(`${MT} complete --dry-run`);
    return ruleOf(cluster, 'news', 'served') === undefined ? 'looks' : 'publishes';
  },
  cancelReads: {
    // Before, a workflow whose reads are switched is not cancelled at all.
    at: ['22.0.0', '24.0.4'],
    see: async (version) => {
      const { cluster } = await switchWith(version, [], '--tablet-types replica,rdonly');
      expect((await cluster.run(`${MT} cancel --fault 'cancel/removeTargetTables:before=return'`)).exit).toBe(1);
      return ruleOf(cluster, 'commerce.customer@replica', 'served') === 'commerce.customer' ? 'led back' : 'left';
    },
  },
  endingMirrors: async (version) => {
    const cluster = await movingCluster(version);
    saveMirrors(cluster);
    await cluster.ok(`${MT} cancel`);
    return mirrored(cluster).includes('customer') ? 'stay' : 'go';
  },
  workflowShards: (version) => stopOne(version, 'Workflow --keyspace customer stop --workflow c2c'),
  moveTablesShards: async (version) => {
    const answer = await stopOne(version, `${MT} stop`);
    if (answer === 'ignored') throw new Error('a release that knows the flag means it');
    return answer;
  },
  updateShards: async (version) => {
    const cluster = await shared('sharded', () => shardedCluster());
    const cellOf = (shard: string): string => streams(cluster, 'c2c', 'customer', shard)[0]?.cell ?? '';
    await cluster.ok('Workflow --keyspace customer update --workflow c2c --cells zone1');
    const line = `Workflow --keyspace customer update --workflow c2c --cells zone1,zone1 --shards -80 --vitess-version ${version}`;
    const { exit, stderr } = await cluster.run(line);
    if (exit !== 0) {
      expect(stderr).toMatch(/^unknown flag: --shards\n/);
      return 'unknown';
    }
    expect(cellOf('-80')).toBe('zone1,zone1');
    if (cellOf('80-') === 'zone1') return 'obeyed';
    expect(stderr).toContain(`warning: vtctldclient ${version} does not send --shards of Workflow update: every shard is meant`);
    return 'ignored';
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
  mirrorTraffic: async (version) => {
    const { exit, stderr } = await (await movingCluster(version)).run(MIRROR);
    if (exit !== 0) expect(stderr).toMatch(/^unknown command "mirrortraffic" for "vtctldclient MoveTables"\n/);
    return exit === 0;
  },
  mirrorLocks: async (version) => {
    const cluster = await movingCluster(version);
    await cluster.run(switchLine("--tablet-types primary --fault 'switchTraffic/writes/checkJournals=panic'"));
    // The dead process's locks stand for a while.
    const { exit, stderr } = await cluster.run(`${MIRROR} --lock-timeout 1s --vitess-version ${version}`);
    if (version === 'hardened') return (await mirrorBesideLock()).includes('failed to lock the customer/c2c workflow');
    if (exit !== 0) expect(stderr).toMatch(/^failed to lock the customer\/c2c workflow: /);
    return exit !== 0;
  },
  mirrorSets: async (version) => {
    const cluster = await movingCluster(version);
    await cluster.ok(`${MIRROR} --tablet-types replica`);
    const { exit, stderr } = await cluster.run(MIRROR);
    if (exit !== 0) expect(stderr).toMatch(/^wrong number of pre-existing mirror rules\n/);
    return exit === 0 ? 'any' : 'whole';
  },
  allowReads: async (version) => {
    const cluster = await movingCluster(version);
    await cluster.ok(MIRROR);
    return (await cluster.run("query --target customer:0 'select * from customer'")).exit === 0;
  },
  allowReadsKept: async (version) => {
    const cluster = await movingCluster(version);
    await cluster.ok(MIRROR);
    await cluster.ok('SetShardTabletControl --denied-tables=customer customer/0 primary');
    const shard = record<Shard>(cluster, 'global', 'keyspaces/customer/shards/0/Shard');
    return shard?.tablet_controls?.[0]?.allow_reads === true;
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
