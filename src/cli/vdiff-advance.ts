import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import type { TrafficSwitcher } from '../workflow/switcher.ts';
import { advanceVDiffs } from '../workflow/vdiff/run.ts';
import { CommandFailure } from './command-failure.ts';
import type { Invocation } from './spec.ts';
import type { VDiffBar } from './vdiff-progress.ts';

/** Goes on with one diff, or all of the workflow, under a bar. Returns what they wait for. Throws CommandFailure when it is told to end. */
export async function advance(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, inv: Invocation, bar: VDiffBar, uuid?: string): Promise<string[]> {
  try {
    return await advanceVDiffs(ctx, cluster, sw, { uuid, onProgress: (at) => bar.show(at) });
  } catch (error) {
    if (ctx.err() === undefined) throw error;
    throw new CommandFailure(error, [`the VDiff is still started; next: ${showLine(inv, uuid ?? 'last')}`]);
  } finally {
    bar.clear();
  }
}

/** Says on stderr what diffs wait for, unless told to be quiet. */
export function tellWaiting({ io, flags }: Invocation, waiting: readonly string[]): void {
  if (flags.bool('quiet')) return;
  for (const what of new Set(waiting)) io.stderr.write(`warning: the VDiff waits: ${what}; the next VDiff command tries again\n`);
}

/** The command that shows a diff. */
export function showLine({ flags }: Invocation, uuid: string): string {
  return `switchtraffic VDiff --workflow ${flags.str('workflow')} --target-keyspace ${flags.str('target-keyspace')} show ${uuid}`;
}
