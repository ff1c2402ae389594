import { isTopoError, plainError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { forgetTablet } from '../../tablet/process.ts';
import { sourceOf } from '../../tablet/vreplication/stream-source.ts';
import type { StreamRow } from '../../tablet/vreplication/streams.ts';
import type { WorkflowOptions } from '../../topo/proto/types-workflow.ts';
import { getShard, shardText } from '../../topo/keyspaces.ts';
import { noteFirstStep, noteStep } from '../../topo/locks.ts';
import { paths } from '../../topo/paths.ts';
import { aliasText, shardTablets } from '../../topo/tablets.ts';
import { type IntentHead, putIntent, putStep, stepText, tokensOf } from '../intent/record.ts';
import type { WorkflowState, WorkflowWithState } from '../state.ts';
import { type MigrationSource, type MigrationTarget, primaryOf, type TrafficSwitcher, WORKFLOW_TYPES } from '../switcher.ts';
import type { EndRun } from './run.ts';
import { type Ending, type EndVerb, type PlannedEnd, planEnding } from './steps.ts';

/** How much of a workflow is to end, as it was asked for. */
export interface EndAsked {
  ending: Ending;
  renameTables: boolean;
  shards: readonly string[];
  batch: number;
}

/** A shard of the workflow, with its streams there (of a target) and its tablets (where the shard is to go). */
interface MemberThen {
  keyspace: string;
  shard: string;
  streams: StreamRow[];
  tablets: string[];
}

/**
 * What a complete or a cancel on `hardened` writes down before it takes anything away: what the workflow was, so that the rest can
 * be done without it. It can only go forward: all that it has done may be done again.
 */
export interface EndIntent extends IntentHead {
  verb: EndVerb;
  asked: EndAsked;
  /** The workflow as it was, and where its traffic went. */
  then: Pick<TrafficSwitcher, 'id' | 'reverseWorkflow' | 'tables' | 'frozen' | 'workflowType' | 'workflowSubType'> & { options: WorkflowOptions };
  state: WorkflowState;
  sources: MemberThen[];
  targets: MemberThen[];
}

/** Writes the intent, with the first step that changes anything. */
export async function recordEnding(run: EndRun, first: PlannedEnd): Promise<EndIntent> {
  const { ctx, cluster, found: { sw, state } } = run;
  const plan = planEnding(run.ending, cluster.release.behaviours);
  const doomed = sw.kind === 'shards' && run.ending.verb === 'complete' && !run.ending.keepData;
  const { id, reverseWorkflow, tables, frozen, workflowType, workflowSubType, options } = sw;
  const asked: EndAsked = { ending: run.ending, renameTables: run.renameTables, shards: run.shards, batch: run.batch };
  const intent: EndIntent = {
    verb: run.ending.verb,
    keyspace: sw.targetKeyspace,
    workflow: sw.workflow,
    sourceKeyspace: sw.sourceKeyspace,
    targetKeyspace: sw.targetKeyspace,
    kind: sw.kind,
    command: `${run.ending.verb === 'complete' ? 'Complete' : 'Cancel'} ${sw.workflow}`,
    line: endLine(sw, asked),
    owner: cluster.world.processes.self,
    started: cluster.world.clock.now(),
    tokens: tokensOf(ctx),
    plan: plan.map((step) => stepText(plan, step)),
    asked,
    then: { id, reverseWorkflow, tables, frozen, workflowType, workflowSubType, options },
    state,
    sources: await Promise.all(sw.sources.map((source) => memberThen(ctx, cluster, source, [], doomed))),
    targets: await Promise.all(sw.targets.map((target) => memberThen(ctx, cluster, target, target.streams.map(({ row }) => row), false))),
  };
  await noteFirstStep(ctx, cluster.topo, first.name, (writer) => {
    putIntent(writer, intent);
    putStep(ctx, writer, cluster, intent, stepText(plan, first));
  });
  return intent;
}

async function memberThen(ctx: Context, cluster: Cluster, { info }: MigrationSource | MigrationTarget, streams: StreamRow[], doomed: boolean): Promise<MemberThen> {
  const tablets = doomed ? await shardTablets(ctx, cluster.topo, info) : [];
  return {
    keyspace: info.keyspace,
    shard: info.name,
    streams,
    tablets: tablets.flatMap(({ alias }) => (alias === undefined ? [] : [aliasText(alias)])),
  };
}

/** Says beside the locks, and in the intent, that a step begins. */
export async function noteEnding({ ctx, cluster, intent, ending }: EndRun, step: PlannedEnd): Promise<void> {
  const text = (): string => stepText(planEnding(ending, cluster.release.behaviours), step);
  await noteStep(ctx, cluster.topo, step.name, intent && ((writer) => putStep(ctx, writer, cluster, intent, text())));
}

/** Flags that the cancel of a type of workflow knows; `Workflow delete` knows them all. */
const CANCEL_FLAGS: Readonly<Record<string, readonly string[] | undefined>> = {
  MoveTables: ['keep-data', 'keep-routing-rules', 'ignore-source-keyspace', 'shards', 'delete-batch-size'],
  Reshard: ['keep-data'],
  Materialize: [],
};

/** The usual size of a batch, which a line need not name. */
const USUAL_BATCHES = [0, 1000];

function endLine({ workflow, targetKeyspace, workflowType }: TrafficSwitcher, { ending, renameTables, shards, batch }: EndAsked): string {
  const type = WORKFLOW_TYPES[workflowType] ?? '';
  const flags = [
    ...(ending.keepData ? ['--keep-data'] : []),
    ...(ending.keepRoutingRules ? ['--keep-routing-rules'] : []),
    ...(ending.ignoreSource ? ['--ignore-source-keyspace'] : []),
    ...(renameTables ? ['--rename-tables'] : []),
    ...(shards.length === 0 ? [] : [`--shards=${shards.join(',')}`]),
    ...(ending.verb === 'complete' || USUAL_BATCHES.includes(batch) ? [] : [`--delete-batch-size=${batch}`]),
  ];
  const own = CANCEL_FLAGS[type];
  const isOwn = ending.verb === 'complete' || flags.every((flag) => own?.includes(flag.replace(/^--|=.*$/g, '')) === true);
  const command = own !== undefined && isOwn ? `${type} --workflow ${workflow} --target-keyspace ${targetKeyspace} ${ending.verb}` : `Workflow --keyspace ${targetKeyspace} delete --workflow ${workflow}`;
  return [command, ...flags].join(' ');
}

/** True if an ending is asked for as the intent has it: what is taken away, and what is kept. */
export function isSameEnding(intent: IntentHead, asked: EndAsked): intent is EndIntent {
  return (intent.verb === 'complete' || intent.verb === 'cancel') && essence((intent as EndIntent).asked) === essence(asked);
}

function essence({ ending: { verb, keepData, keepRoutingRules, ignoreSource }, renameTables, shards }: EndAsked): string {
  return JSON.stringify([verb, keepData, keepRoutingRules, ignoreSource, renameTables, shards.toSorted()]);
}

/** The workflow as it was, with those of its shards that are still there. */
export async function workflowThen(ctx: Context, cluster: Cluster, intent: EndIntent): Promise<WorkflowWithState> {
  const { keyspace, workflow, kind, sourceKeyspace, targetKeyspace, then, state } = intent;
  const sources: MigrationSource[] = [];
  for (const member of intent.sources) {
    const there = await memberNow(ctx, cluster, member);
    if (there !== undefined) sources.push({ ...there, position: '' });
    else await forgetTablets(cluster, member);
  }
  const targets: MigrationTarget[] = [];
  for (const member of intent.targets) {
    const there = await memberNow(ctx, cluster, member);
    if (there === undefined) throw plainError(`shard ${keyspace}/${member.shard} of workflow ${workflow} is gone`);
    targets.push({ ...there, position: '', streams: member.streams.map((row) => ({ row, source: sourceOf(there.db, row) })) });
  }
  return { sw: { ...then, workflow, kind, sourceKeyspace, targetKeyspace, sources, targets }, state };
}

async function memberNow(ctx: Context, cluster: Cluster, { keyspace, shard }: MemberThen): Promise<Awaited<ReturnType<typeof primaryOf>> | undefined> {
  try {
    return await primaryOf(ctx, cluster, await getShard(ctx, cluster.topo, keyspace, shard), (info) => plainError(`shard ${shardText(info)} has no primary`));
  } catch (error) {
    if (isTopoError(error, 'NoNode') && !cluster.topo.conn.has(paths.shard(keyspace, shard))) return undefined;
    throw error;
  }
}

/** A shard that was deleted may have tablets of which its database still tells. */
async function forgetTablets(cluster: Cluster, { keyspace, shard, tablets }: MemberThen): Promise<void> {
  for (const alias of tablets) await forgetTablet(cluster.shards.open(keyspace, shard), cluster.world, alias);
}
