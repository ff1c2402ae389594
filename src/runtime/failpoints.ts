import { globMatcher, isGlob } from '../lib/glob.ts';
import { suggest } from '../lib/suggest.ts';
import { type FaultAction, isDelivery } from './fault-actions.ts';
import { type Edge, EDGES, OUTER_EDGES } from './edges.ts';
import { badFault, type FaultSpec, type FaultTerm, parseFaults, parsePoint } from './fault-grammar.ts';
import { Pauses } from './pauses.ts';
import { type Random, seededRandom, seedOf } from './random.ts';

/** A place where a fault can be injected: a step's name, how often the step occurs, and its edges: `before` and `after` unless said. */
export interface FaultPoint {
  name: string;
  occurrences: number;
  edges?: readonly Edge[];
  /** It is a call that steps make, and is meant by no pattern but one that begins as its name does: `tablet/`, `topo/`. */
  call?: 'tablet' | 'topo';
}

/**
 * A fault that is kept for a cluster: until it is cleared, for every process, all of which count together. Whoever keeps it
 * hands this in; runtime knows no store.
 */
export interface KeptFault {
  /**
   * Takes one firing of a term: false if the fault is gone by now, or the term is used up; without a limit it never is. `idle`: the term
   * does nothing, and is not counted as fired. `reached`: how often the place was reached since this was told last.
   */
  take(term: number, limit: number | undefined, how: { idle: boolean; reached: number }): Promise<boolean>;
  /** Tells how often the place was reached since this was told last. */
  tell(reached: number): Promise<void>;
}

/** The step that is being run: what is written now is written by it. */
export interface StepUnderWay {
  name: string;
  occurrence: number;
}

interface Armed {
  spec: FaultSpec;
  /** The steps that its name or pattern stands for. */
  steps: ReadonlySet<string>;
  onTarget(target: string | undefined): boolean;
  /** Drawn from by this fault alone, so that neither ids nor other faults depend on it. */
  random: Random;
  evaluated: number;
  fired: number;
  kept: KeptFault | undefined;
  /** How much of `evaluated` was told to whoever keeps it. */
  told: number;
}

/** For faults without one. */
const NO_CHANCE = seededRandom(0);

/** How faults reach the leases of held locks. The topology server installs it; runtime knows no store. */
export interface LeaseFaults {
  expire(target: string | undefined): Promise<void>;
  steal(target: string | undefined): Promise<void>;
  /** Stops renewing for so many milliseconds. */
  stall(target: string | undefined, ms: number): Promise<void>;
}

/** The faults armed in one world. */
export class Failpoints {
  readonly #armed: Armed[] = [];
  leases: LeaseFaults | undefined;
  /** The seed of chances: the same seed and the same commands repeat a run. Set it before arming. */
  seed: number;
  readonly pauses: Pauses;
  /** Undefined between steps. */
  current: StepUnderWay | undefined;
  /** Looks again for faults that are kept for the cluster; who was paused may find others. */
  lookAgain: (() => Promise<void>) | undefined;
  /** An `exit` has struck: whatever becomes of that error on its way up, the step ends with it. */
  exited: Error | undefined;
  /** Calls to a tablet that arrive after the next one to it, by its alias. */
  readonly late = new Map<string, (() => Promise<void>)[]>();
  /** How often each term fired in this process, by the text of its fault. */
  readonly #taken = new Map<string, number>();
  readonly #calls = new Map<string, number>();

  constructor(seed = 1, pauses = new Pauses(false)) {
    this.seed = seed;
    this.pauses = pauses;
  }

  /**
   * Arms one or more faults and returns them. Throws UserError for bad grammar, and for a step or an occurrence that
   * does not exist: a fault that can never fire is a mistake, not a choice. `kept`: it is kept for the cluster, and counted there.
   */
  arm(text: string, points: readonly FaultPoint[], kept?: KeptFault): FaultSpec[] {
    const specs = parseFaults(text);
    for (const spec of specs) {
      const steps = stepsOf(spec, points);
      const random = spec.terms.some((term) => term.chance !== undefined) ? seededRandom(seedOf(this.seed, spec.text)) : NO_CHANCE;
      // Tablets are named without the zeros that Vitess fills their numbers up with; either is understood.
      const target = spec.step.startsWith('tablet/') ? spec.target?.replace(/-0+(?=[\d?*])/, '-') : spec.target;
      this.#armed.push({ spec, steps, onTarget: targetMatcher(target), random, evaluated: 0, fired: 0, kept, told: 0 });
    }
    return specs;
  }

