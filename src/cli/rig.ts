import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvariantError } from '../lib/errors.ts';
import { findRelease } from '../lib/releases.ts';
import { background } from '../runtime/context.ts';
import type { WorldEvent } from '../runtime/events.ts';
import { VirtualMachine, type World } from '../runtime/world.ts';
import type { Rig, Rigs } from '../scenario/rig.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { readCluster } from '../topo/cluster-record.ts';
import { ETCD_NAMES } from '../topo/conn/directory.ts';
import type { LeasePolicy } from '../topo/conn/lock-table.ts';
import type { TopoServer } from '../topo/server.ts';
import { parseArgv } from './argv.ts';
import { rootCommand } from './commands.ts';
import { type ClusterHost, fileHost, memoryHost } from './host.ts';
import { inputPath } from './input-path.ts';
import { makeShell } from './shell.ts';
// What commands load in their midst has to be there before: while a file is read, the time of a virtual clock goes on for
// whoever else waits.
import './hints.ts';
import './recorded-release.ts';
import '../tablet/vreplication/apply-ddl.ts';
import '../tablet/vreplication/pump.ts';
import '../topo/proto/messages-topodata.ts';
import '../topo/proto/prototext.ts';
import '../vindex/registry.ts';
import '../workflow/switch/points.ts';

/** Worlds for scenarios: each with a cluster of its own, on a virtual clock, run by the real command table. */
export function scenarioRigs(now: () => number): Rigs {
  return {
    open: openRig,
    check: (argv, vitess) => {
      parseArgv(rootCommand, argv, { hardened: !findRelease(vitess).vitess, warn: () => {} });
    },
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

function openRig({ seed, files, folder }: { seed: number; files: string; folder?: string }): Rig {
  const machine = new VirtualMachine(seed);
  // One process for everything that is only looked at, so that looking changes no later command's chance.
  const observer = machine.world();
  const host: ClusterHost = folder === undefined ? memoryHost(machine) : fileHost(join(folder, '.'), '.', () => machine.world());
  return {
    clock: machine.clock,
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
    load: async (argvs) => {
      for (const argv of argvs) {
        // As a release reads them: it takes whatever `hardened` takes, and more. The lines were checked before.
        const parsed = parseArgv(rootCommand, argv, { hardened: false, warn: () => {} });
        if (parsed.kind === 'run') await parsed.chain.at(-1)?.load?.();
      }
    },
    observe: (body) => observe(host, observer, body),
    close: () => {
      if (folder === undefined) host.reset();
    },
  };
}

async function observe<T>(host: ClusterHost, world: World, body: (ctx: ReturnType<typeof background>, cluster: Cluster) => Promise<T>): Promise<T> {
  const policy: LeasePolicy = { names: ETCD_NAMES, renewed: true, reapDead: false };
  const conn = host.openTopology(world, policy, false);
  const shards = host.openShards(world);
  try {
    const record = await readCluster(background(), conn);
    if (record === undefined) throw new InvariantError('a scenario without a cluster');
    const release = findRelease(record.vitess_version);
    const topo: TopoServer = { conn, release, world, lockTimeoutMs: 0, held: new Set() };
    return await body(background(), { world, release, topo, shards });
  } finally {
    host.release(conn, shards);
  }
}
