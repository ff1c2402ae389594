import { FileError } from '../report/input/place.ts';
import type { StepResult } from '../report/scenario/result.ts';
import type { Scenario } from '../report/scenario-file/read.ts';
import type { Ran, Rig, Rigs } from './rig.ts';
import { pumpAll } from '../tablet/vreplication/pump-all.ts';
import { stepTitle } from './step-title.ts';
import { lineWords } from './words.ts';

/** A world in which what a scenario has given is true. */
export interface Stage {
  rig: Rig;
  /** What led there, for the trace. */
  trace: string;
  /** The line of `given.run` that failed; then the stage is not what was asked for. */
  failed?: StepResult;
}

/** Where a world stands, and how to get back there. */
interface Mark {
  key: string;
  back: () => boolean;
  trace: string;
}

interface Kept {
  rig: Rig;
  /** Once the cluster was made. */
  made: Mark;
  /** Once `given.run` was through as well. */
  given: Mark | undefined;
  busy: boolean;
}

/** Worlds kept for the next scenario that begins alike. */
const MOST_KEPT = 24;

/**
 * Prepares worlds for scenarios. Making a cluster takes many times as long as most scenarios do, and most begin with the same
 * one: a world that was used is taken back to where it began, by its marks, instead of being made anew. Time, chance and
 * process numbers go back with it, so that nobody can tell.
 */
export class Stages {
  readonly #rigs: Rigs;
  readonly #kept: Kept[] = [];

  constructor(rigs: Rigs) {
    this.#rigs = rigs;
  }

  /** A world for this scenario alone, until it is given back. Throws FileError if its cluster cannot be made. */
  async take(scenario: Scenario, options: { seed: number; files: string; folder?: string }): Promise<Stage> {
    const { given } = scenario.doc;
    const clusterKey = JSON.stringify([options.seed, options.files, given.cluster, scenario.vitess, given.rows, given['topo-implementation']]);
    const givenKey = JSON.stringify(given.run ?? []);
    const ready = options.folder === undefined ? this.#ready(clusterKey, givenKey) : undefined;
    if (ready !== undefined) return { rig: ready.rig, trace: ready.given!.trace };
    const kept = (options.folder === undefined ? this.#made(clusterKey) : undefined) ?? (await this.#make(scenario, options, clusterKey));
    kept.busy = true;
    // Going back to where the cluster was made has forgotten what was marked behind that.
    kept.given = undefined;
    const { trace, failed } = await runGiven(kept.rig, scenario, kept.made.trace);
    if (failed !== undefined) return { rig: kept.rig, trace, failed };
    // Streams would have worked meanwhile; done once, nobody has to wait for it again.
    await kept.rig.observe(pumpAll);
    kept.given = { key: givenKey, back: kept.rig.mark(), trace };
    return { rig: kept.rig, trace };
  }

  /** Hands a world back; one whose scenario broke off is not used again. */
  giveBack(rig: Rig, ended: boolean): void {
    const kept = this.#kept.find((one) => one.rig === rig);
    if (kept === undefined) return rig.close();
    kept.busy = false;
    if (!ended) this.#drop(kept);
  }

  /** Lets every world go. */
  close(): void {
    for (const { rig } of this.#kept.splice(0)) rig.close();
  }

  #ready(clusterKey: string, givenKey: string): Kept | undefined {
    for (const kept of this.#idle(clusterKey)) {
      if (kept.given?.key !== givenKey) continue;
      if (this.#goBack(kept, kept.given)) return kept;
    }
    return undefined;
  }

  #made(clusterKey: string): Kept | undefined {
    return this.#idle(clusterKey).find((kept) => this.#goBack(kept, kept.made));
  }

  #idle(clusterKey: string): Kept[] {
    return this.#kept.filter((kept) => !kept.busy && kept.made.key === clusterKey);
  }

  #goBack(kept: Kept, mark: Mark): boolean {
    if (!mark.back()) {
      this.#drop(kept);
      return false;
    }
    kept.busy = true;
    return true;
  }

  async #make(scenario: Scenario, options: { seed: number; files: string; folder?: string }, key: string): Promise<Kept> {
    const rig = this.#rigs.open(options);
    const { given } = scenario.doc;
    const rows = given.rows === undefined ? [] : ['--rows', String(given.rows)];
    const server = given['topo-implementation'];
    const topo = server === undefined ? [] : ['--topo-implementation', server];
    const argv = ['init', given.cluster, '--vitess-version', scenario.vitess, ...topo, ...rows];
    const ran = await rig.run(argv);
    if (ran.exit !== 0) {
      rig.close();
      throw new FileError(scenario.placeOf(['given', 'cluster']), `the cluster cannot be made: ${ran.stderr.trim().split('\n')[0] ?? ''}`);
    }
    const kept: Kept = { rig, made: { key, back: rig.mark(), trace: traceOf('', argv, ran) }, given: undefined, busy: true };
    if (options.folder === undefined) this.#keep(kept);
    return kept;
  }

  #keep(kept: Kept): void {
    const oldest = this.#kept.length < MOST_KEPT ? undefined : this.#kept.find((one) => !one.busy);
    if (oldest !== undefined) this.#drop(oldest);
    this.#kept.push(kept);
  }

  #drop(kept: Kept): void {
    this.#kept.splice(this.#kept.indexOf(kept), 1);
    kept.rig.close();
  }
}

async function runGiven(rig: Rig, scenario: Scenario, before: string): Promise<{ trace: string; failed?: StepResult }> {
  let trace = before;
  for (const [index, line] of (scenario.doc.given.run ?? []).entries()) {
    const argv = lineWords(line);
    const ran = await rig.run(argv);
    trace = traceOf(trace, argv, ran);
    if (ran.exit === 0) continue;
    const place = scenario.placeOf(['given', 'run', index]);
    const problems = [{ place, subject: 'exit', lines: [`is ${ran.exit}, not 0: what is given has to succeed`] }];
    const { exit, stdout, stderr } = ran;
    return { trace, failed: { number: 0, title: stepTitle({ run: line }), place, problems, line, exit, stdout, stderr, tookMs: 0 } };
  }
  return { trace };
}

function traceOf(before: string, argv: readonly string[], ran: Ran): string {
  return `${before}${JSON.stringify([argv, ran])}\n`;
}