  /** Which call of its kind this is, from 1; each time it is asked it is another one. */
  nextCall(kind: string): number {
    const number = (this.#calls.get(kind) ?? 0) + 1;
    this.#calls.set(kind, number);
    return number;
  }

  /** True if nothing is armed anywhere. */
  get disarmed(): boolean {
    return this.#armed.length === 0;
  }

  /** True if a fault is armed at an edge of a step, whatever its target: cheap, and asked before anything dear is done for it. */
  awaits(step: string, edge: Edge): boolean {
    return this.#armed.some(({ spec, steps }) => spec.edge === edge && steps.has(step));
  }

  /** True if any fault is armed at this step, wherever in it. With few faults most steps have none, and are then asked no more. */
  concerns(step: string): boolean {
    return this.#armed.some(({ steps }) => steps.has(step));
  }

  /** True if what any fault does depends on chance. */
  get chancy(): boolean {
    return this.#armed.some(({ spec }) => spec.terms.some((term) => term.chance !== undefined));
  }

  /** The first action due at this place, if any. */
  async evaluate(step: string, edge: Edge, occurrence: number, target: string | undefined): Promise<FaultAction | undefined> {
    return (await this.due(step, edge, occurrence, target).next()).value;
  }

  /**
   * The actions due at this place, one of each fault, in the order of arming. Taken one by one: a fault behind one that
   * throws is not used up. `target` is undefined for the step as a whole.
   */
  async *due(step: string, edge: Edge, occurrence: number, target: string | undefined): AsyncGenerator<FaultAction, undefined> {
    const here = this.#armed.filter(
      ({ spec, steps, onTarget }) =>
        spec.edge === edge && steps.has(step) && (spec.occurrence ?? occurrence) === occurrence && onTarget(target),
    );
    for (const armed of here) armed.evaluated++;
    for (const armed of here) {
      const action = await this.#pick(armed);
      if (action === undefined || action.kind === 'off') continue;
      armed.fired++;
      yield action;
    }
    return undefined;
  }

  async #pick(armed: Armed): Promise<FaultAction | undefined> {
    for (const [index, term] of armed.spec.terms.entries()) {
      if (await this.#take(armed, term, index)) return term.action;
    }
    return undefined;
  }

  /** Chance is asked first: only firing uses a term up. */
  async #take(armed: Armed, { chance, count, action }: FaultTerm, index: number): Promise<boolean> {
    if (chance !== undefined && armed.random.next() * 100 >= chance) return false;
    if (armed.kept !== undefined) {
      const reached = armed.evaluated - armed.told;
      armed.told = armed.evaluated;
      return armed.kept.take(index, count, { idle: action.kind === 'off', reached });
    }
    const term = `${armed.spec.text}/${index}`;
    const taken = this.#taken.get(term) ?? 0;
    if (count !== undefined && taken >= count) return false;
    this.#taken.set(term, taken + 1);
    return true;
  }

  /** The faults kept for a cluster that fired in this process. */
  keptFired(): string[] {
    return this.#armed.flatMap(({ spec, kept, fired }) => (kept === undefined || fired === 0 ? [] : [spec.text]));
  }

  /** Forgets the faults that are kept for a cluster, so that those of now can be armed. Tells first what they counted. */
  async forgetKept(): Promise<void> {
    for (const armed of this.#armed.filter(({ kept }) => kept !== undefined)) {
      if (armed.evaluated > armed.told) await armed.kept!.tell(armed.evaluated - armed.told);
      this.#armed.splice(this.#armed.indexOf(armed), 1);
    }
  }

  /**
   * Lets go on what waits at a `pause`: `STEP[:EDGE][@TARGET]`, patterns allowed; without an edge either, without a
   * target any. Returns the points that were released. Throws UserError for a name that is none.
   */
  release(name: string): string[] {
    return this.pauses.release(placeMatcher(name));
  }

  /** The texts of the faults that are armed at a step, wherever in it. */
  armedAt(step: string): string[] {
    return this.#armed.filter((armed) => armed.steps.has(step)).map(({ spec }) => spec.text);
  }

  /** What this process was told to arm, how often its place was reached and how often it fired. */
  report(): { text: string; evaluated: number; fired: number }[] {
    const own = this.#armed.filter(({ kept }) => kept === undefined);
    return own.map(({ spec, evaluated, fired }) => ({ text: spec.text, evaluated, fired }));
  }
}

