import { FileError } from '../report/input/place.ts';
import type { ScenarioResult, StepResult } from '../report/scenario/result.ts';
import type { Scenario } from '../report/scenario-file/read.ts';
import { takeFingerprint } from '../workflow/facts/fingerprint.ts';
import { Execution } from './execution.ts';
import { checkState } from './expect-state.ts';
import type { Rigs } from './rig.ts';
import { performStep, stepTitle } from './steps.ts';
import type { Golden } from './text-test.ts';
import { lineWords } from './words.ts';

export interface RunOptions {
  /** Instead of the scenario's own. */
  seed?: number;
  /** Keeps the cluster in this folder; in memory without one. */
  folder?: string;
  /** The scenario's folder: files that it names lie below. */
  files: string;
  golden: Golden;
}

const NO_STEP = { line: undefined, exit: undefined, stdout: '', stderr: '', tookMs: 0 };

/**
 * Runs one scenario in a world of its own, up to the first step that is not as expected. Throws FileError if its cluster
 * cannot be made.
 */
export async function runScenario(rigs: Rigs, scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  const started = rigs.now();
  const { doc } = scenario;
  const seed = options.seed ?? doc.given.seed ?? 1;
  const { files, folder, golden } = options;
  const rig = rigs.open({ seed, files, ...(folder === undefined ? {} : { folder }) });
  const execution = new Execution(scenario, rig, golden);
  const steps: StepResult[] = [];
  try {
    const failed = await prepare(execution);
    if (failed === undefined) {
      for (const { index, step } of scenario.steps) {
        const results = await performStep(execution, step, index);
        results.at(-1)!.problems.push(...(await checkAlways(execution)));
        steps.push(...results);
        if (results.some(({ problems }) => problems.length > 0)) break;
      }
    } else steps.push(failed);
    execution.note(await rig.observe(takeFingerprint));
  } finally {
    rig.close();
  }
  const failed = steps.some(({ problems }) => problems.length > 0);
  const vacuous = failed ? [] : execution.vacuous;
  for (const { path, fault, why } of vacuous) {
    const lines = [`fault "${fault}" never fired: ${why}`];
    steps.at(-1)?.problems.push(execution.problem(path, 'vacuous', lines));
  }
  return {
    file: scenario.file,
    name: scenario.name,
    label: scenario.label,
    vitess: scenario.vitess,
    seed,
    status: failed ? 'failed' : vacuous.length > 0 ? 'vacuous' : 'passed',
    steps,
    stepCount: doc.steps.length,
    trace: execution.traceHash(),
    durationMs: rigs.now() - started,
    reproduce: [],
  };
}

/** Makes the cluster and runs the lines that lead to where the scenario begins. Returns the one that failed, if any. */
async function prepare(execution: Execution): Promise<StepResult | undefined> {
  const { scenario } = execution;
  const { given } = scenario.doc;
  const rows = given.rows === undefined ? [] : ['--rows', String(given.rows)];
  const made = await execution.run(['init', given.cluster, '--vitess-version', scenario.vitess, ...rows]);
  if (made.exit !== 0) {
    throw new FileError(scenario.placeOf(['given', 'cluster']), `the cluster cannot be made: ${made.stderr.trim().split('\n')[0] ?? ''}`);
  }
  for (const [index, line] of (given.run ?? []).entries()) {
    const ran = await execution.run(lineWords(line));
    if (ran.exit === 0) continue;
    const place = scenario.placeOf(['given', 'run', index]);
    const lines = [`is ${ran.exit}, not 0: what is given has to succeed`];
    const problems = [{ place, subject: 'exit', lines }];
    return { number: 0, title: stepTitle({ run: line }), place, problems, ...NO_STEP, line, exit: ran.exit, stdout: ran.stdout, stderr: ran.stderr };
  }
  return undefined;
}

async function checkAlways(execution: Execution): ReturnType<typeof checkState> {
  const { always } = execution.scenario.doc;
  return always === undefined ? [] : checkState(execution, always, ['always']);
}
