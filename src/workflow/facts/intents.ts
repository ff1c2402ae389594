import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import type { MigrationKind } from '../switcher.ts';
import { allIntents } from '../switch/intent.ts';
import { gatherLocks } from './locks.ts';
import { loading } from '../../lib/loading.ts';

/** What a switch on `hardened` wrote down before it changed anything, and has not struck yet. */
export interface IntentFacts {
  keyspace: string;
  workflow: string;
  sourceKeyspace: string;
  kind: MigrationKind;
  /** `SwitchTraffic c2c`. */
  command: string;
  owner: string;
  pid: number;
  alive: 'alive' | 'dead' | 'unknown';
  /** Epoch milliseconds. */
  started: number;
  /** Past the point of no return: it can only be completed. */
  journaled: boolean;
  /** It was asked to move reads too. */
  reads: boolean;
  /** As its locks still tell; undefined once they are gone. */
  step: string | undefined;
}

/** Every intent of the cluster: at work, or left behind. */
export async function gatherIntents(ctx: Context, cluster: Cluster): Promise<IntentFacts[]> {
  const intents = await allIntents(ctx, cluster);
  if (intents.length === 0) return [];
  const { isJournaled } = await loading(import('../switch/undo.ts'));
  const holders = gatherLocks(cluster).flatMap(({ holder }) => (holder === undefined ? [] : [holder]));
  return intents.map((intent) => {
    const { owner } = intent;
    const name = `${owner.user}@${owner.host} pid ${owner.pid}`;
    const step = holders.find((holder) => holder.owner === name && holder.step !== '')?.step;
    return {
      keyspace: intent.keyspace,
      workflow: intent.workflow,
      sourceKeyspace: intent.sourceKeyspace,
      kind: intent.kind,
      command: intent.command,
      owner: name,
      pid: owner.pid,
      alive: cluster.world.processes.liveness(owner),
      started: intent.started,
      journaled: isJournaled(cluster, intent),
      reads: intent.asked.tabletTypes.some((type) => type !== 'PRIMARY'),
      step,
    };
  });
}
