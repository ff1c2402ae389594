import { problemEntry, type ProblemKind } from '../lib/problems.ts';
import type { Problem, Repair } from '../report/doctor/diagnosis.ts';
import { undoOf } from './undo.ts';

/** The shard of a tablet, `keyspace/shard`. */
export type ShardOf = (alias: string) => string | undefined;

/** What has to be cured for its own sake, whatever else is wrong: no plan of another problem does it. */
const OWN_CURE: readonly ProblemKind[] = ['tablet-down', 'tablet-busy', 'cell-down', 'dead-lock-holder'];

/** What one switch that broke off leaves: their plans are one plan. */
const OF_A_SWITCH: readonly ProblemKind[] = [
  'refused',
  'stopped-for-cutover',
  'copies-left-over',
  'reverse-left-over',
  'rules-not-published',
  'denial-missing',
  'incomplete-rules',
  'denied-left-over',
  'controls-left-over',
  'mirror-rules-lost',
];

/** What else follows from a switch past its journal, or from a workflow that is only half there: the one plan does it all. */
const OF_A_HALF: readonly ProblemKind[] = [...OF_A_SWITCH, 'two-writers', 'serving-graph-differs', 'both-directions-run', 'orphan-rules'];

/** Which problems explain which others of the same workflow; those that explain more come first. */
const EXPLAINS: readonly [cause: ProblemKind, others: readonly ProblemKind[]][] = [
  ['journals-disagree', OF_A_HALF],
  ['journal-without-frozen', OF_A_HALF],
  ['frozen-not-served', OF_A_HALF],
  ['half-ended', [...OF_A_HALF, 'stream-error']],
  ['half-created', OF_A_HALF],
  ['two-writers', ['incomplete-rules', 'denial-missing']],
  ['tablet-down', ['refused']],
  ['no-primary', ['refused']],
  ['named-lock-of-dead', ['dead-lock-holder', 'waiting-behind-dead']],
  ['waiting-behind-dead', ['dead-lock-holder']],
  ['serving-graph-differs', ['controls-left-over', 'refused', 'tablet-differs']],
  ['refused', OF_A_SWITCH],
  ['stopped-for-cutover', OF_A_SWITCH],
  ['reverse-left-over', OF_A_SWITCH],
];

/** Problems of one cause made one, with one plan: each is put to the first that explains it. */
export function groupByCause(problems: readonly Problem[], shardOf: ShardOf): Problem[] {
  const grouped: Problem[] = [];
  for (const problem of problems.toSorted((a, b) => rank(a) - rank(b))) {
    const at = grouped.findIndex((cause) => explains(cause, problem, shardOf));
    if (at < 0) grouped.push(problem);
    else grouped[at] = joined(grouped[at]!, problem);
  }
  return grouped;
}

/** An intent explains whatever is found in its keyspaces, so that it comes first. */
function rank({ kind }: Problem): number {
  if (kind === 'intent') return -1;
  const at = EXPLAINS.findIndex(([cause]) => cause === kind);
  return at < 0 ? EXPLAINS.length : at;
}

function explains(cause: Problem, other: Problem, shardOf: ShardOf): boolean {
  if (OWN_CURE.includes(other.kind)) return isSameLock(cause, other);
  if (cause.kind === 'tablet-down' && other.kind === 'refused') return isCovered(cause, other, shardOf);
  if (OWN_CURE.includes(cause.kind) || isOfTablets(other)) return false;
  if (cause.kind === 'intent') return other.kind !== 'intent' && other.keyspaces.some((keyspace) => cause.keyspaces.includes(keyspace));
  if (EXPLAINS.some(([kind, others]) => kind === cause.kind && others.includes(other.kind)) && isAboutSame(cause, other)) return true;
  return isCovered(cause, other, shardOf);
}

/** Queries that are refused because tablets do not run: no plan of a switch starts those. */
function isOfTablets({ kind, repairs }: Problem): boolean {
  return kind === 'refused' && repairs.length > 0 && repairs[0]!.commands.every((command) => command.startsWith('tablet start'));
}

