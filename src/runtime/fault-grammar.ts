import { UserError, VT_CODES, type VtCode } from '../lib/errors.ts';

/**
 * The grammar of faults, a superset of gofail's and fail-rs's:
 *
 *   spec  = point "=" terms { ";" point "=" terms }
 *   terms = term { "->" term }
 *   term  = [ int "*" ] action [ "(" arg { "," arg } ")" ]
 *   point = step [ ":" edge ] [ "#" int ] [ "@" target ]
 *
 * A chain is not "run all": the first term that is not used up decides, and only firing uses it up.
 */
export type Edge = 'before' | 'after';

export type FaultAction =
  | { kind: 'off' }
  | { kind: 'return'; code: VtCode; message: string | undefined }
  | { kind: 'panic' }
  | { kind: 'sleep'; ms: number }
  | { kind: 'ctx'; reason: 'canceled' | 'deadline' }
  | { kind: 'lease'; how: 'expire' | 'steal' };

export interface FaultTerm {
  text: string;
  /** How often it may fire; undefined is always. */
  count: number | undefined;
  action: FaultAction;
}

export interface FaultSpec {
  text: string;
  step: string;
  edge: Edge;
  /** Only the n-th occurrence of the step, counted from 1; undefined is each. */
  occurrence: number | undefined;
  /** Only this keyspace or keyspace/shard; undefined is the step as a whole. */
  target: string | undefined;
  terms: FaultTerm[];
}

const LATER = new Set(['pause', 'yield', 'exit', 'print', 'break', 'drop', 'dup', 'reorder', 'corrupt', 'delay']);
const ACTIONS = 'return, return(CODE[,message]), panic, sleep(DURATION), ctx(cancel), ctx(deadline), lease(expire), lease(steal), off';

/** Parses one or more `point=terms`, separated by `;`. Throws UserError naming what is wrong. */
export function parseFaults(text: string): FaultSpec[] {
  return splitOutside(text, ';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseSpec);
}

function parseSpec(text: string): FaultSpec {
  const equals = text.indexOf('=');
  if (equals < 1) throw bad(text, 'a fault reads STEP[:EDGE][#N][@TARGET]=ACTION');
  const terms = splitOutside(text.slice(equals + 1), '->').map((term) => parseTerm(term.trim(), text));
  return { text, ...parsePoint(text.slice(0, equals).trim(), text), terms };
}

function parsePoint(point: string, whole: string): Omit<FaultSpec, 'text' | 'terms'> {
  const match = /^([^:#@]+)(?::([^#@]*))?(?:#([^@]*))?(?:@(.*))?$/.exec(point);
  if (match === null) throw bad(whole, `"${point}" is not STEP[:EDGE][#N][@TARGET]`);
  const [, step, edge, occurrence, target] = match;
  if (edge !== undefined && edge !== 'before' && edge !== 'after') {
    throw bad(whole, `edge "${edge}" is not one of before, after`);
  }
  if (occurrence !== undefined && !/^[1-9]\d*$/.test(occurrence)) {
    throw bad(whole, `"#${occurrence}" is not an occurrence; #1 is the first`);
  }
  if (target === '') throw bad(whole, 'the target after @ is empty; it is a keyspace or keyspace/shard');
  if (/[*?]/.test(point)) throw bad(whole, 'patterns in fault names are not built yet; name the step in full');
  return {
    step: step!,
    edge: edge ?? 'before',
    occurrence: occurrence === undefined ? undefined : Number(occurrence),
    target,
  };
}

function parseTerm(term: string, whole: string): FaultTerm {
  const match = /^(?:(\d+(?:\.\d+)?)%)?(?:(\d+)\*)?([a-zA-Z]+)(?:\((.*)\))?$/s.exec(term);
  if (match === null) throw bad(whole, `"${term}" is not [N*]ACTION[(ARGUMENT)]; actions: ${ACTIONS}`);
  const [, percent, count, name, args] = match;
  if (percent !== undefined) throw bad(whole, 'chances in per cent are not built yet');
  if (count === '0') throw bad(whole, `"${term}" would never fire; a count is 1 or more`);
  return {
    text: term,
    count: count === undefined ? undefined : Number(count),
    action: parseAction(name!, args, whole),
  };
}

function parseAction(name: string, args: string | undefined, whole: string): FaultAction {
  switch (name) {
    case 'off':
      return noArgument({ kind: 'off' }, args, whole);
    case 'panic':
      return { kind: 'panic' };
    case 'return':
    case 'error':
      return parseReturn(args, whole);
    case 'sleep':
      return { kind: 'sleep', ms: parseSleep(args, whole) };
    case 'ctx':
      if (args === 'cancel') return { kind: 'ctx', reason: 'canceled' };
      if (args === 'deadline') return { kind: 'ctx', reason: 'deadline' };
      throw bad(whole, 'ctx takes cancel or deadline');
    case 'lease':
      if (args === 'expire' || args === 'steal') return { kind: 'lease', how: args };
      throw bad(whole, 'lease takes expire or steal');
    default:
      if (LATER.has(name)) throw bad(whole, `action "${name}" is not built yet; there are: ${ACTIONS}`);
      throw bad(whole, `unknown action "${name}"; there are: ${ACTIONS}`);
  }
}

function noArgument(action: FaultAction, args: string | undefined, whole: string): FaultAction {
  if (args !== undefined && args !== '') throw bad(whole, `action "${action.kind}" takes no argument`);
  return action;
}

function parseReturn(args: string | undefined, whole: string): FaultAction {
  const [first = '', ...rest] = (args ?? '').split(',');
  const wanted = first.trim().replace(/^"(.*)"$/s, '$1');
  const code = wanted === '' ? 'UNAVAILABLE' : codeOf(wanted);
  if (code === undefined) {
    throw bad(whole, `"${wanted}" is not a vtrpc code; there are: ${VT_CODES.slice(1).join(', ')}`);
  }
  const message = rest.join(',').trim().replace(/^"(.*)"$/s, '$1');
  return { kind: 'return', code, message: message === '' ? undefined : message };
}

function codeOf(wanted: string): VtCode | undefined {
  const canonical = wanted.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();
  return VT_CODES.slice(1).find((code) => code === canonical);
}

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function parseSleep(args: string | undefined, whole: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec((args ?? '').trim());
  if (match === null) throw bad(whole, `sleep takes a duration such as 500ms or 5s, not "${args ?? ''}"`);
  return Number(match[1]) * UNITS[match[2] ?? 'ms']!;
}

function bad(whole: string, why: string): UserError {
  return new UserError(`bad fault "${whole}": ${why}`, { next: 'switchtraffic steps' });
}

/** Splits at a separator that is outside quotes and brackets. */
function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '"') quoted = !quoted;
    else if (!quoted && char === '(') depth++;
    else if (!quoted && char === ')') depth--;
    else if (!quoted && depth === 0 && text.startsWith(separator, i)) {
      parts.push(text.slice(start, i));
      i += separator.length - 1;
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
