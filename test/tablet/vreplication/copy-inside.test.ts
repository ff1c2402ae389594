import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type ClusterHost, fileHost, memoryHost } from '../../../src/cli/host.ts';
import { makeShell } from '../../../src/cli/shell.ts';
import { findRelease } from '../../../src/lib/releases.ts';
import { background } from '../../../src/runtime/context.ts';
import { VirtualMachine } from '../../../src/runtime/world.ts';
import type { Row } from '../../../src/sql/value.ts';
import { Applier } from '../../../src/tablet/vreplication/apply.ts';
import { applyTransactions } from '../../../src/tablet/vreplication/catch-up.ts';
import { compileFilters } from '../../../src/tablet/vreplication/filter.ts';
import type { BinlogEvent } from '../../../src/tablet/binlog.ts';
import type { Cluster } from '../../../src/tablet/cluster.ts';
import type { ShardDb } from '../../../src/tablet/shard-db.ts';
import { pumpStream } from '../../../src/tablet/vreplication/pump.ts';
import { readCopyState, readStreams } from '../../../src/tablet/vreplication/streams.ts';
import { ETCD_NAMES } from '../../../src/topo/conn/directory.ts';

// Rows pass through the program between databases in memory, and stay inside SQLite between files: both must leave the same.

const undo: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0)) await one();
});

type Kind = 'files' | 'memory';

/** Both on virtual clocks, so that their chunks are the same. */
function hostOf(kind: Kind): ClusterHost {
  const machine = new VirtualMachine();
  const memory = memoryHost(machine);
  if (kind === 'memory') return memory;
  const folder = mkdtempSync(join(tmpdir(), 'switchtraffic-copy-'));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  return fileHost(join(folder, 'state'), '/', () => memory.world());
}

/**
 * The example with these statements run on the source, and a workflow over these tables that has not begun to copy. `read`:
 * somebody reads the target's binlog.
 */
async function copying(kind: Kind, init: string, statements: readonly string[], tables: string, read = true): Promise<Cluster> {
  const host = hostOf(kind);
  const shell = makeShell(host);
  const move = `MoveTables --workflow move --target-keyspace customer create --source-keyspace commerce --tables ${tables}`;
  const lines = [init.split(' '), ...statements.map((sql) => ['query', '--target', 'commerce:0', sql]), move.split(' ')];
  for (const line of lines) {
    const result = await shell(line);
    if (result.exit !== 0) throw new Error(`${line.join(' ')}\n${result.stderr}`);
  }
  const world = host.world();
  const release = findRelease('hardened');
  const conn = host.openTopology(world, { names: ETCD_NAMES, renewed: true, reapDead: true }, true);
  const shards = host.openShards(world);
  undo.unshift(() => host.release(world, conn, shards));
  if (read) await shards.open('customer', '0').expectReader(world.clock);
  return { world, release, topo: { conn, release, world, lockTimeoutMs: 45_000, held: new Set() }, shards };
}

/** Pumps the target's stream until it is idle, with `between` after each chunk. Returns how many chunks found it copying. */
async function copyAll(cluster: Cluster, between: (chunk: number) => void = () => {}): Promise<number> {
  const target = cluster.shards.open('customer', '0');
  const { id } = readStreams(target)[0]!;
  let copying = 0;
  for (let chunk = 0; (await pumpStream(background(), cluster, target, id)) === 'worked'; chunk++) {
    if (readStreams(target)[0]!.state !== 'Copying') continue;
    copying++;
    between(chunk);
  }
  return copying;
}

/** A table's rows as the binlog tells them from its beginning, or from where some were there, in order; `key` is how rows are told apart. */
function told(shard: ShardDb, table: string, key: (row: Row) => string, start: { from: number; there: Row[] } = { from: 0, there: [] }): Row[] {
  const rows = new Map(start.there.map((row) => [key(row), row]));
  for (const event of shard.transactionsAfter(start.from, 1e6).flatMap(({ events }) => events)) {
    if (event.kind === 'ddl' || event.kind === 'journal' || event.kind === 'copied' || event.table !== table) continue;
    if (event.kind !== 'insert' && !rows.delete(key(event.before))) throw new Error(`no row for ${key(event.before)}`);
    if (event.kind === 'delete') continue;
    if (rows.has(key(event.after))) throw new Error(`twice: ${key(event.after)}`);
    rows.set(key(event.after), event.after);
  }
  return [...rows.values()];
}

