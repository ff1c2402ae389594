import type { Context } from '../../../../src/runtime/context.ts';
import { NO_FAULTS } from '../../../../src/runtime/step.ts';
import type { Cluster } from '../../../../src/tablet/cluster.ts';
import { lockKeyspace } from '../../../../src/topo/locks.ts';
import { getWorkflowState } from '../../../../src/workflow/state.ts';
import { EFFECTS } from '../../../../src/workflow/switch/effects.ts';
import { lockedKeyspaces, type SwitchRequest, type SwitchRun } from '../../../../src/workflow/switch/run.ts';
import { prepareRun } from '../../../../src/workflow/switch/prepare-run.ts';
import { runSwitch } from '../../../../src/workflow/switch/runner.ts';
import type { Answer } from '../../world.ts';
import type { Stage } from './stage.ts';

/** A request of the stage's workflow, of which a case says some fields. */
export function requestOf({ scene }: Stage, some: Partial<SwitchRequest> = {}): SwitchRequest {
  const usual = {
    keyspace: scene.workflow.target,
    workflow: scene.workflow.name,
    direction: 'forward',
    tabletTypes: ['PRIMARY'],
    cells: [],
    timeoutMs: 30_000,
    maxLagMs: 30_000,
    enableReverseReplication: true,
    dryRun: false,
  };
  // What a request has besides is off unless a case says so.
  return { ...usual, ...some } as unknown as SwitchRequest;
}

/** A switch of which nothing has run yet. What the server looks at first is passed over. */
export async function makeRun(ctx: Context, cluster: Cluster, request: SwitchRequest): Promise<SwitchRun> {
  const found = await getWorkflowState(ctx, cluster, request.keyspace, request.workflow);
  return prepareRun(ctx, cluster, request, { found, direction: request.direction, writesAlreadySwitched: true }, undefined);
}

/** A switch that holds the locks of its keyspaces. */
export async function lockedRun(stage: Stage, keyspaces?: readonly string[]): Promise<SwitchRun> {
  const { ctx, cluster } = stage.world.engine();
  const run = await makeRun(ctx, cluster, requestOf(stage));
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
