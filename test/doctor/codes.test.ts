import { describe, expect, it } from 'vitest';
import { problemEntry, PROBLEMS, type ProblemKind } from '../../src/lib/problems.ts';
import { diagnosisOf, inShort, repairAll, type ToldProblem } from '../helpers/doctor.ts';
import { forkCluster, type TestCluster } from '../helpers/shell.ts';
import { MORE_RUNS, type Run, RUNS } from './runs.ts';

const ALL: readonly (Run & { kind: ProblemKind; name: string })[] = [
  ...(Object.keys(PROBLEMS) as ProblemKind[]).map((kind) => ({ kind, name: problemEntry(kind).title, ...RUNS[kind] })),
  ...MORE_RUNS,
];

describe.each(ALL)('$kind: $name', ({ kind, make, object, repair, cause, with: other }) => {
  it('is found, and mended by what is printed', async () => {
    const cluster = await make();
    const told = await diagnosisOf(cluster);
    const short = inShort(told).join('\n');
    const problem = told.problems.find((one) => (one.kind === kind && one.object === object) || (one.kind === other && one.also.some((also) => also.kind === kind)));
    expect(problem, short).toBeDefined();
    expect(problem!.evidence.length, short).toBeGreaterThan(0);
    expect(problem!.impact.length, short).toBeGreaterThan(0);
    if (cause !== undefined) expect(problem!.cause?.slice(0, cause.length)).toBe(cause);
    const lines = problem!.repairs.flatMap(({ commands, undo }) => [...commands, ...undo]);
    expect(lines.filter((line) => /[<>]|KEYSPACE|undefined|NaN/.test(line))).toEqual([]);
    if (repair === 'choice') await tryEach(cluster, problem!);
    if (repair === 'none' && problem!.repairs.length === 0) expect(problem!.note).not.toBe('');
    if (repair === 'clean') await repairAll(cluster);
    if (repair === 'gone') await tryOnly(cluster, problem!);
  });
});

/** Its commands end the problem. */
async function tryOnly(cluster: TestCluster, { kind, object, repairs }: ToldProblem): Promise<void> {
  expect(repairs.length).toBe(1);
  for (const command of repairs[0]!.commands) await cluster.ok(command);
  expect((await diagnosisOf(cluster)).problems.filter((one) => one.kind === kind && one.object === object)).toEqual([]);
}

/** Each way is taken, on a copy: it ends the problem. */
async function tryEach(cluster: TestCluster, { kind, object, repairs }: ToldProblem): Promise<void> {
  expect(repairs.length).toBe(2);
  for (const { title, commands } of repairs) {
    const copy = forkCluster(cluster);
    for (const command of commands) await copy.ok(command);
    expect((await diagnosisOf(copy)).problems.filter((one) => one.kind === kind && one.object === object), title).toEqual([]);
  }
}

it('codes are each of one kind, and in their area', () => {
  const codes = Object.values(PROBLEMS).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  for (const code of codes) expect(code).toMatch(/^SWT0[1-59]\d\d$/);
});