/** Everything that a copy leaves at the target. */
function left(cluster: Cluster, tables: readonly string[]): unknown {
  const target = cluster.shards.open('customer', '0');
  const [stream] = readStreams(target);
  return {
    stream: { state: stream!.state, message: stream!.message, rows: stream!.rows_copied, reached: stream!.pos.split(':')[1] },
    toCopy: readCopyState(target, stream!.id),
    rows: tables.map((table) => target.db.allStored(`SELECT * FROM "${table}" ORDER BY 1, 2`)),
    events: target.transactionsAfter(0, 1e6).flatMap(({ events }) => events),
  };
}

function packedInside(shard: ShardDb, table: string): boolean {
  return shard.db.get(`SELECT 1 FROM _binlog WHERE events LIKE '[{"kind":"raw"%' AND events LIKE ?`, `%"table":"${table}"%`) !== undefined;
}

const KINDS = [
  'create table kinds (id bigint unsigned not null, w varchar(20) not null, n bigint, d decimal(20,5), t text, b varbinary(20), j json, g int as (n % 7), primary key (id, w))',
  `insert into kinds (id, w, n, d, t, b, j) values
    (1, 'a', -9007199254740993, 1.5, 'Ä "x" {1234567890123456789}, [12345678901234567', x'00ff', '[1]'),
    (1, 'b', 9007199254740991, null, '', 'text', null), (9007199254740993, '', null, 12345678901234.12345, null, null, '{"a": "b"}'),
    (18446744073709551615, 'Z', 9223372036854775807, 0, 'C:\\\\x\n', x'80', null)`,
];
const OTHERS = [
  'create table ids (id bigint not null auto_increment, n bigint, primary key (id))',
  'insert into ids values (5, 1), (6, null), (7, 9007199254740993), (9, 2)',
  'create table plain (n int, t varchar(9))',
  "insert into plain values (1, 'a'), (1, 'a'), (null, null)",
  'create table reals (id int not null, f double, primary key (id))',
  'insert into reals values (1, 0.1), (2, 1e18), (3, 1e300)',
];
const TABLES = ['kinds', 'ids', 'plain', 'reals'];

