import { errorText, UserError, vtError, wrapError } from '../lib/errors.ts';
import { type Context, withoutCancel } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { forgetMirrored } from '../tablet/mirrored.ts';
import { setAllowReads } from '../topo/denied-tables.ts';
import { updateShardFields } from '../topo/keyspaces.ts';
import { lockKeyspace, type Locked, lockName } from '../topo/locks.ts';
import { changeMirrorRules, mirrorFrom, type MirrorMap, mirrorMap, setMirror } from '../topo/mirror-rules.ts';
import type { TabletControl } from '../topo/proto/types.ts';
import type { WorkflowMirrorTrafficResponse } from '../topo/proto/types-workflow.ts';
import { getMirrorRules } from '../topo/rules.ts';
import { rebuildSrvVSchema } from '../topo/vschema.ts';
import { refreshTabletsByShard } from '../tablet/refresh.ts';
import { REFRESH_TIMEOUT_MS } from './denied.ts';
import { MIRRORED_TYPES, mirrorTables } from './mirror-tables.ts';
import { getWorkflowState, stateText, type WorkflowWithState } from './state.ts';
import { validateShards } from './switch/effects-reads.ts';
import { refuseInterrupted } from './intent/stand-back.ts';
import { type TrafficSwitcher, WORKFLOW_TYPES } from './switcher.ts';

/** What `MoveTables mirrortraffic` was asked to do. */
export interface MirrorRequest {
  keyspace: string;
  workflow: string;
  /** As typed. */
  tabletTypes: readonly string[];
  /** 0 ends it. */
  percent: number;
}

/**
 * Sends a part of the reads of a workflow's tables to its target too, so that it can be seen how the target bears them. All
 * or nothing on `hardened`; on a release what was done before a failure stays.
 * Vitess: go/vt/vtctl/workflow/server.go WorkflowMirrorTraffic.
 */
export async function mirrorTraffic(ctx: Context, cluster: Cluster, request: MirrorRequest): Promise<WorkflowMirrorTrafficResponse> {
  const { keyspace, workflow } = request;
  await refuseInterrupted(ctx, cluster, [keyspace]);
  const asked = await getWorkflowState(ctx, cluster, keyspace, workflow);
  refuseKind(asked.sw);
  refuseSwitched(asked, request);
  await refuseInterrupted(ctx, cluster, [asked.sw.sourceKeyspace, keyspace]);
  await underMirrorLocks(ctx, cluster, asked.sw, async (locked) => {
    // What a release knows of the workflow it has read before it had the lock (K18).
    const now = cluster.release.vitess ? asked : await getWorkflowState(locked, cluster, keyspace, workflow);
    refuseSwitched(now, request);
    await validateShards({ ctx: locked, cluster, sw: now.sw });
    await mirrorOrPutBack(locked, cluster, now.sw, request);
  });
  return {
    summary: `MirrorTraffic was successful for workflow ${keyspace}.${workflow}`,
    start_state: stateText(asked.state),
    current_state: await currentState(ctx, cluster, request),
  };
}

function refuseKind(sw: TrafficSwitcher): void {
  const type = WORKFLOW_TYPES[sw.workflowType] ?? '';
  const refused = (what: string): Error => vtError('INVALID_ARGUMENT', `invalid action for ${what}: MirrorTraffic`);
  if (type !== 'MoveTables') throw refused(`${type} workflow`);
  if (sw.workflow.endsWith('_reverse')) throw refused('reverse workflow');
  if (sw.kind === 'shards') throw refused('SHARDS migration type');
  if (sw.kind === 'partial') throw refused('partial migration');
  if (sw.kind === 'multi-tenant') throw refused('multi-tenant migration');
}

function refuseSwitched({ sw, state }: WorkflowWithState, { tabletTypes }: MirrorRequest): void {
  const switched: Readonly<Record<string, boolean>> = {
    RDONLY: state.rdonlySwitched.length > 0,
    REPLICA: state.replicaSwitched.length > 0,
    PRIMARY: state.writesSwitched,
  };
  const wrong = tabletTypes.filter((type) => switched[type] === true).map((type) => type.toLowerCase());
  if (wrong.length === 0) return;
  throw vtError(
    'FAILED_PRECONDITION',
    `cannot mirror [${wrong.join(',')}] traffic for workflow ${sw.workflow} at this time: traffic for those tablet types is switched`,
  );
}

