import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { type HistoryEntry, readHistory } from '../../topo/cluster-record.ts';

/** A command that was run on the cluster, and how it ended. */
export interface HistoryFacts {
  /** Epoch milliseconds. */
  at: number;
  command: string;
  version: string;
  exit: number;
  tookMs: number;
  pid: number;
  /** It came to a step, of which some change things: one that was refused before has done nothing. */
  begun: boolean;
  /** The first step that failed; undefined where none did. */
  failedStep: string | undefined;
  error: string | undefined;
  /** What clients felt of a switch. */
  outage: string[];
  /** `point action` of each fault that fired. */
  faults: string[];
  log: string[];
}

/** The last commands, oldest first. */
export async function gatherHistory(ctx: Context, cluster: Cluster, most: number): Promise<HistoryFacts[]> {
  return (await readHistory(ctx, cluster.topo.conn)).slice(-most).map(historyFacts);
}

function historyFacts(entry: HistoryEntry): HistoryFacts {
  return {
    at: entry.at,
    command: entry.command,
    version: entry.vitess_version,
    exit: entry.exit,
    tookMs: entry.took_ms,
    pid: entry.pid,
    begun: entry.steps.length > 0,
    failedStep: entry.steps.find((step) => step.endsWith(' failed'))?.replace(/ failed$/, ''),
    error: entry.error,
    outage: entry.outage ?? [],
    faults: entry.faults,
    log: entry.log,
  };
}
