import { errorText } from '../lib/errors.ts';
import { ExitFault } from '../lib/exit-fault.ts';
import type { Problem } from '../report/doctor/diagnosis.ts';
import type { CommandDone, RepairDone } from '../report/doctor/fixing.ts';
import type { Context } from '../runtime/context.ts';
import { heldLocks, lendLocks } from '../topo/locks.ts';
import { isLeaseGone, lostAtCheck } from '../topo/lost-locks.ts';
import type { TopoServer } from '../topo/server.ts';
import type { FixSteps, FixTools } from './fix-tools.ts';

/** Runs the commands of repairs under the locks of the fix, one after another, as long as those are held. */
export class Repairer {
  readonly #ctx: Context;
  readonly #topo: TopoServer;
  readonly #tools: FixTools;
  readonly #steps: FixSteps;
  /** Saved before the first change; undefined until then. */
  snapshot: string | undefined;
  /** Why nothing more may be done. */
  stopped: string | undefined;

  constructor(ctx: Context, topo: TopoServer, tools: FixTools, steps: FixSteps) {
    this.#ctx = ctx;
    this.#topo = topo;
    this.#tools = tools;
    this.#steps = steps;
  }

  /** Runs the one way of a problem. Saves a snapshot before the first of all. */
  async run(held: Context, problem: Problem): Promise<RepairDone> {
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
      const answer = await this.#steps.run('command', () => this.#runLine(held, problem, line));
      done.push(answer);
      if (answer.exit === 0) continue;
      failure = (await this.#mayGoOn(held)) ?? (answer.line === line ? `${line.split(' ')[0]} ended with ${answer.exit}` : `${problem.object} could not be finished`);
      break;
    }
    const notDone = lines.slice(done.length);
    if (failure !== undefined) say({ kind: 'failure', text: failure, notDone });
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
      if (error instanceof ExitFault) throw error;
      command = { line, exit: 1, stdout: '', stderr: `${errorText(error)}\n` };
    }
    say({ kind: 'answer', command });
    return command;
  }

  async #saveOnce(held: Context): Promise<void> {
    if (this.snapshot !== undefined) return;
    this.snapshot = await this.#steps.run('snapshot', () => this.#tools.snapshot(held));
    this.#tools.say({ kind: 'snapshot', name: this.snapshot });
  }

  /** Why nothing more may be done: a lock was lost, or the caller wants an end. Renews the locks where they live by that. */
  async #mayGoOn(held: Context): Promise<string | undefined> {
    const ended = this.#ctx.err();
    if (ended !== undefined) return (this.stopped = ended.reason === 'deadline' ? 'its time is over (--action-timeout)' : 'it was told to stop');
    for (const lock of heldLocks(held)) {
      try {
        await lock.check(held);
      } catch (error) {
        return (this.stopped = isLeaseGone(error) ? lostAtCheck(this.#topo, lock, error).layer : errorText(error));
      }
    }
    return undefined;
  }
}
