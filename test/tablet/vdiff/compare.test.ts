import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { TableDef } from '../../../src/sql/schema.ts';
import { encodeValue, sqliteName } from '../../../src/sql/storage.ts';
import { canonicalBytes, type Value } from '../../../src/sql/value.ts';
import type { ShardDb } from '../../../src/tablet/shard-db.ts';
import { compareRows } from '../../../src/tablet/vdiff/compare.ts';
import { Pacer } from '../../../src/tablet/vdiff/pacer.ts';
import { planTable } from '../../../src/tablet/vdiff/plan.ts';
import { type DiffReport, emptyReport } from '../../../src/tablet/vdiff/report.ts';
import { mergeRows, openRows, type Rows } from '../../../src/tablet/vdiff/rows.ts';
import { TestCluster } from '../../helpers/cluster.ts';
import { WHOLE } from '../../helpers/sample.ts';

/** Turns at every row, so that a comparison can be broken off anywhere. */
class EagerPacer extends Pacer {
  override due(): boolean {
    return true;
  }
}

/** Thrown to break a comparison off. */
class BrokenOff extends Error {}

type Values = readonly Value[];

const SOURCES = ['-40', '40-80', '80-'];
const TARGET = '-';

const SCHEMA = [
  'create table ints (id bigint primary key, v varchar(9))',
  'create table wide (id bigint unsigned primary key, v int)',
  'create table words (w varchar(20) primary key, v int)',
  'create table exact (w varchar(20) collate utf8mb4_bin primary key, v int)',
  'create table bytes (b varbinary(20) primary key, v int)',
  'create table pairs (a varchar(9), b int, v int, primary key (b, a))',
  'create table reals (r double primary key, v int)',
  'create table days (d datetime primary key, v int)',
  // Without a key: the unique one, and every column.
  'create table codes (v int, code varchar(9) not null, unique key (code))',
  'create table loose (a int, b varchar(9))',
];

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.make({
    source: { shards: SOURCES, schema: SCHEMA },
    target: { shards: [TARGET], schema: SCHEMA },
  });
});

const word = fc.oneof(
  fc.stringMatching(/^[aAbBzZ_]{0,3}$/),
  fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'A', '[', '_', 'é', 'É', '\uffff', '𝄞', '\ue000') }),
);
const maybe = (value: fc.Arbitrary<Value>): fc.Arbitrary<Value> => fc.oneof(value, fc.constant(null));
const small = fc.integer({ min: 0, max: 3 });
const integer = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));

/** For each table: a row, and what of it is its key. */
const TABLES: Record<string, { row: fc.Arbitrary<Values>; key: (row: Values) => string }> = {
  ints: { row: fc.tuple(integer, word), key: ([id]) => String(id) },
  wide: { row: fc.tuple(fc.oneof(fc.bigInt({ min: 0n, max: 9n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), small), key: ([id]) => String(id) },
  words: { row: fc.tuple(word, small), key: ([w]) => String(folded(w)) },
  exact: { row: fc.tuple(word, small), key: ([w]) => String(w) },
  bytes: {
    row: fc.tuple(fc.oneof(word, fc.uint8Array({ minLength: 1, maxLength: 2 }).map(canonicalBytes)), small),
    key: ([b]) => (typeof b === 'string' ? `t${b}` : `b${Buffer.from(b as Uint8Array).toString('hex')}`),
  },
  pairs: { row: fc.tuple(word, small, small), key: ([a, b]) => `${b}/${folded(a)}` },
  reals: { row: fc.tuple(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }).filter((r) => !Number.isInteger(r)), fc.constantFrom(0.5, -0.25)), small), key: ([r]) => String(r) },
  days: { row: fc.tuple(fc.integer({ min: 1, max: 9 }).map((day) => `2026-03-0${day} 12:00:00`), small), key: ([d]) => String(d) },
  codes: { row: fc.tuple(maybe(small), word), key: ([, code]) => String(folded(code)) },
  loose: { row: fc.tuple(maybe(small), maybe(word)), key: ([a, b]) => JSON.stringify([a, folded(b)]) },
};

