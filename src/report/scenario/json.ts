import { exitOf, type NotRun, type RunResult, type ScenarioResult, type Status, type StepResult, titleOf } from './result.ts';

/**
 * The JSON report, and what `run --format json` prints. Keys are only ever added within a version; what is not there is
 * null. Durations are milliseconds: `durationMs` on the machine's clock, `tookMs` on the scenario's.
 */
export interface RunDocument {
  version: 1;
  summary: Record<Status, number> & { scenarios: number; notRun: number; durationMs: number; exit: number };
  scenarios: ScenarioDocument[];
  notRun: (Pick<NotRun, 'file' | 'name' | 'label' | 'reason' | 'problem'> & { title: string; next: string | null })[];
}

/** One scenario: `title` is what `--only` finds it by. */
export interface ScenarioDocument extends Omit<ScenarioResult, 'steps'> {
  title: string;
  steps: (Omit<StepResult, 'line' | 'exit'> & { line: string | null; exit: number | null })[];
}

/** The document of a run. */
export function runDocument(run: RunResult): RunDocument {
  const { results, notRun, durationMs } = run;
  const count = (status: Status): number => results.filter((result) => result.status === status).length;
  const counts = { passed: count('passed'), failed: count('failed'), vacuous: count('vacuous') };
  return {
    version: 1,
    summary: { scenarios: results.length, ...counts, notRun: notRun.length, durationMs: Math.round(durationMs), exit: exitOf(run) },
    scenarios: results.map(scenarioDocument),
    notRun: notRun.map((one) => ({
      file: one.file,
      name: one.name,
      label: one.label,
      title: titleOf(one),
      reason: one.reason,
      problem: one.problem,
      next: one.next ?? null,
    })),
  };
}

function scenarioDocument(result: ScenarioResult): ScenarioDocument {
  const { file, name, label, vitess, seed, status, durationMs, trace, reproduce, stepCount } = result;
  return {
    file,
    name,
    label,
    title: titleOf(result),
    vitess,
    seed,
    status,
    durationMs: Math.round(durationMs),
    trace,
    reproduce,
    stepCount,
    steps: result.steps.map((step) => ({ ...step, line: step.line ?? null, exit: step.exit ?? null })),
  };
}

/** As text. */
export function renderJson(run: RunResult): string {
  return `${JSON.stringify(runDocument(run), null, 2)}\n`;
}
