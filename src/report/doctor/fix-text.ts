import { formatDuration } from '../../lib/duration.ts';
import { problemEntry } from '../../lib/problems.ts';
import { wrapWords } from '../show/text.ts';
import type { Problem } from './diagnosis.ts';
import type { CommandDone, FixEvent, FixReport, LeftProblem, LeftWhy } from './fixing.ts';
import type { DoctorOptions } from './options.ts';
import { problemFacts, problemLines } from './text.ts';

const WIDTH = 80;
/** Waiting for a lock is worth a word from here on. */
const NOTICED_MS = 500;
/** A longer answer is a record, which says nothing that the verification does not. */
const MOST_ANSWER_LINES = 3;

/** What a fix says while it is under way. */
export function fixEventLines(event: FixEvent, { paint, typed }: DoctorOptions): string[] {
  switch (event.kind) {
    case 'pass': {
      const many = event.problems.length === 1 ? '1 problem' : `${event.problems.length} problems`;
      return [paint.bold(`Pass ${event.number} of at most ${event.of}: ${many} to repair`), ...event.problems.map((problem) => `  ${nameOf(problem)}`)];
    }
    case 'locked':
      return event.names.length === 0 ? [] : wrapWords(`locked ${event.names.join(', ')}${event.waitedMs < NOTICED_MS ? '' : ` after ${formatDuration(Math.round(event.waitedMs))}`}`, '  ', '    ', WIDTH);
    case 'busy':
      return [paint.yellow(`  ${event.text}; left alone:`), ...event.problems.map((problem) => `    ${nameOf(problem)}`)];
    case 'reaped':
      return [`Released the lock on ${event.lock.name}: ${event.lock.owner}, who ${event.lock.held ? 'held' : 'waited for'} it, is dead`];
    case 'vanished':
      return [`  ${nameOf(event.problem)}: is not there any more, passed over`];
    case 'changed':
      return [`  ${nameOf(event.problem)}: has changed, planned anew`];
    case 'snapshot':
      return [`  saved snapshot ${event.name}`];
    case 'repair':
      return [`  ${paint.bold(nameOf(event.problem))}: ${event.title}`];
    case 'command':
      return [`    ${event.line.startsWith('(') ? event.line : `$ ${typed(event.line)}`}`];
    case 'answer':
      return answerLines(event.command).map((line) => `      ${event.command.exit === 0 ? paint.dim(line) : paint.red(line)}`);
    case 'failure':
      return [paint.red(`    stopped: ${event.text}`), ...event.notDone.map((line) => `    not run: ${typed(line)}`)];
    case 'verified':
      return [
        ...event.gone.map((problem) => paint.green(`  gone: ${nameOf(problem)}`)),
        ...event.appeared.map((problem) => paint.yellow(`  new: ${nameOf(problem)}`)),
        ...event.remaining.filter((problem) => !event.appeared.includes(problem)).map((problem) => paint.yellow(`  still there: ${nameOf(problem)}`)),
      ];
  }
}

function answerLines({ exit, stdout, stderr }: CommandDone): string[] {
  const lines = (text: string): string[] => text.split('\n').map((line) => line.trimEnd()).filter((line) => line !== '');
  if (exit !== 0) return [...lines(stderr), ...lines(stdout), `exit ${exit}`];
  const said = lines(stdout);
  return [...(said.length > MOST_ANSWER_LINES ? [] : said), ...lines(stderr).filter((line) => !line.startsWith('hint: ')), 'ok'];
}

function nameOf({ kind, object }: Pick<Problem, 'kind' | 'object'>): string {
  return `${problemEntry(kind).code} ${object}`;
}

const WHY: Record<LeftWhy, string> = {
  choice: 'There is more than one way, and which is right is for you to say:',
  'behind a choice': 'What is right here follows from what is chosen for its workflow:',
  'no repair': 'No command repairs this:',
  'at work': 'Somebody is at work on this:',
  busy: 'Its locks were not to be had:',
  'not asked': 'Not asked for:',
  remains: 'Its repair was tried, and it is still there:',
  'not reached': 'Its turn did not come:',
};

/** What there is to say when a fix has ended. */
export function fixReportLines(report: FixReport, options: DoctorOptions): string[] {
  const { paint, program } = options;
  const { outcome, verdict, undo, left, stopped } = report;
  return [
    ...(stopped === undefined ? [] : [paint.red(`Stopped: ${stopped}. It may be run again: ${program} doctor --fix`)]),
    ...wrapWords(verdict, '', '  ', WIDTH).map((line) => (outcome === 'healthy' ? paint.green(line) : paint.bold(line))),
    ...left.flatMap((one) => ['', ...leftLines(one, options)]),
    ...(undo === undefined ? [] : ['', `To take all of it back: ${program} ${undo}`]),
  ];
}

function leftLines({ problem, why }: LeftProblem, options: DoctorOptions): string[] {
  return [WHY[why], ...problemLines(problem, options)];
}

/** What JSON gives. */
export function fixFacts(report: FixReport, vitessVersion: string, typed: DoctorOptions['typed']): object {
  const facts = (problem: Problem): object => problemFacts(problem, typed);
  const { passes, left, ...rest } = report;
  return {
    vitessVersion,
    ...rest,
    passes: passes.map(({ locks, vanished, repairs, gone, appeared }) => ({
      locks,
      vanished: vanished.map(facts),
      repairs: repairs.map(({ problem, ...repair }) => ({ problem: facts(problem), ...repair })),
      gone: gone.map(facts),
      appeared: appeared.map(facts),
    })),
    left: left.map(({ problem, why }) => ({ why, problem: facts(problem) })),
  };
}
