import type { ProblemKind } from '../lib/problems.ts';
import { type Context, withoutCancel } from '../runtime/context.ts';
import type { Diagnosis, Problem } from '../report/doctor/diagnosis.ts';
import type { FixPass, FixReport, LeftProblem, LeftWhy, ReapedLock, RepairDone } from '../report/doctor/fixing.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { heldLocks } from '../topo/locks.ts';
import { lockDirs } from '../topo/paths.ts';
import { FixSteps, type FixTools } from './fix-tools.ts';
import { locksOfDead, reapDead } from './reap.ts';
import { Repairer } from './repair.ts';
import { type HeldTogether, LockBusy, takeLocks, type WantedLocks } from './take-locks.ts';

/** What taking away the locks of the dead cures, before anything else is looked at. */
const OF_THE_DEAD: readonly ProblemKind[] = ['dead-lock-holder', 'lease-run-out', 'waiting-behind-dead', 'named-lock-of-dead'];

/** One repair may uncover what another hid; more than this, and somebody has to look. */
const MOST_PASSES = 3;

/**
 * Repairs what can be proved: locks, looks again, saves a snapshot, runs each problem's commands, and verifies. Problems with several
 * ways or none are left as they are. May be killed at any instant and run again: every command may be repeated.
 */
export function fix(ctx: Context, cluster: Cluster, tools: FixTools): Promise<FixReport> {
  return new Fix(ctx, cluster, tools).run();
}

class Fix {
  readonly #ctx: Context;
  readonly #cluster: Cluster;
  readonly #tools: FixTools;
  readonly #passes: FixPass[] = [];
  /** Plans that were carried out, whole or in part, and how many repairs had gone well by then. */
  readonly #tried = new Map<string, number>();
  #wentWell = 0;
  readonly #busy = new Set<string>();
  readonly #steps: FixSteps;
  readonly #repairer: Repairer;
  readonly #reaped: ReapedLock[] = [];

  constructor(ctx: Context, cluster: Cluster, tools: FixTools) {
    this.#ctx = ctx;
    this.#cluster = cluster;
    this.#tools = tools;
    this.#steps = new FixSteps(ctx, cluster.world);
    this.#repairer = new Repairer(ctx, cluster.topo, tools, this.#steps);
  }

