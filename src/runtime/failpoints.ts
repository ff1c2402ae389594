import { UserError } from '../lib/errors.ts';
import { suggest } from '../lib/suggest.ts';
import { type Edge, type FaultAction, type FaultSpec, type FaultTerm, parseFaults } from './fault-grammar.ts';

/** A place where a fault can be injected: a step's name and how often the step occurs. */
export interface FaultPoint {
  name: string;
  occurrences: number;
}

/** Counts how often a term fired. In process by default; a store may keep them across processes. */
export interface FaultCounters {
  /** Takes one firing of the term if it is not used up. */
  take(key: string, limit: number): boolean;
}

class LocalCounters implements FaultCounters {
  readonly #fired = new Map<string, number>();

  take(key: string, limit: number): boolean {
    const fired = this.#fired.get(key) ?? 0;
    if (fired >= limit) return false;
    this.#fired.set(key, fired + 1);
    return true;
  }
}

interface Armed {
  spec: FaultSpec;
  evaluated: number;
  fired: number;
}

/** How faults reach the leases of held locks. The topology server installs it; runtime knows no store. */
export interface LeaseFaults {
  expire(target: string | undefined): Promise<void>;
  steal(target: string | undefined): Promise<void>;
}

/** The faults armed in one world. With none armed, evaluating costs one length check. */
export class Failpoints {
  readonly #armed: Armed[] = [];
  #counters: FaultCounters = new LocalCounters();
  leases: LeaseFaults | undefined;

  /** Keeps counts elsewhere than in this process. */
  useCounters(counters: FaultCounters): void {
    this.#counters = counters;
  }

  /**
   * Arms one or more faults. Throws UserError for bad grammar, and for a step or an occurrence that
   * does not exist: a fault that can never fire is a mistake, not a choice.
   */
  arm(text: string, points: readonly FaultPoint[]): void {
    for (const spec of parseFaults(text)) {
      const point = points.find((candidate) => candidate.name === spec.step);
      if (point === undefined) throw unknownStep(spec, points);
      if (spec.occurrence !== undefined && spec.occurrence > point.occurrences) {
        throw new UserError(
          `bad fault "${spec.text}": ${spec.step} occurs ${point.occurrences === 1 ? 'once' : `${point.occurrences} times`} at most`,
          { next: 'switchtraffic steps' },
        );
      }
      this.#armed.push({ spec, evaluated: 0, fired: 0 });
    }
  }

  /** The targets that faults were put on, each with the fault's text. */
  targets(): { target: string; text: string }[] {
    return this.#armed.flatMap(({ spec }) => (spec.target === undefined ? [] : [{ target: spec.target, text: spec.text }]));
  }

  /** True if any fault is armed at all. */
  get any(): boolean {
    return this.#armed.length > 0;
  }

  /** The action due at this place, if any. `target` is undefined for the step as a whole. */
  evaluate(step: string, edge: Edge, occurrence: number, target: string | undefined): FaultAction | undefined {
    if (this.#armed.length === 0) return undefined;
    for (const armed of this.#armed) {
      const { spec } = armed;
      if (spec.step !== step || spec.edge !== edge) continue;
      if (spec.occurrence !== undefined && spec.occurrence !== occurrence) continue;
      if (!targetMatches(spec.target, target)) continue;
      armed.evaluated++;
      const action = this.#pick(spec);
      if (action === undefined) continue;
      if (action.kind === 'off') continue;
      armed.fired++;
      return action;
    }
    return undefined;
  }

  #pick(spec: FaultSpec): FaultAction | undefined {
    for (const [index, term] of spec.terms.entries()) {
      if (this.#take(spec, term, index)) return term.action;
    }
    return undefined;
  }

  #take(spec: FaultSpec, term: FaultTerm, index: number): boolean {
    return term.count === undefined || this.#counters.take(`${spec.text}/${index}`, term.count);
  }

  /** What was armed, how often its place was reached and how often it fired. */
  report(): { text: string; evaluated: number; fired: number }[] {
    return this.#armed.map(({ spec, evaluated, fired }) => ({ text: spec.text, evaluated, fired }));
  }
}

/** A fault without a target fires for the step; one with a target where the step touches it. */
function targetMatches(wanted: string | undefined, actual: string | undefined): boolean {
  if (wanted === undefined || actual === undefined) return wanted === actual;
  return wanted === actual || actual.startsWith(`${wanted}/`);
}

function unknownStep(spec: FaultSpec, points: readonly FaultPoint[]): UserError {
  const names = points.map((point) => point.name);
  // People type the last part: "waitForCatchup" should lead to the full name.
  const near = names.find((name) => name.endsWith(`/${spec.step}`)) ?? suggest(spec.step, names);
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return new UserError(`bad fault "${spec.text}": there is no step "${spec.step}"${hint}`, {
    next: 'switchtraffic steps',
  });
}
