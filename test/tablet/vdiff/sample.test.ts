import { beforeAll, describe, expect, it } from 'vitest';
import { planTable, type TablePlan } from '../../../src/tablet/vdiff/plan.ts';
import { rowDiff, type SampleOptions } from '../../../src/tablet/vdiff/sample.ts';
import { TestCluster } from '../../helpers/cluster.ts';

const TABLE =
  'create table t1 (id int, name varchar(200), `order` varbinary(200), n decimal(9,2), d datetime, f double, w bigint unsigned, primary key (id, name))';
const OPTIONS: SampleOptions = { onlyKeys: false, query: false, cutAt: 128, style: 'hex' };

let plan: TablePlan;

beforeAll(async () => {
  const cluster = await TestCluster.make({ k: { shards: ['0'], schema: [TABLE] } });
  const def = cluster.shard('k', '0').table('t1');
  plan = planTable(def, def, 't0');
});

const stored = (name: string, bytes: string | Uint8Array | null): (bigint | string | number | Uint8Array | null)[] => [
  7n, name, bytes, '1.50', '2026-03-27 12:00:00', 1.5, '18446744073709551615',
];

describe('a row that differs', () => {
  it('is shown as text, bytes as hexadecimal digits, NULL as nothing', () => {
    expect(rowDiff(stored('Ada', 'ab'), plan, 't1', OPTIONS).Row).toEqual({
      id: '7', name: 'Ada', '`order`': '0x6162', n: '1.50', d: '2026-03-27 12:00:00', f: '1.5', w: '18446744073709551615',
    });
    expect(rowDiff(stored('Ada', null), plan, 't1', OPTIONS).Row?.['`order`']).toBe('');
    expect(rowDiff(stored('Ada', 'ab'), plan, 't1', { ...OPTIONS, style: 'characters' }).Row?.['`order`']).toBe('ab');
  });

  it('is cut where it is worth it, keys never', () => {
    const long = 'y'.repeat(200);
    const cut = (length: number, options: Partial<SampleOptions>): string | undefined =>
      rowDiff(stored(long, 'y'.repeat(length)), plan, 't1', { ...OPTIONS, style: 'characters', ...options }).Row?.['`order`'];
    expect(cut(40, { cutAt: 6 })).toBe('yyyyyy...[TRUNCATED]');
    expect(cut(39, { cutAt: 6 })).toBe('y'.repeat(39));
    expect(cut(200, { cutAt: 0 })).toBe(long);
    expect(cut(200, { cutAt: -1 })).toBe(long);
    expect(cut(40, { cutAt: 6, style: 'hex' })).toBe('0x797979797979...[TRUNCATED]');
    expect(rowDiff(stored(long, 'y'), plan, 't1', OPTIONS).Row?.['name']).toBe(long);
  });

  it('is cut after 30 bytes until v20, keys too unless they are all that is shown', () => {
    const long = 'y'.repeat(200);
    const old = { ...OPTIONS, style: 'short' } as const;
    const cut = `${'y'.repeat(30)}...[TRUNCATED]`;
    expect(rowDiff(stored(long, long), plan, 't1', old).Row).toMatchObject({ name: cut, '`order`': cut });
    expect(rowDiff(stored(long, long), plan, 't1', { ...old, onlyKeys: true }).Row).toEqual({ id: '7', name: long });
  });

  it('can be its key alone', () => {
    expect(rowDiff(stored('Ada', 'ab'), plan, 't1', { ...OPTIONS, onlyKeys: true })).toEqual({ Row: { id: '7', name: 'Ada' } });
  });

  it('comes with the query that finds it', () => {
    const query = (onlyKeys: boolean, name = "O'Hara\n\"\\"): string | undefined => rowDiff(stored(name, 'ab'), plan, 't1', { ...OPTIONS, query: true, onlyKeys }).Query;
    expect(query(false)).toBe("select id, name, `order`, n, d, f, w from t1 where id=7 AND name='O\\'Hara\\n\\\"\\\\';");
    expect(query(true, 'Ada')).toBe("select id, name from t1 where id=7 AND name='Ada';");
  });
});