/** True if the one plan does all that the other one would. */
function isCovered(cause: Problem, other: Problem, shardOf: ShardOf): boolean {
  const [plan, ...otherPlans] = cause.repairs;
  const [own, ...choice] = other.repairs;
  if (plan === undefined || own === undefined || otherPlans.length > 0 || choice.length > 0) return false;
  return own.commands.every((command) => isDoneBy(command, plan.commands, shardOf));
}

/** The same workflow; or, where one of them names none, the same object or (of a keyspace without a workflow) the same keyspace. */
function isAboutSame(cause: Problem, other: Problem): boolean {
  if (other.workflows.some((workflow) => cause.workflows.includes(workflow))) return true;
  if (cause.workflows.length > 0 && other.workflows.length > 0) return false;
  return cause.object === other.object || other.keyspaces.some((keyspace) => keyspace === cause.object);
}

/** What a dead process holds is told once. */
function isSameLock(cause: Problem, other: Problem): boolean {
  return other.kind === 'dead-lock-holder' && (cause.kind === 'intent' || EXPLAINS.some(([kind, others]) => kind === cause.kind && others.includes(other.kind))) && other.keyspaces.some((keyspace) => cause.keyspaces.includes(keyspace));
}

/** A refresh of its whole shard refreshes a tablet too. */
function isDoneBy(command: string, plan: readonly string[], shardOf: ShardOf): boolean {
  const alias = /^RefreshState (\S+)$/.exec(command)?.[1];
  const shard = alias === undefined ? undefined : shardOf(alias);
  return plan.includes(command) || (shard !== undefined && plan.includes(`RefreshStateByShard ${shard}`));
}

function joined(cause: Problem, other: Problem): Problem {
  const [plan, ...otherWays] = cause.repairs;
  // Where the operator has to choose, each way is told whole.
  const more = plan === undefined || otherWays.length > 0 || isDecided(cause.kind) || isWhole(plan.commands) ? [] : (other.repairs[0]?.commands ?? []).filter((command) => !plan.commands.includes(command));
  const commands = [...(plan?.commands ?? []), ...more];
  return {
    ...cause,
    keyspaces: [...new Set([...cause.keyspaces, ...other.keyspaces])],
    workflows: [...new Set([...cause.workflows, ...other.workflows])],
    also: isToldAlready(cause, other) ? cause.also : [...cause.also, { kind: other.kind, text: other.evidence[0] ?? problemEntry(other.kind).title }, ...other.also],
    impact: [...new Set([...(other.kind === 'refused' ? other.impact : []), ...cause.impact])].toSorted((a, b) => Number(b.startsWith('writes')) - Number(a.startsWith('writes'))),
    cause: cause.cause ?? other.cause,
    since: cause.since ?? other.since,
    repairs: plan === undefined || more.length === 0 ? cause.repairs : [{ ...plan, commands, undo: [...undoOf(more), ...plan.undo], ...elsewhereOf(plan, other.repairs[0]) }],
  };
}

/** What one types at the topology server for both. */
function elsewhereOf({ elsewhere }: Repair, other: Repair | undefined): Pick<Repair, 'elsewhere'> {
  if (elsewhere === undefined || other?.elsewhere === undefined) return {};
  return { elsewhere: { ...elsewhere, commands: [...new Set([...elsewhere.commands, ...other.elsewhere.commands])] } };
}

/** The same said twice, or what says nothing where the way is decided: of queries that are refused, the denied tables are what shows it. */
function isToldAlready(cause: Problem, other: Problem): boolean {
  if (isDecided(cause.kind) && (other.kind === 'denial-missing' || other.kind === 'denied-left-over')) return true;
  return other.object === cause.object && (other.kind === cause.kind || (cause.kind === 'refused' && other.kind === 'denied-left-over'));
}

/** What else is found follows from where the traffic goes now: it is no advice for where it is to go. */
function isDecided(kind: ProblemKind): boolean {
  return kind === 'intent' || kind === 'frozen-not-served';
}

/** A command of the workflow that is run again does all the rest by itself. */
function isWhole(commands: readonly string[]): boolean {
  return commands.some((command) => /\b(switchtraffic|reversetraffic|complete|cancel)\b/.test(command));
}
