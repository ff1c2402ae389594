import { formatDuration } from '../../lib/duration.ts';
import { findRelease } from '../../lib/releases.ts';
import type { FaultAction } from '../../runtime/fault-actions.ts';
import { type FaultSpec, parseFaults } from '../../runtime/fault-grammar.ts';
import { CATALOGUE, ROLLBACK, type StepName } from '../../workflow/switch/catalogue.ts';
import { FULL_PATH } from '../../workflow/switch/path.ts';
import { planSteps } from '../../workflow/switch/plan.ts';
import type { Paint } from '../paint.ts';
import type { Scenario } from '../scenario-file/read.ts';
import type { Expectation, ScenarioStep } from '../scenario-file/schema.ts';
import { visibleLine } from '../visible.ts';
import { wrap } from '../wrap.ts';
import { expectationWords } from './expectation-words.ts';
import { titleOf } from './result.ts';

/** A line: how deep it stands, what begins it, its text. A command stands whole, so that it can be copied. */
interface Line {
  depth: number;
  text: string;
  whole?: true;
}

/** What the scenarios of one file do, in words. Cases that do the same are told once. */
export function renderExplanation(scenarios: readonly Scenario[], paint: Paint, columns: number): string[] {
  const [first] = scenarios;
  if (first === undefined) return [];
  const { doc } = first;
  const issues = [doc.issue ?? []].flat().map((issue) => (/^\d+$/.test(String(issue)) ? `vitessio/vitess#${issue}` : String(issue)));
  const groups = groupBy(scenarios, (scenario) => JSON.stringify(plan(scenario)));
  return [
    paint.bold(visibleLine(doc.scenario)),
    ...(doc.about === undefined ? [] : prose(doc.about, columns)),
    ...(issues.length === 0 ? [] : [`from ${issues.join(', ')}`]),
    ...groups.flatMap((group) => [
      '',
      ...(scenarios.length === 1 ? [] : wrap(`${group.length === 1 ? 'case' : 'cases'} ${group.map((one) => one.label || titleOf(one)).join(', ')}:`, columns, '  ').map((line) => paint.bold(line))),
      ...plan(group[0]!).flatMap((line) => drawn(line, columns)),
    ]),
  ];
}

function prose(text: string, columns: number): string[] {
  return wrap(visibleLine(text.trim()), columns);
}

function drawn({ depth, text, whole }: Line, columns: number): string[] {
  const line = `${'  '.repeat(depth)}${visibleLine(text)}`;
  return whole === true ? [line] : wrap(line, columns, '  ');
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}

function plan(scenario: Scenario): Line[] {
  const { doc, steps } = scenario;
  const { given } = doc;
  const lines: Line[] = [{ depth: 0, text: `given: the cluster ${given.cluster}, as ${releaseText(scenario.vitess)}` }];
  if (given.rows !== undefined) lines.push({ depth: 1, text: `with ${given.rows} rows in each table` });
  for (const line of given.run ?? []) lines.push({ depth: 1, text: `$ ${line}`, whole: true });
  if (given.workload !== undefined) lines.push({ depth: 1, text: `while an application works: ${JSON.stringify(given.workload)}` });
  steps.forEach(({ step }, index) => lines.push(...stepLines(step, index + 1, scenario.vitess)));
  const always = expectationWords(doc.always ?? {});
  if (always.length > 0) lines.push({ depth: 0, text: 'after every step:' }, ...always.map((text) => ({ depth: 1, text: `- ${text}` })));
  return lines;
}

function stepLines(step: ScenarioStep, number: number, vitess: string): Line[] {
  const lines: Line[] = [{ depth: 0, text: `${number}. ${step.name ?? actionText(step)}` }];
  if (step.run !== undefined) lines.push(...commandLines(step, step.run, step.vitess ?? vitess, 1));
  for (const one of step.parallel ?? []) {
    const after = one.after === undefined ? '' : `, ${formatDuration(one.after)} later`;
    if (one.run === undefined) {
      lines.push({ depth: 1, text: `somebody${after} lets the pause at ${one.release ?? ''} go on` });
      continue;
    }
    lines.push({ depth: 1, text: `${one.name ?? 'a process'}${after}:` }, ...commandLines(one, one.run, one.vitess ?? vitess, 2));
    lines.push(...expected(one.expect, 2, true));
  }
  if (step.eventually !== undefined) {
    const { within: _within, ...state } = step.eventually;
    lines.push(...expectationWords(state).map((text) => ({ depth: 1, text: `- ${text}` })));
  }
  return [...lines, ...expected(step.expect, 1, step.run !== undefined)];
}

