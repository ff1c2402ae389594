import { errorText } from '../lib/errors.ts';
import { background } from '../runtime/context.ts';
import { type HistoryEntry, writeHistory } from '../topo/cluster-record.ts';
import type { CommandScope } from './scope.ts';
import type { Invocation } from './spec.ts';

/** Keeps what a command did, for `show history`. Never fails a command that has run. */
export async function keepHistory(
  scope: CommandScope,
  done: { inv: Invocation; started: number; exit: number; failure: unknown },
): Promise<void> {
  const { cluster, events } = scope;
  const { world, release, topo } = cluster;
  const entry: HistoryEntry = {
    at: done.started,
    took_ms: Math.round(world.clock.now() - done.started),
    command: done.inv.commandLine.join(' '),
    vitess_version: release.name,
    exit: done.exit,
    pid: world.processes.self.pid,
    steps: events.flatMap((event) => (event.kind === 'step' && event.state !== 'begin' ? [`${event.step} ${event.state}`] : [])),
    faults: events.flatMap((event) => (event.kind === 'fault' ? [`${event.point} ${event.action}`] : [])),
    log: events.flatMap((event) => (event.kind === 'log' && event.level !== 'info' ? [event.text] : [])),
  };
  const outage = events.flatMap((event) => (event.kind === 'outage' ? [event.text] : []));
  if (outage.length > 0) entry.outage = outage;
  if (done.failure !== undefined) entry.error = errorText((done.failure as Error).cause ?? done.failure);
  try {
    await writeHistory(background(), topo.conn, entry);
  } catch {
    // The command's own outcome matters more than its record.
  }
}
