import type { Database } from './database.ts';

/** Copies tables, their indexes and their rows into an empty database, row by row: also what is not committed yet. */
export function copyTables(from: Database, to: Database, tables: readonly string[]): void {
  to.transact(() => {
    for (const table of tables) {
      const name = quoted(table);
      const parts = from.all<{ sql: string }>('SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC', table);
      for (const { sql } of parts) to.exec(sql);
      if (parts.length === 0) continue;
      for (const row of from.allStored(`SELECT * FROM ${name}`)) to.run(`INSERT INTO ${name} VALUES (${row.map(() => '?').join(', ')})`, ...row);
    }
  });
}

/** Copies everything into an empty database in the same way: tables with their row ids, indexes, views, the version of the schema. */
export function copyAll(from: Database, to: Database): void {
  const parts = from.all<{ type: string; name: string; sql: string }>(
    "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type = 'table' DESC, rowid",
  );
  const withoutRowid = new Set(from.all<{ name: string; wr: number }>('PRAGMA table_list').flatMap(({ name, wr }) => (wr === 1 ? [name] : [])));
  to.transact(() => {
    for (const { type, name, sql } of parts) {
      to.exec(sql);
      if (type === 'table') copyRows(from, to, name, !withoutRowid.has(name));
    }
    // The numbers that AUTOINCREMENT has given: there as soon as one table has it.
    if (from.get("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'") !== undefined) {
      to.run('DELETE FROM sqlite_sequence');
      copyRows(from, to, 'sqlite_sequence', true);
    }
  });
  to.exec(`PRAGMA user_version = ${String(from.pragma('user_version'))}`);
}

/** The order of rows without a primary key is that of their ids. */
function copyRows(from: Database, to: Database, table: string, withRowid: boolean): void {
  const columns = from.all<{ name: string }>(`PRAGMA table_info(${quoted(table)})`).map(({ name }) => quoted(name));
  const names = [...(withRowid ? ['rowid'] : []), ...columns].join(', ');
  const places = Array.from({ length: columns.length + (withRowid ? 1 : 0) }, () => '?').join(', ');
  for (const row of from.allStored(`SELECT ${names} FROM ${quoted(table)}`)) to.run(`INSERT INTO ${quoted(table)} (${names}) VALUES (${places})`, ...row);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
