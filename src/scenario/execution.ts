import { createHash } from 'node:crypto';
import type { Problem } from '../report/scenario/result.ts';
import type { Scenario } from '../report/scenario-file/read.ts';
import type { PathPart } from '../report/input/yaml.ts';
import type { Fingerprint } from '../workflow/facts/fingerprint.ts';
import { Outages } from './outages.ts';
import type { Ran, Rig } from './rig.ts';
import type { Golden } from './text-test.ts';
import type { ScenarioWorkload } from './workload.ts';

/** A scenario under way: its world, and what has to be remembered between its steps. */
export class Execution {
  readonly scenario: Scenario;
  readonly rig: Rig;
  readonly golden: Golden;
  readonly snapshots = new Map<string, Fingerprint>();
  readonly outages = new Outages();
  /** Faults that were armed and never fired, though nothing said they need not. */
  readonly vacuous: { path: readonly PathPart[]; fault: string; why: string }[] = [];
  /** The application that runs beside it; undefined where none is given. */
  workload: ScenarioWorkload | undefined;
  /** The last command that failed: what it printed is what there is to recover with. */
  lastFailed: Ran | undefined;
  readonly #trace = createHash('sha256');

  constructor(scenario: Scenario, rig: Rig, golden: Golden) {
    this.scenario = scenario;
    this.rig = rig;
    this.golden = golden;
  }

  /** Runs one command line and remembers what it did. */
  async run(argv: readonly string[]): Promise<Ran & { tookMs: number }> {
    const started = this.rig.clock.now();
    const ran = await this.rig.run(argv);
    const tookMs = this.rig.clock.now() - started;
    this.outages.add(ran.events);
    if (ran.exit !== 0) this.lastFailed = ran;
    this.note({ argv, started, tookMs, ...ran });
    return { ...ran, tookMs };
  }

  /** Adds something that happened to the trace. */
  note(what: unknown): void {
    this.#trace.update(`${JSON.stringify(what)}\n`);
  }

  traceHash(): string {
    return this.#trace.copy().digest('hex');
  }

  problem(path: readonly PathPart[], subject: string, lines: readonly string[]): Problem {
    return { place: this.scenario.placeOf(path), subject, lines: [...lines] };
  }
}
