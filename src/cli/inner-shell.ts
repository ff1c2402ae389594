import { formatDuration } from '../lib/duration.ts';
import { Events } from '../runtime/events.ts';
import type { World } from '../runtime/world.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { leaseFaults } from '../topo/held-locks.ts';
import { hostOf } from './cluster.ts';
import { makeShell, type Shell } from './shell.ts';
import type { Invocation } from './spec.ts';

/**
 * A shell for the command lines that a command runs itself, on its own cluster and under its own context. They are one process: what
 * kills one of them kills all, what one of them is called by others they all are, and a fault of the command reaches their steps.
 */
export function innerShell(inv: Invocation, { world, topo }: Cluster): Shell {
  const { io } = inv;
  const host = { ...hostOf(inv), world: () => inside(world) };
  const shell = makeShell(host, { cwd: io.cwd, ...(io.within === undefined ? {} : { within: io.within }) });
  const passedOn = flagsPassedOn(inv);
  return async (argv, options = {}) => {
    try {
      return await shell([...argv, ...passedOn], { env: io.env, ...options });
    } finally {
      // The line's own locks are gone with it; faults are to find those of the command again.
      world.faults.leases = leaseFaults(topo);
    }
  };
}

/** What was said of the cluster for the command holds for its lines too. Its deadline they have from its context. */
function flagsPassedOn({ flags }: Invocation): string[] {
  return [
    ...(flags.given('vitess-version') ? ['--vitess-version', flags.str('vitess-version')] : []),
    ...(flags.given('lock-timeout') ? ['--lock-timeout', formatDuration(flags.duration('lock-timeout'))] : []),
  ];
}

/** The same process, but what happens in a line is reported by the line. */
function inside({ processes, ...world }: World): World {
  return {
    ...world,
    events: new Events(world.clock),
    processes: {
      self: processes.self,
      liveness: (identity) => processes.liveness(identity),
      die: () => processes.die(),
      // The process goes on when a line of it has ended.
      ended: () => {},
    },
  };
}
