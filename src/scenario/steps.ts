import { formatDuration } from '../lib/duration.ts';
import { InvariantError } from '../lib/errors.ts';
import type { PathPart } from '../report/input/yaml.ts';
import { printedCommands } from '../report/printed-commands.ts';
import type { Problem, StepResult } from '../report/scenario/result.ts';
import { ACTIONS, type Expectation, type ParallelStep, type ScenarioStep } from '../report/scenario-file/schema.ts';
import { pumpAll } from '../tablet/vreplication/pump-all.ts';
import type { Execution } from './execution.ts';
import { checkCommand, checkLimits, type Seen } from './expect-command.ts';
import { checkState, settledFingerprint } from './expect-state.ts';
import { lineWords } from './words.ts';

/** What an action did: problems of its own, and the command it ran if it is one. */
interface Done {
  problems: Problem[];
  commands: { seen: Seen; line: string; title: string; expect: Expectation | undefined }[];
}

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

async function checkAfter(execution: Execution, expected: Expectation | undefined, path: readonly PathPart[]): Promise<Problem[]> {
  if (expected === undefined) return [];
  const { exit: _exit, stdout: _out, stderr: _err, json: _json, fired: _fired, took: _took, outage, workload, ...state } = expected;
  const problems = await checkState(execution, state, path);
  if (outage !== undefined) {
    const ms = execution.outages.longestMs(execution.rig.clock.now());
    for (const lines of checkLimits(outage, ms)) problems.push(execution.problem([...path, 'outage'], 'outage', lines));
  }
  if (workload !== undefined) throw new InvariantError('workloads are not wired');
  return problems;
}

type Action = (typeof ACTIONS)[number];
type Perform<A extends Action> = (execution: Execution, value: NonNullable<ScenarioStep[A]>, step: ScenarioStep, path: readonly PathPart[]) => Promise<Done>;

const PERFORM: { [A in Action]: Perform<A> } = {
  run: async (execution, line, step, path) => {
    const command = await runLine(execution, { ...step, run: line }, path);
    return { problems: [], commands: [{ ...command, title: stepTitle(step), expect: step.expect }] };
  },
  wait: async (execution, ms) => {
    await passTime(execution, ms);
    return nothing();
  },
  snapshot: async (execution, name) => {
    execution.snapshots.set(name, await execution.rig.observe(settledFingerprint));
    return nothing();
  },
  recover,
  parallel: async (execution, lines, _step, path) => {
    await execution.rig.load(lines.map(({ run }) => lineWords(run)));
    const commands = await Promise.all(
      lines.map(async (line, index) => {
        const where = [...path, 'parallel', index];
        if (line.after !== undefined) await execution.rig.clock.sleep(line.after);
        const command = await runLine(execution, line, where);
        return { ...command, title: line.name ?? line.run, expect: line.expect };
      }),
    );
    const problems: Problem[] = [];
    for (const [index, line] of lines.entries()) problems.push(...(await checkAfter(execution, line.expect, [...path, 'parallel', index, 'expect'])));
    return { problems, commands };
  },
  eventually: async (execution, { within, ...state }, _step, path) => {
    const until = execution.rig.clock.now() + within;
    for (;;) {
      const problems = await checkState(execution, state, [...path, 'eventually']);
      const left = until - execution.rig.clock.now();
      if (problems.length === 0 || left <= 0) return { problems, commands: [] };
      await passTime(execution, Math.min(1000, left));
    }
  },
};

async function perform(execution: Execution, step: ScenarioStep, path: readonly PathPart[]): Promise<Done> {
  const action = ACTIONS.find((name) => step[name] !== undefined);
  if (action === undefined) return nothing();
  return (PERFORM[action] as Perform<Action>)(execution, step[action] as never, step, path);
}

function nothing(): Done {
  return { problems: [], commands: [] };
}

async function runLine(
  execution: Execution,
  { run, faults = {}, vitess }: Pick<ParallelStep, 'run' | 'faults' | 'vitess'>,
  path: readonly PathPart[],
): Promise<{ seen: Seen; line: string }> {
  const argv = lineWords(run);
  const more = Object.entries(faults).map(([point, terms]) => `--fault=${point}=${terms}`);
  if (vitess !== undefined) more.push(`--vitess-version=${vitess}`);
  const ran = await execution.run([...argv, ...more]);
  return { seen: { ran, tookMs: ran.tookMs, path, faults }, line: [run, ...more].join(' ') };
}

/** Runs what the last failed command printed, word for word. */
async function recover(execution: Execution, wanted: true | { commands: number }, _step: ScenarioStep, path: readonly PathPart[]): Promise<Done> {
  const printed = printedCommands(execution.lastFailed?.stderr ?? '');
  const at = [...path, 'recover'];
  if (printed.length === 0) return { problems: [execution.problem(at, 'recover', ['no command has failed and printed how to recover'])], commands: [] };
  if (wanted !== true && wanted.commands !== printed.length) {
    return { problems: [execution.problem(at, 'recover', [`${printed.length} commands were printed, not ${wanted.commands}:`, ...printed])], commands: [] };
  }
  const commands: Done['commands'] = [];
  for (const line of printed) {
    const ran = await execution.run(lineWords(line));
    commands.push({ seen: { ran, tookMs: ran.tookMs, path, faults: {} }, line, title: line, expect: undefined });
    if (ran.exit !== 0) break;
  }
  return { problems: [], commands };
}

/** Lets time pass, and the streams apply what they would have applied meanwhile. */
async function passTime(execution: Execution, ms: number): Promise<void> {
  await execution.rig.clock.sleep(ms);
  await execution.rig.observe(pumpAll);
}

/** What a step is called in reports. */
export function stepTitle(step: Partial<ScenarioStep>): string {
  if (step.name !== undefined) return step.name;
  if (step.run !== undefined) return step.run.trim();
  if (step.wait !== undefined) return `wait ${formatDuration(step.wait)}`;
  if (step.snapshot !== undefined) return `snapshot ${step.snapshot}`;
  if (step.recover !== undefined) return 'recover';
  if (step.parallel !== undefined) return step.parallel.map(({ name, run }) => name ?? run).join(' | ');
  return step.eventually === undefined ? 'expect' : `eventually, within ${formatDuration(step.eventually.within)}`;
}
