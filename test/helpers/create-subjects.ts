import { findRelease } from '../../src/lib/releases.ts';
import { CREATE_STEPS, type CreatePath, type CreateStep, type CreateStepName } from '../../src/workflow/create/steps.ts';
import { createPartial, twoByTwo } from './partial.ts';
import { beforeReshard, reshardCreate } from './reshard.ts';
import { shardedCluster } from './sharded.ts';
import { forked, type TestCluster, testCluster } from './shell.ts';
import { createTenant, tenantKeyspaces } from './tenants.ts';

/** A workflow that is created: what a test of every step at which that can fail needs to know. */
export interface CreateSubject {
  name: string;
  make(): Promise<TestCluster>;
  line(flags?: string): string;
  path: CreatePath;
  /** Points in the middle of a step: one shard is done, the other is not. */
  first?: (step: CreateStepName) => string[];
}

const MOVE: CreatePath = { type: 'MoveTables', kind: 'tables', autoStart: true, copySchema: true, replacesAutoIncrement: false };

const middle =
  (shard: string) =>
  (step: CreateStepName): string[] => {
    const { perTarget }: CreateStep = CREATE_STEPS[step];
    return perTarget === true ? [`${step}:after@${shard}`] : [];
  };

const SALES = JSON.stringify([{ target_table: 'sales', source_expression: 'select sku, count(*) as orders from corder group by sku', create_ddl: 'create table sales (sku varchar(128) primary key, orders bigint)' }]);

/** Every kind of create that a version has. */
export function createSubjects(version = 'hardened'): CreateSubject[] {
  const { behaviours } = findRelease(version);
  const unsharded = (): Promise<TestCluster> =>
    forked(`unsharded, before a create ${version}`, async () => {
      const cluster = testCluster();
      await cluster.ok(`init commerce --vitess-version ${version}`);
      return cluster;
    });
  const sharded = (): Promise<TestCluster> =>
    forked(`two shards, before a create ${version}`, async () => {
      const cluster = await shardedCluster({ version });
      await cluster.ok('MoveTables --workflow c2c --target-keyspace customer cancel');
      return cluster;
    });
  const moves = 'MoveTables --workflow c2c --target-keyspace customer create --source-keyspace commerce --tables customer,corder';
  const all: CreateSubject[] = [
    { name: 'tables', make: unsharded, line: (flags = '') => `${moves} ${flags}`, path: MOVE },
    {
      name: 'tables, not started',
      make: unsharded,
      line: (flags = '') => `${moves} --auto-start=false ${flags}`,
      path: { ...MOVE, autoStart: false },
    },
    {
      name: 'tables to two shards, with sequences',
      make: sharded,
      line: (flags = '') => `${moves} --sharded-auto-increment-handling REPLACE --global-keyspace commerce ${flags}`,
      path: { ...MOVE, replacesAutoIncrement: true },
      first: middle('customer/-80'),
    },
    { name: 'one shard of two', make: () => twoByTwo(version), line: (flags = '') => `${createPartial('p80d')} ${flags}`, path: { ...MOVE, kind: 'partial' } },
    {
      name: 'a tenant',
      make: () => tenantKeyspaces(version, 'sharded'),
      line: (flags = '') => createTenant(1, flags),
      path: { ...MOVE, kind: 'multi-tenant' },
      first: middle('mt/-80'),
    },
    {
      name: 'a Reshard',
      make: () => beforeReshard('1 to 2', { rows: 6, version }),
      line: (flags = '') => reshardCreate('1 to 2', flags),
      path: { ...MOVE, type: 'Reshard', kind: 'shards' },
      first: middle('customer/-80'),
    },
    {
      name: 'a Materialize',
      make: unsharded,
      line: (flags = '') => `Materialize --workflow sums --target-keyspace customer create --source-keyspace commerce --table-settings '${SALES}' ${flags}`,
      path: { ...MOVE, type: 'Materialize' },
    },
  ];
  return all.filter(({ path }) => (path.kind !== 'multi-tenant' || behaviours.tenantMoves) && (!path.replacesAutoIncrement || behaviours.sequenceAutoReplace === 'qualified'));
}
