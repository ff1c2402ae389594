import { problemEntry, type ProblemKind } from '../lib/problems.ts';
import type { Problem } from '../report/doctor/diagnosis.ts';
import { undoOf } from './undo.ts';

/** What has to be cured for its own sake, whatever else is wrong: no plan of another problem does it. */
const OWN_CURE: readonly ProblemKind[] = ['tablet-down', 'tablet-busy', 'cell-down', 'dead-lock-holder'];

/** What one switch that broke off leaves: their plans are one plan. */
const OF_A_SWITCH: readonly ProblemKind[] = ['refused', 'stopped-for-cutover', 'copies-left-over', 'reverse-left-over', 'rules-not-published'];

/** Problems of one cause made one, with one plan: each is put to the first before it that explains it. */
export function groupByCause(problems: readonly Problem[]): Problem[] {
  const grouped: Problem[] = [];
  // An intent explains whatever is found in its keyspaces, so that it comes first.
  for (const problem of [...problems.filter(isIntent), ...problems.filter((one) => !isIntent(one))]) {
    const at = grouped.findIndex((cause) => explains(cause, problem));
    if (at < 0) grouped.push(problem);
    else grouped[at] = joined(grouped[at]!, problem);
  }
  return grouped;
}

function isIntent({ kind }: Problem): boolean {
  return kind === 'intent';
}

function explains(cause: Problem, other: Problem): boolean {
  if (OWN_CURE.includes(other.kind) || OWN_CURE.includes(cause.kind)) return false;
  if (isIntent(cause)) return !isIntent(other) && other.keyspaces.some((keyspace) => cause.keyspaces.includes(keyspace));
  const [plan, ...otherPlans] = cause.repairs;
  const [own, ...choice] = other.repairs;
  if (plan === undefined || otherPlans.length > 0 || choice.length > 0) return false;
  if (own !== undefined && own.commands.every((command) => isDoneBy(command, plan.commands))) return true;
  return OF_A_SWITCH.includes(cause.kind) && OF_A_SWITCH.includes(other.kind) && other.workflows.some((workflow) => cause.workflows.includes(workflow));
}

/** A refresh of a whole shard refreshes its tablets; which those are, `tablet-differs` says by its keyspace. */
function isDoneBy(command: string, plan: readonly string[]): boolean {
  return plan.includes(command);
}

function joined(cause: Problem, other: Problem): Problem {
  const [plan] = cause.repairs;
  const more = isIntent(cause) || isForward(plan?.commands ?? []) ? [] : (other.repairs[0]?.commands ?? []).filter((command) => !plan!.commands.includes(command));
  const commands = [...(plan?.commands ?? []), ...more];
  return {
    ...cause,
    keyspaces: [...new Set([...cause.keyspaces, ...other.keyspaces])],
    workflows: [...new Set([...cause.workflows, ...other.workflows])],
    also: [...cause.also, { kind: other.kind, text: other.evidence[0] ?? problemEntry(other.kind).title }],
    impact: [...new Set([...(other.kind === 'refused' ? other.impact : []), ...cause.impact])],
    cause: cause.cause ?? other.cause,
    since: cause.since ?? other.since,
    repairs: plan === undefined || more.length === 0 ? cause.repairs : [{ ...plan, commands, undo: undoOf(commands) }],
  };
}

/** A switch that is run again does all the rest by itself. */
function isForward(commands: readonly string[]): boolean {
  return commands.some((command) => /\b(switchtraffic|reversetraffic)\b/.test(command));
}
