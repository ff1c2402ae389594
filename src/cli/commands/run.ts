import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import { findRelease } from '../../lib/releases.ts';
import { type PrettyOptions, renderScenario, renderSummary } from '../../report/scenario/pretty.ts';
import { exitOf, type RunResult, type ScenarioResult, titleOf } from '../../report/scenario/result.ts';
import type { Scenario } from '../../report/scenario-file/read.ts';
import type { Rigs } from '../../scenario/rig.ts';
import { runScenario } from '../../scenario/run-scenario.ts';
import { Stages } from '../../scenario/stages.ts';
import type { Golden } from '../../scenario/text-test.ts';
import { printFacts } from '../facts-output.ts';
import { outputFormat } from '../flags.ts';
import { inputPath } from '../input-path.ts';
import { colorLevel, createPaint } from '../paint.ts';
import { scenarioRigs } from '../rig.ts';
import { findScenarios, folderOf } from '../scenario-files.ts';
import { openReports } from '../scenario-reports.ts';
import { shellQuote } from '../shell-quote.ts';
import type { Invocation } from '../spec.ts';

/** Runs scenario files. Nothing runs unless every file can be read. */
export async function run(inv: Invocation): Promise<number> {
  const { flags, io } = inv;
  const rigs = scenarioRigs(() => io.now());
  const { scenarios, errors } = findScenarios(rigs, io.cwd, inv.args);
  if (errors.length > 0) return printErrors(inv, errors);
  const format = outputFormat(inv);
  const reports = openReports(inv);
  const pretty = { paint: await createPaint(colorLevel(io.stdout, flags, io.env)), quiet: flags.bool('quiet') };
  const runner = new Runner(inv, rigs, format === 'json' ? undefined : pretty);
  const result = await runner.run(select(inv, scenarios));
  if (format === 'json') printFacts(inv, result);
  else io.stdout.write(`${renderSummary(result, pretty)}\n`);
  reports.write(result);
  return inv.signal.aborted ? 130 : exitOf(result);
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

/** Those that the flags choose: by title, by release, by share. */
function select({ flags }: Invocation, all: readonly Scenario[]): Scenario[] {
  const only = flags.str('only');
  const version = flags.str('vitess-version');
  const release = version === '' ? undefined : findRelease(version).name;
  const chosen = all
    .filter((scenario) => only === '' || titleOf(scenario).includes(only))
    .flatMap((scenario) => {
      if (release === undefined || findRelease(scenario.vitess).name === release) return [scenario];
      // A file that names no release can be run as any.
      return scenario.doc.given.vitess === undefined && scenario.label === '' ? [{ ...scenario, vitess: release }] : [];
    });
  const share = flags.str('shard');
  if (share === '') return chosen;
  const match = /^(\d+)\/(\d+)$/.exec(share);
  const [part, parts] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || part < 1 || part > parts) {
    throw new UserError(`bad share "${share}"`, { next: 'the second of four shares is --shard 2/4', exit: 2 });
  }
  return chosen.filter((scenario) => hash(`${scenario.file} ${titleOf(scenario)}`) % parts === part - 1);
}

/** FNV-1a: the same share for the same scenario, whatever else is there. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}

class Runner {
  readonly #inv: Invocation;
  readonly #rigs: Rigs;
  readonly #pretty: PrettyOptions | undefined;
  readonly #perFile = new Map<string, number>();
  readonly #stages: Stages;

  constructor(inv: Invocation, rigs: Rigs, pretty: PrettyOptions | undefined) {
    this.#inv = inv;
    this.#rigs = rigs;
    this.#pretty = pretty;
    this.#stages = new Stages(rigs);
  }

  async run(scenarios: readonly Scenario[]): Promise<RunResult> {
    const started = this.#rigs.now();
    for (const { file } of scenarios) this.#perFile.set(file, (this.#perFile.get(file) ?? 0) + 1);
    const results: ScenarioResult[] = [];
    for (const scenario of scenarios) {
      if (this.#inv.signal.aborted) break;
      const result = await this.#one(scenario);
      results.push(result);
      if (this.#pretty !== undefined) this.#inv.io.stdout.write(renderScenario(result, this.#pretty).map((line) => `${line.trimEnd()}\n`).join(''));
      // The loop turns, so that a Ctrl-C is seen between two scenarios.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#stages.close();
    return { results, durationMs: this.#rigs.now() - started };
  }

  async #one(scenario: Scenario): Promise<ScenarioResult> {
    const { flags, io } = this.#inv;
    const files = folderOf(io.cwd, scenario.file);
    const seed = flags.given('seed') ? { seed: flags.int('seed') } : {};
    const options = { files, ...seed, golden: this.#golden(files) };
    const result = await runScenario(this.#rigs, this.#stages, scenario, options);
    if (result.status === 'passed') return result;
    const reproduce = [this.#again(scenario, result)];
    const keep = flags.str('keep');
    if (keep !== '') {
      // The same seed gives the same run; only this one is written down.
      const folder = join(io.cwd, keep, slug(titleOf(scenario)));
      mkdirSync(folder, { recursive: true });
      await runScenario(this.#rigs, this.#stages, scenario, { ...options, folder });
      reproduce.push(`switchtraffic --state ${shellQuote(join(keep, slug(titleOf(scenario))))} show keyspace`);
    }
    return { ...result, reproduce };
  }

  #again(scenario: Scenario, { seed }: ScenarioResult): string {
    const one = this.#perFile.get(scenario.file) === 1 && scenario.label === '' ? '' : ` --only ${shellQuote(titleOf(scenario))}`;
    return `switchtraffic run ${shellQuote(scenario.file)}${one} --seed ${seed}`;
  }

  /** Golden files are read, and with `--update` written. */
  #golden(folder: string): Golden {
    if (!this.#inv.flags.bool('update')) return (name) => this.#rigs.readText(folder, name);
    return (name, actual) => {
      const path = inputPath({ cwd: folder, within: folder }, name);
      if (this.#rigs.readText(folder, name) !== actual) {
        writeFileSync(path, actual);
        this.#inv.io.stderr.write(`wrote ${name}\n`);
      }
      return actual;
    };
  }
}

function slug(title: string): string {
  return title.replace(/[^\w.=-]+/g, '-').replace(/^-|-$/g, '').slice(0, 80);
}
