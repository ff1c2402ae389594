import type { ScenarioResult, StepResult } from '../report/scenario/result.ts';
import type { Scenario } from '../report/scenario-file/read.ts';
import { takeFingerprint } from '../workflow/facts/fingerprint.ts';
import { UserError } from '../lib/errors.ts';
import { FileError } from '../report/input/place.ts';
import type { WorkloadGiven } from '../report/scenario-file/schema.ts';
import { Execution } from './execution.ts';
import { checkState } from './expect-state.ts';
import type { Rigs } from './rig.ts';
import type { Stages } from './stages.ts';
import { performStep } from './steps.ts';
import type { Golden } from './text-test.ts';
import { Trace } from './trace.ts';
import { rowProblems, ScenarioWorkload } from './workload.ts';

export interface RunOptions {
  /** Instead of the scenario's own. */
  seed?: number;
  /** Keeps the cluster in this folder; in memory without one. */
  folder?: string;
  /** The scenario's folder: files that it names lie below. */
  files: string;
  golden: Golden;
  /** Makes the hash of everything that happened. */
  traced: boolean;
}

/**
 * Runs one scenario in a world of its own, up to the first step that is not as expected. Throws FileError if its cluster
 * cannot be made.
 */
export async function runScenario(rigs: Rigs, stages: Stages, scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  const started = rigs.now();
  const { doc } = scenario;
  const seed = options.seed ?? doc.given.seed ?? 1;
  const { files, folder, golden, traced } = options;
  const stage = await stages.take(scenario, { seed, files, ...(folder === undefined ? {} : { folder }) });
  const { rig, failed } = stage;
  const execution = new Execution(scenario, rig, golden, traced ? new Trace() : undefined);
  const { trace } = execution;
  trace?.add(stage.trace);
  const steps: StepResult[] = [];
  let ended = false;
  try {
    if (failed === undefined) {
      if (doc.given.workload !== undefined) execution.workload = await startWorkload(execution, doc.given.workload, seed);
      for (const { index, step } of scenario.steps) {
        const results = await performStep(execution, step, index);
        results.at(-1)!.problems.push(...(await checkAlways(execution)));
        steps.push(...results);
        if (results.some(({ problems }) => problems.length > 0)) break;
      }
      await checkWorkload(execution, steps);
    } else steps.push(failed);
    trace?.add(await rig.observe(takeFingerprint));
    ended = true;
  } finally {
    if (!ended) await execution.workload?.stop().catch(() => {});
    stages.giveBack(rig, ended);
  }
  const wrong = steps.some(({ problems }) => problems.length > 0);
  const vacuous = wrong ? [] : execution.vacuous;
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
    status: wrong ? 'failed' : vacuous.length > 0 ? 'vacuous' : 'passed',
    steps,
    stepCount: doc.steps.length,
    trace: trace?.digest(),
    durationMs: rigs.now() - started,
    reproduce: [],
  };
}

async function startWorkload({ rig, scenario }: Execution, given: WorkloadGiven, seed: number): Promise<ScenarioWorkload> {
  try {
    return await ScenarioWorkload.start(rig, given, seed);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new FileError(scenario.placeOf(['given', 'workload']), error.message, error.next);
  }
}

/** Whatever was expected of the workload: no row that was acknowledged may be missing. */
async function checkWorkload(execution: Execution, steps: readonly StepResult[]): Promise<void> {
  if (execution.workload === undefined) return;
  const report = await execution.workload.stop();
  execution.trace?.add(report);
  const lines = rowProblems(report);
  if (lines.length > 0) steps.at(-1)?.problems.push(execution.problem(['given', 'workload'], 'workload', lines));
}

async function checkAlways(execution: Execution): ReturnType<typeof checkState> {
  const { always } = execution.scenario.doc;
  return always === undefined ? [] : checkState(execution, always, ['always']);
}
