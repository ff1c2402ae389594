import { expect } from 'vitest';
import type { QueryResult } from '../../src/tablet/query/request.ts';
import { FULL_PATH, type SwitchPath } from '../../src/workflow/switch/path.ts';
import { reshardingWithStreams } from './other-streams.ts';
import { PARTIAL_ROWS, partialCluster, partialLine } from './partial.ts';
import { misplacedRows, reshardingCluster, reshardLine, RESHARDS, type ReshardShape } from './reshard.ts';
import { shardedCluster } from './sharded.ts';
import { forked, movingCluster, switchLine, type TestCluster } from './shell.ts';
import { tenantCluster, tenantIds, tenantLine, type TenantShape } from './tenants.ts';

/** Something whose traffic is switched, or reversed: what a test of every step at which that can fail needs to know. */
export interface Subject {
  name: string;
  /** A cluster of its own, with the workflow ready. */
  make(): Promise<TestCluster>;
  /** The command line of the switch, or of the reversal. */
  line(flags?: string): string;
  /** The steps of it. */
  path: SwitchPath;
  /** Writes a row as an application does. */
  write(cluster: TestCluster): Promise<void>;
  /** Fails unless every row stands once, where traffic goes, in the shard that it belongs to; `written` tells if `write` was called. */
  whole(cluster: TestCluster, written: boolean): Promise<void>;
}

/** The rows of an answer. */
export async function rowsOf(cluster: TestCluster, target: string, sql: string): Promise<unknown[][]> {
  return (JSON.parse(await cluster.ok(`query ${target === '' ? '' : `--target ${target} `}"${sql}" --format json`)) as QueryResult).rows;
}

const numbers = async (cluster: TestCluster, target: string, sql: string): Promise<number[]> => (await rowsOf(cluster, target, sql)).map(([id]) => Number(id));

const tables: Pick<Subject, 'write' | 'whole'> = {
  write: async (cluster) => void (await cluster.ok(`query "insert into customer (customer_id, email) values (6, 'after@example.com')"`)),
  whole: async (cluster, written) => {
    expect(await numbers(cluster, '', 'select customer_id from customer order by customer_id')).toEqual([1, 2, 3, 4, 5, ...(written ? [6] : [])]);
  },
};

const partial: Pick<Subject, 'write' | 'whole'> = {
  // One row for the shard that moves, and one for the other.
  write: async (cluster) => void (await cluster.ok(`query "insert into customer (cid, name) values (7, 'after'), (8, 'after')"`)),
  whole: async (cluster, written) => {
    const all = [...PARTIAL_ROWS, ...(written ? [7, 8] : [])];
    expect(await numbers(cluster, '', 'select cid from customer order by cid')).toEqual(all);
    for (const [shard, odd] of [['-80', 0], ['80-', 1]] as const) {
      expect(await numbers(cluster, `customer:${shard}`, 'select cid from customer order by cid'), shard).toEqual(all.filter((cid) => cid % 2 === odd));
    }
  },
};

const tenant: Pick<Subject, 'write' | 'whole'> = {
  write: async (cluster) => void (await cluster.ok(`query --target s1 "insert into t1 values (177, 1, 'after')"`)),
  whole: async (cluster, written) => {
    for (const type of ['', '@replica']) {
      const sql = 'select id from t1 where tenant_id = 1 order by id';
      expect(await numbers(cluster, `s1${type}`, sql), type).toEqual([...tenantIds(1), ...(written ? [177] : [])]);
    }
    expect(await numbers(cluster, 's2', 'select id from t1 order by id')).toEqual(tenantIds(2));
  },
};

/** The same subject after its switch, to be reversed. */
function reversed(forward: Subject, line: (flags?: string) => string): Subject {
  const make = (): Promise<TestCluster> =>
    forked(`switched ${forward.name}`, async () => {
      const cluster = await forward.make();
      await cluster.ok(forward.line());
      return cluster;
    });
  return { ...forward, name: `${forward.name}, reversed`, make, line };
}