function folded(text: Value | undefined): string | null {
  return text === null ? null : String(text).replace(/[A-Z]/g, (char) => char.toLowerCase());
}

const KEYLESS = ['loose'];

/** Rows of which no two have one key, unless the table has none. */
function rowsOf(table: string): fc.Arbitrary<Values[]> {
  const { row, key } = TABLES[table]!;
  return KEYLESS.includes(table) ? fc.array(row, { maxLength: 14 }) : fc.uniqueArray(row, { selector: key, maxLength: 14 });
}

function fill(shard: ShardDb, def: TableDef, rows: readonly Values[]): void {
  shard.db.run(`DELETE FROM ${sqliteName(def.name)}`);
  const marks = def.columns.map(() => '?').join(', ');
  for (const row of rows) {
    shard.db.run(`INSERT INTO ${sqliteName(def.name)} VALUES (${marks})`, ...def.columns.map((column, i) => encodeValue(column.type, row[i] ?? null)));
  }
}

/** What a comparison has to find: pairs by key, as often as both sides have it. */
function expected(table: string, source: readonly Values[], target: readonly Values[]): Partial<DiffReport> {
  const { key } = TABLES[table]!;
  const groups = new Map<string, [Values[], Values[]]>();
  for (const [side, rows] of [source, target].entries()) {
    for (const row of rows) {
      const group = groups.get(key(row)) ?? [[], []];
      group[side]!.push(row);
      groups.set(key(row), group);
    }
  }
  const found = { ProcessedRows: 0, MatchingRows: 0, MismatchedRows: 0, ExtraRowsSource: 0, ExtraRowsTarget: 0 };
  const keys = KEYLESS.includes(table) ? [0, 1] : keyColumns(table);
  const others = (row: Values): string => JSON.stringify(row.filter((_, i) => !keys.includes(i)));
  for (const [a, b] of groups.values()) {
    found.ProcessedRows += Math.max(a.length, b.length);
    found.ExtraRowsSource += Math.max(0, a.length - b.length);
    found.ExtraRowsTarget += Math.max(0, b.length - a.length);
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      if (others(a[i]!) === others(b[i]!)) found.MatchingRows++;
      else found.MismatchedRows++;
    }
  }
  return found;
}

function keyColumns(table: string): number[] {
  const def = cluster.shard('target', TARGET).table(table);
  const names = def.primaryKey.length > 0 ? def.primaryKey : def.indexes[0]!.parts.map((part) => part.column);
  return names.map((name) => def.columns.findIndex((column) => column.name === name));
}

/** Compares a table as it stands, from a key on, until `check` throws. Returns the key that it got to. */
async function compareOnce(table: string, report: DiffReport, after: string | null, check: () => void): Promise<string | null> {
  const target = cluster.shard('target', TARGET);
  const def = target.table(table);
  const plan = planTable(def, def, table);
  const pacer = new EagerPacer(cluster.cluster.world.clock as Clock, check);
  const snapshots = [...SOURCES.map((shard) => cluster.shard('source', shard)), target].map((shard) => shard.db.snapshot([]));
  const opened: Rows[] = [];
  for (const snapshot of snapshots) opened.push(await openRows({ snapshot, def, accepts: undefined }, plan, after, pacer));
  let reached = after;
  try {
    await compareRows({
      plan,
      source: mergeRows(opened.slice(0, -1), plan.order),
      target: opened.at(-1)!,
      report,
      limit: Number.MAX_SAFE_INTEGER,
      mostExtra: 1000,
      mostSamples: 10,
      samples: { onlyKeys: false, query: false, cutAt: 0, style: 'hex' },
      keepDrained: true,
      pacer,
      save: async (key) => {
        reached = key ?? reached;
      },
    });
    return reached;
  } catch (error) {
    if (error instanceof BrokenOff) return reached;
    throw error;
  } finally {
    for (const rows of opened) rows.close();
    for (const snapshot of snapshots) snapshot.close();
  }
}

