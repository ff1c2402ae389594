import { formatTable } from '../lib/table.ts';
import type { Paint } from './paint.ts';

/** One step of a command, as `steps` tells it. */
export interface StepFacts {
  /** Its place in the list, from 1. */
  number: number;
  name: string;
  occurrence: number;
  /** How often the name occurs in the list. */
  occurrences: number;
  about: string;
  /** What its failure leads to; undefined for a step of the roll-back. */
  leadsTo: string | undefined;
  /** How a roll-back undoes it; '' where there is nothing to undo. */
  undoneBy: string;
  /** Past it the switch can only be completed. */
  pointOfNoReturn: boolean;
}

/** The steps of a command on a release. */
export interface StepList {
  command: string;
  vitessVersion: string;
  /** What else is worth knowing of the command. */
  note: string | undefined;
  steps: StepFacts[];
  /** Steps that the usual switch does not have, and when there are some. */
  elsewhere: { name: string; about: string; when: string }[];
  rollback: StepFacts[];
}

const LINE = 60;

/** The list for people: each step with what it does and how it is undone below it, the point of no return drawn between two steps. */
export function renderSteps(list: StepList, paint: Paint): string[] {
  const version = list.vitessVersion === 'hardened' ? 'hardened' : `Vitess ${list.vitessVersion}`;
  const lines = [`${paint.bold(list.command)} on ${version}`];
  if (list.note !== undefined) lines.push(paint.dim(list.note));
  if (list.steps.length > 0) lines.push('', ...table(list.steps, 'WHEN IT FAILS', paint));
  if (list.elsewhere.length > 0) {
    lines.push('', 'steps of others:', ...list.elsewhere.flatMap(({ name, about, when }) => [`    ${name}  ${when}`, paint.dim(`      ${about}`)]));
  }
  if (list.rollback.length > 0) lines.push('', 'the roll-back, where a failure leads to one:', ...table(list.rollback, '', paint));
  return [...lines, '', ...legend(list).map((line) => paint.dim(line)), FAULT_HINT];
}

/** What the words in the second column mean; those that occur. */
const MEANING: Readonly<Record<string, string>> = {
  'left as is': 'what earlier steps changed stays changed',
  'rolls back': 'the roll-back below runs',
  'cleaned up': 'streams, rules and denied tables of the workflow are gone; tables that it made stay',
  'run again': 'the command does the rest when it is run again',
  'half done': 'it cannot be run again: what is left has to be put right by hand',
  done: 'nothing is left to do, though the command fails',
  strands: 'no roll-back runs: writes stay refused until somebody puts it right',
  'decided by looking': 'if the step took effect the switch goes on, otherwise it rolls back',
  'forward only': 'the switch can only be completed, by running it again',
};

function legend({ steps }: StepList): string[] {
  return Object.entries(MEANING).flatMap(([words, meaning]) => (steps.some((step) => step.leadsTo === words) ? [`${words}: ${meaning}`] : []));
}

const FAULT_HINT = "put a fault on a step: --fault 'STEP[:before|:after][#N][@TARGET]=return(UNAVAILABLE)'";

function table(steps: readonly StepFacts[], failing: string, paint: Paint): string[] {
  const rows = steps.map((step) => [String(step.number), nameOf(step), leadsText(step, paint)]);
  const [header = '', ...lines] = formatTable(rows, { header: ['#', 'STEP', failing], right: [0] }).split('\n');
  const indent = ' '.repeat(String(steps.at(-1)?.number ?? 1).length + 4);
  return [
    paint.dim(header),
    ...steps.flatMap((step, index) => [
      lines[index] ?? '',
      paint.dim(indent + step.about),
      ...(step.undoneBy === '' ? [] : [paint.dim(`${indent}undone ${undoneText(step.undoneBy)}`)]),
      ...(step.pointOfNoReturn ? [paint.yellow(`${'='.repeat(LINE / 2)} point of no return ${'='.repeat(LINE / 2)}`)] : []),
    ]),
  ];
}

/** The name a fault is given; with `#n` where it stands for several steps. */
function nameOf({ name, occurrence, occurrences }: StepFacts): string {
  return occurrences > 1 ? `${name}#${occurrence}` : name;
}

function undoneText(how: string): string {
  return how === 'never' ? how : `by ${how}`;
}

function leadsText({ leadsTo = '' }: StepFacts, paint: Paint): string {
  if (leadsTo === 'strands' || leadsTo === 'half done') return paint.red(leadsTo);
  if (leadsTo === 'forward only' || leadsTo === 'left as is') return paint.yellow(leadsTo);
  return leadsTo === 'rolls back' ? paint.green(leadsTo) : leadsTo;
}
