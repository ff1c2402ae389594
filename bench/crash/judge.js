// Looks for every row that the log of an application tells of, and for the rows that nobody wrote to.
import { readFileSync } from 'node:fs';
import { runQuery } from '../../dist/gate/query.js';
import { background } from '../../dist/runtime/context.js';
import { judge, newRow, record } from '../../dist/workload/ledger.js';
import { CELL } from './writers.js';

/** Above it are the rows of the application, below it those that the cluster was made with. */
const BETWEEN = 500_000;
const MOST = 100_000;

/** What the log says of each row, by table and key. A statement that was sent, and whose end is not logged, is ambiguous. */
export function readLog(file) {
  const rows = new Map();
  const pending = new Map();
  const counts = { acknowledged: 0, refused: 0, ambiguous: 0 };
  const take = ({ table, key, version }, outcome) => {
    const id = `${table} ${key}`;
    if (!rows.has(id)) rows.set(id, newRow(table, key));
    record(rows.get(id), version, outcome);
    counts[outcome]++;
  };
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue;
    const entry = JSON.parse(line);
    const id = `${entry.table} ${entry.key}`;
    if (entry.outcome === 'sent') pending.set(id, entry);
    else {
      pending.delete(id);
      take(entry, entry.outcome);
    }
  }
  for (const entry of pending.values()) take(entry, 'ambiguous');
  return { rows: [...rows.values()], counts };
}

/** Compares the log with what the gate answers, by value. */
export async function judgeLog(cluster, tables, file) {
  const { rows, counts } = readLog(file);
  const wrong = [];
  for (const statements of tables) {
    const { name } = statements.table;
    const found = new Map();
    for (const row of await ask(cluster, statements.readMany(BETWEEN, 2 * BETWEEN, MOST))) {
      const { key, version } = statements.parse(row);
      found.set(key, [...(found.get(key) ?? []), version]);
    }
    for (const row of rows.filter(({ table }) => table === name)) {
      const flaw = judge(row, found.get(row.key) ?? []);
      if (flaw !== undefined) wrong.push(`${flaw}: row ${row.key} of ${name}: acknowledged version ${row.acknowledged}, found ${found.get(row.key) ?? 'none'}`);
      found.delete(row.key);
    }
    for (const key of found.keys()) wrong.push(`row ${key} of ${name} was never sent`);
  }
  return { wrong, counts };
}

/** The rows that the cluster was made with, by table. */
export async function ownRows(cluster, { tables }) {
  return Promise.all(tables.map((table) => rowsBelow(cluster, table)));
}

/** Those that are not as they were. */
export async function unchangedRows(cluster, { tables }, before) {
  const wrong = [];
  for (const [index, table] of tables.entries()) {
    const now = await rowsBelow(cluster, table);
    if (JSON.stringify(now) !== JSON.stringify(before[index])) wrong.push(`rows of ${table} that nobody wrote to are not as they were: ${now.length} for ${before[index].length}`);
  }
  return wrong;
}

async function rowsBelow(cluster, table) {
  const key = table.endsWith('customer') ? 'customer_id' : 'order_id';
  const rows = await ask(cluster, `select * from ${table} where ${key} < ${BETWEEN} order by ${key} limit ${MOST}`);
  return rows.map((row) => row.map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value === null ? null : String(value))));
}

async function ask(cluster, sql) {
  return (await runQuery(background(), cluster, { sql, cell: CELL })).rows;
}
