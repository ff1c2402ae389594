import { isMap } from './fields.ts';
import type { CaseRecord } from './read-cases.ts';

/** Another expectation: where it stands, and the case with it. */
export interface Mutation {
  path: string;
  record: CaseRecord;
}

/** Fields whose value says what must not be there: another text may be absent too. */
const NEGATIVE = ['error_does_not_contain', 'output_does_not_contain', 'not_in_output', 'invalid'];

/** Every case that differs from this one in a single value of what it expects. */
export function mutations(record: CaseRecord): Mutation[] {
  return leaves(record.then, 'then').map(({ path, value }) => {
    const then = withValue(record.then, path.slice(1), value);
    return { path: path.join('.'), record: { ...record, then, fields: { ...record.fields, then } } };
  });
}

interface Leaf {
  path: string[];
  value: unknown;
}

function leaves(value: unknown, ...path: string[]): Leaf[] {
  if (NEGATIVE.includes(path.at(-1)!)) return [];
  if (Array.isArray(value)) return value.length === 0 ? [{ path, value: ['another'] }] : value.flatMap((item, index) => leaves(item, ...path, String(index)));
  if (isMap(value)) {
    const inner = Object.entries(value).flatMap(([key, item]) => leaves(item, ...path, key));
    return inner.length > 0 || path.length === 1 ? inner : [];
  }
  return [{ path, value: another(value) }];
}

function another(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (value === null) return 'another';
  return `${String(value)}!`;
}

function withValue(whole: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(whole)) return whole.map((item: unknown, index) => (String(index) === key ? withValue(item, rest, value) : item));
  return isMap(whole) ? { ...whole, [key]: withValue(whole[key], rest, value) } : whole;
}
