/**
 * What became of each row that a workload wrote, and whether what is found at the end can be. A row is changed by one
 * writer only, one statement after another, and by none any more once a statement's outcome is not known: so there are
 * never more than two states that it may be in.
 */

/** How a statement ended for its client: done; not done; nobody knows. */
export type Outcome = 'acknowledged' | 'refused' | 'ambiguous';

/** A row's version: 0 is a row that is not there. */
export type Version = number;

/** One row of a workload. */
export interface LedgerRow {
  readonly table: string;
  readonly key: number;
  /** The version that was acknowledged last; 0 for none and for a row that was deleted. */
  acknowledged: Version;
  /** It was there once. */
  everAcknowledged: boolean;
  /** The version that a statement of unknown outcome may have made. */
  maybe: Version | undefined;
  /** Versions that a statement was refused for. */
  readonly refused: Version[];
  /** The highest version used. */
  highest: Version;
  /** The version of the statement that is under way. */
  pending: Version | undefined;
  /** No statement for it will follow. */
  over: boolean;
}

/** What is wrong with a row that was found. */
export type Flaw = 'lost' | 'doubled' | 'phantom';

/** A row of which nothing is known yet. */
export function newRow(table: string, key: number): LedgerRow {
  return { table, key, acknowledged: 0, everAcknowledged: false, maybe: undefined, refused: [], highest: 0, pending: undefined, over: false };
}

/**
 * The version that the next statement makes. Where the version is a counter that the database adds to (`counts`), a
 * statement that was refused has used none up.
 */
export function nextVersion(row: LedgerRow, counts: boolean): Version {
  return (counts ? row.acknowledged : row.highest) + 1;
}

/** Writes down how a statement ended; `version` 0 is a delete. */
export function record(row: LedgerRow, version: Version, outcome: Outcome): void {
  row.highest = Math.max(row.highest, version);
  row.pending = undefined;
  if (outcome === 'refused') {
    row.refused.push(version);
    // A row that never was is not tried again under its key.
    if (row.acknowledged === 0) row.over = true;
    return;
  }
  if (outcome === 'ambiguous') row.maybe = version;
  else {
    row.acknowledged = version;
    row.everAcknowledged = true;
  }
  row.over ||= outcome === 'ambiguous' || version === 0;
}

/** What is wrong with a row, given every version found under its key; undefined when it is as it must be. */
export function judge(row: LedgerRow, found: readonly Version[]): Flaw | undefined {
  if (found.length > 1) return 'doubled';
  const version = found[0] ?? 0;
  if (version === row.acknowledged || version === row.maybe) return undefined;
  if (version === 0) return row.refused.includes(0) && row.acknowledged > 0 ? 'phantom' : 'lost';
  if (version < row.acknowledged) return 'lost';
  if (row.refused.includes(version)) return 'phantom';
  // Nobody asked for such a version: something was done once more.
  if (version > row.highest) return 'doubled';
  return 'lost';
}

/**
 * True if a read must not have seen `version`: it is older than what was acknowledged (`before`) when the read began.
 * `row` is a row that was there once, as it is when the read has ended.
 */
export function isStale(before: Version, row: LedgerRow, version: Version): boolean {
  // Deleted before: nobody writes to it again.
  if (before === 0) return version !== 0;
  if (version !== 0) return version < before;
  return !(row.acknowledged === 0 || row.maybe === 0 || row.pending === 0);
}
