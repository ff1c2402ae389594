import { unique } from '../../workflow/facts/stranded/found.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';
import type { SequenceFacts } from '../sequence-facts.ts';

/** Sequences whose next value is in use already, where the table that uses them is served. */
export function sequencesBehind(picture: DoctorPicture): Finding[] {
  const behind = picture.sequences.filter((one) => one.next <= one.largest && isServed(picture, one));
  const bySequence = new Map<string, SequenceFacts[]>();
  for (const one of behind) {
    const key = `${one.sequence.keyspace}.${one.sequence.table}`;
    bySequence.set(key, [...(bySequence.get(key) ?? []), one]);
  }
  return [...bySequence].map(([name, uses]) => {
    const { sequence, next, stored } = uses[0]!;
    const largest = uses.reduce((most, one) => (one.largest > most ? one.largest : most), 0n);
    const raise = stored <= largest ? [`ExecuteFetchAsDBA ${sequence.tablet} "update ${sequence.table} set next_id = ${largest + 1n} where id = 0"`] : [];
    // A tablet that starts anew has no block of values left.
    const restart = next === stored ? [] : [`tablet stop ${sequence.tablet}`, `tablet start ${sequence.tablet}`];
    return {
      kind: 'sequence-behind' as const,
      object: name,
      keyspaces: unique([sequence.keyspace, ...uses.map(({ keyspace }) => keyspace)]),
      workflows: [],
      text: `${name} gives ${next} next, and ${uses.map(({ keyspace, table, column }) => `${keyspace}.${table}.${column}`).join(', ')} ${uses.length === 1 ? 'has' : 'have'} ${largest}`,
      next: [...raise, ...restart],
      impact: [`inserts into ${uses.map(({ keyspace, table }) => `${keyspace}.${table}`).join(', ')} without an id fail with duplicate keys, up to ${largest}`],
    };
  });
}

/** Until its writes are switched nobody takes ids for a table of the target. */
function isServed({ routing }: DoctorPicture, { keyspace, table }: SequenceFacts): boolean {
  return routing.routes.some(({ from, type, global }) => type === 'PRIMARY' && (from === table || from === `${keyspace}.${table}`) && global === `${keyspace}.${table}`);
}
