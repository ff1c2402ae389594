import { UserError } from '../lib/errors.ts';
import { isGlob } from '../lib/glob.ts';
import { type Edge, EDGES, isEdge } from './edges.ts';
import { ACTIONS, type FaultAction, formatAction, parseAction, strikesAtCommit } from './fault-actions.ts';
import { splitOutside } from './fault-text.ts';

/**
 * The grammar of faults, a superset of gofail's and fail-rs's:
 *
 *   spec  = point "=" terms { ";" point "=" terms }
 *   terms = term { "->" term }
 *   term  = [ float "%" ] [ int "*" ] action [ "(" [ arg { "," arg } ] ")" ]
 *   point = step [ ":" edge ] [ "#" int ] [ "@" target ]      with * ** ? in step and target
 *
 * A chain is not "run all": the first term that is neither used up nor passed over by chance decides, and only firing
 * uses it up.
 */
export interface FaultTerm {
  text: string;
  /** How likely it is each time, in per cent; undefined is always. */
  chance: number | undefined;
  /** How often it may fire; undefined is always. */
  count: number | undefined;
  action: FaultAction;
}

/** Where a fault strikes: step and target may be patterns. */
export interface PointPattern {
  step: string;
  /** Undefined: not said. */
  edge: Edge | undefined;
  /** Only the n-th occurrence of the step, counted from 1; undefined is each. */
  occurrence: number | undefined;
  /** Only this keyspace, keyspace/shard, tablet or path; undefined is the step as a whole. */
  target: string | undefined;
}

export interface FaultSpec extends PointPattern {
  text: string;
  edge: Edge;
  terms: FaultTerm[];
}

/** Parses one or more `point=terms`, separated by `;`. Throws UserError naming what is wrong. */
export function parseFaults(text: string): FaultSpec[] {
  return split(text, ';', text)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseSpec);
}

function split(text: string, separator: string, whole: string): string[] {
  const parts = splitOutside(text, separator);
  if (parts === undefined) throw badFault(whole, 'a bracket or a quote is not closed');
  return parts;
}

/** A fault as text that parses to the same, in the one order and spelling. */
export function formatFault(spec: FaultSpec): string {
  const term = ({ chance, count, action }: FaultTerm): string =>
    `${chance === undefined ? '' : `${chance}%`}${count === undefined ? '' : `${count}*`}${formatAction(action)}`;
  return `${formatPoint(spec)}=${spec.terms.map(term).join('->')}`;
}

/** The place of a fault, in the one order and spelling: its name. */
export function formatPoint({ step, edge, occurrence, target }: PointPattern): string {
  return `${step}${edge === undefined || edge === 'before' ? '' : `:${edge}`}${occurrence === undefined ? '' : `#${occurrence}`}${target === undefined ? '' : `@${target}`}`;
}

/** Where commands wait at it: with the edge said, since a name without one means both to whoever lets them go. */
export function placeOf(spec: PointPattern): string {
  return formatPoint({ ...spec, occurrence: undefined }).replace(spec.step, `${spec.step}${spec.edge === undefined || spec.edge === 'before' ? ':before' : ''}`);
}

/** The error for a fault that is refused: which, why, and where to look. */
export function badFault(whole: string, why: string, next = 'switchtraffic fault list'): UserError {
  return new UserError(`bad fault "${whole}": ${why}`, { next, exit: 2 });
}

function parseSpec(text: string): FaultSpec {
  const equals = text.indexOf('=');
  if (equals < 1) throw badFault(text, 'a fault reads STEP[:EDGE][#N][@TARGET]=ACTION');
  const terms = split(text.slice(equals + 1), '->', text);
  const point = parsePoint(text.slice(0, equals).trim(), text);
  const spec = { text, ...point, edge: point.edge ?? 'before', terms: terms.map((term) => parseTerm(term.trim(), text)) };
  const waits = spec.edge === 'commit' ? spec.terms.find(({ action }) => !strikesAtCommit(action)) : undefined;
  if (waits !== undefined) throw badFault(text, `a transaction is not left open for "${waits.text}"; at :commit there are return, panic, exit, print and off`);
  return spec;
}

/** Reads `STEP[:EDGE][#N][@TARGET]`; `whole` is what an error names. Throws UserError. */
export function parsePoint(point: string, whole: string): PointPattern {
  const match = /^([^:#@]+)(?::([^#@]*))?(?:#([^@]*))?(?:@(.*))?$/s.exec(point);
  if (match === null) throw badFault(whole, `"${point}" is not STEP[:EDGE][#N][@TARGET]`);
  const [, step, edge, occurrence, target] = match;
  if (edge !== undefined && !isEdge(edge)) {
    const pattern = isGlob(edge) ? '; an edge is no pattern' : '';
    throw badFault(whole, `edge "${edge}" is not one of ${EDGES.join(', ')}${pattern}`);
  }
  if (occurrence !== undefined && !/^[1-9]\d{0,8}$/.test(occurrence)) {
    throw badFault(whole, `"#${occurrence}" is not an occurrence; #1 is the first`);
  }
  if (target === '') throw badFault(whole, 'the target after @ is empty; it is a keyspace or keyspace/shard');
  return { step: step!, edge, occurrence: occurrence === undefined ? undefined : Number(occurrence), target };
}

function parseTerm(term: string, whole: string): FaultTerm {
  const match = /^(?:(\d+(?:\.\d+)?)%)?(?:(\d+)\*)?([a-zA-Z]+)(?:\((.*)\))?$/s.exec(term);
  if (match === null) throw badFault(whole, `"${term}" is not [P%][N*]ACTION[(ARGUMENT)]; actions: ${ACTIONS}`);
  const [, percent, count, name, args] = match;
  const chance = percent === undefined ? undefined : Number(percent);
  if (chance === 0) throw badFault(whole, `"${term}" would never fire; a chance is more than 0%`);
  if (chance !== undefined && chance > 100) throw badFault(whole, `"${term}": a chance is 100% at most`);
  if (count !== undefined && Number(count) === 0) throw badFault(whole, `"${term}" would never fire; a count is 1 or more`);
  if (count !== undefined && count.length > 9) throw badFault(whole, `"${term}": a count has nine digits at most`);
  const action = parseAction(name!, args);
  if ('wrong' in action) throw badFault(whole, action.wrong);
  return { text: term, chance, count: count === undefined ? undefined : Number(count), action };
}