function expected(expectation: Expectation | undefined, depth: number, isCommand: boolean): Line[] {
  const words = expectationWords(isCommand ? { exit: 0, ...expectation } : (expectation ?? {}));
  return words.map((text) => ({ depth, text: `- ${text}` }));
}

function commandLines({ faults = {}, vitess: own }: Pick<ScenarioStep, 'faults' | 'vitess'>, run: string, vitess: string, depth: number): Line[] {
  return [
    { depth, text: `$ ${run.trim()}`, whole: true },
    ...(own === undefined ? [] : [{ depth, text: `as ${releaseText(own)}` }]),
    ...Object.entries(faults).flatMap(([point, terms]) => parseFaults(`${point}=${terms}`).map((spec) => ({ depth, text: faultText(spec, vitess) }))),
  ];
}

function actionText(step: ScenarioStep): string {
  if (step.run !== undefined) return 'run';
  if (step.wait !== undefined) return `let ${formatDuration(step.wait)} pass`;
  if (step.snapshot !== undefined) return `remember the state as "${step.snapshot}"`;
  if (step.recover !== undefined) return `run the ${step.recover === true ? '' : `${step.recover.commands} `}commands that the failed command printed`;
  if (step.parallel !== undefined) return 'at the same time';
  return step.eventually === undefined ? 'look' : `within ${formatDuration(step.eventually.within)} it becomes true that`;
}

function releaseText(version: string): string {
  const { name, vitess } = findRelease(version);
  return vitess ? `Vitess ${name}` : name;
}

/** Where a fault strikes, what the step does, what happens there, what its failure leads to on this release. */
function faultText(spec: FaultSpec, vitess: string): string {
  const nth = spec.occurrence === undefined ? '' : ` (its occurrence ${spec.occurrence})`;
  const target = spec.target === undefined ? '' : ` on ${spec.target}`;
  const terms = spec.terms.map(({ count, action }) => `${actionWords(action)}${count === undefined ? '' : count === 1 ? ', once' : `, ${count} times`}`);
  const about = CATALOGUE[spec.step as StepName]?.about ?? 'unknown step';
  return `fault ${spec.edge} ${spec.step}${nth}${target} (${about}): ${terms.join(', then ')}; ${zoneText(spec, vitess)}`;
}

function zoneText(spec: FaultSpec, vitess: string): string {
  if (ROLLBACK.includes(spec.step as StepName)) return 'the roll-back itself fails there';
  const planned = planSteps(FULL_PATH, findRelease(vitess).behaviours).filter(({ name }) => name === spec.step);
  const step = planned[(spec.occurrence ?? 1) - 1];
  if (step === undefined) return 'not a step of the usual switch';
  return `a failure there: ${ZONES[step.leadsTo]}`;
}

const ZONES: Readonly<Record<ReturnType<typeof planSteps>[number]['leadsTo'], string>> = {
  'nothing changed': 'nothing was changed yet',
  'left as is': 'what earlier steps changed stays changed',
  'rolls back': 'rolls back',
  strands: 'strands, no roll-back runs',
  'forward only': 'past the point of no return, can only be completed',
  'decided by looking': 'at the point of no return, decided by looking whether it took effect',
};

function actionWords(action: FaultAction): string {
  switch (action.kind) {
    case 'off':
      return 'nothing more';
    case 'return':
      return `fails with ${action.code}${action.message === undefined ? '' : ` "${action.message}"`}`;
    case 'panic':
      return 'the process dies';
    case 'sleep':
      return `takes ${formatDuration(action.ms)}`;
    case 'ctx':
      return action.reason === 'canceled' ? 'the command is cancelled' : 'its deadline has passed';
    case 'lease':
      if (action.how === 'stall') return `the locks are not renewed for ${formatDuration(action.ms)}`;
      return action.how === 'expire' ? 'the locks run out' : 'somebody else takes the locks';
    case 'drop':
      return 'the call, or its answer, is lost';
    case 'dup':
      return 'the call arrives twice';
    case 'reorder':
      return 'the call arrives after the next one to that tablet';
    case 'exit':
      return `the command ends in order, with status ${action.status}`;
    case 'pause':
      return 'waits until it is released';
    case 'yield':
      return 'everything else has its turn';
    case 'print':
      return `prints ${JSON.stringify(action.message)}`;
  }
}
