/** Answers, and the names that a statement must hold to change them. */
interface Answers {
  tables: readonly string[];
  by: Map<string, unknown>;
}

/**
 * Answers of one connection that nobody else writes through, each as long as nothing was written to its tables. A value that is
 * remembered is given to everybody who asks: it must not be changed.
 */
export class Remembered {
  readonly #answers = new Map<string, Answers>();

  /** What `read` answered last, unless it may have changed since. `read` asks for rows of these tables (lower case, a space between) only. */
  get<T>(tables: string, key: string, read: () => T): T {
    let answers = this.#answers.get(tables);
    if (answers === undefined) {
      answers = { tables: tables.split(' '), by: new Map() };
      this.#answers.set(tables, answers);
    }
    const known = answers.by.get(key);
    if (known !== undefined || answers.by.has(key)) return known as T;
    const answer = read();
    answers.by.set(key, answer);
    return answer;
  }

  /** Forgets what a statement that is about to be run may change: whatever was read of a table whose name stands somewhere in it. */
  written(sql: string): void {
    const text = sql.toLowerCase();
    for (const { tables, by } of this.#answers.values()) {
      if (by.size > 0 && tables.some((table) => text.includes(table))) by.clear();
    }
  }

  /** Forgets everything: after a rollback, or a statement of any kind. */
  clear(): void {
    for (const { by } of this.#answers.values()) by.clear();
  }
}
