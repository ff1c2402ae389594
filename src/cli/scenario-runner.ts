import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errorText, UserError } from '../lib/errors.ts';
import { FileError } from '../report/input/place.ts';
import { type NotRun, type ScenarioResult, titleOf } from '../report/scenario/result.ts';
import type { Scenario } from '../report/scenario-file/read.ts';
import type { Rigs } from '../scenario/rig.ts';
import { runScenario } from '../scenario/run-scenario.ts';
import { Stages } from '../scenario/stages.ts';
import type { Golden } from '../scenario/text-test.ts';
import { inputPath } from './input-path.ts';
import { folderOf } from './scenario-files.ts';
import { shellQuote } from '../lib/shell-quote.ts';

/** What `run` was asked for, as far as it concerns a scenario; plain data, for other processes too. */
export interface RunSettings {
  cwd: string;
  /** Instead of each scenario's own. */
  seed: number | undefined;
  /** The folder, as typed, for the clusters of scenarios that did not pass. */
  keep: string | undefined;
  /** Write golden files. */
  update: boolean;
  /** A report tells the trace of each. */
  traced: boolean;
}

/** One scenario of a run, and where it stands in it. */
export interface Job {
  scenario: Scenario;
  /** Its folder below `keep`. */
  slug: string;
  /** The only one of its file: then the file alone names it. */
  alone: boolean;
  /** Run as another release than the file says. */
  asked: string | undefined;
}

/** What runs jobs: worlds, and those that are kept for the next one. */
export interface Runner {
  rigs: Rigs;
  stages: Stages;
}

/** A runner that has run nothing yet. Its stages are to be closed. */
export function newRunner(rigs: Rigs): Runner {
  return { rigs, stages: new Stages(rigs) };
}

/** What came of a job. */
export type Outcome = { result: ScenarioResult } | { notRun: NotRun };

/** Runs one scenario, a second time on disk if its cluster is to be kept. Does not throw. */
export async function runJob(runner: Runner, settings: RunSettings, job: Job, wrote: (name: string) => void): Promise<Outcome> {
  try {
    return { result: await run(runner, settings, job, wrote) };
  } catch (error) {
    return { notRun: broken(job.scenario, error) };
  }
}

async function run({ rigs, stages }: Runner, { cwd, seed, keep, update, traced }: RunSettings, job: Job, wrote: (name: string) => void): Promise<ScenarioResult> {
  const { scenario, slug } = job;
  const files = folderOf(cwd, scenario.file);
  const golden: Golden = update ? writeGolden(rigs, files, wrote) : (name) => rigs.readText(files, name);
  const options = { files, golden, traced, ...(seed === undefined ? {} : { seed }) };
  const result = await runScenario(rigs, stages, scenario, options);
  if (result.status === 'passed') return result;
  const reproduce = [again(job, result.seed)];
  if (keep !== undefined) {
    // The same seed gives the same run; only this one is written down.
    const folder = resolve(cwd, keep, slug);
    mkdirSync(folder, { recursive: true });
    await runScenario(rigs, stages, scenario, { ...options, folder });
    reproduce.push(`switchtraffic --state ${shellQuote(join(keep, slug))} show keyspace`);
  }
  return { ...result, reproduce };
}

function again({ scenario, alone, asked }: Job, seed: number): string {
  const only = alone ? '' : ` --only ${shellQuote(titleOf(scenario))}`;
  const release = asked === undefined ? '' : ` --vitess-version ${shellQuote(asked)}`;
  return `switchtraffic run ${shellQuote(scenario.file)}${only}${release} --seed ${seed}`;
}

function writeGolden(rigs: Rigs, folder: string, wrote: (name: string) => void): Golden {
  return (name, actual) => {
    if (rigs.readText(folder, name) !== actual) {
      writeFileSync(inputPath({ cwd: folder, within: folder }, name), actual);
      wrote(name);
    }
    return actual;
  };
}

/** A file that is wrong after all is its writer's matter; anything else is a bug, of which the other scenarios are told nothing. */
function broken(scenario: Scenario, error: unknown): NotRun {
  const { file, name, label } = scenario;
  const common = { file, name, label, reason: 'error' as const };
  if (error instanceof FileError) return { ...common, problem: error.message, next: error.next, exit: 2 };
  if (error instanceof UserError) return { ...common, problem: `${file}: ${error.message}`, next: error.next, exit: error.exit === 1 ? 2 : error.exit };
  if (error instanceof Error && 'syscall' in error) return { ...common, problem: `${file}: ${error.message}`, next: undefined, exit: 2 };
  return { ...common, problem: `${file}: internal error: ${errorText(error)}`, next: 'please report this, with the file and --version', exit: 70 };
}
