import fc from 'fast-check';
import { expect, it } from 'vitest';
import { errorText } from '../../../src/lib/errors.ts';
import { withTimeout } from '../../../src/runtime/context.ts';
import { parseStatement } from '../../../src/sql/parser.ts';
import { execute } from '../../../src/tablet/query/execute.ts';
import { TestCluster } from '../../helpers/cluster.ts';

/** A row of `t (id int primary key, v int, u int unique)`. */
interface ModelRow {
  id: number;
  v: number;
  u: number | null;
}

type Change =
  | { kind: 'insert'; id: number; v: number; u: number | null }
  | { kind: 'update'; id: number; v: number; u: number | null }
  | { kind: 'delete'; id: number };
type Op = { by: 'a' | 'b' | undefined } & ({ kind: 'begin' | 'commit' | 'rollback' } | Change);

/** MySQL in thirty lines: committed rows, and for each session its own changes and locks. */
class Model {
  rows = new Map<number, ModelRow>();
  readonly open = new Map<string, { changes: Map<number, ModelRow | undefined>; locks: Set<string> }>();

  view(by: string | undefined): Map<number, ModelRow> {
    const view = new Map(this.rows);
    for (const [id, row] of this.open.get(by ?? '')?.changes ?? []) {
      if (row === undefined) view.delete(id);
      else view.set(id, row);
    }
    return view;
  }

  lockedByOthers(by: string | undefined, keys: readonly string[]): boolean {
    return [...this.open].some(([name, { locks }]) => name !== by && keys.some((key) => locks.has(key)));
  }

  end(by: string, keep: boolean): void {
    if (keep) this.rows = this.view(by);
    this.open.delete(by);
  }

  /** Rows changed, or the key that is taken; and every key that the change has to do with. */
  change(by: string | undefined, change: Change): { answer: number | string; met: string[] } {
    const view = this.view(by);
    const before = view.get(change.id);
    const after = change.kind === 'delete' ? undefined : { id: change.id, v: change.v, u: change.u };
    const clash = [...view.values()].filter((row) => row.id !== change.id && after?.u !== null && row.u === after?.u);
    const met = [before, after, ...clash].flatMap((row) => (row === undefined ? [] : keysOf(row)));
    if (change.kind === 'insert' && before !== undefined) return { answer: 't.PRIMARY', met };
    if (change.kind !== 'insert' && before === undefined) return { answer: 0, met: [] };
    if (JSON.stringify(before) === JSON.stringify(after)) return { answer: 0, met };
    if (clash.length > 0) return { answer: 't.u', met };
    return { answer: 1, met };
  }

  apply(by: string | undefined, change: Change): void {
    const before = this.view(by).get(change.id);
    const after = change.kind === 'delete' ? undefined : { id: change.id, v: change.v, u: change.u };
    const session = this.open.get(by ?? '');
    if (session === undefined) {
      if (after === undefined) this.rows.delete(change.id);
      else this.rows.set(change.id, after);
      return;
    }
    session.changes.set(change.id, after);
    for (const row of [before, after]) for (const key of row === undefined ? [] : keysOf(row)) session.locks.add(key);
  }
}

/** Narrowing by `kind` does not reach through the intersection. */
function isChange(one: Op): one is Op & Change {
  return one.kind === 'insert' || one.kind === 'update' || one.kind === 'delete';
}

function keysOf({ id, u }: ModelRow): string[] {
  return u === null ? [`id ${id}`] : [`id ${id}`, `u ${u}`];
}

function sqlOf(op: Op): string {
  if (op.kind === 'insert') return `insert into t values (${op.id}, ${op.v}, ${op.u ?? 'null'})`;
  if (op.kind === 'update') return `update t set v = ${op.v}, u = ${op.u ?? 'null'} where id = ${op.id}`;
  return op.kind === 'delete' ? `delete from t where id = ${op.id}` : op.kind;
}