/** Accepts the places where somebody waits that a name means: `STEP[:EDGE][@TARGET]`. Throws UserError for a name that is none. */
export function placeMatcher(name: string): (place: string) => boolean {
  const { step, edge, target } = parsePoint(name, name);
  const onStep = globMatcher(step);
  const onTarget = targetMatcher(target);
  return (place) => {
    const waits = parsePoint(place, place);
    return onStep(waits.step) && (edge === undefined || edge === waits.edge) && (target === undefined || onTarget(waits.target));
  };
}

/** Why a fault that was armed never fired. */
export function whyUnfired({ evaluated }: { evaluated: number }): string {
  return evaluated > 0
    ? 'its place was reached, but none of its terms applied, or another fault ended the step first'
    : 'its place was never reached';
}

/** A fault without a target fires for the step; one with a target where the step touches it, or a shard of it. */
export function targetMatcher(wanted: string | undefined): (target: string | undefined) => boolean {
  if (wanted === undefined) return (target) => target === undefined;
  const matches = globMatcher(wanted);
  return (target) => target !== undefined && (matches(target) || matches(target.split('/')[0]!));
}

/** What becomes of a call can only be said of one. */
function checkDelivery({ text, edge, terms }: FaultSpec, found: readonly FaultPoint[]): void {
  const term = terms.find(({ action }) => isDelivery(action));
  if (term === undefined) return;
  const { kind } = term.action;
  if (found.some(({ call }) => call !== 'tablet')) throw badFault(text, `${kind} is what becomes of a call to a tablet: tablet/RPC[@TABLET]=${kind}`);
  if (kind !== 'drop' && edge !== 'before') throw badFault(text, `${kind} is what becomes of a request, at :before; at :after an answer can be dropped`);
}

/** The steps that a fault is about. Throws UserError where there are none. */
function stepsOf(spec: FaultSpec, points: readonly FaultPoint[]): ReadonlySet<string> {
  const matches = globMatcher(spec.step);
  const found = points.filter((point) => matches(point.name) && (point.call === undefined || spec.step.startsWith(`${point.call}/`)));
  if (found.length === 0) throw unknownStep(spec, points);
  checkDelivery(spec, found);
  const edged = found.filter(({ edges = OUTER_EDGES }) => edges.includes(spec.edge));
  if (edged.length === 0) throw noSuchEdge(spec, found);
  const reached = edged.filter((point) => (spec.occurrence ?? 1) <= point.occurrences);
  if (reached.length === 0) {
    const most = Math.max(...edged.map((point) => point.occurrences));
    throw badFault(spec.text, `${spec.step} occurs ${most === 1 ? 'once' : `${most} times`} at most`);
  }
  return new Set(reached.map((point) => point.name));
}

const WHY_NOT: Readonly<Partial<Record<Edge, string>>> = { mid: 'does not work target by target', commit: 'writes nothing' };

function noSuchEdge({ text, step, edge }: FaultSpec, found: readonly FaultPoint[]): Error {
  const there = EDGES.filter((each) => found.some(({ edges = OUTER_EDGES }) => edges.includes(each)));
  const who = found.length === 1 ? found[0]!.name : `no step like ${step}`;
  const why = WHY_NOT[edge] === undefined || found.length > 1 ? '' : ` (it ${WHY_NOT[edge]})`;
  return badFault(text, `${who} ${found.length === 1 ? 'has no edge' : 'has the edge'} ${edge}${why}; there are: ${there.join(', ')}`);
}

function unknownStep(spec: FaultSpec, points: readonly FaultPoint[]): Error {
  const names = points.map((point) => point.name);
  const pattern = isGlob(spec.step);
  const near = pattern ? widerPattern(spec.step, names) : nearestStep(spec.step, names);
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return badFault(spec.text, pattern ? `no step is like "${spec.step}"${hint}` : `there is no step "${spec.step}"${hint}`);
}

/** People type the last part: "waitForCatchup" should lead to the full name. */
function nearestStep(step: string, names: readonly string[]): string | undefined {
  return names.find((name) => name.endsWith(`/${step}`)) ?? suggest(step, names);
}

/** The same pattern, anywhere and in any case of letters; else the step nearest to what is written in it. */
function widerPattern(pattern: string, names: readonly string[]): string | undefined {
  const anywhere = `**/${pattern.replace(/^\/+/, '')}`;
  const wider = [anywhere, pattern.replace(/\*+/g, '**'), anywhere.replace(/\*+(?!\/)/g, '**')];
  const fits = wider.find((candidate) => names.some(globMatcher(candidate)));
  if (fits !== undefined) return fits;
  const lower = globMatcher(anywhere.toLowerCase());
  return names.find((name) => lower(name.toLowerCase())) ?? nearestStep(pattern.replace(/[*?]+/g, ''), names);
}
