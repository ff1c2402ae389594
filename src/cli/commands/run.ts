import { availableParallelism } from 'node:os';
import { UserError } from '../../lib/errors.ts';
import { loading } from '../../lib/loading.ts';
import { findRelease } from '../../lib/releases.ts';
import { suggest } from '../../lib/suggest.ts';
import { type PrettyOptions, renderNotRun, renderScenario, renderSummary } from '../../report/scenario/pretty.ts';
import { exitOf, type NotRun, type RunResult, type ScenarioResult, titleOf } from '../../report/scenario/result.ts';
import type { Scenario } from '../../report/scenario-file/read.ts';
import type { Rigs } from '../../scenario/rig.ts';
import { outputFormat } from '../flags.ts';
import type { OutStream } from '../io.ts';
import { colorLevel, createPaint } from '../paint.ts';
import { scenarioRigs } from '../rig.ts';
import { checkRunFlags } from '../run-flags.ts';
import { RunProgress } from '../run-progress.ts';
import { findScenarios } from '../scenario-files.ts';
import { openReports } from '../scenario-reports.ts';
import { type Job, newRunner, type Outcome, runJob, type Runner, type RunSettings } from '../scenario-runner.ts';
import type { Invocation } from '../spec.ts';

/** Runs scenario files. Nothing runs unless every file can be read and every report be written. */
export async function run(inv: Invocation): Promise<number> {
  const { flags, io } = inv;
  checkRunFlags(inv);
  const format = outputFormat(inv);
  const rigs = scenarioRigs(() => io.now());
  const { scenarios, errors, files } = findScenarios(rigs, io.cwd, inv.args);
  if (errors.length > 0) return printErrors(inv, errors);
  const reports = openReports(inv, files);
  const matching = choose(inv, scenarios);
  const jobs = share(flags.str('shard'), matching);
  // A report on stdout has it for itself.
  const out = reports.stdout ? io.stderr : io.stdout;
  const pretty: PrettyOptions = {
    paint: await createPaint(colorLevel(out, flags, io.env)),
    quiet: flags.bool('quiet'),
    columns: out.isTTY ? out.columns : 0,
  };
  const traced = reports.traced || format === 'json';
  const result = await new Run(inv, rigs, { shown: format === 'json' ? undefined : { pretty, out }, traced }).all(jobs);
  if (format === 'json') io.stdout.write((await loading(import('../../report/scenario/json.ts'))).renderJson(result));
  else out.write(renderSummary(result, pretty).map((line) => `${line}\n`).join(''));
  await reports.write(result);
  if (inv.signal.aborted) return 130;
  if (matching.length === 0) io.stderr.write(nothingChosen(inv, scenarios));
  // A share of few scenarios may be empty; that is no reason for one of the machines to complain.
  return jobs.length === 0 && matching.length > 0 ? 0 : exitOf(result);
}

/** One error is the command's; several are listed, each with its place. */
export function printErrors({ io }: Invocation, errors: readonly UserError[]): number {
  if (errors.length === 1) throw errors[0]!;
  for (const error of errors) {
    io.stderr.write(`${error.message}\n`);
    if (error.next !== undefined) io.stderr.write(`  ${error.next}\n`);
  }
  io.stderr.write(`${errors.length} files cannot be read; nothing was run\n`);
  return 2;
}

/** A thread takes as long to start as some twenty scenarios. */
const WORTH_A_THREAD = 20;
/** Each takes memory, and whoever has more cores may ask for them. */
const MOST_UNASKED = 4;

type OrdinalJob = Job & { ordinal: number };

/** Those that the flags choose by title and release. */
function choose({ flags }: Invocation, all: readonly Scenario[]): OrdinalJob[] {
  const only = flags.str('only');
  const version = flags.str('vitess-version');
  const release = version === '' ? undefined : findRelease(version).name;
  const perFile = new Map<string, number>();
  const slugs = new Map<string, number>();
  const jobs = all.map((scenario): OrdinalJob => {
    const ordinal = perFile.get(scenario.file) ?? 0;
    perFile.set(scenario.file, ordinal + 1);
    const slug = slugOf(titleOf(scenario));
    const nth = (slugs.get(slug) ?? 0) + 1;
    slugs.set(slug, nth);
    return { scenario, ordinal, slug: nth === 1 ? slug : `${slug}-${nth}`, alone: true, asked: undefined };
  });
  return jobs
    .map((job) => ({ ...job, alone: perFile.get(job.scenario.file) === 1 }))
    .filter(({ scenario }) => titleOf(scenario).includes(only))
    .flatMap((job): OrdinalJob[] => {
      const { scenario } = job;
      if (release === undefined || findRelease(scenario.vitess).name === release) return [job];
      // A file that names no release can be run as any.
      if (scenario.doc.given.vitess !== undefined || scenario.label !== '') return [];
      return [{ ...job, scenario: { ...scenario, vitess: release }, asked: release }];
    });
}

/** One of several shares, for several machines. */
function share(wanted: string, jobs: readonly OrdinalJob[]): readonly OrdinalJob[] {
  if (wanted === '') return jobs;
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(wanted);
  const [part, parts] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || part < 1 || part > parts) {
    throw new UserError(`bad share "${wanted}"`, { next: 'the second of four shares is --shard 2/4', exit: 2 });
  }
  return jobs.filter(({ scenario }) => hash(`${scenario.file} ${titleOf(scenario)}`) % parts === part - 1);
}

