import type { Outcome } from './ledger.ts';

/** Statements whose clients were told the same. */
export interface ErrorGroup {
  /** The error, with the statement and long numbers taken out. */
  text: string;
  outcome: 'refused' | 'ambiguous';
  count: number;
  /** Epoch milliseconds. */
  first: number;
  last: number;
}

/** Statements of one kind, by how they ended. */
export interface Tally {
  acknowledged: number;
  refused: number;
  ambiguous: number;
}

/** When what was counted happened; epoch milliseconds, undefined for what never did. */
export interface Times {
  firstAcknowledged: number | undefined;
  lastAcknowledged: number | undefined;
  firstRefused: number | undefined;
  lastRefused: number | undefined;
  /** The longest time without an acknowledged statement, from the start to the end. */
  longestGapMs: number;
  longestGapFrom: number | undefined;
}

/** Most error texts that are told apart. */
const MOST_GROUPS = 50;

/** Counts the statements of writers, or of readers. */
export class Counts {
  readonly tally: Tally = { acknowledged: 0, refused: 0, ambiguous: 0 };
  readonly times: Times;
  readonly #groups = new Map<string, ErrorGroup>();
  #gapFrom: number;

  constructor(start: number) {
    this.#gapFrom = start;
    this.times = {
      firstAcknowledged: undefined,
      lastAcknowledged: undefined,
      firstRefused: undefined,
      lastRefused: undefined,
      longestGapMs: 0,
      longestGapFrom: undefined,
    };
  }

  /** Errors by their text, the most frequent first. */
  get errors(): ErrorGroup[] {
    return [...this.#groups.values()].toSorted((a, b) => b.count - a.count || (a.text < b.text ? -1 : 1));
  }

  add(outcome: Outcome, at: number, error?: { text: string; sql: string }): void {
    this.tally[outcome]++;
    if (outcome === 'acknowledged') {
      this.#closeGap(at);
      this.times.firstAcknowledged ??= at;
      this.times.lastAcknowledged = at;
      return;
    }
    if (outcome === 'refused') {
      this.times.firstRefused ??= at;
      this.times.lastRefused = at;
    }
    if (error !== undefined) this.#group(outcome, at, errorGroupText(error.text, error.sql));
  }

  /** No more will come. */
  end(at: number): void {
    this.#closeGap(at);
  }

  #closeGap(at: number): void {
    const gap = at - this.#gapFrom;
    if (gap > this.times.longestGapMs) Object.assign(this.times, { longestGapMs: gap, longestGapFrom: this.#gapFrom });
    this.#gapFrom = at;
  }

  #group(outcome: 'refused' | 'ambiguous', at: number, exact: string): void {
    const text = this.#groups.size < MOST_GROUPS || this.#groups.has(`${outcome} ${exact}`) ? exact : 'other errors';
    const key = `${outcome} ${text}`;
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, { text, outcome, count: 1, first: at, last: at });
    else Object.assign(group, { count: group.count + 1, last: at });
  }
}

/** What errors have in common: without the statement, and without numbers that are somebody's key. */
export function errorGroupText(text: string, sql: string): string {
  const withoutSql = text.replaceAll(sql, '…').replaceAll(/: Sql: ".*", BindVars: \{\}/g, '');
  return withoutSql.replaceAll(/\d{4,}/g, 'N').trim();
}
