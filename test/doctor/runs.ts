import type { ProblemKind } from '../../src/lib/problems.ts';
import { reshardingWithStreams } from '../helpers/other-streams.ts';
import { partialCluster, partialLine } from '../helpers/partial.ts';
import { reshardingCluster, reshardLine } from '../helpers/reshard.ts';
import { sequenceCluster } from '../helpers/sequences.ts';
import { shardedCluster } from '../helpers/sharded.ts';
import { movingCluster, switchLine, type TestCluster } from '../helpers/shell.ts';
import { tenantCluster, tenantLine } from '../helpers/tenants.ts';

/** How a problem is brought about through the command line, and what is to come of its repair. */
export interface Run {
  make(): Promise<TestCluster>;
  /** What it is about. */
  object: string;
  /**
   * `clean`: the commands of its repair, run as printed, end with a healthy cluster; `gone`: with one that has not this problem, while others
   * are at work. `choice`: two ways. `none`: no command helps.
   */
  repair: 'clean' | 'gone' | 'choice' | 'none';
  /** How the command begins that is named as its cause. */
  cause?: string;
  /** It is told with another problem that has the same cause. */
  with?: ProblemKind;
}

const W = 'switchTraffic/writes';
const MAIN = '24.0.0-SNAPSHOT';
const c2c = (more: string): string => `MoveTables --workflow c2c --target-keyspace customer ${more}`;
const fail = (step: string, action = 'return(UNAVAILABLE)'): string => `--fault '${step}=${action}'`;

/** A cluster of the usual workflow, and lines that are run one after another; one that begins with `!` has to fail. */
async function after(version: string, ...lines: string[]): Promise<TestCluster> {
  return ran(await movingCluster(version), ...lines);
}

async function ran(cluster: TestCluster, ...lines: string[]): Promise<TestCluster> {
  for (const line of lines) {
    const { exit, stdout, stderr } = await cluster.run(line.replace(/^!/, ''));
    if ((exit !== 0) !== line.startsWith('!')) throw new Error(`${line}\nexit ${exit}\n${stdout}${stderr}`);
  }
  return cluster;
}

const rules = (...pairs: [from: string, to: string][]): string =>
  `'${JSON.stringify({ rules: pairs.map(([from, to]) => ({ from_table: from, to_tables: [to] })) })}'`;

/** The rules of the usual workflow, for one side. */
const rulesFor = (side: 'commerce' | 'customer'): [string, string][] =>
  ['customer', 'corder'].flatMap((table) =>
    ['', '@replica', '@rdonly'].flatMap((type): [string, string][] =>
      ['', 'commerce.', 'customer.'].map((prefix): [string, string] => [`${prefix}${table}${type}`, `${side}.${table}`]),
    ),
  );

/** Runs a command whose process dies at a step. */
async function killed(cluster: TestCluster, line: string, step: string): Promise<TestCluster> {
  await cluster.run(`${line} ${fail(step, 'panic')}`);
  return cluster;
}

