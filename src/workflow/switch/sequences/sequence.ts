import { errorVerbose, vtError } from '../../../lib/errors.ts';
import type { Behaviours } from '../../../lib/behaviours.ts';
import { ensureEscaped } from '../../../lib/sqlescape.ts';

/** A table that takes the ids of one column from a sequence. */
export interface SequenceUse {
  table: string;
  column: string;
}

/** A sequence that tables of the workflow use once they are served by the target. Vitess: sequenceMetadata. */
export interface Sequence {
  /** The backing table. */
  name: string;
  /** Where the backing table is, or is to be; empty while nobody knows. */
  keyspace: string;
  /** False: the table has to be made, or found out to be missing. */
  located: boolean;
  /** The database in which Vitess expects it, before it has asked a tablet. */
  database: string;
  /** On a release the last of the tables that use it, and only that: the largest value of another may be larger. */
  uses: SequenceUse[];
  /** The database of the tables that use it. */
  usingDatabase: string;
}

/** True for a release that makes sequence tables which are missing; it also knows REPLACE (#16860). */
export function canReplace({ sequenceAutoReplace: handling }: Behaviours): boolean {
  return handling === 'bare' || handling === 'qualified';
}

/** The default name of a keyspace's database. */
export function defaultDatabase(keyspace: string): string {
  return `vt_${keyspace}`;
}

/**
 * Throws for a name that Vitess cannot put in backticks any more once it took them off: one with a backtick inside. Until v19 names
 * are put in backticks as they stand. Vitess: sequenceMetadata.escapeValues.
 */
export function checkNames({ name, database, uses, usingDatabase }: Sequence, names: Behaviours['sequenceNames']): void {
  if (names === 'plain') return;
  const check = (text: string, failed: string): void => {
    try {
      ensureEscaped(text);
    } catch (error) {
      throw vtError('INVALID_ARGUMENT', `${failed}: ${errorVerbose(error)}`);
    }
  };
  for (const { table, column } of uses) {
    check(column, `invalid column name ${column} specified for sequence in table ${table}`);
    check(usingDatabase, `invalid database name ${usingDatabase} specified for sequence in table ${table}`);
    check(table, `invalid table name ${table} specified for sequence`);
  }
  check(database, `invalid database name ${database} specified for sequence backing table`);
  check(name, `invalid table name ${name} specified for sequence backing table`);
}
