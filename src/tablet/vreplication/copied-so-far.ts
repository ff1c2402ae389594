import type { TableDef } from '../../sql/schema.ts';
import type { Value } from '../../sql/value.ts';
import { parseValues } from '../value-json.ts';
import { keyOf } from './apply.ts';
import type { Copied } from './catch-up.ts';

/** Which rows a copy has reached, from its copy_state. `find` gives a source table's definition. */
export function copiedSoFar(
  state: readonly { table: string; lastpk: string | null }[],
  find: (table: string) => TableDef | undefined,
): Copied {
  const left = new Map(state.map(({ table, lastpk }) => [table, lastpk === null ? null : parseValues<Value[]>(lastpk)]));
  return (table, row) => {
    const lastpk = left.get(table);
    if (lastpk === undefined) return true;
    const def = find(table);
    if (lastpk === null || def === undefined) return false;
    return compareKeys(keyOf(def, row), lastpk) <= 0;
  };
}

/** Keys in the order that SQLite gives them: numbers by value, text by its bytes without case. */
function compareKeys(a: readonly Value[], b: readonly Value[]): number {
  for (let i = 0; i < a.length; i++) {
    const order = compareValues(a[i] ?? null, b[i] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') {
    const [x, y] = [a.toLowerCase(), b.toLowerCase()];
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if ((typeof a === 'number' || typeof a === 'bigint') && (typeof b === 'number' || typeof b === 'bigint')) {
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  const rank = (value: Value): number =>
    value === null ? 0 : typeof value === 'string' ? 2 : value instanceof Uint8Array ? 3 : 1;
  return rank(a) - rank(b);
}

