import { errorText } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import { shardsOfTable } from '../gate/known-tables.ts';
import { isDeniedTable } from '../gate/buffer/failover.ts';
import { runQuery } from '../gate/query.ts';
import type { Value } from '../sql/value.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { type Flaw, judge, type Version } from './ledger.ts';
import type { TableLoad } from './load.ts';

/** A row that is not as it must be. Versions: 0 is no row. */
export interface Finding {
  flaw: Flaw;
  table: string;
  key: number;
  /** What was acknowledged last. */
  acknowledged: Version;
  found: Version[];
}

/** What a look at every row of a workload came to. */
export interface CheckReport {
  /** Rows looked for. */
  rows: number;
  lost: number;
  doubled: number;
  phantom: number;
  /** The first ones. */
  findings: Finding[];
  /** Tables whose primaries would not be read, and were read from replicas. */
  fromReplicas: string[];
  /** Tables that could not be read at all, and why. */
  unread: { table: string; error: string }[];
}

/** Findings that are kept one by one. */
const KEPT = 20;
/** Rows read at once: a short call, however many there are. */
const CHUNK = 500;

/** Reads every row that a workload wrote, through the gate, and judges it. Never throws. */
export async function checkRows(ctx: Context, cluster: Cluster, cell: string, tables: readonly TableLoad[]): Promise<CheckReport> {
  const report: CheckReport = { rows: 0, lost: 0, doubled: 0, phantom: 0, findings: [], fromReplicas: [], unread: [] };
  for (const table of tables) {
    const { name } = table.statements.table;
    if (table.rows.length === 0) continue;
    try {
      const { rows, replicas } = await readTable(ctx, cluster, cell, table);
      if (replicas) report.fromReplicas.push(name);
      judgeTable(report, table, rows);
    } catch (error) {
      report.unread.push({ table: name, error: errorText(error) });
    }
  }
  return report;
}

function judgeTable(report: CheckReport, table: TableLoad, rows: readonly Value[][]): void {
  const found = new Map<number, Version[]>();
  for (const row of rows) {
    const { key, version } = table.statements.parse(row);
    if (version !== undefined) found.set(key, [...(found.get(key) ?? []), version]);
  }
  for (const row of table.rows) {
    report.rows++;
    const versions = found.get(row.key) ?? [];
    const flaw = judge(row, versions);
    if (flaw === undefined) continue;
    report[flaw]++;
    const { table: name, key, acknowledged } = row;
    if (report.findings.length < KEPT) report.findings.push({ flaw, table: name, key, acknowledged, found: versions });
  }
}

async function readTable(ctx: Context, cluster: Cluster, cell: string, table: TableLoad): Promise<{ rows: Value[][]; replicas: boolean }> {
  try {
    return { rows: await readAll(ctx, cluster, cell, table), replicas: false };
  } catch (error) {
    if (!isDeniedTable(error)) throw error;
    // The rule that refuses a table holds on primaries only.
    const rows: Value[][] = [];
    const shards = await shardsOfTable(ctx, cluster, cell, table.statements.table.name);
    try {
      for (const { keyspace, shard } of shards) rows.push(...(await readAll(ctx, cluster, cell, table, `${keyspace}:${shard}@replica`)));
    } catch {
      throw error;
    }
    return { rows, replicas: true };
  }
}

async function readAll(ctx: Context, cluster: Cluster, cell: string, table: TableLoad, target?: string): Promise<Value[][]> {
  const rows: Value[][] = [];
  const keyOf = (row: readonly Value[]): number => table.statements.parse(row).key;
  for (let after = table.top - table.rows.length; ; ) {
    const sql = table.statements.readMany(after, table.top, CHUNK, target !== undefined);
    const chunk = (await runQuery(ctx, cluster, { sql, cell, ...(target === undefined ? {} : { target }) })).rows;
    const last = chunk.at(-1);
    if (last === undefined || chunk.length < CHUNK) return [...rows, ...chunk];
    // A key that is there twice may stand on both sides of the end of a chunk: its rows are read with the next one.
    const end = keyOf(last);
    rows.push(...chunk.filter((row) => keyOf(row) !== end));
    after = end - 1;
    await cluster.world.clock.turn();
  }
}