/** One run for each kind of problem. */
export const RUNS: Readonly<Record<ProblemKind, Run>> = {
  refused: { make: () => after('v21.0.2', `!${switchLine(fail(`${W}/waitForCatchup`))}`), object: 'commerce/0', repair: 'clean' },
  'two-writers': {
    make: () => after('v18.0.8', `ApplyRoutingRules --rules ${rules(...rulesFor('commerce').filter(([from]) => !from.startsWith('customer.')), ['customer.customer', 'customer.customer'])}`),
    object: 'customer.c2c',
    repair: 'choice',
  },
  'denial-missing': { make: () => after(MAIN, 'SetShardTabletControl --denied-tables=customer --remove customer/0 primary', 'RefreshStateByShard customer/0'), object: 'customer/0', repair: 'clean' },
  'incomplete-rules': {
    make: () => after(MAIN, `ApplyRoutingRules --rules ${rules(...rulesFor('commerce').map(([from, to]): [string, string] => [from, from === 'corder@replica' ? 'customer.corder' : to]))}`),
    object: 'customer.c2c',
    repair: 'choice',
    cause: 'ApplyRoutingRules --rules ',
  },
  'rules-not-published': { make: () => after(MAIN, `ApplyRoutingRules --skip-rebuild --rules ${rules(...rulesFor('commerce').map(([from, to]): [string, string] => [from, from.endsWith('@replica') ? to.replace('commerce.', 'customer.') : to]))}`), object: 'cell zone1', repair: 'choice' },
  'tablet-differs': { make: () => after(MAIN, 'SetShardTabletControl --denied-tables=product commerce/0 replica'), object: 'zone1-0000000101', repair: 'clean', with: 'denied-left-over' },
  'serving-graph-differs': { make: async () => ran(await reshardingCluster('1 to 2', { version: MAIN, rows: 4, reference: false }), 'SetShardIsPrimaryServing customer/-80 true'), object: 'customer', repair: 'clean', cause: 'SetShardIsPrimaryServing customer/-80 true (pid ' },
  'journal-without-frozen': { make: () => after(MAIN, `!${switchLine(fail(`${W}/startReverseVReplication`))}`), object: 'customer.c2c', repair: 'clean', cause: 'MoveTables --workflow c2c --target-keyspace customer switchtraffic (pid ' },
  'journals-disagree': { make: async () => ran(await reshardingCluster('2 to 4', { version: MAIN, rows: 8, reference: false }), `!${reshardLine(`switchtraffic ${fail(`${W}/createJournals@customer/80-`)}`)}`), object: 'customer.cust2cust', repair: 'clean' },
  'reverse-left-over': {
    make: () => after(MAIN, `!${switchLine(`--tablet-types primary ${fail(`${W}/createReverseVReplication:after`)} ${fail('switchTraffic/rollback/deleteReverseVReplication')}`)}`),
    object: 'commerce.c2c_reverse',
    repair: 'clean',
  },
  'both-directions-run': {
    make: () => after(MAIN, `!${switchLine(`--tablet-types primary ${fail(`${W}/createReverseVReplication:after`)} ${fail('switchTraffic/rollback/deleteReverseVReplication')}`)}`, 'Workflow --keyspace commerce start --workflow c2c_reverse'),
    object: 'customer.c2c',
    repair: 'clean',
  },
  'frozen-not-served': { make: () => after(MAIN, switchLine(), `ApplyRoutingRules --rules ${rules(...rulesFor('commerce').filter(([from]) => !from.startsWith('commerce.') || from.includes('@')))}`), object: 'customer.c2c', repair: 'clean' },
  'stopped-for-cutover': {
    make: () => after(MAIN, `!${switchLine(`--tablet-types primary ${fail(`${W}/waitForCatchup:after`)} ${fail('switchTraffic/rollback/restartTargetStreams')}`)}`),
    object: 'customer.c2c',
    repair: 'clean',
  },
  'copies-left-over': {
    make: async () => ran(await reshardingWithStreams('1 to 2', MAIN), `!${reshardLine(`switchtraffic ${fail(`${W}/migrateStreams:after`)} ${fail('switchTraffic/rollback/cancelStreamMigrations')}`)}`),
    object: 'customer.cust2cust',
    repair: 'clean',
    with: 'stopped-for-cutover',
  },
  intent: { make: async () => killed(await movingCluster(), switchLine(), `${W}/waitForCatchup`), object: 'customer.c2c', repair: 'clean' },
  'stream-error': {
    make: async () => {
      const cluster = await movingCluster(MAIN);
      await cluster.ok(`ExecuteFetchAsDBA zone1-200 "insert into customer (customer_id, email) values (77, 'theirs')"`);
      await cluster.ok(`query "insert into customer (customer_id, email) values (77, 'ours')"`);
      await cluster.ok(c2c('status'));
      return cluster;
    },
    object: 'customer.c2c',
    repair: 'none',
  },
  'half-created': {
    make: async () => {
      const cluster = await shardedCluster({ version: MAIN, rows: 4 });
      await cluster.ok(`ExecuteFetchAsDBA zone1-300 "delete from _vt.vreplication where workflow = 'c2c'"`);
      return cluster;
    },
    object: 'customer.c2c',
    repair: 'clean',
  },
  'half-ended': { make: () => after(MAIN, switchLine(), `!${c2c(`complete ${fail('complete/dropSourceDeniedTables')}`)}`), object: 'customer.c2c', repair: 'clean' },
  'denied-left-over': { make: () => after(MAIN, switchLine(), c2c('complete --keep-data')), object: 'commerce/0', repair: 'clean' },
  'orphan-rules': { make: () => after(MAIN, `ApplyRoutingRules --rules ${rules(...rulesFor('commerce').filter(([from]) => !from.startsWith('commerce.') || from.includes('@')), ['nowhere', 'gone.nowhere'])}`), object: 'routing rules', repair: 'clean' },
  'mirror-rules-left-over': {
    make: async () => {
      const cluster = await movingCluster(MAIN);
      await cluster.ok(c2c('mirrortraffic --percent 10'));
      for (const place of ['zone1-200']) await cluster.ok(`ExecuteFetchAsDBA ${place} "delete from _vt.vreplication where workflow = 'c2c'"`);
      return cluster;
    },
    object: 'mirror rules',
    repair: 'none',
  },
  'old-journal': {
    make: async () => {
      const cluster = await movingCluster(MAIN);
      const { workflows } = JSON.parse(await cluster.ok('show workflow c2c --format json')) as { workflows: { journal: { id: string } }[] };
      await cluster.ok(`ExecuteFetchAsDBA zone1-100 "insert into _vt.resharding_journal (id, db_name, val) values (${workflows[0]!.journal.id}, 'vt_commerce', '')"`);
      return cluster;
    },
    object: 'customer.c2c',
    repair: 'clean',
  },
  'controls-left-over': { make: async () => ran(await reshardingCluster('1 to 2', { version: MAIN, rows: 4, reference: false }), `!${reshardLine(`switchtraffic --tablet-types primary ${fail(`${W}/waitForCatchup`)}`)}`), object: 'customer', repair: 'clean' },
  'mirror-rules-lost': { make: () => after(MAIN, c2c('mirrortraffic --percent 10'), `!${switchLine(`--tablet-types primary ${fail(`${W}/waitForCatchup`)}`)}`), object: 'customer.c2c', repair: 'clean' },
  'sequence-behind': { make: async () => ran(await sequenceCluster(MAIN), `query "insert into customer (customer_id, email) values (5000, 'large')"`, c2c('switchtraffic')), object: 'commerce.customer_seq', repair: 'clean' },
  'turned-on-itself': {
    make: async () => {
      const cluster = await after(MAIN, `!${switchLine(`--tablet-types primary ${fail(`${W}/startReverseVReplication`)}`)}`, c2c('start'));
      await cluster.machine.clock.sleep(10_000);
      return cluster;
    },
    object: 'customer.c2c',
    repair: 'clean',
  },
  'original-gone': { make: () => after(MAIN, switchLine(), `!${c2c(`reversetraffic ${fail(`${W}/waitForCatchup`)}`)}`), object: 'commerce.c2c_reverse', repair: 'choice' },
  'half-cancelled': { make: () => after(MAIN, `!${c2c(`cancel --keep-data ${fail('cancel/deleteRoutingRules')}`)}`), object: 'customer.c2c', repair: 'choice' },
  'rows-differ': {
    make: async () => ran(await movingCluster(MAIN), `ExecuteFetchAsDBA zone1-200 "update customer set email = 'other' where customer_id = 1"`, 'VDiff --workflow c2c --target-keyspace customer create --wait'),
    object: 'customer.c2c',
    repair: 'none',
  },
  unreadable: {
    make: async () => ran(await reshardingCluster('2 to 4', { version: MAIN, rows: 4, reference: false }), reshardLine('switchtraffic'), 'DeleteShards --recursive customer/-80 customer/80-'),
    object: 'customer.cust2cust',
    repair: 'clean',
  },
  'data-gone': { make: async () => ran(await partialCluster(MAIN), partialLine('p80d', 'switchtraffic'), partialLine('p80d', 'cancel')), object: 'customer2.p80d', repair: 'none' },
  'tablet-down': { make: () => after(MAIN, 'tablet stop zone1-101'), object: 'zone1-0000000101', repair: 'clean', cause: 'tablet stop zone1-101 (pid ' },
  'tablet-busy': { make: () => after(MAIN, 'tablet set-type zone1-101 backup'), object: 'zone1-0000000101', repair: 'clean' },
  'cell-down': { make: () => after(MAIN, 'cell stop zone1'), object: 'cell zone1', repair: 'clean' },
  'no-primary': { make: () => after(MAIN, 'DeleteTablets --allow-primary zone1-100'), object: 'commerce/0', repair: 'clean' },
  'dead-lock-holder': { make: async () => killed(await movingCluster('v20.0.6'), switchLine('--tablet-types primary'), `${W}/checkJournals`), object: 'locks on commerce, customer', repair: 'clean' },
  'lease-run-out': {
    make: async () => {
      const cluster = await killed(await movingCluster(), switchLine('--tablet-types primary'), `${W}/checkJournals`);
      await cluster.machine.clock.sleep(10 * 60_000);
      return cluster;
    },
    object: 'lock on commerce',
    repair: 'none',
  },
  'waiting-behind-dead': {
    make: async () => {
      const cluster = await killed(await movingCluster('v20.0.6'), switchLine('--tablet-types primary'), `${W}/checkJournals`);
      void cluster.run(c2c('cancel'));
      await cluster.machine.clock.sleep(1000);
      return cluster;
    },
    object: 'lock on commerce',
    repair: 'gone',
  },
  'named-lock-of-dead': { make: async () => killed(await movingCluster('v22'), switchLine('--tablet-types primary'), `${W}/checkJournals`), object: 'lock on customer/c2c', repair: 'clean' },
};

/** More ways in which some of them come about. */
export const MORE_RUNS: readonly (Run & { kind: ProblemKind; name: string })[] = [
  {
    kind: 'unreadable',
    name: 'shards removed before complete, on hardened',
    make: async () => ran(await reshardingCluster('2 to 4', { rows: 4, reference: false }), reshardLine('switchtraffic'), 'DeleteShards --recursive customer/-80 customer/80-'),
    object: 'customer.cust2cust',
    repair: 'clean',
  },
  { kind: 'refused', name: "a tenant's failed switch denies the tables of all", make: async () => ran(await tenantCluster('v21.0.3'), `!${tenantLine(1, `switchtraffic ${fail(`${W}/waitForCatchup`)}`)}`), object: 'mt/0', repair: 'clean' },
];
