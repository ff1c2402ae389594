import { formatTable } from '../lib/table.ts';
import type { Paint } from './paint.ts';

/** A point for faults, as `fault list` tells it. */
export interface PointFacts {
  name: string;
  about: string;
  /** The edges at which it offers a fault. */
  edges: readonly string[];
  /** Which sides a fault may pick with @TARGET: `source`, `target`; none where the step touches no side of its own. */
  sides: readonly string[];
  /** Keyspaces and shards of this cluster that @TARGET may name; empty without a workflow. */
  targets: readonly string[];
  /** When a switch has it, if the usual one does not. */
  when: string | undefined;
  /** What a failure comes to, by occurrence and edge. */
  zones: readonly { occurrence: number; before: string; after: string }[];
  /** The faults that were given and fit it. */
  armed: readonly string[];
}

/** Every point for faults of a release. */
export interface FaultList {
  command: string;
  vitessVersion: string;
  note: string | undefined;
  /** The sides of each workflow there is. */
  workflows: readonly { workflow: string; source: readonly string[]; target: readonly string[] }[];
  points: readonly PointFacts[];
  rollback: readonly PointFacts[];
  /** The faults that are kept for the cluster, with what was counted of them. */
  set: readonly { name: string; text: string; evaluated: number; fired: number }[];
  /** The commands that wait at a `pause`. */
  waiting: readonly { point: string; since: number; process: string }[];
}

/** The list of a command, whatever cluster there is. */
export type PointList = Omit<FaultList, 'set' | 'waiting'>;

/** The list for people, within 100 columns. */
export function renderFaultList(list: FaultList, paint: Paint): string[] {
  const version = list.vitessVersion === 'hardened' ? 'hardened' : `Vitess ${list.vitessVersion}`;
  const usual = list.points.filter((point) => point.when === undefined);
  const others = list.points.filter((point) => point.when !== undefined);
  return [
    `${paint.bold(`faults in ${list.command}`)} on ${version}`,
    ...(list.note === undefined ? [] : [paint.dim(list.note)]),
    ...list.workflows.flatMap((sides) => workflowLines(sides).map((line) => paint.dim(line))),
    paint.dim('each step has the edges :before (its effect is not there) and :after (it is there, yet it fails);'),
    paint.dim('some have :mid (there on some targets) and :commit (in a transaction that is not committed)'),
    ...keptLines(list, paint),
    ...section('', usual, paint),
    ...section('in others:', others, paint),
    ...section('in the roll-back, after a failure that leads to one:', list.rollback, paint),
    '',
    ...legend(list).map((line) => paint.dim(line)),
    "put one there: --fault 'STEP[:EDGE][#N][@TARGET]=return'; more: fault list --help",
  ];
}

/** What is set, and who waits. */
function keptLines({ set, waiting }: FaultList, paint: Paint): string[] {
  const rows = set.map(({ text, evaluated, fired }) => [text, String(evaluated), String(fired)]);
  const table = rows.length === 0 ? [] : formatTable(rows, { header: ['SET', 'REACHED', 'FIRED'] }).split('\n');
  const [header, ...lines] = table;
  return [
    ...(header === undefined ? [] : ['', paint.dim(header), ...lines]),
    ...waiting.map(({ point, process }) => paint.yellow(`paused at ${point}: ${process}`)),
  ].filter((line, index) => index === 0 || line !== '');
}

const MOST_TARGETS = 4;
const MOST_COLUMNS = 100;

function workflowLines({ workflow, source, target }: FaultList['workflows'][number]): string[] {
  const names = (all: readonly string[]): string =>
    all.length <= MOST_TARGETS ? all.join(', ') : `${all.slice(0, MOST_TARGETS).join(', ')} and ${all.length - MOST_TARGETS} more`;
  return [`${workflow}: source is ${names(source)}`, `${' '.repeat(workflow.length + 2)}target is ${names(target)}`];
}

function section(title: string, points: readonly PointFacts[], paint: Paint): string[] {
  if (points.length === 0) return [];
  const rows = points.flatMap((point) => rowsOf(point).map((row) => ({ ...row, point })));
  const cells = rows.map(({ name, before, after }) => [name, zoneText(before, after, paint)]);
  const [header = '', ...lines] = formatTable(cells, { header: ['POINT', 'A FAILURE'] }).split('\n');
  const body = rows.flatMap(({ point, last }, index) => [lines[index] ?? '', ...(last ? below(point, paint) : [])]);
  return ['', ...(title === '' ? [] : [title]), paint.dim(header), ...body];
}

/** One line per run of occurrences that come to the same. */
function rowsOf(point: PointFacts): { name: string; before: string; after: string; last: boolean }[] {
  const runs: { from: number; to: number; before: string; after: string }[] = [];
  for (const { occurrence, before, after } of point.zones) {
    const open = runs.at(-1);
    if (open?.before === before && open.after === after) open.to = occurrence;
    else runs.push({ from: occurrence, to: occurrence, before, after });
  }
  const many = point.zones.length > 1;
  const name = (from: number, to: number): string => (many ? `${point.name}#${from}${to === from ? '' : `..${to}`}` : point.name);
  return runs.map(({ from, to, before, after }, index) => ({ name: name(from, to), before, after, last: index === runs.length - 1 }));
}

function below(point: PointFacts, paint: Paint): string[] {
  const more = point.edges.filter((edge) => edge !== 'before' && edge !== 'after').map((edge) => `:${edge}`);
  const sides = [...more, ...point.sides.map((side) => `@${side}`)].join(' ');
  const line = `    ${point.about}  ${sides}`.trimEnd();
  return [
    ...(line.length <= MOST_COLUMNS ? [line] : [`    ${point.about}`, `    ${sides}`]).map((each) => paint.dim(each)),
    ...(point.when === undefined ? [] : [paint.dim(`    ${point.when}`)]),
    ...point.armed.map((fault) => `    ${paint.yellow(`armed: ${fault}`)}`),
  ];
}

function zoneText(before: string, after: string, paint: Paint): string {
  if (before === after) return painted(before, paint);
  return `${painted(before, paint)}; :after ${painted(after, paint)}`;
}

function painted(zone: string, paint: Paint): string {
  if (zone === 'strands' || zone === 'half done') return paint.red(zone);
  if (zone === 'rolls back') return paint.green(zone);
  return zone === 'nothing changed' || zone === 'done' ? zone : paint.yellow(zone);
}

/** What the words mean; those that occur. */
const MEANING: Readonly<Record<string, string>> = {
  'nothing changed': 'it fails before anything was changed',
  'rolls back': 'the roll-back runs; on a Vitess release reads and mirror rules stay as they are',
  'left as is': 'what earlier steps changed stays changed, and is served',
  'cleaned up': 'streams, rules and denied tables of the workflow are gone; tables that it made stay',
  'run again': 'the command does the rest when it is run again',
  'half done': 'it cannot be run again: what is left has to be put right by hand',
  done: 'nothing is left to do, though the command fails',
  strands: 'writes refused, streams stopped or a workflow left behind, until somebody puts it right',
  'left to the next run': 'the rest of the roll-back is on record, and done by the next run',
  'past the point of no return': 'the switch can only be completed, by itself or by running it again',
};

function legend({ points, rollback }: FaultList): string[] {
  const zones = new Set([...points, ...rollback].flatMap((point) => point.zones.flatMap(({ before, after }) => [before, after])));
  return Object.entries(MEANING).flatMap(([zone, meaning]) => (zones.has(zone) ? [`${zone}: ${meaning}`] : []));
}
