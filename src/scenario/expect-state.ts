import type { PathPart } from '../report/input/yaml.ts';
import type { Problem } from '../report/scenario/result.ts';
import type { Served, StateTests } from '../report/scenario-file/schema.ts';
import type { Context } from '../runtime/context.ts';
import { sqliteName } from '../sql/storage.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { pumpAll } from '../tablet/vreplication/pump-all.ts';
import { findAllShards } from '../topo/keyspaces.ts';
import { type Fingerprint, takeFingerprint } from '../workflow/facts/fingerprint.ts';
import { changeLines, diffTrees } from '../lib/diff-trees.ts';
import type { Execution } from './execution.ts';
import { countText, isCount } from './expect-command.ts';
import { matchTree } from './match.ts';
import { type Probe, probeCount, probeRead, probeWrite } from './probe.ts';
import { VIEWS, type ViewName } from './state.ts';
import { testText } from './text-test.ts';

/** In what the cluster is not as expected. Looking changes nothing. */
export function checkState(execution: Execution, expected: StateTests, path: readonly PathPart[]): Promise<Problem[]> {
  return execution.rig.observe(async (ctx, cluster) => {
    const look: Look = { execution, ctx, cluster, path };
    const problems: Problem[] = [];
    for (const [key, wanted] of Object.entries(expected)) {
      if (wanted === undefined) continue;
      const test = (TESTS as Partial<Record<string, Test<unknown>>>)[key];
      problems.push(...(test === undefined ? await checkView(look, key as ViewName, wanted) : await test(look, wanted)));
    }
    return problems;
  });
}

interface Look {
  execution: Execution;
  ctx: Context;
  cluster: Cluster;
  path: readonly PathPart[];
}

type Test<T> = (look: Look, wanted: T) => Promise<Problem[]>;

/** The tests that try something, or compare; everything else is read and matched. */
const TESTS: { [K in Exclude<keyof StateTests, ViewName>]-?: Test<NonNullable<StateTests[K]>> } = {
  writes: (look, wanted) => checkServed(look, 'writes', wanted, probeWrite),
  reads: (look, wanted) => checkServed(look, 'reads', wanted, probeRead),
  rows: checkRows,
  unchanged: checkUnchanged,
};

async function checkView({ execution, ctx, cluster, path }: Look, key: ViewName, wanted: unknown): Promise<Problem[]> {
  const view = VIEWS[key];
  if (view === undefined) return [];
  const actual = await view(ctx, cluster);
  return matchTree(wanted, actual, '').map((mismatch) => {
    const subject = mismatch.path === '' ? key : `${key} ${mismatch.path}`;
    return execution.problem([...path, key, ...firstKey(wanted, mismatch.path)], subject, [`expected ${mismatch.expected}`, `was      ${mismatch.actual}`]);
  });
}

/** The key of the file that a mismatch lies below: names hold dots and slashes, so the longest that fits. */
function firstKey(wanted: unknown, path: string): string[] {
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) return [];
  const keys = Object.keys(wanted).filter((key) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`) || path.startsWith(`${key} `));
  return keys.length === 0 ? [] : [keys.reduce((a, b) => (b.length > a.length ? b : a))];
}

async function checkServed(
  { execution, ctx, cluster, path }: Look,
  key: 'writes' | 'reads',
  wanted: Readonly<Record<string, Served>>,
  probe: (ctx: Context, cluster: Cluster, name: string) => Promise<Probe>,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const [name, served] of Object.entries(wanted)) {
    const { passed, error } = await probe(ctx, cluster, name);
    const complain = (lines: string[]): void => {
      problems.push(execution.problem([...path, key, name], `${key} of ${name}`, lines));
    };
    if (served === 'pass') {
      if (!passed) complain(['should pass, and are refused:', error]);
    } else if (passed) complain(['should be refused, and pass']);
    else if (served !== 'refused') for (const lines of testText(served.refused, error, execution.golden)) complain([`are refused, but the error ${lines[0] ?? ''}`, ...lines.slice(1), `was: ${error}`]);
  }
  return problems;
}

async function checkRows({ execution, ctx, cluster, path }: Look, wanted: NonNullable<StateTests['rows']>): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const [name, count] of Object.entries(wanted)) {
    const found = await countRows(ctx, cluster, name);
    const complain = (line: string): void => {
      problems.push(execution.problem([...path, 'rows', name], `rows of ${name}`, [line]));
    };
    if (typeof found === 'string') complain(`cannot be counted: ${found}`);
    else if (!isCount(count, found)) complain(`are ${found}, not ${countText(count)}`);
  }
  return problems;
}

/** `customer` as routed, `commerce.customer` over the keyspace's shards, `commerce/0.customer` on one. A text says why not. */
async function countRows(ctx: Context, cluster: Cluster, name: string): Promise<number | string> {
  const dot = name.indexOf('.');
  if (dot < 0) {
    const { passed, error, rows } = await probeCount(ctx, cluster, name);
    return passed ? Number(rows[0]?.[0]) : error;
  }
  const [keyspace = '', wantedShard] = name.slice(0, dot).split('/');
  const table = name.slice(dot + 1);
  const shards = await findAllShards(ctx, cluster.topo, keyspace).catch(() => []);
  const chosen = shards.filter((info) => wantedShard === undefined || info.name === wantedShard);
  if (chosen.length === 0) return `there is no ${wantedShard === undefined ? 'keyspace' : 'shard'} ${name.slice(0, dot)}`;
  let count = 0;
  for (const info of chosen) {
    const shard = cluster.shards.open(keyspace, info.name);
    if (shard.findTable(table) === undefined) return `there is no table ${table} on ${keyspace}/${info.name}`;
    count += shard.db.get<{ n: number }>(`SELECT count(*) AS n FROM ${sqliteName(table)}`)?.n ?? 0;
  }
  return count;
}

async function checkUnchanged({ execution, ctx, cluster, path }: Look, wanted: NonNullable<StateTests['unchanged']>): Promise<Problem[]> {
  const { since, except } = typeof wanted === 'string' ? { since: wanted, except: undefined } : wanted;
  const before = execution.snapshots.get(since);
  const at = [...path, 'unchanged'];
  if (before === undefined) {
    const there = [...execution.snapshots.keys()];
    return [execution.problem(at, 'unchanged', [`there is no snapshot "${since}" before this step`, ...(there.length === 0 ? [] : [`snapshots: ${there.join(', ')}`])])];
  }
  const patterns = [except ?? []].flat().map(pathPattern);
  const changes = diffTrees(before, await settledFingerprint(ctx, cluster)).filter(({ path: where }) => !patterns.some((pattern) => pattern.test(where)));
  return changes.length === 0 ? [] : [execution.problem(at, `state since "${since}"`, ['has changed:', ...changeLines(changes)])];
}

/** The state once the streams have applied what nothing keeps them from applying: how far they are is not a difference. */
export async function settledFingerprint(ctx: Context, cluster: Cluster): Promise<Fingerprint> {
  await pumpAll(ctx, cluster);
  return takeFingerprint(ctx, cluster);
}

/** `shards.*.rows` covers everything below it; `*` stands for any text. */
function pathPattern(text: string): RegExp {
  const body = text.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('.*');
  return new RegExp(`^${body}(?:$|[.[])`);
}
