import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { isMap } from './fields.ts';

/** A case as the file has it. */
export interface CaseRecord {
  id: string;
  area: string;
  given: unknown;
  when: unknown;
  then: unknown;
  /** Every field, for those that nobody expects. */
  fields: Record<string, unknown>;
}

/** Reads a file of cases. Throws Error with one line for a file that holds something else. */
export function readCases(path: string): CaseRecord[] {
  let value: unknown;
  try {
    value = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`, { cause: error });
  }
  if (!Array.isArray(value)) throw new Error(`${path}: a list of cases was expected`);
  const seen = new Set<string>();
  return value.map((item: unknown, index): CaseRecord => {
    const place = `${path}: case ${index + 1}`;
    if (!isMap(item)) throw new Error(`${place} is no mapping`);
    const { id } = item;
    if (typeof id !== 'string' || id === '') throw new Error(`${place} has no id`);
    if (seen.has(id)) throw new Error(`${place}: the id ${id} stands twice`);
    seen.add(id);
    const area = typeof item['area'] === 'string' ? item['area'] : id.split('.')[0]!;
    return { id, area, given: item['given'], when: item['when'], then: item['then'], fields: item };
  });
}
