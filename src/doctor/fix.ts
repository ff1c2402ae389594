import type { ProblemKind } from '../lib/problems.ts';
import { errorText } from '../lib/errors.ts';
import { type Context, withoutCancel } from '../runtime/context.ts';
import { runStep } from '../runtime/step.ts';
import type { Diagnosis, Problem } from '../report/doctor/diagnosis.ts';
import type { CommandDone, FixEvent, FixPass, FixReport, LeftProblem, LeftWhy, ReapedLock, RepairDone } from '../report/doctor/fixing.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { heldLocks, lendLocks } from '../topo/locks.ts';
import { isLeaseGone, lostAtCheck } from '../topo/lost-locks.ts';
import { lockDirs } from '../topo/paths.ts';
import { FIX_STEPS } from '../workflow/fix-steps.ts';
import { locksOfDead, reapDead } from './reap.ts';
import { type HeldTogether, LockBusy, takeLocks, type WantedLocks } from './take-locks.ts';

/** What a fix is given from above and beside it. */
export interface FixTools {
  /** Reads the cluster and says what is wrong. */
  diagnose(ctx: Context): Promise<Diagnosis>;
  /** Runs a literal command line under a context, with the locks that it lends. */
  run(ctx: Context, line: string): Promise<CommandDone>;
  /** Finishes the intent of a problem: back, or past its point of no return forward. Undefined where there is none to finish. */
  finish(ctx: Context, problem: Problem): Promise<string | undefined>;
  /** Saves the whole cluster; resolves to the name to restore it by. */
  snapshot(ctx: Context): Promise<string>;
  /** True for the kinds that are to be repaired. */
  wants(kind: ProblemKind): boolean;
  /** Hears of everything as it happens. */
  say(event: FixEvent): void;
}


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
  readonly #occurrences = new Map<string, number>();
  readonly #reaped: ReapedLock[] = [];
  #snapshot: string | undefined;
  #stopped: string | undefined;

  constructor(ctx: Context, cluster: Cluster, tools: FixTools) {
    this.#ctx = ctx;
    this.#cluster = cluster;
    this.#tools = tools;
  }

  async run(): Promise<FixReport> {
    if (OF_THE_DEAD.some((kind) => this.#tools.wants(kind))) await this.#step('reap', () => this.#notingReaped(() => reapDead(this.#ctx, this.#cluster.topo)));
    let found = await this.#tools.diagnose(this.#ctx);
    while (this.#passes.length < MOST_PASSES && this.#stopped === undefined) {
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
      await this.#step('unlock', () => held.unlock(failure ?? this.#stopped));
    }
  }

  /** Undefined where every problem's locks are kept by somebody: then none is held, and the busy ones are noted. */
  async #lock(chosen: readonly Problem[]): Promise<HeldTogether | undefined> {
    const { topo, world } = this.#cluster;
    for (let problems = chosen; problems.length > 0; ) {
      const started = world.clock.now();
      try {
        const held = await this.#step('lock', () => this.#notingReaped(() => takeLocks(this.#ctx, topo, locksOf(problems), 'DoctorFix')));
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
    const before = await this.#step('reread', () => this.#tools.diagnose(held.ctx));
    const vanished: Problem[] = [];
    const repairs: RepairDone[] = [];
    let now = before;
    for (const problem of chosen) {
      if (this.#stopped !== undefined) break;
      // What the repair before it did may have put this one right too, or changed what it takes.
      if (repairs.at(-1) !== undefined) now = await this.#step('reread', () => this.#tools.diagnose(held.ctx));
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
    const { say } = this.#tools;
    const { title, commands } = problem.repairs[0]!;
    await this.#saveOnce(held);
    say({ kind: 'repair', problem, title });
    const done: CommandDone[] = [];
    const lines = problem.kind === 'intent' ? [commands[0] ?? ''] : commands;
    let failure: string | undefined;
    for (const line of lines) {
      failure = await this.#mayGoOn(held);
      if (failure !== undefined) break;
      const answer = await this.#step('command', () => this.#runLine(held, problem, line));
      done.push(answer);
      if (answer.exit === 0) continue;
      failure = (await this.#mayGoOn(held)) ?? `${answer.line.split(' ')[0]} ended with ${answer.exit}`;
      break;
    }
    const notDone = lines.slice(done.length);
    if (failure === undefined) this.#wentWell++;
    else say({ kind: 'failure', text: failure, notDone });
    this.#tried.set(planOf(problem), this.#wentWell);
    return { problem, title, done, notDone, failure };
  }

  async #runLine(held: Context, problem: Problem, line: string): Promise<CommandDone> {
    const { say } = this.#tools;
    if (problem.kind === 'intent') {
      const finished = await this.#finish(held, problem);
      if (finished !== undefined) return finished;
    }
    say({ kind: 'command', line });
    const answer = await this.#tools.run(lendLocks(held), line);
    say({ kind: 'answer', command: answer });
    return answer;
  }

  /** An intent is finished from what it says of itself: what was asked for is begun anew by whoever asked, not by a repair. */
  async #finish(held: Context, problem: Problem): Promise<CommandDone | undefined> {
    const { say } = this.#tools;
    const line = `(finishing ${problem.object})`;
    say({ kind: 'command', line });
    let command: CommandDone;
    try {
      const said = await this.#tools.finish(held, problem);
      if (said === undefined) return undefined;
      command = { line, exit: 0, stdout: `${said}\n`, stderr: '' };
    } catch (error) {
      command = { line, exit: 1, stdout: '', stderr: `${errorText(error)}\n` };
    }
    say({ kind: 'answer', command });
    return command;
  }

  async #saveOnce(held: Context): Promise<void> {
    if (this.#snapshot !== undefined) return;
    this.#snapshot = await this.#step('snapshot', () => this.#tools.snapshot(held));
    this.#tools.say({ kind: 'snapshot', name: this.#snapshot });
  }

  /** Why nothing more may be done: a lock was lost, or the caller wants an end. Renews the locks where they live by that. */
  async #mayGoOn(held: Context): Promise<string | undefined> {
    const ended = this.#ctx.err();
    if (ended !== undefined) return (this.#stopped = ended.reason === 'deadline' ? 'its time is over (--action-timeout)' : 'it was told to stop');
    for (const lock of heldLocks(held)) {
      try {
        await lock.check(held);
      } catch (error) {
        return (this.#stopped = isLeaseGone(error) ? lostAtCheck(this.#cluster.topo, lock, error).layer : errorText(error));
      }
    }
    return undefined;
  }

  async #verify(held: Context, { before, ...pass }: Omit<FixPass, 'gone' | 'appeared'> & { before: Diagnosis }): Promise<Diagnosis> {
    const after = await this.#step('verify', () => this.#tools.diagnose(held));
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
      snapshot: this.#snapshot,
      undo: this.#snapshot === undefined ? undefined : `snapshot restore ${this.#snapshot} --force`,
      left,
      stopped: this.#stopped,
    };
  }

  #step<T>(step: keyof typeof FIX_STEPS, body: () => Promise<T>): Promise<T> {
    const name = FIX_STEPS[step];
    const occurrence = (this.#occurrences.get(name) ?? 0) + 1;
    this.#occurrences.set(name, occurrence);
    return runStep(this.#ctx, this.#cluster.world, { name, occurrence }, body);
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
