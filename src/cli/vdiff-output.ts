import type { Cluster } from '../tablet/cluster.ts';
import { summaryJson, summaryText } from '../report/vdiff/summary.ts';
import { goJson } from '../topo/proto/encode.ts';
import type { VDiffSummary } from '../workflow/vdiff/summary.ts';
import type { Invocation } from './spec.ts';

/** Prints a diff as `show` does. */
export function printSummary({ io }: Invocation, { release }: Cluster, summary: VDiffSummary, format: 'text' | 'json'): void {
  const { vdiffPercent: percent, vdiffShardSummaries: shardSummaries } = release.behaviours;
  io.stdout.write(format === 'json' ? `${summaryJson(summary, { shardSummaries })}\n` : summaryText(summary, { percent }));
}

/** What resume, stop and delete answer. */
export function printDone({ io }: Invocation, action: 'resume' | 'stop' | 'delete', format: 'text' | 'json'): void {
  const status = action === 'resume' ? 'scheduled' : 'completed';
  io.stdout.write(format === 'json' ? `${goJson('plain', { Action: action, Status: status })}\n` : `VDiff ${action} ${status}\n`);
}
