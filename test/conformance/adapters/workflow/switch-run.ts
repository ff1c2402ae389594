import type { Context } from '../../../../src/runtime/context.ts';
import { NO_FAULTS } from '../../../../src/runtime/step.ts';
import type { Cluster } from '../../../../src/tablet/cluster.ts';
import { readJournal } from '../../../../src/tablet/vreplication/streams.ts';
import { lockKeyspace } from '../../../../src/topo/locks.ts';
import { getWorkflowState } from '../../../../src/workflow/state.ts';
import { EFFECTS } from '../../../../src/workflow/switch/effects.ts';
import { lockedKeyspaces, type SwitchRequest, type SwitchRun } from '../../../../src/workflow/switch/run.ts';
import { runSwitch } from '../../../../src/workflow/switch/runner.ts';
import type { Answer } from '../../world.ts';
import type { Stage } from './stage.ts';

/** The request of a full switch of the stage's workflow. */
export function fullRequest({ scene }: Stage): SwitchRequest {
  return {
    keyspace: scene.workflow.target,
    workflow: scene.workflow.name,
    direction: 'forward',
    tabletTypes: ['PRIMARY'],
    cells: [],
    timeoutMs: 30_000,
    maxLagMs: 30_000,
    enableReverseReplication: true,
    dryRun: false,
  } as SwitchRequest;
}

/** A switch of which nothing has run yet. What the server looks at first is passed over. */
export async function makeRun(ctx: Context, cluster: Cluster, request: SwitchRequest): Promise<SwitchRun> {
  const { sw, state } = await getWorkflowState(ctx, cluster, request.keyspace, request.workflow);
  return {
    cluster,
    request,
    sw,
    startState: state,
    path: {
      kind: sw.kind,
      reads: request.tabletTypes.some((type) => type !== 'PRIMARY'),
      writes: request.tabletTypes.includes('PRIMARY') && !sw.frozen,
      resume: sw.sources.some((source) => readJournal(source.db, sw.id) !== undefined),
      reverseReplication: request.enableReverseReplication,
      mirrored: state.readsMirrored || state.writesMirrored,
    },
    direction: request.direction,
    writesAlreadySwitched: true,
    ctx,
    held: [],
    intent: undefined,
    migrator: undefined,
    writesStopped: undefined,
    writesServed: undefined,
    refusedBefore: 0,
    warnings: [],
  };
}

/** A switch that holds the locks of its keyspaces. */
export async function lockedRun(stage: Stage, keyspaces?: readonly string[]): Promise<SwitchRun> {
  const { ctx, cluster } = stage.world.engine();
  const run = await makeRun(ctx, cluster, fullRequest(stage));
  for (const keyspace of keyspaces ?? lockedKeyspaces(run.sw)) run.ctx = (await lockKeyspace(run.ctx, cluster.topo, keyspace, 'SwitchWrites')).ctx;
  return run;
}

/** The short names of the steps of the writes. */
type WriteStep = keyof typeof EFFECTS extends infer Name ? (Name extends `switchTraffic/writes/${infer Short}` ? Short : never) : never;

/** Does what steps of the writes do, one after the other. */
export async function runSteps(run: SwitchRun, ...steps: WriteStep[]): Promise<void> {
  for (const step of steps) await EFFECTS[`switchTraffic/writes/${step}`](run, NO_FAULTS);
}

/** The steps of a switch, without what the server looks at before it calls them. */
export async function switchUnchecked(ctx: Context, cluster: Cluster, request: SwitchRequest): Promise<Answer> {
  const { error } = await runSwitch(await makeRun(ctx, cluster, request));
  return { exit: error === undefined ? 0 : 1, stdout: '', stderr: '', failure: error as Error | undefined };
}
