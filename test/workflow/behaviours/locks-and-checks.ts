import { expect } from 'vitest';
import type { LOCKS_AND_CHECKS } from '../../../src/lib/behaviours/locks-and-checks.ts';
import type { BuiltName } from '../../../src/lib/behaviours.ts';
import { background } from '../../../src/runtime/context.ts';
import { switchTraffic } from '../../../src/workflow/switch/switch-traffic.ts';
import { openCluster } from '../../helpers/open-cluster.ts';
import { forkCluster, movingCluster, switchLine, testCluster, type TestCluster } from '../../helpers/shell.ts';
import { CATCH_UP, denied, diedWithWritesStopped, failedCatchUp, idle, leaseSeconds, ruleOf, type RunsOf, saveRule, shared, streams, switchOn, switchWith } from './see.ts';

const MT = 'MoveTables --workflow c2c --target-keyspace customer';

/** A switch of a workflow that takes RDONLY tablets, where the target has none. */
async function switchWithoutTablets(version: string): Promise<string> {
  const cluster = await shared('without tablets', async () => {
    const made = testCluster();
    await made.ok('init commerce');
    await made.ok(`${MT} create --source-keyspace commerce --tables customer,corder --tablet-types rdonly`);
    for (const tablet of rdonlyTablets(made)) made.host.store.cell('zone1').delete(tablet);
    return made;
  });
  return (await cluster.run(switchLine(`--tablet-types primary --vitess-version ${version}`))).stderr;
}

function rdonlyTablets({ host }: TestCluster): string[] {
  return [...host.store.cell('zone1')].flatMap(([path, node]) => (path.startsWith('tablets/') && node.contents.includes('RDONLY') ? [path] : []));
}

