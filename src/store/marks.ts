import type BetterSqlite3 from 'better-sqlite3';
import { openInMemory } from './raw.ts';

/** The marks of one database in memory, oldest first, each with what it remembers. From the first on, its connection is in a transaction. */
export class Marks {
  readonly #contents: Buffer[] = [];

  get any(): boolean {
    return this.#contents.length > 0;
  }

  /** Remembers the contents now, and begins the transaction that never commits. Gives the number of the mark. */
  add(db: BetterSqlite3.Database): number {
    if (this.any) db.exec('COMMIT');
    const mark = this.#contents.push(db.serialize());
    db.exec('BEGIN');
    return mark;
  }

  /** Goes back to a mark, and forgets those made after it. Gives the connection to use: another one where there were any. */
  goBack(db: BetterSqlite3.Database, mark: number): BetterSqlite3.Database {
    let current = db;
    if (this.#contents.length === mark) {
      // SQLite itself may have rolled back already.
      if (db.inTransaction) db.exec('ROLLBACK');
    } else {
      this.#contents.length = mark;
      db.close();
      current = openInMemory(this.#contents[mark - 1]!);
    }
    current.exec('BEGIN');
    return current;
  }
}
