import { findRelease } from '../../src/lib/releases.ts';
import type { EndVerb } from '../../src/workflow/end/steps.ts';
import type { MigrationKind } from '../../src/workflow/switcher.ts';
import { createPartial, partialCluster, partialLine, twoByTwo } from './partial.ts';
import { reshardingCluster, reshardLine } from './reshard.ts';
import { shardedCluster } from './sharded.ts';
import { forkCluster, forked, type TestCluster } from './shell.ts';
import { tenantCluster, tenantLine } from './tenants.ts';

/** A workflow that is completed or cancelled: what a test of every step at which that can fail needs to know. */
export interface EndSubject {
  kind: MigrationKind;
  line(rest: string): string;
  /** A target shard whose streams are deleted before those of another. */
  first: string | undefined;
  /** Copied, with reads switched where a cancel may find them so; or switched. */
  at(verb: EndVerb, version: string): Promise<TestCluster>;
}

const moveLine = (rest: string): string => `MoveTables --workflow c2c --target-keyspace customer ${rest}`;
const wholeLine = (rest: string): string => `MoveTables --workflow all --target-keyspace customer2 ${rest}`;

export const END_SUBJECTS: Readonly<Record<string, EndSubject>> = {
  'tables to two shards': {
    kind: 'tables',
    line: moveLine,
    first: 'customer/-80',
    at: async (verb, version) => {
      const cluster = await shardedCluster({ version });
      if (verb === 'complete') await cluster.ok(moveLine('switchtraffic'));
      else if (findRelease(version).behaviours.cancelAfterReads) await cluster.ok(moveLine('switchtraffic --tablet-types replica'));
      return cluster;
    },
  },
  // Once the streams of one shard are gone, the other looks like a partial move.
  'tables from two shards to two': {
    kind: 'tables',
    line: wholeLine,
    first: 'customer2/-80',
    at: async (verb, version) => {
      const cluster = await twoByTwo(version);
      await cluster.ok(wholeLine('create --source-keyspace customer --all-tables'));
      await cluster.ok(wholeLine('status'));
      if (verb === 'complete') await cluster.ok(wholeLine('switchtraffic'));
      return cluster;
    },
  },
  'the first shard of a move': {
    kind: 'partial',
    line: (rest) => partialLine('p80d', rest),
    first: undefined,
    at: async (verb, version) => {
      const cluster = await partialCluster(version);
      if (verb === 'complete') await cluster.ok(partialLine('p80d', 'switchtraffic'));
      return cluster;
    },
  },
  'the last shard of a move': {
    kind: 'partial',
    line: (rest) => partialLine('pd80', rest),
    first: undefined,
    at: async (verb, version) => {
      const cluster = await partialCluster(version);
      await cluster.ok(partialLine('p80d', 'switchtraffic'));
      await cluster.ok(partialLine('p80d', 'complete'));
      await cluster.ok(createPartial('pd80'));
      await cluster.ok(partialLine('pd80', 'status'));
      if (verb === 'complete') await cluster.ok(partialLine('pd80', 'switchtraffic'));
      return cluster;
    },
  },
  'a tenant': {
    kind: 'multi-tenant',
    line: (rest) => tenantLine(1, rest),
    first: 'mt/-80',
    at: async (verb, version) => {
      const cluster = await tenantCluster(version, 'sharded');
      if (verb === 'complete') await cluster.ok(tenantLine(1, 'switchtraffic'));
      return cluster;
    },
  },
  'a Reshard': {
    kind: 'shards',
    line: reshardLine,
    first: 'customer/-80',
    at: async (verb, version) => {
      const cluster = await reshardingCluster('1 to 2', { rows: 6, version });
      if (verb === 'complete') await cluster.ok(reshardLine('switchtraffic'));
      return cluster;
    },
  },
};

/** A cluster with the workflow of a subject as an ending finds it. */
export async function endStart(name: string, verb: EndVerb, version: string): Promise<TestCluster> {
  return forkCluster(await forked(`${name} ${verb} ${version}`, () => END_SUBJECTS[name]!.at(verb, version)));
}
