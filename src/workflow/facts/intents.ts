import { formatRfc3339 } from '../../lib/go-time.ts';
import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import type { MigrationKind } from '../switcher.ts';
import { allIntents, findProgress, type IntentHead, type IntentVerb } from '../intent/record.ts';
import type { SwitchIntent } from '../switch/intent.ts';
import { gatherLocks } from './locks.ts';
import { loading } from '../../lib/loading.ts';

const ONLY_FORWARD = 'it can only be finished: the next run does the rest, and nothing leads back';

/** What a command of `hardened` wrote down before it changed anything, and has not struck yet. Times are epoch milliseconds. */
export interface IntentFacts {
  verb: IntentVerb;
  keyspace: string;
  workflow: string;
  sourceKeyspace: string;
  kind: MigrationKind;
  /** `SwitchTraffic c2c`. */
  command: string;
  /** The command line that finishes it, without the program's name. */
  line: string;
  /** Who works on it, or did last. */
  owner: string;
  pid: number;
  alive: 'alive' | 'dead' | 'unknown';
  /** When its command began, and how often somebody else has taken it over since. */
  started: number;
  takenOver: number;
  /** Fencing tokens of the locks that were held at the last step. */
  tokens: Record<string, number>;
  /** Past the point of no return: it can only be completed. So is an ending, always, and a create whose streams may run. */
  journaled: boolean;
  /** It was asked to move reads too. */
  reads: boolean;
  /** The step that was begun last, and when. An older program did not write it down: then as its locks still tell. */
  step: string | undefined;
  since: number | undefined;
  /** Every step that is done, with its time, and those that were planned. */
  steps: { step: string; at: number }[];
  plan: readonly string[];
  /** Since when writes of the source are refused, and since when they are served again; undefined where nobody has noted it. */
  writesStopped: number | undefined;
  writesServed: number | undefined;
}

/** Every intent of the cluster: at work, or left behind. */
export async function gatherIntents(ctx: Context, cluster: Cluster): Promise<IntentFacts[]> {
  const intents = await allIntents(ctx, cluster);
  return Promise.all(intents.map((intent) => intentFacts(ctx, cluster, intent)));
}

async function intentFacts(ctx: Context, cluster: Cluster, intent: IntentHead): Promise<IntentFacts> {
  const { verb, keyspace, workflow, sourceKeyspace, kind, command, line, started, plan } = intent;
  const { by, takenOver, tokens, done, now, writesStopped, writesServed } = await findProgress(ctx, cluster, intent);
  const owner = `${by.user}@${by.host} pid ${by.pid}`;
  return {
    verb,
    keyspace,
    workflow,
    sourceKeyspace,
    kind,
    command,
    line,
    owner,
    pid: by.pid,
    alive: cluster.world.processes.liveness(by),
    started,
    takenOver,
    tokens,
    journaled: await isPastReturn(ctx, cluster, intent),
    reads: verb === 'switch' && (intent as SwitchIntent).asked.tabletTypes.some((type) => type !== 'PRIMARY'),
    step: now?.step ?? stepOfLocks(cluster, owner),
    since: now?.since,
    steps: done,
    plan,
    writesStopped,
    writesServed,
  };
}

async function isPastReturn(ctx: Context, cluster: Cluster, intent: IntentHead): Promise<boolean> {
  if (intent.verb === 'create') return (await loading(import('../create/finish.ts'))).isStarting(ctx, cluster, intent);
  if (intent.verb !== 'switch') return true;
  const { isJournaled } = await loading(import('../switch/undo.ts'));
  return isJournaled(cluster, intent as SwitchIntent);
}

function stepOfLocks(cluster: Cluster, owner: string): string | undefined {
  const holders = gatherLocks(cluster).flatMap(({ holder }) => (holder === undefined ? [] : [holder]));
  return holders.find((holder) => holder.owner === owner && holder.step !== '')?.step;
}

/** What the next run does, of each kind of command; past the point of no return, and before it. */
const ENDS: Readonly<Record<IntentVerb, readonly [forward: string, back: string]>> = {
  switch: ['past the point of no return: it can only be completed', 'before the point of no return: the next run goes back to the state before it, then switches'],
  complete: [ONLY_FORWARD, ''],
  cancel: [ONLY_FORWARD, ''],
  create: ['all is made: the next run starts the streams that are not started', 'the next run goes back to the state before it, then creates'],
};

/** An intent in a sentence. Whose owner is gone: who, when, at which step, on which side of the point of no return, and what is felt. */
export function intentText(intent: IntentFacts): string {
  const { command, owner, alive, step, plan, started, verb, journaled, takenOver, writesStopped, writesServed } = intent;
  if (alive === 'alive') return `${command} by ${owner}, begun at ${formatRfc3339(started)}, is at work${step === undefined ? '' : `, at ${step}`}`;
  const fate = alive === 'dead' ? 'broke off' : 'may have broken off';
  const number = step === undefined ? 0 : plan.indexOf(step) + 1;
  const at = step === undefined ? '' : ` at ${step}${number === 0 ? '' : ` (step ${number} of ${plan.length})`}`;
  const where = ENDS[verb][journaled ? 0 : 1];
  const again = takenOver === 0 ? '' : `; what was left of it has been taken up ${takenOver === 1 ? 'once' : `${takenOver} times`} and is not finished`;
  const refused = writesStopped === undefined || writesServed !== undefined ? '' : `; it stopped the writes at ${formatRfc3339(writesStopped)}`;
  return `${command} by ${owner}, begun at ${formatRfc3339(started)}, ${fate}${at}, ${where}${refused}${again}`;
}
