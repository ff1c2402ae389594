import { errorText } from '../../src/lib/errors.ts';
import { ADAPTERS } from './adapters/all.ts';
import { type Adapter, type Case, type Check, Fields, Mismatch, shown, Skipped } from './fields.ts';
import type { CaseRecord } from './read-cases.ts';

/** What came of a case. */
export type Verdict = { kind: 'ok' } | { kind: 'fail' | 'skip'; why: string };

/** What a case says besides: read by people alone. */
const FOR_PEOPLE = ['id', 'area', 'source', 'basis', 'note', 'given', 'when', 'then'];

/**
 * Finds the adapter of a case and lets it read all of it. Throws Skipped with the reason if there is none, or if it does not
 * know a field or a value.
 */
export function readCase(record: CaseRecord): Check {
  const unknown = Object.keys(record.fields).find((name) => !FOR_PEOPLE.includes(name));
  if (unknown !== undefined) throw new Skipped(`the field ${unknown} is not known`);
  const parts = { given: new Fields(record.given ?? {}, 'given'), when: new Fields(record.when, 'when'), then: new Fields(record.then, 'then') };
  const value = parts.when.need('op');
  const op = Array.isArray(value) ? value.join(' + ') : value;
  if (typeof op !== 'string') throw new Skipped(`when.op is no text: ${shown(value)}`);
  if (parts.then.names.length === 0) throw new Skipped('then expects nothing');
  const one: Case = { id: record.id, area: record.area, op, ...parts };
  const adapter = ADAPTERS.find((candidate) => serves(candidate, one));
  if (adapter === undefined) throw new Skipped(`no adapter for ${record.area}: ${shown(op)}`);
  const check = adapter.read(one);
  const unread = Object.values(parts).flatMap((fields) => fields.unread());
  if (unread.length > 0) throw new Skipped(`the adapter of ${shown(op)} does not know ${unread.join(', ')}`);
  return check;
}

function serves(adapter: Adapter, one: Case): boolean {
  const { area, op } = adapter;
  if (!(typeof area === 'string' ? area === one.area : area.includes(one.area))) return false;
  if (!(typeof op === 'string' ? op === one.op : op.test(one.op))) return false;
  return adapter.serves?.(one) ?? true;
}

/** Reads a case and runs it through the engine. */
export async function driveCase(record: CaseRecord): Promise<Verdict> {
  try {
    const check = readCase(record);
    await check();
    return { kind: 'ok' };
  } catch (error) {
    if (error instanceof Skipped) return { kind: 'skip', why: error.message };
    // What the program itself says it cannot do yet is no wrong answer.
    const missing = /[^"]* is not built yet/.exec(errorText(error))?.[0];
    if (missing !== undefined) return { kind: 'skip', why: missing };
    if (error instanceof Mismatch) return { kind: 'fail', why: error.message };
    return { kind: 'fail', why: `it broke off: ${errorText(error)}${error instanceof Error && error.constructor === Error ? '' : ` (${(error as Error)?.name})`}` };
  }
}
