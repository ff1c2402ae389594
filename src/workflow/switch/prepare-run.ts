import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { readJournal } from '../../tablet/vreplication/streams.ts';
import type { WorkflowWithState } from '../state.ts';
import { requestOf, type SwitchIntent } from './intent.ts';
import { alreadySwitched } from './part-moves.ts';
import type { SwitchPath } from './path.ts';
import type { SwitchRequest, SwitchRun } from './run.ts';

/** The workflow whose steps run, and which way. */
export interface Chosen {
  found: WorkflowWithState;
  direction: 'forward' | 'backward';
  writesAlreadySwitched: boolean;
}

/** Reads go before writes: past the journal of an interrupted switch, those that it was asked for have moved. */
function hasMoved(intent: SwitchIntent | undefined, { cells }: SwitchRequest, type: string): boolean {
  if (intent === undefined) return false;
  const asked = requestOf(intent);
  return asked.tabletTypes.includes(type) && asked.cells.join() === cells.join();
}

/** A switch of which nothing has run yet. */
export function prepareRun(ctx: Context, cluster: Cluster, request: SwitchRequest, chosen: Chosen, intent: SwitchIntent | undefined): SwitchRun {
  const { sw, state } = chosen.found;
  const reads = request.tabletTypes.some((type) => type !== 'PRIMARY' && !hasMoved(intent, request, type));
  const wantsWrites = request.tabletTypes.includes('PRIMARY');
  // A frozen workflow has nothing left to switch. One whose intent stands may be frozen in part: the intent is struck after the last stream.
  const over = sw.frozen && intent === undefined;
  const path: SwitchPath = {
    kind: sw.kind,
    reads,
    writes: wantsWrites && !over,
    resume: sw.sources.some((source) => readJournal(source.db, sw.id) !== undefined),
    reverseReplication: request.enableReverseReplication,
    readsMirrored: state.readsMirrored,
    writesMirrored: state.writesMirrored,
    sequences: request.initializeSequences,
  };
  if (wantsWrites && over) {
    cluster.world.events.log('warning', `Writes have already been switched for workflow ${sw.workflow}, nothing to do here`);
  }
  return {
    cluster,
    request,
    sw,
    startState: state,
    path,
    direction: chosen.direction,
    writesAlreadySwitched: chosen.writesAlreadySwitched,
    ctx,
    held: [],
    intent,
    migrator: undefined,
    writesStopped: undefined,
    writesServed: undefined,
    refusedBefore: 0,
    warnings: alreadySwitched(cluster, chosen.found, wantsWrites && chosen.writesAlreadySwitched),
    sequences: [],
  };
}
