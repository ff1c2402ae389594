import type { StepResult } from '../report/scenario/result.ts';
import type { ScenarioStep } from '../report/scenario-file/schema.ts';
import { perform } from './actions.ts';
import type { Execution } from './execution.ts';
import { checkAfter } from './expect-after.ts';
import { checkCommand } from './expect-command.ts';
import { stepTitle } from './step-title.ts';

/** Does one step and looks whether everything is as expected. A step of several commands gives a result for each. */
export async function performStep(execution: Execution, step: ScenarioStep, index: number): Promise<StepResult[]> {
  const path = ['steps', index];
  const started = execution.rig.clock.now();
  const done = await perform(execution, step, path);
  const common = { number: index + 1, place: execution.scenario.placeOf(path) };
  const results: StepResult[] = done.commands.map(({ seen, line, title, expect }) => ({
    ...common,
    title,
    problems: checkCommand(execution, expect ?? {}, seen),
    line,
    exit: seen.ran.exit,
    stdout: seen.ran.stdout,
    stderr: seen.ran.stderr,
    tookMs: seen.tookMs,
  }));
  if (results.length === 0) {
    const tookMs = execution.rig.clock.now() - started;
    results.push({ ...common, title: stepTitle(step), problems: [], line: undefined, exit: undefined, stdout: '', stderr: '', tookMs });
  }
  const last = results.at(-1)!;
  last.problems.push(...done.problems);
  // What else is wrong after a command that ended otherwise than expected is its consequence: noise.
  if (results.every(({ problems }) => problems.length === 0)) last.problems.push(...(await checkAfter(execution, step.expect, [...path, 'expect'])));
  return results;
}
