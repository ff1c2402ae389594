import type { Problem } from '../report/scenario/result.ts';
import type { Scenario } from '../report/scenario-file/read.ts';
import type { PathPart } from '../report/input/yaml.ts';
import type { Fingerprint } from '../workflow/facts/fingerprint.ts';
import { Outages } from './outages.ts';
import type { Ran, Rig } from './rig.ts';
import type { Golden } from './text-test.ts';
import type { Trace } from './trace.ts';
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
  /** Undefined where nobody asks for it: what goes into it is a tenth of the work. */
  readonly trace: Trace | undefined;

  constructor(scenario: Scenario, rig: Rig, golden: Golden, trace: Trace | undefined) {
    this.scenario = scenario;
    this.rig = rig;
    this.golden = golden;
    this.trace = trace;
  }

  /** Runs one command line and remembers what it did. */
  async run(argv: readonly string[]): Promise<Ran & { tookMs: number }> {
    const started = this.rig.clock.now();
    const ran = await this.rig.run(argv);
    const tookMs = this.rig.clock.now() - started;
    this.outages.add(ran.events);
    if (ran.exit !== 0) this.lastFailed = ran;
    this.trace?.add({ argv, started, tookMs, ...ran });
    return { ...ran, tookMs };
  }

  problem(path: readonly PathPart[], subject: string, lines: readonly string[]): Problem {
    return { place: this.scenario.placeOf(path), subject, lines: [...lines] };
  }
}
