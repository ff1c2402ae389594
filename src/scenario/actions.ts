import type { PathPart } from '../report/input/yaml.ts';
import { printedCommands } from '../report/printed-commands.ts';
import { ACTIONS, type ScenarioStep } from '../report/scenario-file/schema.ts';
import { pumpAll } from '../tablet/vreplication/pump-all.ts';
import type { Execution } from './execution.ts';
import { checkState, settledFingerprint } from './expect-state.ts';
import { runParallel } from './parallel.ts';
import { type Done, runLine } from './run-line.ts';
import { stepTitle } from './step-title.ts';
import { lineWords } from './words.ts';

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
  parallel: runParallel,
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

/** Does what a step says. */
export async function perform(execution: Execution, step: ScenarioStep, path: readonly PathPart[]): Promise<Done> {
  const action = ACTIONS.find((name) => step[name] !== undefined);
  if (action === undefined) return nothing();
  return (PERFORM[action] as Perform<Action>)(execution, step[action] as never, step, path);
}

function nothing(): Done {
  return { problems: [], commands: [] };
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
