import { formatRfc3339 } from '../../lib/go-time.ts';
import { displayWidth, padEnd } from '../../lib/table.ts';
import { problemEntry, type Severity } from '../../lib/problems.ts';
import type { Paint } from '../paint.ts';
import { ago, wrapWords } from '../show/text.ts';
import { type Diagnosis, type Problem, type Repair, severityOf } from './diagnosis.ts';
import type { DoctorOptions } from './options.ts';

/** A terminal is taken to be this wide; commands are never broken, so that they can be pasted. */
const WIDTH = 80;
const INDENT = '    ';
const LABEL = 10;

const MARKS: Record<Severity, { sign: string; word: string; colour: 'red' | 'yellow' | 'dim' }> = {
  blocking: { sign: 'x', word: 'BLOCKING', colour: 'red' },
  pending: { sign: '!', word: 'PENDING', colour: 'yellow' },
  leftover: { sign: '-', word: 'LEFTOVER', colour: 'dim' },
};

/** A diagnosis for people: the verdict, each problem with its plan, what is well, what to do next. */
export function renderDiagnosis(diagnosis: Diagnosis, options: DoctorOptions): string[] {
  const { paint, program } = options;
  const { verdict, healthy, problems, notes } = diagnosis;
  return [
    ...wrapWords(verdict, '', '  ', WIDTH).map((line) => (healthy ? paint.green(line) : paint.bold(line))),
    ...problems.flatMap((problem) => ['', ...problemLines(problem, options)]),
    ...(notes.length === 0 ? [] : ['', ...notes.flatMap((note) => wrapWords(note, 'note  ', '      ', WIDTH))]),
    '',
    ...areaLines(diagnosis, paint),
    ...(healthy ? [] : ['', ...wrapWords(`Afterwards: ${program} doctor; what a code means: ${program} doctor --explain ${problemEntry(problems[0]!.kind).code}`, '', '  ', WIDTH)]),
    ...(problems.some((problem) => namesClient(problem, options)) ? wrapWords('vtctldclient lines are for any cluster; here: alias vtctldclient=switchtraffic', '', '  ', WIDTH) : []),
  ];
}

function namesClient({ repairs }: Problem, { typed }: DoctorOptions): boolean {
  return repairs.some(({ commands }) => commands.some((line) => typed(line).startsWith('vtctldclient ')));
}

/** A problem with its plan. */
export function problemLines(problem: Problem, options: DoctorOptions): string[] {
  const { paint, now } = options;
  const { code, title } = problemEntry(problem.kind);
  const { sign, word, colour } = MARKS[severityOf(problem)];
  const head = ` ${sign} ${code} ${title}`;
  const room = WIDTH - displayWidth(word) - 1;
  const first = displayWidth(head) <= room ? [`${paint[colour](padEnd(head, room))} ${paint[colour](word)}`] : wrapWords(`${title} (${word})`, ` ${sign} ${code} `, INDENT, WIDTH).map((line) => paint[colour](line));
  const since = problem.since === undefined ? '' : `, since ${formatRfc3339(problem.since)} (${ago(now - problem.since)})`;
  return [
    ...first,
    ...wrapWords(`${problem.object}${since}`, INDENT, INDENT, WIDTH).map((line) => paint.bold(line)),
    ...labelled('Impact', problem.impact),
    ...labelled('Evidence', problem.evidence),
    ...labelled('Also', problem.also.map((one) => `${problemEntry(one.kind).code} ${one.text}`)),
    ...labelled('Cause', problem.cause === undefined ? [] : [problem.cause]),
    ...labelled('At work', problem.atWork === undefined ? [] : [`${problem.atWork}: this may pass. Look again before you change anything`]).map((line) => paint.yellow(line)),
    ...problem.repairs.flatMap((repair, index) => repairLines(repair, index, problem.repairs.length, options)),
    ...labelled('Note', problem.note === undefined ? [] : [problem.note]),
  ];
}

/** `Impact    …`, each text on lines of its own. */
function labelled(label: string, texts: readonly string[]): string[] {
  return texts.flatMap((text, index) => wrapWords(text, INDENT + padEnd(index === 0 ? label : '', LABEL), INDENT + ' '.repeat(LABEL), WIDTH));
}

function repairLines({ title, consequence, commands, undo, elsewhere }: Repair, index: number, of: number, options: DoctorOptions): string[] {
  const label = of === 1 ? 'Repair' : `Way ${index + 1}`;
  const typed = (lines: readonly string[]): string[] => lines.map((line) => `${INDENT}  ${options.typed(line)}`);
  return [
    ...labelled(label, [`${title}: ${consequence}`]),
    ...typed(commands),
    ...(undo.length === 0 ? [] : [...labelled('Undo', ['to take it back:']), ...typed(undo)]),
    ...(elsewhere === undefined ? [] : [...labelled('Elsewhere', [`Vitess has no command for it; with the client of ${elsewhere.on}:`]), ...elsewhere.commands.map((line) => `${INDENT}  ${line}`)]),
  ];
}

function areaLines({ areas }: Diagnosis, paint: Paint): string[] {
  const parts = areas.map(({ name, looked, well }) => (looked === well ? paint.green(`ok ${name} ${well}/${looked}`) : paint.yellow(`${name} ${well}/${looked}`)));
  const lines: string[] = [];
  let width = 0;
  for (const [index, part] of parts.entries()) {
    const own = displayWidth(part);
    if (index > 0 && width + 2 + own <= WIDTH) {
      lines[lines.length - 1] += `  ${part}`;
      width += 2 + own;
    } else {
      lines.push(part);
      width = own;
    }
  }
  return lines;
}

/** What JSON gives: the diagnosis with each problem's entry of the table in it, command lines as they are typed. */
export function diagnosisFacts(diagnosis: Diagnosis, vitessVersion: string, typed: DoctorOptions['typed']): object {
  const { verdict, healthy, problems, notes, areas } = diagnosis;
  return {
    vitessVersion,
    verdict,
    healthy,
    problems: problems.map((problem) => problemFacts(problem, typed)),
    notes,
    areas,
  };
}

/** A problem with its entry of the table in it. */
export function problemFacts(problem: Problem, typed: DoctorOptions['typed']): object {
  const { code, title } = problemEntry(problem.kind);
  const also = problem.also.map((one) => ({ code: problemEntry(one.kind).code, ...one }));
  const repairs = problem.repairs.map(({ commands, undo, ...repair }) => ({ ...repair, commands: commands.map(typed), undo: undo.map(typed) }));
  return { code, title, severity: severityOf(problem), ...problem, also, repairs };
}