/** Until v23 nothing was locked. */
async function underMirrorLocks(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, body: (ctx: Context) => Promise<void>): Promise<void> {
  const { topo, release } = cluster;
  if (!release.behaviours.mirrorLocks) return body(ctx);
  const name = `${sw.targetKeyspace}/${sw.workflow}`;
  const held: Locked[] = [];
  let failure: unknown;
  try {
    held.push(await named(lockName(ctx, topo, name, 'MirrorTraffic'), `${name} workflow`));
    held.push(await named(lockKeyspace(held.at(-1)!.ctx, topo, sw.targetKeyspace, 'MirrorTraffic'), `${sw.targetKeyspace} keyspace`));
    await body(held.at(-1)!.ctx);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    for (const lock of held.reverse()) await lock.unlock(failure);
  }
}

async function named(lock: Promise<Locked>, what: string): Promise<Locked> {
  try {
    return await lock;
  } catch (error) {
    throw wrapError(error, `failed to lock the ${what}`);
  }
}

/** The mirror rules as they were, and which target shards let reads pass. */
interface Before {
  rules: MirrorMap;
  allowReads: ReadonlySet<string>;
}

async function mirrorOrPutBack(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, { tabletTypes, percent }: MirrorRequest): Promise<void> {
  const before: Before = {
    rules: mirrorMap(await getMirrorRules(ctx, cluster.topo)),
    allowReads: new Set(sw.targets.filter(({ info }) => info.record.tablet_controls?.some(isOpen) === true).map(({ info }) => info.name)),
  };
  const own = ownRules(sw);
  if (!own.some(({ from, to }) => before.rules.get(from)?.has(to) === true)) {
    await forgetMirrored(sw.sources.map(({ db }) => db), cluster.world.clock, own.map(({ to }) => to));
  }
  try {
    await mirrorTables(ctx, cluster, sw, tabletTypes, percent);
  } catch (error) {
    if (cluster.release.behaviours.rollbackRestoresAll) await putBack(withoutCancel(ctx), cluster, sw, before, error);
    throw error;
  }
}

/** Every rule that may stand for the workflow, with its table. */
function ownRules(sw: TrafficSwitcher): { from: string; to: string }[] {
  return sw.tables.flatMap((table) => MIRRORED_TYPES.map((type) => ({ from: mirrorFrom(sw.sourceKeyspace, table, type), to: `${sw.targetKeyspace}.${table}` })));
}

function isOpen(control: TabletControl): boolean {
  return control.tablet_type === 'PRIMARY' && control.allow_reads === true;
}

/** Takes a command back that failed half-way. A tablet that does not answer is left to believe what it does. */
async function putBack(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, before: Before, cause: unknown): Promise<void> {
  const { topo } = cluster;
  try {
    await changeMirrorRules(ctx, topo, sw.targetKeyspace, (rules) => {
      for (const { from, to } of ownRules(sw)) {
        const percent = before.rules.get(from)?.get(to);
        if (percent === undefined) rules.get(from)?.delete(to);
        else setMirror(rules, from, to, percent);
      }
    });
    for (const { info } of sw.targets) {
      const open = before.allowReads.has(info.name);
      await updateShardFields(ctx, topo, info.keyspace, info.name, (record) => setAllowReads(ctx, topo, info, record, () => open));
      await refreshTabletsByShard(ctx, cluster, info, { timeoutMs: REFRESH_TIMEOUT_MS });
    }
    await rebuildSrvVSchema(ctx, topo);
  } catch (error) {
    throw new UserError(`${errorText(cause)}; and putting the mirror rules back failed: ${errorText(error)}`, {
      next: 'cure the cause, then run the command again, or with --percent 0',
      cause,
    });
  }
}

async function currentState(ctx: Context, cluster: Cluster, { keyspace, workflow }: MirrorRequest): Promise<string> {
  try {
    return stateText((await getWorkflowState(ctx, cluster, keyspace, workflow)).state);
  } catch (error) {
    return `Error reloading workflow state after mirror traffic: ${errorText(error)}`;
  }
}
