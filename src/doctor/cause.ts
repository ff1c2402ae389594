import { formatRfc3339 } from '../lib/go-time.ts';
import { shortTabletAlias } from '../lib/names.ts';
import type { ProblemKind } from '../lib/problems.ts';
import { cut } from '../report/show/text.ts';
import type { LockEvent } from '../topo/conn/lock-events.ts';
import { lockDirs } from '../topo/paths.ts';
import type { HistoryFacts } from '../workflow/facts/history.ts';
import type { Finding } from './finding.ts';
import type { DoctorPicture } from './picture.ts';

/** What brought something about, as the histories of commands and of locks have it. */
export interface Cause {
  text: string;
  at: number;
}

/**
 * The last command that can have left it: one on its workflow that failed, one by hand on its shard, cell or tablet, or one whose
 * process died. That leaves no entry in the history of commands, but its locks have a history of their own.
 */
export function causeOf(finding: Finding, { history, locks, lockEvents }: Pick<DoctorPicture, 'history' | 'locks' | 'lockEvents'>): Cause | undefined {
  const entry = history.findLast((one) => (isFailed(one) && concerns(one, finding)) || (one.exit === 0 && byHand(one, finding)));
  const told = entry === undefined ? undefined : { text: causeText(entry), at: entry.at };
  const died = deathOf(finding, locks, lockEvents);
  return died !== undefined && (told === undefined || died.at > told.at) ? died : told;
}

/** The last process that lost a lock which this is about, or is dead and has it still. */
function deathOf({ keyspaces, workflows }: Finding, locks: DoctorPicture['locks'], events: readonly LockEvent[]): Cause | undefined {
  const resources = new Set([...keyspaces.map((name) => lockDirs.keyspace(name)), ...workflows.map((name) => lockDirs.named(name))]);
  const own = events.filter(({ resource }) => resources.has(resource));
  const grant = own.findLast((event) => event.kind === 'granted' && fateOf(event, own, locks) !== undefined);
  if (grant === undefined) return undefined;
  const command = grant.detail === '' ? 'a command' : asked(grant.detail);
  return { text: `${command} (${grant.owner}) ${fateOf(grant, own, locks)}, ${formatRfc3339(grant.at)}`, at: grant.at };
}

/** The command lines whose processes died, or lost their locks, with one in hand; newest last. The history of commands has nothing of the dead. */
export function linesBrokenOff({ locks, lockEvents }: Pick<DoctorPicture, 'locks' | 'lockEvents'>): { command: string; at: number }[] {
  return lockEvents.flatMap((event) => (event.kind === 'granted' && event.detail !== '' && fateOf(event, lockEvents, locks) !== undefined ? [{ command: asked(event.detail), at: event.at }] : []));
}

/** How a grant ended that its holder did not give back. */
function fateOf({ resource, token }: LockEvent, events: readonly LockEvent[], locks: DoctorPicture['locks']): string | undefined {
  const held = locks.find((lock) => lock.resource === resource)?.holder;
  if (held?.token === token) return held.alive === 'dead' ? `died${at(held.step)}` : undefined;
  const end = events.find((event) => event.resource === resource && event.token === token && event.kind !== 'granted');
  if (end === undefined) return undefined;
  if (end.kind === 'reaped') return `died${at(end.detail)}`;
  return end.kind === 'released' ? 'did not come to its end: its lock was released by somebody' : `lost its lock${at(end.detail)}`;
}

function at(step: string): string {
  return step === '' ? '' : ` at ${step}`;
}

/** A command line without the faults that were put into it: nobody wanted those of it. */
function asked(command: string): string {
  return command.replace(/ --fault(?:=| )(?:'[^']*'|\S+)/g, '');
}

/** Rules are long, and stand in the history. */
const MOST_OF_A_LINE = 160;

function isFailed(entry: HistoryFacts): boolean {
  return entry.exit !== 0;
}

/** A command on one of its workflows, or on the workflow that it is the reverse of. */
function concerns({ command }: HistoryFacts, { workflows }: Finding): boolean {
  const typed = wordsOf(command);
  return workflows.some((lock) => {
    const name = lock.slice(lock.indexOf('/') + 1).replace(/_reverse$/, '');
    return typed.some((word) => word === name || word === `${name}_reverse`);
  });
}

/** What rules are wrong with, rules were saved for. */
const OF_RULES: readonly ProblemKind[] = ['two-writers', 'incomplete-rules', 'rules-not-published', 'orphan-rules', 'frozen-not-served'];

/** A command by hand that names its shard, tablet or cell, or a shard of its keyspace; one that saved rules, where those are wrong. */
function byHand({ command }: HistoryFacts, { kind, object }: Finding): boolean {
  const [verb = '', ...typed] = wordsOf(command);
  if (/^Apply\w*RoutingRules$/.test(verb)) return OF_RULES.includes(kind);
  if (verb === 'tablet') return typed[0] !== 'add' && typed.some((word) => shortTabletAlias(word) === shortTabletAlias(object));
  if (!/^(Set|Change|Delete|Execute|Rebuild|cell$)/.test(verb)) return false;
  const names = object.replace(/^cell /, '').split(', ');
  return typed.some((word) => names.some((name) => word === name || word.startsWith(`${name}/`)));
}

function wordsOf(command: string): string[] {
  return command.split(/[\s=]+/);
}

function causeText({ command, pid, at: when, failedStep, error, exit }: HistoryFacts): string {
  const how = exit === 0 ? 'was run' : failedStep === undefined ? 'failed' : `failed at ${failedStep}`;
  const why = error === undefined ? '' : `: ${error.split('\n')[0]}`;
  return `${cut(asked(command), MOST_OF_A_LINE)} (pid ${pid}) ${how}, ${formatRfc3339(when)}${why}`;
}
