import { expect } from 'vitest';
import type { QueryResult } from '../../../src/tablet/query/request.ts';
import type { TestCluster } from '../../helpers/shell.ts';
import type { Ground, Table } from './types.ts';

/** What an application has: the rows of each table, by their keys. */
export type Rows = Map<string, string[]>;

async function read(cluster: TestCluster, { name, key }: Table, type = '', cell = ''): Promise<string[]> {
  const answer = await cluster.ok(`query ${type === '' ? '' : `--target ${type} `}${cell === '' ? '' : `--cell ${cell} `}--format json "select * from ${name} order by ${key}"`);
  return (JSON.parse(answer) as QueryResult).rows.map((row) => JSON.stringify(row));
}

/** The rows that an application sees. */
export async function rowsOf(cluster: TestCluster, ground: Ground): Promise<Rows> {
  const rows: Rows = new Map();
  for (const table of ground.tables) rows.set(table.name, await read(cluster, table));
  return rows;
}

/** Fails unless an application can write to and read from every table, in every cell, and every row of before is there once. */
export async function serves(cluster: TestCluster, ground: Ground, before: Rows): Promise<void> {
  let id = 5000;
  for (const table of ground.tables) {
    const { name, columns, row, key } = table;
    const old = before.get(name)!;
    let written = 0;
    for (const cell of ground.cells ?? ['']) {
      await cluster.ok(`query ${cell === '' ? '' : `--cell ${cell} `}"insert into ${name} (${columns}) values (${row(++id)})"`);
      written++;
    }
    const now = await read(cluster, table);
    expect(now.filter((one) => old.includes(one)), `the rows of ${name}`).toEqual(old);
    expect(now.length, `rows of ${name} by ${key}`).toBe(old.length + written);
    for (const cell of ground.cells ?? ['']) {
      for (const type of ground.types) {
        const seen = await read(cluster, table, type, cell);
        expect(seen.filter((one) => old.includes(one)), `the rows of ${name}${type} in ${cell}`).toEqual(old);
      }
    }
  }
}

/** What is turned away now: `PRIMARY customer` of each keyspace to which it is routed. */
export async function refusedNow(cluster: TestCluster): Promise<Set<string>> {
  const { keyspaces } = JSON.parse(await cluster.ok('show keyspace --format json')) as {
    keyspaces: { keyspace: string; verdict: { refused: { type: string; tables: string[] }[] } }[];
  };
  return new Set(keyspaces.flatMap(({ keyspace, verdict }) => verdict.refused.flatMap(({ type, tables }) => tables.map((table) => `${type} ${keyspace}.${table}`))));
}