/** FNV-1a: the same share for the same scenario, whatever else is there. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}

function slugOf(title: string): string {
  return title.replace(/[^\w.=-]+/g, '-').replace(/^[-.]+|-$/g, '').slice(0, 80) || 'scenario';
}

function nothingChosen({ flags }: Invocation, all: readonly Scenario[]): string {
  const only = flags.str('only');
  const titles = all.map(titleOf);
  const near = suggest(only, titles);
  const what = only === '' ? `no scenario is for ${flags.str('vitess-version')}` : `no title holds "${only}"${near === undefined ? '' : `; did you mean "${near}"?`}`;
  return `switchtraffic: nothing was run: ${what}\nnext: titles are such as ${titles.slice(0, 3).map((title) => JSON.stringify(title)).join(', ')}\n`;
}

/** Where and how results are shown as they come. */
interface Shown {
  pretty: PrettyOptions;
  out: OutStream;
}

/** One run of all that was chosen, in one thread or several; shown in order, whatever ends first. */
class Run {
  readonly #inv: Invocation;
  readonly #rigs: Rigs;
  readonly #shown: Shown | undefined;
  readonly #traced: boolean;
  readonly #progress: RunProgress;
  #outcomes: (Outcome | undefined)[] = [];
  #printed = 0;

  constructor(inv: Invocation, rigs: Rigs, { shown, traced }: { shown: Shown | undefined; traced: boolean }) {
    this.#inv = inv;
    this.#rigs = rigs;
    this.#shown = shown;
    this.#traced = traced;
    this.#progress = new RunProgress(inv.io, { quiet: inv.flags.bool('quiet'), json: shown === undefined });
  }

  async all(jobs: readonly OrdinalJob[]): Promise<RunResult> {
    const { signal } = this.#inv;
    const started = this.#rigs.now();
    this.#outcomes = jobs.map(() => undefined);
    this.#progress.start(jobs.length);
    const threads = Math.min(this.#threads(jobs.length), jobs.length);
    const settings = this.#settings();
    const ended = (index: number, outcome: Outcome): void => this.#ended(index, outcome);
    const runner = newRunner(this.#rigs);
    const here = async (index: number): Promise<void> => ended(index, await this.#here(runner, settings, jobs[index]!));
    try {
      if (threads > 1) await (await loading(import('../scenario-jobs.ts'))).runInThreads({ settings, jobs, threads, signal, here, ended });
      else for (let index = 0; index < jobs.length && !signal.aborted; index++) {
        await here(index);
        // The loop turns, so that a Ctrl-C is seen between two scenarios.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      this.#progress.end();
    }
    this.#printFrom(jobs.length);
    const results: ScenarioResult[] = [];
    const notRun: NotRun[] = [];
    for (const [index, { scenario }] of jobs.entries()) {
      const outcome = this.#outcomes[index] ?? stopped(scenario);
      if ('result' in outcome) results.push(outcome.result);
      else notRun.push(outcome.notRun);
    }
    return { results, notRun, durationMs: this.#rigs.now() - started };
  }

  #settings(): RunSettings {
    const { flags, io } = this.#inv;
    return {
      cwd: io.cwd,
      seed: flags.given('seed') ? flags.int('seed') : undefined,
      keep: flags.given('keep') ? flags.str('keep') : undefined,
      update: flags.bool('update'),
      traced: this.#traced,
    };
  }

  /** As many as are asked for; unasked, as the machine has cores, where there is enough to do for each. */
  #threads(many: number): number {
    const { flags } = this.#inv;
    // Golden files are written by one thread, or two cases of a file would write over each other.
    if (flags.bool('update')) return 1;
    if (flags.given('jobs')) return flags.int('jobs');
    return many < WORTH_A_THREAD * 2 ? 1 : Math.min(availableParallelism(), MOST_UNASKED, Math.floor(many / WORTH_A_THREAD));
  }

  #here(runner: Runner, settings: RunSettings, job: OrdinalJob): Promise<Outcome> {
    const { io } = this.#inv;
    this.#progress.at(titleOf(job.scenario));
    return runJob(runner, settings, job, (name) => io.stderr.write(`wrote ${name}\n`));
  }

  #ended(index: number, outcome: Outcome): void {
    this.#outcomes[index] = outcome;
    this.#progress.ended('result' in outcome && outcome.result.status === 'passed');
    this.#printFrom(this.#outcomes.findIndex((one, at) => at >= this.#printed && one === undefined));
  }

  /** Prints what has ended, up to the first that has not. */
  #printFrom(until: number): void {
    const end = until < 0 ? this.#outcomes.length : until;
    for (; this.#printed < end; this.#printed++) {
      const outcome = this.#outcomes[this.#printed];
      if (outcome !== undefined) this.#print(outcome);
    }
  }

  #print(outcome: Outcome): void {
    const { io } = this.#inv;
    this.#progress.clear();
    if (this.#shown !== undefined) {
      const { pretty, out } = this.#shown;
      const lines = 'result' in outcome ? renderScenario(outcome.result, pretty) : renderNotRun(outcome.notRun, pretty);
      if (lines.length > 0) out.write(lines.map((line) => `${line.trimEnd()}\n`).join(''));
    }
    if (!('notRun' in outcome)) return;
    const { problem, next } = outcome.notRun;
    io.stderr.write(`switchtraffic: ${problem}\n${next === undefined ? '' : `next: ${next}\n`}`);
  }
}

function stopped({ file, name, label }: Scenario): Outcome {
  return { notRun: { file, name, label, reason: 'stopped', problem: 'the run was stopped before it', next: undefined, exit: 130 } };
}
