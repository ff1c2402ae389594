import { Position } from '../lib/gtid.ts';

/**
 * The MySQL servers that a shard's transactions come from. All tablets of a shard share its rows, but each has a server of
 * its own: what a primary writes carries the id of that server, and a reparent begins a term of another one. A position is
 * therefore a set over servers, as it is in Vitess, while the binlog here is one line with one number for each transaction.
 */
export interface Term {
  /** The number of its first transaction. */
  first: number;
  uuid: string;
}

/** Everything up to a transaction, as a set of each server's own numbers. `terms` are in order and begin at 1. */
export function positionAt(terms: readonly Term[], sequence: number): Position {
  const counts = new Map<string, number>();
  for (const [index, { first, uuid }] of terms.entries()) {
    const end = Math.min(sequence, (terms[index + 1]?.first ?? Number.POSITIVE_INFINITY) - 1);
    if (end >= first) counts.set(uuid, (counts.get(uuid) ?? 0) + end - first + 1);
  }
  const servers = [...counts].map(([uuid, end]) => ({ uuid, intervals: [{ start: 1, end }] }));
  return new Position(servers.toSorted((a, b) => (a.uuid < b.uuid ? -1 : 1)));
}

/** The number of the last transaction of a shard that a position holds; 0 for none. */
export function sequenceOf(terms: readonly Term[], position: Position): number {
  let reached = 0;
  const counts = new Map<string, number>();
  for (const [index, { first, uuid }] of terms.entries()) {
    const before = counts.get(uuid) ?? 0;
    const length = (terms[index + 1]?.first ?? Number.POSITIVE_INFINITY) - first;
    counts.set(uuid, before + length);
    const end = position.servers.find((server) => server.uuid === uuid)?.intervals.at(-1)?.end ?? 0;
    if (end > before) reached = Math.max(reached, first + Math.min(length, end - before) - 1);
  }
  return reached;
}
