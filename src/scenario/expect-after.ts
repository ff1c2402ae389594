import type { PathPart } from '../report/input/yaml.ts';
import type { Problem } from '../report/scenario/result.ts';
import type { Expectation } from '../report/scenario-file/schema.ts';
import type { Execution } from './execution.ts';
import { checkLimits } from './expect-command.ts';
import { checkState } from './expect-state.ts';
import { matchTree } from './match.ts';
import { workloadView } from './workload.ts';

/** In what the world is not as expected after a step; what its command answered is `checkCommand`'s. */
export async function checkAfter(execution: Execution, expected: Expectation | undefined, path: readonly PathPart[]): Promise<Problem[]> {
  if (expected === undefined) return [];
  const { exit: _exit, stdout: _out, stderr: _err, json: _json, fired: _fired, took: _took, outage, workload, ...state } = expected;
  const problems = await checkState(execution, state, path);
  if (outage !== undefined) {
    const ms = execution.outages.longestMs(execution.rig.clock.now());
    for (const lines of checkLimits(outage, ms)) problems.push(execution.problem([...path, 'outage'], 'outage', lines));
  }
  if (workload !== undefined) problems.push(...(await checkWorkload(execution, workload, [...path, 'workload'])));
  return problems;
}

async function checkWorkload(execution: Execution, expected: unknown, path: readonly PathPart[]): Promise<Problem[]> {
  if (execution.workload === undefined) return [execution.problem(path, 'workload', ['there is none: give one with given.workload'])];
  const view = workloadView(await execution.workload.stop());
  return matchTree(expected, view, '').map((mismatch) =>
    execution.problem(path, `workload ${mismatch.path}`.trim(), [`expected ${mismatch.expected}`, `was      ${mismatch.actual}`]),
  );
}