function spread(table: string, rows: readonly Values[], where: readonly number[]): void {
  const def = cluster.shard('source', SOURCES[0]!).table(table);
  SOURCES.forEach((shard, i) => fill(cluster.shard('source', shard), def, rows.filter((_, at) => (where[at % where.length] ?? 0) === i)));
}

describe.each(Object.keys(TABLES))('a table like %s', (table) => {
  const places = fc.array(fc.integer({ min: 0, max: SOURCES.length - 1 }), { minLength: 1, maxLength: 8 });

  it('is compared by key, however its rows are spread over the sources', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf(table), rowsOf(table), fc.boolean(), places, async (source, other, isCopy, where) => {
        const target = isCopy ? [...source].reverse() : other;
        spread(table, source, where);
        fill(cluster.shard('target', TARGET), cluster.shard('target', TARGET).table(table), target);
        const report = emptyReport(table);
        await compareOnce(table, report, null, () => {});
        expect(report).toMatchObject(expected(table, source, target));
        expect(report.ExtraRowsSourceSample?.length ?? 0).toBe(report.ExtraRowsSource);
        expect(report.ExtraRowsTargetSample?.length ?? 0).toBe(report.ExtraRowsTarget);
      }),
      { numRuns: WHOLE ? 25 : 7 },
    );
  });

  it('is compared the same when it is broken off, again and again', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf(table), rowsOf(table), places, fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 6 }), async (source, target, where, stops) => {
        spread(table, source, where);
        fill(cluster.shard('target', TARGET), cluster.shard('target', TARGET).table(table), target);
        const report = emptyReport(table);
        let after: string | null = null;
        for (const stop of stops) {
          let left = stop;
          after = await compareOnce(table, report, after, () => {
            if (--left === 0) throw new BrokenOff();
          });
        }
        await compareOnce(table, report, after, () => {});
        expect(report).toMatchObject(expected(table, source, target));
      }),
      { numRuns: WHOLE ? 15 : 5 },
    );
  });
});

describe('a limit', () => {
  it('ends the comparison after so many rows', async () => {
    const rows = Array.from({ length: 9 }, (_, i): Values => [i, `v${i}`]);
    spread('ints', rows, [0]);
    fill(cluster.shard('target', TARGET), cluster.shard('target', TARGET).table('ints'), rows);
    const target = cluster.shard('target', TARGET);
    const def = target.table('ints');
    const plan = planTable(def, def, 'ints');
    const pacer = new EagerPacer(cluster.cluster.world.clock, () => {});
    const [a, b] = [cluster.shard('source', '-40').db.snapshot([]), target.db.snapshot([])];
    const report = emptyReport('ints');
    const keys: (string | undefined)[] = [];
    const [source, own] = [await openRows({ snapshot: a, def, accepts: undefined }, plan, null, pacer), await openRows({ snapshot: b, def, accepts: undefined }, plan, null, pacer)];
    const samples = { onlyKeys: false, query: false, cutAt: 0, style: 'hex' } as const;
    await compareRows({ plan, source, target: own, report, limit: 4, mostExtra: 1, mostSamples: 1, samples, keepDrained: true, pacer, save: async (key) => void keys.push(key) });
    source.close();
    own.close();
    a.close();
    b.close();
    expect(report.ProcessedRows).toBe(4);
    expect(keys.at(-1)).toBe('[3]');
  });
});

describe('a filter', () => {
  it('that takes hardly any row lets the loop turn', async () => {
    const shard = cluster.shard('source', '-40');
    const def = shard.table('ints');
    fill(shard, def, Array.from({ length: 5000 }, (_, i): Values => [i, 'v']));
    const plan = planTable(def, def, 'ints');
    let turns = 0;
    const clock: Clock = { ...cluster.cluster.world.clock, turn: async () => void turns++, due: () => false };
    const snapshot = shard.db.snapshot([]);
    const rows = await openRows({ snapshot, def, accepts: (row) => row['id'] === 4999 }, plan, null, new Pacer(clock, () => {}));
    expect(rows.row?.[0]).toBe(4999n);
    expect(turns).toBeGreaterThan(10);
    rows.close();
    snapshot.close();
  });
});