const small = fc.integer({ min: 1, max: 4 });
const by = fc.constantFrom<'a' | 'b' | undefined>('a', 'b', undefined);
const row = { by, id: small, v: small, u: fc.option(small) };
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ by: fc.constantFrom<'a' | 'b'>('a', 'b'), kind: fc.constantFrom('begin' as const, 'commit' as const, 'rollback' as const) }),
  { weight: 2, arbitrary: fc.record({ ...row, kind: fc.constant('insert' as const) }) },
  { weight: 2, arbitrary: fc.record({ ...row, kind: fc.constant('update' as const) }) },
  fc.record({ by, id: small, kind: fc.constant('delete' as const) }),
);

it('statements of several sessions do what MySQL does', async () => {
  const t = await TestCluster.make({ ks: { shards: ['0'] } });
  const tablet = { alias: 'zone1-0000000100', shard: t.shard('ks', '0') };
  const run = async (sql: string, session: string | undefined): Promise<number | string> => {
    const { ctx, end } = withTimeout(t.ctx, t.cluster.world.clock, 15);
    const statement = parseStatement(sql);
    const request = { statement, tabletType: 'PRIMARY', ...(session === undefined ? {} : { session }) };
    try {
      return (await execute(ctx, t.cluster, tablet, request)).rowsAffected;
    } catch (error) {
      return /for key '(.*?)'/.exec(errorText(error))?.[1] ?? /errno (\d+)/.exec(errorText(error))?.[1] ?? errorText(error);
    } finally {
      end();
    }
  };
  const waits = { seen: 0 };
  const property = (): Promise<void> => fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 5, maxLength: 30 }), async (ops) => {
      await run('drop table if exists t', undefined);
      await run('create table t (id int primary key, v int, u int, unique key u (u))', undefined);
      const model = new Model();
      const start = tablet.shard.sequence();
      for (const one of ops) {
        const answer = await run(sqlOf(one), one.by);
        if (!isChange(one)) {
          const session = one.by ?? 'a';
          model.end(session, one.kind !== 'rollback');
          if (one.kind === 'begin') model.open.set(session, { changes: new Map(), locks: new Set() });
          continue;
        }
        const expected = model.change(one.by, one);
        const locked = model.lockedByOthers(one.by, expected.met);
        if (answer === '1205') {
          waits.seen++;
          expect(locked, sqlOf(one)).toBe(true);
          continue;
        }
        expect(answer, sqlOf(one)).toBe(expected.answer);
        if (answer !== 1) continue;
        expect(locked, sqlOf(one)).toBe(false);
        model.apply(one.by, one);
      }
      for (const session of ['a', 'b']) {
        await run('commit', session);
        model.end(session, true);
      }
      const stored = tablet.shard.db.all<ModelRow>('SELECT * FROM t ORDER BY id');
      expect(stored).toEqual([...model.rows.values()].toSorted((a, b) => a.id - b.id));
      const replayed = new Map<number, unknown>();
      for (const event of tablet.shard.transactionsAfter(start, 1000).flatMap(({ events }) => events)) {
        if (event.kind === 'delete' || event.kind === 'update') replayed.delete(event.before['id'] as number);
        if (event.kind === 'insert' || event.kind === 'update') replayed.set(event.after['id'] as number, event.after);
      }
      expect([...replayed.values()].toSorted((a, b) => (a as ModelRow).id - (b as ModelRow).id)).toEqual(stored);
      expect(tablet.shard.db.all('SELECT * FROM _row_lock')).toEqual([]);
      expect(tablet.shard.db.all('SELECT * FROM _table_lock')).toEqual([]);
    }),
    { numRuns: 60 },
  );
  // Chance decides whether sessions get in each other's way: seldom, in none of sixty.
  for (let round = 0; round < 4 && waits.seen === 0; round++) await property();
  expect(waits.seen).toBeGreaterThan(0);
});