export const LOCKS_AND_CHECKS_RUNS: RunsOf<Extract<BuiltName, keyof typeof LOCKS_AND_CHECKS>> = {
  notLockedCode: {
    // Only where a roll-back has lost its locks does anybody hear of it.
    at: ['19.0.9', '20.0.5', '21.0.2'],
    idleOnHardened: 'its roll-back holds the locks',
    see: async (version) => {
      const { stderr } = await failedCatchUp(version);
      expect(stderr).toContain('keyspace commerce is not locked (no locksInfo)');
      return stderr.includes('Code: INTERNAL\nkeyspace commerce is not locked') ? 'INTERNAL' : 'INVALID_ARGUMENT';
    },
  },
  lockCheckAsks: {
    idleOnHardened: 'a lost lock is taken again past the journal',
    see: async (version) => {
      // Routing is changed only if the writes before it did not notice that the lock was gone.
      const { cluster } = await switchWith(version, ['switchTraffic/writes/createJournals:after=lease(expire)'], '--tablet-types primary');
      return ruleOf(cluster, 'customer') !== 'customer.customer';
    },
  },
  namedLock: async (version) => {
    const cluster = await idle();
    for (const [step, answer] of [['prepare', 'command'], ['writes', 'writes']] as const) {
      const { stderr } = await switchOn(cluster, [`switchTraffic/${step}/lockWorkflow=return`], `--tablet-types primary --vitess-version ${version}`);
      if (stderr.startsWith('failed to lock the customer/c2c workflow')) return answer;
    }
    return 'none';
  },
  keyspaceLockTtl: {
    idleOnHardened: 'its leases are renewed',
    see: async (version) => {
      const { cluster } = await diedWithWritesStopped(version);
      const answers = { 30: 'none', 60: '3T', 90: '3T+tail' } as const;
      return answers[(await leaseSeconds(cluster, 'commerce')) as keyof typeof answers];
    },
  },
  readsLockTtl: {
    idleOnHardened: 'its leases are renewed',
    see: async (version) => {
      const { cluster } = await switchWith(version, ['switchTraffic/reads/switchTableReads=panic'], '--timeout 20s');
      const answers = { 30: 'none', 20: 'T' } as const;
      return answers[(await leaseSeconds(cluster, 'commerce')) as keyof typeof answers];
    },
  },
  leases: async (version) => {
    const { cluster } = await diedWithWritesStopped(version);
    const { exit } = await cluster.run('SetShardTabletControl --remove --denied-tables=product commerce/0 primary --lock-timeout 1s');
    return exit === 0 ? 'renewed' : 'server';
  },
  endedLock: async (version) => {
    const { stderr } = await switchWith(version, ['switchTraffic/writes/lockSource=ctx(deadline)'], '--tablet-types primary');
    const answers = {
      'failed to lock the commerce keyspace: deadline exceeded: /vitess/global/keyspaces/commerce/': 'the lock',
      'failed to lock the commerce keyspace: context deadline exceeded': 'the context',
    } as const;
    return answers[stderr.split('\n')[0] as keyof typeof answers];
  },
  zkDirectories: {
    idleOnHardened: 'it has locks of its own',
    see: async (version) => {
      const cluster = testCluster();
      await cluster.ok(`init commerce --topo-implementation zk2 --vitess-version ${version}`);
      // v21 and v22 lock the name of a workflow that is made.
      const { exit, stderr } = await cluster.run(`${MT} create --source-keyspace commerce --tables customer,corder`);
      if (exit !== 0) expect(stderr).toContain("failed to lock the customer/c2c workflow: node doesn't exist: /vitess/global/internal/named_locks/customer/c2c/locks/");
      return exit === 0 ? 'all' : 'one';
    },
  },
  lockChecks: async (version) => {
    const { stderr } = await switchWith(version, [`${CATCH_UP}:after=1*lease(expire)`]);
    return stderr.includes('locks were lost: commerce keyspace lock was lost');
  },
  fencedWrites: async (version) => {
    const { cluster } = await switchWith(version, ['switchTraffic/writes/startReverseVReplication=1*lease(expire)']);
    return streams(cluster, 'c2c_reverse', 'commerce')[0]?.state !== 'Running';
  },
  readsLocks: async (version) => {
    const cluster = await idle();
    return (await cluster.ok(switchLine(`--tablet-types replica --dry-run --vitess-version ${version}`))).includes('Lock keyspace customer') ? 'both' : 'source';
  },
  routingRulesGuarded: async (version) => {
    const { cluster } = await switchWith(version, ['switchTraffic/writes/changeRouting=1*lease(expire)']);
    return ruleOf(cluster, 'commerce.corder') !== 'customer.corder';
  },
  lag: async (version) => {
    const cluster = await movingCluster(version);
    await cluster.ok('Workflow --keyspace customer stop --workflow c2c');
    const source = cluster.host.shards.open('commerce', '0');
    // As many transactions as a stream applies in one go; the one after them cannot be applied.
    source.db.transact(() => {
      for (let i = 0; i < 500; i++) source.log(cluster.machine.clock.now(), []);
    });
    await cluster.ok(`query "insert into customer (email) values ('late@example.com')"`);
    await cluster.ok("query --session blocker --target customer:0 'lock tables customer read'");
    cluster.machine.clock.advance(60_000);
    await cluster.ok('Workflow --keyspace customer start --workflow c2c');
    const { stderr } = await cluster.run(switchLine('--timeout 2s'));
    return stderr.includes('replication lag 60s is higher than allowed lag 30s') ? 'transaction' : 'time-updated';
  },
  reverseChecked: async (version) => {
    const { cluster } = await switchWith(version, []);
    await cluster.ok('Workflow --keyspace commerce stop --workflow c2c_reverse');
    cluster.machine.clock.advance(60_000);
    const { stderr } = await cluster.run(`${MT} reversetraffic --timeout 2s`);
    return stderr.startsWith('cannot switch traffic for workflow c2c_reverse at this time: replication lag');
  },
  forceRefresh: async (version) => {
    const cluster = await movingCluster(version);
    await cluster.ok('tablet stop zone1-0000000101');
    const opened = openCluster(cluster.host, version);
    const request = { keyspace: 'customer', workflow: 'c2c', direction: 'forward', tabletTypes: ['PRIMARY'], cells: [], timeoutMs: 30_000, maxLagMs: 30_000 } as const;
    const more = { enableReverseReplication: true, initializeSequences: false, dryRun: false, shards: [] };
    const ended = await switchTraffic(background(), opened, { ...request, ...more, force: true }).then(() => true, () => false);
    expect(ruleOf(cluster, 'customer') === 'customer.customer').toBe(ended);
    return ended;
  },
  reversePrivileges: async (version) => {
    const cluster = await movingCluster(version);
    await cluster.ok('tablet privileges zone1-0000000100 --on _vt --allow select,update,delete');
    const { exit, stderr } = await cluster.run(switchLine());
    expect(exit).toBe(1);
    const [line = ''] = stderr.split('\n');
    if (line.startsWith('failed to create the reverse vreplication streams')) {
      expect(line).toContain("INSERT command denied to user 'vt_filtered'@'localhost' for table 'vreplication' (errno 1142)");
      return 'none';
    }
    expect(denied(cluster, 'commerce')).toEqual([]);
    expect(line).toMatch(/^primary tablets are not able to fully manage the reverse vreplication workflow in the commerce keyspace: /);
    if (line.includes('does not have INSERT permission on _vt.vreplication table on tablet zone1-0000000100')) return 'tried';
    expect(line).toContain('does not have the required set of permissions (select,insert,update,delete) on the _vt.vreplication table');
    await cluster.ok("tablet privileges zone1-0000000100 --on '_v%'");
    return (await cluster.run(switchLine())).exit === 0 ? 'wildcards' : 'exact';
  },
  tabletsForReverse: async (version) => (await switchWithoutTablets(version)).includes('no tablet found to source data in keyspace customer, shard 0'),
  noTabletsNames: async (version) => {
    const found = /^no tablets were available to stream from in the (\w+) keyspace/.exec(await switchWithoutTablets(version));
    return found?.[1] === 'commerce' ? 'source' : 'target';
  },
  writesSwitchedRule: async (version) => {
    const cluster = await shared('rule of another workflow', async () => {
      const made = await movingCluster();
      saveRule(made, 'corder', 'customer.corder');
      return made;
    });
    return (await cluster.ok(`${MT} status --vitess-version ${version}`)).includes('. Writes Switched') ? 'table' : 'source.table';
  },
  leastTimeout: async (version) => {
    const { cluster } = await switchWith(version, []);
    const forward = await cluster.run(switchLine('--timeout 500ms'));
    const back = await cluster.run(`${MT} reversetraffic --timeout 500ms`);
    if (forward.exit === 0) {
      expect(back.stdout).toContain('ReverseTraffic was successful');
      return 'none';
    }
    expect(forward.stderr).toMatch(/^timeout value must be at least 1 second\n/);
    if (back.exit !== 0) return 'both';
    expect(ruleOf(cluster, 'corder')).toBe('customer.corder');
    return 'switch';
  },
  sameKeyspace: async (version) => {
    const cluster = testCluster();
    const self = 'MoveTables --workflow self --target-keyspace commerce';
    await cluster.ok(`init commerce --vitess-version ${version}`);
    await cluster.ok('query "delete from corder"');
    const created = await cluster.run(`${self} create --source-keyspace commerce --tables corder`);
    if (created.exit !== 0) {
      expect(created.stderr).toContain('source and target keyspace must be different for MoveTables workflows');
      return 'refused';
    }
    const { stderr } = await cluster.run(`${self} switchtraffic`);
    return stderr.startsWith('workflow commerce.self is invalid: MoveTables source keyspace matches target keyspace') ? 'switch-refuses' : 'accepted';
  },
  oldJournal: async (version) => {
    const cluster = await movingCluster(version);
    const switched = forkCluster(cluster);
    await switched.ok(switchLine());
    const { id } = switched.host.shards.open('commerce', '0').db.get<{ id: string }>('SELECT id FROM "_vt.resharding_journal"')!;
    await cluster.ok(`ExecuteFetchAsDBA zone1-100 "insert into _vt.resharding_journal (id, db_name, val) values (${id}, 'vt_commerce', '')"`);
    const { exit, stdout, stderr } = await cluster.run(switchLine());
    if (exit !== 0) {
      expect(stderr).toContain(`commerce/0 has journal ${id} already and still takes writes`);
      return 'refused';
    }
    // Nothing was stopped, so nobody was waited for.
    expect(stdout).not.toContain('were refused for');
    return 'taken for its own';
  },
  readsOnlyReversal: async (version) => {
    const { cluster } = await switchWith(version, [], '--tablet-types replica,rdonly');
    const { exit, stderr } = await cluster.run(`${MT} reversetraffic --tablet-types replica,rdonly`);
    if (exit !== 0) expect(stderr).toContain('no streams found in keyspace commerce for c2c_reverse');
    return exit === 0;
  },
  reverseCancel: async (version) => {
    const { cluster } = await switchWith(version, []);
    await cluster.ok(`${MT} reversetraffic`);
    await cluster.run('MoveTables --workflow c2c_reverse --target-keyspace commerce cancel');
    return cluster.host.shards.open('commerce', '0').tableNames().includes('customer') ? 'refused' : 'drops';
  },
};
