import { errorText, vtError } from '../../lib/errors.ts';
import { epochSeconds } from '../../tablet/cluster.ts';
import { FROZEN, hasCopyState, readStream } from '../../tablet/vreplication/streams.ts';
import type { ShardInfo } from '../../topo/keyspaces.ts';
import { refreshProblem, type Side } from '../denied.ts';
import { derivedState, streamLag } from '../lag.ts';
import { graphReason } from './effects-shards.ts';
import { isForced, type SwitchRun } from './run.ts';

/**
 * Refuses a switch that could not succeed: lag, a stream that is frozen, copying or broken, a tablet that does not
 * answer; on `hardened` also a serving graph that could not be changed. Streams that are merely stopped pass, as in Vitess (K48). Vitess: Server.canSwitch.
 */
export async function canSwitch(run: SwitchRun): Promise<void> {
  const { cluster, sw } = run;
  if (run.writesAlreadySwitched) {
    const text = `Writes already switched no need to check lag for the ${sw.targetKeyspace}.${sw.workflow} workflow`;
    cluster.world.events.log('info', text);
    return;
  }
  if (run.path.resume && !cluster.release.behaviours.resumeChecksLag) return;
  const reason = lagReason(run) ?? streamReason(run) ?? (await refreshReason(run)) ?? (await graphReason(run));
  if (reason !== undefined) {
    throw vtError('FAILED_PRECONDITION', `cannot switch traffic for workflow ${sw.workflow} at this time: ${reason}`);
  }
}

function lagReason(run: SwitchRun): string | undefined {
  const now = epochSeconds(run.cluster);
  const allowed = Math.floor(run.request.maxLagMs / 1000);
  let lag = 0;
  for (const target of run.sw.targets) {
    for (const { row } of target.streams) {
      const current = readStream(target.db, row.id) ?? row;
      // While copying the figure overflows to a negative number; the next check tells the truth.
      if (current.state !== 'Copying') lag = Math.max(lag, streamLag(current, now, run.cluster.release.behaviours.lag));
    }
  }
  return lag > allowed ? `replication lag ${lag}s is higher than allowed lag ${allowed}s` : undefined;
}

function streamReason(run: SwitchRun): string | undefined {
  for (const target of run.sw.targets) {
    for (const { row } of target.streams) {
      const current = readStream(target.db, row.id) ?? row;
      if (current.message === FROZEN) return 'workflow is frozen';
      const state = derivedState(current, hasCopyState(target.db, row.id));
      if (state === 'Copying') return 'copy is still in progress';
      if (state === 'Error') return 'workflow has errors';
    }
  }
  return undefined;
}

async function refreshReason(run: SwitchRun): Promise<string | undefined> {
  const sides: [Side, ShardInfo][] = [
    ...run.sw.sources.map((source): [Side, ShardInfo] => ['source', source.info]),
    ...run.sw.targets.map((target): [Side, ShardInfo] => ['target', target.info]),
  ];
  let text = '';
  for (const [side, info] of sides) {
    const problem = await refreshProblem(run.ctx, run.cluster, info, side, { force: isForced(run) });
    if (problem !== undefined) text += `${errorText(problem)}\n`;
  }
  return text === '' ? undefined : `could not refresh all of the tablets involved in the operation:\n${text}`;
}