  async run(): Promise<FixReport> {
    if (OF_THE_DEAD.some((kind) => this.#tools.wants(kind))) await this.#steps.run('reap', () => this.#notingReaped(() => reapDead(this.#ctx, this.#cluster.topo)));
    let found = await this.#tools.diagnose(this.#ctx);
    while (this.#passes.length < MOST_PASSES && this.#repairer.stopped === undefined) {
      const chosen = found.problems.filter((problem) => this.#whyNot(problem, found) === undefined);
      if (chosen.length === 0) break;
      found = await this.#pass(chosen);
    }
    return this.#report(found);
  }

  /** Why a problem is not repaired, or not again; undefined where it is to be. */
  #whyNot(problem: Problem, { problems }: Diagnosis): LeftWhy | undefined {
    if (!this.#tools.wants(problem.kind)) return 'not asked';
    if (problem.atWork !== undefined) return 'at work';
    if (problem.repairs.length > 1) return 'choice';
    if (problem.repairs.length === 0) return 'no repair';
    // What is right for a workflow hangs on what is chosen for it.
    if (problems.some((other) => other.repairs.length > 1 && other.workflows.some((workflow) => problem.workflows.includes(workflow)))) return 'behind a choice';
    // A plan that did not help is begun again only where something else was put right meanwhile.
    if (this.#tried.get(planOf(problem)) === this.#wentWell) return 'remains';
    if (this.#busy.has(nameOf(problem))) return 'busy';
    return undefined;
  }

  async #pass(chosen: readonly Problem[]): Promise<Diagnosis> {
    this.#tools.say({ kind: 'pass', number: this.#passes.length + 1, of: MOST_PASSES, problems: chosen });
    const held = await this.#lock(chosen);
    if (held === undefined) return this.#tools.diagnose(this.#ctx);
    let failure: unknown;
    try {
      return await this.#underLocks(held, chosen);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      // A lock that was lost is said already; there is nothing left to release.
      await this.#steps.run('unlock', () => held.unlock(failure ?? this.#repairer.stopped));
    }
  }

  /** Undefined where every problem's locks are kept by somebody: then none is held, and the busy ones are noted. */
  async #lock(chosen: readonly Problem[]): Promise<HeldTogether | undefined> {
    const { topo, world } = this.#cluster;
    for (let problems = chosen; problems.length > 0; ) {
      const started = world.clock.now();
      try {
        const held = await this.#steps.run('lock', () => this.#notingReaped(() => takeLocks(this.#ctx, topo, locksOf(problems), 'DoctorFix')));
        this.#tools.say({ kind: 'locked', names: held.names, waitedMs: world.clock.now() - started });
        return held;
      } catch (error) {
        if (!(error instanceof LockBusy)) throw error;
        const waiting = problems.filter((problem) => resourcesOf(problem).includes(error.resource));
        for (const problem of waiting) this.#busy.add(nameOf(problem));
        this.#tools.say({ kind: 'busy', text: error.message, problems: waiting });
        problems = problems.filter((problem) => !waiting.includes(problem));
      }
    }
    return undefined;
  }

  /** Says which locks of the dead were taken away by something that asks for locks. */
  async #notingReaped<T>(ask: () => Promise<T>): Promise<T> {
    const { topo } = this.#cluster;
    const dead = locksOfDead(topo);
    try {
      return await ask();
    } finally {
      const left = new Set(locksOfDead(topo).map(({ id }) => id));
      for (const { id, ...lock } of dead) {
        if (left.has(id)) continue;
        this.#reaped.push(lock);
        this.#tools.say({ kind: 'reaped', lock });
      }
    }
  }

  async #underLocks(held: HeldTogether, chosen: readonly Problem[]): Promise<Diagnosis> {
    const before = await this.#steps.run('reread', () => this.#tools.diagnose(held.ctx));
    const vanished: Problem[] = [];
    const repairs: RepairDone[] = [];
    let now = before;
    for (const problem of chosen) {
      if (this.#repairer.stopped !== undefined) break;
      // What the repair before it did may have put this one right too, or changed what it takes.
      if (repairs.at(-1) !== undefined) now = await this.#steps.run('reread', () => this.#tools.diagnose(held.ctx));
      const still = this.#again(problem, now, held);
      if (still === undefined) vanished.push(problem);
      else if (still !== 'later') repairs.push(await this.#repair(held.ctx, still));
    }
    // Told to stop or not: what is so now has to be said.
    return this.#verify(withoutCancel(held.ctx), { locks: held.names, vanished, repairs, before });
  }

  /** The problem as it is under the locks: undefined where it has gone, `later` where it needs locks or a choice that are not there. */
  #again(problem: Problem, now: Diagnosis, held: HeldTogether): Problem | 'later' | undefined {
    const { say } = this.#tools;
    const same = now.problems.filter((one) => nameOf(one) === nameOf(problem));
    if (same.length === 0) {
      say({ kind: 'vanished', problem });
      return undefined;
    }
    const still = same.find((one) => planOf(one) === planOf(problem)) ?? same[0]!;
    if (planOf(still) !== planOf(problem)) say({ kind: 'changed', problem: still });
    const resources = new Set(heldLocks(held.ctx).map((lock) => lock.resource));
    const covered = resourcesOf(still).every((resource) => resources.has(resource) || this.#isGone(resource));
    // Under its locks nobody else can be at work on it.
    const why = this.#whyNot({ ...still, atWork: undefined }, now);
    return why === undefined && covered ? still : 'later';
  }

  #isGone(resource: string): boolean {
    return resource.startsWith(lockDirs.keyspace('')) && !this.#cluster.topo.conn.has(`${resource}/Keyspace`);
  }

  async #repair(held: Context, problem: Problem): Promise<RepairDone> {
    const repair = await this.#repairer.run(held, problem);
    if (repair.failure === undefined) this.#wentWell++;
    this.#tried.set(planOf(problem), this.#wentWell);
    return repair;
  }

  async #verify(held: Context, { before, ...pass }: Omit<FixPass, 'gone' | 'appeared'> & { before: Diagnosis }): Promise<Diagnosis> {
    const after = await this.#steps.run('verify', () => this.#tools.diagnose(held));
    const known = new Set(before.problems.map(nameOf));
    const left = new Set(after.problems.map(nameOf));
    const gone = before.problems.filter((problem) => !left.has(nameOf(problem)));
    const appeared = after.problems.filter((problem) => !known.has(nameOf(problem)));
    this.#passes.push({ ...pass, gone, appeared });
    this.#tools.say({ kind: 'verified', gone, appeared, remaining: after.problems });
    return after;
  }

  #report(found: Diagnosis): FixReport {
    const { healthy, verdict, problems } = found;
    const left = problems.map((problem): LeftProblem => ({ problem, why: this.#whyNot(problem, found) ?? 'not reached' }));
    const waiting = left.length > 0 && left.every(({ why }) => why === 'at work' || why === 'busy');
    return {
      outcome: healthy ? 'healthy' : waiting ? 'busy' : 'problems remain',
      verdict,
      reaped: this.#reaped,
      passes: this.#passes,
      snapshot: this.#repairer.snapshot,
      undo: this.#repairer.snapshot === undefined ? undefined : `snapshot restore ${this.#repairer.snapshot} --force`,
      left,
      stopped: this.#repairer.stopped,
    };
  }

}

/** What makes a problem the same when it is looked for again: not its evidence, which may have grown. */
function nameOf({ kind, object }: Problem): string {
  return `${kind} ${object}`;
}

function planOf(problem: Problem): string {
  return [nameOf(problem), ...(problem.repairs[0]?.commands ?? [])].join('\n');
}

function locksOf(problems: readonly Problem[]): WantedLocks {
  return { workflows: [...new Set(problems.flatMap(({ workflows }) => workflows))], keyspaces: [...new Set(problems.flatMap(({ keyspaces }) => keyspaces))] };
}

function resourcesOf({ workflows, keyspaces }: Problem): string[] {
  return [...workflows.map(lockDirs.named), ...keyspaces.map(lockDirs.keyspace)];
}
