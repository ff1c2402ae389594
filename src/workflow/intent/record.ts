import type { Context } from '../../runtime/context.ts';
import type { ProcessIdentity } from '../../runtime/processes.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import type { Writer } from '../../topo/conn/conn.ts';
import { heldLocks } from '../../topo/locks.ts';
import { paths } from '../../topo/paths.ts';
import { encodeRecord, findRecord, listNames } from '../../topo/server.ts';
import { type MigrationKind, commandOf } from '../switcher.ts';

/** What an intent may be about. `cancel` is also `Workflow delete`; `create` is that of MoveTables, Reshard and Materialize. */
export type IntentVerb = 'switch' | 'complete' | 'cancel' | 'create';

/**
 * What a command of `hardened` writes down before it changes anything. An intent stands until everything that it is about is
 * done, or taken back: whoever finds one whose writer is gone knows from it alone what was, what was to be, and what is left
 * to do. Its name is the workflow's; whoever works on it holds the workflow's lock.
 *
 * Other commands write none, since what a kill leaves of them needs no memory to be put right:
 * - Workflow update, start, stop, and VDiff create, resume, stop, delete change one shard after the other, each in one transaction.
 *   Killed between two, `show` says so of each stream or diff, and the same command does the rest.
 * - mirrortraffic saves the rules, then opens or closes the denied tables for reads, then publishes: no query that was answered is
 *   refused in between, and the same command does the rest.
 * - What an operator repairs by hand with (SetShardTabletControl, Apply…RoutingRules, RefreshState…, Rebuild…Graph, reparents) is one
 *   transaction of the topology for each record, or for those of all cells together, and may be run again. It is not refused while
 *   something is half done: it may be needed to finish it.
 */
export interface IntentHead {
  verb: IntentVerb;
  keyspace: string;
  workflow: string;
  sourceKeyspace: string;
  targetKeyspace: string;
  /** By which records its traffic is switched. */
  kind: MigrationKind;
  /** For people: `SwitchTraffic c2c`. */
  command: string;
  /** The command line that finishes it, without the program's name. */
  line: string;
  /** Who began it. Epoch milliseconds. */
  owner: ProcessIdentity;
  started: number;
  /** Fencing token per lock, when the intent was written. */
  tokens: Record<string, number>;
  /** The steps that it was to take: `switchTraffic/writes/checkLocks#2`. Empty for one that an older program wrote. */
  plan: readonly string[];
}

/**
 * How far an intent has come. A record of its own, since it is written with each step, and small. All times are epoch
 * milliseconds.
 */
export interface IntentProgress {
  /** Who works on it, or did last: its writer, or whoever took it over to finish it. */
  by: ProcessIdentity;
  /** How often it was taken over. */
  takenOver: number;
  /** Fencing tokens of the locks that `by` held at its last step. */
  tokens: Record<string, number>;
  /** Steps that are done, those of a roll-back among them, in order. */
  done: { step: string; at: number }[];
  /** The step that was begun last; whether it came to its end is not known until the next begins. `broken`: its process was gone by then. */
  now?: { step: string; since: number; broken?: true };
  /** Since when writes of the source are refused, and how many statements its tablets had refused until then. */
  writesStopped?: number;
  refusedBefore?: number;
  /** Since when they are served again, by either side. */
  writesServed?: number;
}

/** More than any command has; a roll-back that is killed for ever must not grow for ever. */
const MOST_STEPS = 500;

/** What a step adds to the progress. */
export type ProgressMarks = Partial<Pick<IntentProgress, 'writesStopped' | 'refusedBefore' | 'writesServed'>>;

type Named = Pick<IntentHead, 'keyspace' | 'workflow'>;

const pathOf = ({ keyspace, workflow }: Named): string => paths.intent(keyspace, workflow);
const progressPathOf = ({ keyspace, workflow }: Named): string => paths.intentProgress(keyspace, workflow);

/** The intent of a workflow, if one was left behind or is at work. */
export async function findIntent<I extends IntentHead = IntentHead>(ctx: Context, cluster: Cluster, keyspace: string, workflow: string): Promise<I | undefined> {
  const found = await findRecord<I>(ctx, cluster.topo.conn, paths.intent(keyspace, workflow));
  return found === undefined ? undefined : asNow(found.record);
}

/** Every intent of the cluster, but for that of one workflow. */
export async function allIntents(ctx: Context, cluster: Cluster, but?: Named): Promise<IntentHead[]> {
  const { conn } = cluster.topo;
  const intents: IntentHead[] = [];
  for (const keyspace of await listNames(ctx, conn, paths.intents)) {
    for (const workflow of await listNames(ctx, conn, `${paths.intents}/${keyspace}`)) {
      if (keyspace === but?.keyspace && workflow === but.workflow) continue;
      const found = await findIntent(ctx, cluster, keyspace, workflow);
      if (found !== undefined) intents.push(found);
    }
  }
  return intents;
}