const reverseLine = (flags = ''): string => switchLine(flags).replace('switchtraffic', 'reversetraffic');

export const TABLES: Subject = { name: 'tables', make: () => movingCluster(), line: switchLine, path: FULL_PATH, ...tables };

export const TABLES_WRITES: Subject = {
  ...TABLES,
  name: 'tables, writes alone',
  line: (flags = '') => switchLine(`--tablet-types primary ${flags}`),
  path: { ...FULL_PATH, reads: false },
};

export const TABLES_REVERSED: Subject = reversed(TABLES, reverseLine);

export const PARTIAL: Subject = {
  name: 'one shard of two',
  make: () => partialCluster(),
  line: (flags = '') => partialLine('p80d', `switchtraffic ${flags}`),
  path: { ...FULL_PATH, kind: 'partial' },
  ...partial,
};

export const PARTIAL_REVERSED: Subject = reversed(PARTIAL, (flags = '') => partialLine('p80d', `reversetraffic ${flags}`));

const READS = '--tablet-types replica,rdonly';

/** A tenant, on its way to an unsharded keyspace or to one of two shards. */
export function tenantSubject(shape: TenantShape): Subject {
  return {
    name: `a tenant, ${shape}`,
    make: () => tenantCluster('hardened', shape),
    line: (flags = '') => tenantLine(1, `switchtraffic ${flags}`),
    path: { ...FULL_PATH, kind: 'multi-tenant' },
    ...tenant,
  };
}

export const TENANT_READS: Subject = {
  ...tenantSubject('unsharded'),
  name: "a tenant's reads",
  line: (flags = '') => tenantLine(1, `switchtraffic ${READS} ${flags}`),
  path: { ...FULL_PATH, kind: 'multi-tenant', writes: false },
};

/** A tenant's writes have no way back, its reads do. */
export const TENANT_READS_REVERSED: Subject = reversed(TENANT_READS, (flags = '') => tenantLine(1, `reversetraffic ${READS} ${flags}`));

/** The rows of `customer`, wherever traffic goes: each once, each in its shard. */
function resharded(shape: ReshardShape): Pick<Subject, 'write' | 'whole'> {
  const id = 777;
  return {
    write: async (cluster) => void (await cluster.ok(`query "insert into customer (customer_id, email) values (${id}, 'after@example.com')"`)),
    whole: async (cluster, written) => {
      const ids = await numbers(cluster, '', 'select customer_id from customer order by customer_id');
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.includes(id)).toBe(written);
      const { from, to } = RESHARDS[shape];
      const target = (await cluster.ok(reshardLine('status'))).includes('. Writes Switched');
      expect(misplacedRows(cluster, 'customer', target ? to : from)).toEqual([]);
    },
  };
}

/** A Reshard; with streams of other workflows on its source shards where `streams` says so. */
export function reshardSubject(shape: ReshardShape, options: { streams?: boolean; flags?: string; path?: Partial<SwitchPath> } = {}): Subject {
  const { streams = false, flags: fixed = '', path = {} } = options;
  return {
    name: `a Reshard ${shape}${streams ? ' with streams of others' : ''}${fixed === '' ? '' : ` ${fixed}`}`,
    make: () => (streams ? reshardingWithStreams(shape) : reshardingCluster(shape, { rows: 6 })),
    line: (flags = '') => reshardLine(`switchtraffic ${fixed} ${flags}`.trim()),
    path: { ...FULL_PATH, kind: 'shards', ...path },
    ...resharded(shape),
  };
}

/** The same after its switch, to be reversed. */
export function reshardReversed(forward: Subject, fixed = ''): Subject {
  return reversed(forward, (flags = '') => reshardLine(`reversetraffic ${fixed} ${flags}`.trim()));
}

/** Tables that go to two shards. */
export const TABLES_TO_SHARDS: Subject = { ...TABLES, name: 'tables, to two shards', make: () => forked('tables to two shards', () => shardedCluster({ rows: 5 })) };

export const TABLES_TO_SHARDS_REVERSED: Subject = reversed(TABLES_TO_SHARDS, reverseLine);
