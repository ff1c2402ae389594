import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvariantError, UserError } from '../lib/errors.ts';
import { findRelease } from '../lib/releases.ts';
import { background } from '../runtime/context.ts';
import type { WorldEvent } from '../runtime/events.ts';
import { VirtualMachine, type World } from '../runtime/world.ts';
import type { Rig, Rigs } from '../scenario/rig.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { readCluster } from '../topo/cluster-record.ts';
import { ETCD_NAMES } from '../topo/conn/directory.ts';
import { leasePolicyOf } from '../topo/conn/implementations.ts';
import type { LeasePolicy } from '../topo/conn/lease-policy.ts';
import type { TopoServer } from '../topo/server.ts';
import { commandPath, parseArgv } from './argv.ts';
import { rootCommand } from './commands.ts';
import { type ClusterHost, fileHost, memoryHost, removeSnapshots } from './host.ts';
import { inputPath } from './input-path.ts';
import { makeShell } from './shell.ts';

/** Worlds for scenarios: each with a cluster of its own, on a virtual clock, run by the real command table. */
export function scenarioRigs(now: () => number): Rigs {
  return {
    open: openRig,
    check: checkLine,
    readText: (folder, name) => {
      try {
        return readFileSync(inputPath({ cwd: folder, within: folder }, name), 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    now,
  };
}

/** Commands that make a world of their own, or only look at files: in a scenario they mean nothing. */
const NOT_IN_SCENARIOS = ['run', 'lint', 'explain', 'demo'];

/** Throws for a line that no command would take, and for one that would leave the scenario's world. */
function checkLine(argv: readonly string[], vitess: string): void {
  const parsed = parseArgv(rootCommand, argv, { hardened: !findRelease(vitess).vitess, warn: () => {} });
  if (parsed.kind !== 'run') return;
  const [command = ''] = commandPath(parsed.chain);
  if (NOT_IN_SCENARIOS.includes(command)) throw new UserError(`"${command}" cannot be a line of a scenario`, { exit: 2 });
  if (parsed.flags.given('state')) {
    throw new UserError('--state has no place in a scenario: it has a cluster of its own', { next: 'leave --state out', exit: 2 });
  }
}

function openRig({ seed, files, folder }: { seed: number; files: string; folder?: string }): Rig {
  const machine = new VirtualMachine(seed);
  // One process for everything that is only looked at, so that looking changes no later command's chance.
  const observer = machine.world();
  const memory = folder === undefined ? memoryHost(machine) : undefined;
  const host: ClusterHost = memory ?? fileHost(join(folder!, '.'), '.', () => machine.world());
  // What an earlier run kept there would be in the way.
  if (memory === undefined) {
    host.reset();
    removeSnapshots(host.place);
  }
  return {
    clock: machine.clock,
    pauses: machine.pauses,
    run: async (argv) => {
      const events: WorldEvent[] = [];
      let world: World | undefined;
      let die = (): void => {};
      const death = new Promise<void>((resolve) => (die = resolve));
      const own: ClusterHost = {
        ...host,
        world: () => {
          world = machine.world(die);
          world.events.listen((event) => events.push(event));
          return world;
        },
      };
      const result = await makeShell(own, { died: () => death, cwd: files, within: files })(argv);
      return { ...result, events, faults: world?.faults.report() ?? [] };
    },
    observe: async (body) => {
      const { cluster, close } = await openCluster(host, observer);
      try {
        return await body(background(), cluster);
      } finally {
        await close();
      }
    },
    attach: async () => {
      const world = machine.world();
      const { cluster, close } = await openCluster(host, world);
      const leave = async (): Promise<void> => {
        await close();
        world.processes.ended();
      };
      return { ctx: background(), cluster, leave };
    },
    mark: () => {
      const chance = observer.random.mark();
      const back = memory?.mark() ?? (() => false);
      return () => {
        chance();
        return back();
      };
    },
    close: () => memory?.reset(),
  };
}

/** The cluster of a host as one world sees it. */
async function openCluster(host: ClusterHost, world: World): Promise<{ cluster: Cluster; close: () => Promise<void> }> {
  const policy: LeasePolicy = { names: ETCD_NAMES, renewed: true, reapDead: false };
  const conn = host.openTopology(world, policy, false);
  const record = await readCluster(background(), conn);
  if (record === undefined) throw new InvariantError('a scenario without a cluster');
  const shards = host.openShards(world, record.shard_folder);
  const release = findRelease(record.vitess_version);
  policy.names = leasePolicyOf(release, record.topo_implementation).names;
  const topo: TopoServer = { conn, release, world, lockTimeoutMs: 0, held: new Set() };
  return { cluster: { world, release, topo, shards }, close: () => host.release(world, conn, shards) };
}