/** An intent of before there were others than those of switches says less of itself. */
function asNow<I extends IntentHead>(record: I): I {
  if (record.verb !== undefined) return record;
  const { asked } = record as unknown as { asked: { keyspace: string; workflow: string; verb: string; tabletTypes: readonly string[] } };
  const types = asked.tabletTypes.length === 3 ? '' : ` --tablet-types ${asked.tabletTypes.join(',').toLowerCase()}`;
  const line = `${commandOf(record.kind)} --workflow ${asked.workflow} --target-keyspace ${asked.keyspace} ${asked.verb}${types}`;
  return { ...record, verb: 'switch', line, plan: [] };
}

/** How far an intent has come. */
export async function findProgress(ctx: Context, cluster: Cluster, intent: IntentHead): Promise<IntentProgress> {
  return (await findRecord<IntentProgress>(ctx, cluster.topo.conn, progressPathOf(intent)))?.record ?? notBegun(intent);
}

function notBegun({ owner, tokens }: IntentHead): IntentProgress {
  return { by: owner, takenOver: 0, tokens, done: [] };
}

function readProgress(writer: Writer, intent: IntentHead): IntentProgress {
  const node = writer.get('global', progressPathOf(intent));
  if (node === undefined) return notBegun(intent);
  // Nearly always it is what this process wrote at its last step.
  const own = written.get(intent);
  return own?.text === node.contents ? own.progress : (JSON.parse(node.contents) as IntentProgress);
}

/** What was written last of an intent. Nobody changes what stands here. */
const written = new WeakMap<IntentHead, { text: string; progress: IntentProgress }>();

/** A step of a plan, by its name alone where the plan has no other of it. */
export function stepText(plan: readonly PlannedName[], { name, occurrence }: PlannedName): string {
  return occurrence > 1 || plan.some((step) => step.name === name && step.occurrence > 1) ? `${name}#${occurrence}` : name;
}

interface PlannedName {
  name: string;
  occurrence: number;
}

/** Tokens by lock, of those that a context holds. */
export function tokensOf(ctx: Context): Record<string, number> {
  return Object.fromEntries(heldLocks(ctx).map((lock) => [lock.resource, lock.token]));
}

/** Writes an intent, for the first time or because it knows more by now. */
export function putIntent(writer: Writer, intent: IntentHead): void {
  writer.put('global', pathOf(intent), encodeRecord(intent));
}

/** True while the intent stands, and is this process's to work on. */
export function isOwn(writer: Writer, cluster: Cluster, intent: IntentHead): boolean {
  return ownProgress(writer, cluster, intent) !== undefined;
}

function ownProgress(writer: Writer, cluster: Cluster, intent: IntentHead): IntentProgress | undefined {
  if (writer.get('global', pathOf(intent)) === undefined) return undefined;
  const progress = readProgress(writer, intent);
  return isSame(progress.by, cluster.world.processes.self) ? progress : undefined;
}

const isSame = (a: ProcessIdentity, b: ProcessIdentity): boolean =>
  a.host === b.host && a.boot === b.boot && a.pidNamespace === b.pidNamespace && a.pid === b.pid && a.start === b.start;

/** Notes that a step begins, and so that the one before it has ended; nothing where somebody else has taken the intent over. */
export function putStep(ctx: Context, writer: Writer, cluster: Cluster, intent: IntentHead, step: string, marks: ProgressMarks = {}): void {
  const before = ownProgress(writer, cluster, intent);
  if (before === undefined) return;
  const at = cluster.world.clock.now();
  const done = before.now === undefined || before.now.broken === true ? before.done : [...before.done, { step: before.now.step, at }].slice(-MOST_STEPS);
  put(writer, intent, { ...before, ...marks, tokens: tokensOf(ctx), done, now: { step, since: at } });
}

function put(writer: Writer, intent: IntentHead, progress: IntentProgress): void {
  const text = encodeRecord(progress);
  written.set(intent, { text, progress });
  writer.put('global', progressPathOf(intent), text);
}

/**
 * Makes this process the one that works on an intent, under the workflow's lock. False where it does not stand any more:
 * somebody else has finished it. What was begun last does not count as done.
 */
export async function takeOver(ctx: Context, cluster: Cluster, intent: IntentHead): Promise<boolean> {
  const { conn } = cluster.topo;
  const { self } = cluster.world.processes;
  return conn.atomically(ctx, {}, (writer) => {
    const there = writer.get('global', pathOf(intent));
    if (there === undefined || !isSameIntent(JSON.parse(there.contents) as IntentHead, intent)) return false;
    const before = readProgress(writer, intent);
    const now = before.now && { now: { ...before.now, broken: true as const } };
    put(writer, intent, { ...before, ...now, by: self, takenOver: before.takenOver + 1, tokens: tokensOf(ctx) });
    return true;
  });
}

/** Two intents of one workflow are one if one process began both at one time. */
export function isSameIntent(a: IntentHead, b: IntentHead): boolean {
  return a.started === b.started && isSame(a.owner, b.owner);
}

/** Strikes an intent that has been carried out, one way or the other; nothing where somebody else has taken it over. */
export async function dropIntent(ctx: Context, cluster: Cluster, intent: IntentHead): Promise<void> {
  await cluster.topo.conn.atomically(ctx, {}, (writer) => {
    if (!isOwn(writer, cluster, intent)) return;
    writer.remove('global', pathOf(intent));
    writer.remove('global', progressPathOf(intent));
  });
}