describe('the copy between files', () => {
  it('leaves what the copy in memory leaves, for every kind of value', async () => {
    const [files, memory] = await Promise.all(
      (['files', 'memory'] as const).map(async (kind) => {
        const cluster = await copying(kind, 'init commerce', [...KINDS, ...OTHERS], TABLES.join(','));
        await copyAll(cluster);
        return cluster;
      }),
    );
    expect(left(files!, TABLES)).toEqual(left(memory!, TABLES));
    const [source, target] = [files!.shards.open('commerce', '0'), files!.shards.open('customer', '0')];
    for (const table of TABLES) {
      const all = `SELECT * FROM "${table}" ORDER BY 1, 2`;
      expect(target.db.allStored(all)).toEqual(source.db.allStored(all));
    }
    expect(TABLES.filter((table) => packedInside(target, table))).toEqual(['kinds', 'ids']);
    const kinds = told(target, 'kinds', (row) => `${String(row['id'])} ${String(row['w'])}`);
    expect(kinds).toContainEqual(expect.objectContaining({ id: 9007199254740993n, d: '12345678901234.12345' }));
    expect(kinds).toContainEqual(expect.objectContaining({ n: -9007199254740993n, b: new Uint8Array([0, 255]) }));
  });

  it.each(['files', 'memory'] as const)('agrees with a source that changes meanwhile, in %s; so does who reads the binlog', async (kind) => {
    const cluster = await copying(kind, 'init commerce --rows 10000', [], 'corder');
    const [source, target] = [cluster.shards.open('commerce', '0'), cluster.shards.open('customer', '0')];
    const chunks = await copyAll(cluster, (chunk) => change(source, chunk));
    expect(chunks).toBeGreaterThan(2);
    const all = (shard: ShardDb): Row[] => shard.db.all<Row>('SELECT * FROM corder ORDER BY order_id');
    expect(all(target)).toEqual(all(source));
    expect(packedInside(target, 'corder')).toBe(kind === 'files');
    const seen = told(target, 'corder', (row) => String(row['order_id'])).toSorted((a, b) => Number(a['order_id']) - Number(b['order_id']));
    expect(seen).toEqual(all(target));
  });

  it.each(['files', 'memory'] as const)('tells only how many rows came where nobody reads, until somebody does, in %s', async (kind) => {
    const cluster = await copying(kind, 'init commerce --rows 10000', [], 'corder', false);
    const [source, target] = [cluster.shards.open('commerce', '0'), cluster.shards.open('customer', '0')];
    let from = 0;
    let there: Row[] = [];
    await copyAll(cluster, (chunk) => {
      change(source, chunk);
      if (chunk !== 1) return;
      expect(target.transactionsAfter(0, 1e6).flatMap(({ events }) => events)).toEqual([{ kind: 'copied', table: 'corder', rows: expect.any(Number) }]);
      // As a stream begins to read: it says so, and then takes position and rows.
      void target.expectReader(cluster.world.clock);
      from = target.sequence();
      there = target.db.all<Row>('SELECT * FROM corder');
    });
    expect(there.length).toBeGreaterThan(2000);
    const all = (shard: ShardDb): Row[] => shard.db.all<Row>('SELECT * FROM corder ORDER BY order_id');
    expect(all(target)).toEqual(all(source));
    const id = (row: Row): string => String(row['order_id']);
    const seen = told(target, 'corder', id, { from, there }).toSorted((a, b) => Number(id(a)) - Number(id(b)));
    expect(seen).toEqual(all(target));
    const rules = [{ match: 'corder', filter: 'select * from corder' }];
    const filters = await compileFilters(background(), cluster.topo, { keyspace: 'customer', shard: '0', filter: { rules } }, target, source);
    const applier = new Applier(source, cluster.world);
    expect(() => applyTransactions(source, applier, target.transactionsAfter(0, 1e6), filters)).toThrow(/purged required binary logs.*\(errno 1236\)/);
  });

  it('bounds a slice by its bytes', async () => {
    const large = ['create table large (id int not null, t mediumtext, primary key (id))'];
    const cluster = await copying('files', 'init commerce', large, 'large');
    const [source, target] = [cluster.shards.open('commerce', '0'), cluster.shards.open('customer', '0')];
    source.db.transact(() => {
      for (let id = 1n; id <= 60n; id++) source.db.run('INSERT INTO large VALUES (?, ?)', id, 'x'.repeat(id % 20n === 0n ? 2_000_000 : 200_000));
    });
    await copyAll(cluster);
    expect(target.db.get('SELECT count(*) AS n, sum(length(t)) AS size FROM large')).toEqual(source.db.get('SELECT count(*) AS n, sum(length(t)) AS size FROM large'));
    expect(target.db.get<{ most: number }>('SELECT max(length(events)) AS most FROM _binlog')!.most).toBeLessThan(3_200_000);
  });
});

/** An update, a delete and an insert on both sides of wherever the copy is. */
function change(source: ShardDb, chunk: number): void {
  source.db.transact(() => {
    const events: BinlogEvent[] = [];
    const find = (id: number): Row => source.db.get<Row>('SELECT * FROM corder WHERE order_id = ?', id)!;
    for (const id of [10 + chunk, 4_500 + chunk, 9_500 + chunk]) {
      const before = find(id);
      source.db.run('UPDATE corder SET price = 77 WHERE order_id = ?', id);
      events.push({ kind: 'update', table: 'corder', before, after: find(id) });
    }
    for (const id of [500 + chunk, 4_050 - chunk, 9_000 + chunk]) {
      events.push({ kind: 'delete', table: 'corder', before: find(id) });
      source.db.run('DELETE FROM corder WHERE order_id = ?', id);
    }
    source.db.run('INSERT INTO corder VALUES (?, 1, ?, 5)', 30_000 + chunk, 'new');
    events.push({ kind: 'insert', table: 'corder', after: find(30_000 + chunk) });
    source.log(0, events);
  });
}
