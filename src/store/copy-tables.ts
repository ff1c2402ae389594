import type { Database } from './database.ts';

/** Copies tables, their indexes and their rows into an empty database, row by row: also what is not committed yet. */
export function copyTables(from: Database, to: Database, tables: readonly string[]): void {
  to.transact(() => {
    for (const table of tables) {
      const name = `"${table.replaceAll('"', '""')}"`;
      const parts = from.all<{ sql: string }>('SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC', table);
      for (const { sql } of parts) to.exec(sql);
      if (parts.length === 0) continue;
      for (const row of from.allStored(`SELECT * FROM ${name}`)) to.run(`INSERT INTO ${name} VALUES (${row.map(() => '?').join(', ')})`, ...row);
    }
  });
}
