import { expect } from 'vitest';
import type { Severity } from '../../src/lib/problems.ts';
import type { Problem } from '../../src/report/doctor/diagnosis.ts';
import type { TestCluster } from './shell.ts';

/** A problem as JSON tells it. */
export interface ToldProblem extends Omit<Problem, 'also'> {
  code: string;
  title: string;
  severity: Severity;
  also: (Problem['also'][number] & { code: string })[];
}

export interface ToldDiagnosis {
  vitessVersion: string;
  verdict: string;
  healthy: boolean;
  problems: ToldProblem[];
  notes: string[];
  areas: { name: string; looked: number; well: number }[];
}

/** What `doctor` says; its exit status agrees with it. */
export async function diagnosisOf(cluster: TestCluster, flags = ''): Promise<ToldDiagnosis> {
  const { exit, stdout, stderr } = await cluster.run(`doctor --format json ${flags}`.trim());
  expect(stderr.replace(/^warning: .*\n/gm, '')).toBe('');
  const told = JSON.parse(stdout) as ToldDiagnosis;
  expect([exit, told.healthy], stdout).toEqual(told.problems.length === 0 ? [0, true] : [1, false]);
  return told;
}

/** `SWT0201 commerce/0 + SWT0306: what shows it`, for each problem. */
export function inShort({ problems }: ToldDiagnosis): string[] {
  return problems.map(({ code, object, also, evidence }) => `${[`${code} ${object}`, ...also.map((one) => one.code)].join(' + ')}: ${evidence.join('; ')}`);
}

/** What one repair uncovers another puts right, and not for ever. */
const MOST_PASSES = 3;

/** Runs the commands of every problem that has one way out, as they are printed, until nothing is wrong; throws where that does not end. */
export async function repairAll(cluster: TestCluster): Promise<string[]> {
  const run: string[] = [];
  for (let pass = 0; ; pass++) {
    const told = await diagnosisOf(cluster);
    if (told.healthy) return run;
    if (pass === MOST_PASSES) throw new Error(`not healthy after ${run.join('\n')}\n${inShort(told).join('\n')}`);
    for (const { repairs } of told.problems) {
      if (repairs.length !== 1) continue;
      for (const command of repairs[0]!.commands) {
        run.push(command);
        const { exit, stdout, stderr } = await cluster.run(command);
        expect(exit, `${run.join('\n')}\n${stdout}${stderr}`).toBe(0);
      }
    }
  }
}
