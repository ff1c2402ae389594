// A cluster opened by hand, as `withCluster` of src/cli does it, for what is measured below the command line.
import { fileHost, memoryHost } from '../dist/cli/host.js';
import { makeShell } from '../dist/cli/shell.js';
import { findRelease } from '../dist/lib/releases.js';
import { background } from '../dist/runtime/context.js';
import { VirtualMachine } from '../dist/runtime/world.js';
import { ETCD_NAMES } from '../dist/topo/conn/directory.js';

/** Opens a host's cluster, making it where it is missing. `close` lets go of the files. */
export function openCluster(host) {
  const world = host.world();
  const release = findRelease('hardened');
  const conn = host.openTopology(world, { names: ETCD_NAMES, renewed: true, reapDead: true }, true);
  const shards = host.openShards(world);
  const topo = { conn, release, world, lockTimeoutMs: 45_000, held: new Set() };
  return { ctx: background(), cluster: { world, release, topo, shards }, close: () => host.release(world, conn, shards) };
}

/** A keyspace for `createCluster`, with what it has. */
export function keyspace(name, has = {}) {
  return { name, record: {}, shards: [], vschema: {}, schema: [], rows: [], ...has };
}

/** A host of files on the machine's own clock. */
export function filesIn(folder) {
  return fileHost(folder, '/');
}

/** A host in memory on a virtual clock. */
export function inMemory() {
  return memoryHost(new VirtualMachine());
}

/** Command lines against a host. They are split at blanks; each throws unless it ends with the status expected. */
export function commands(host) {
  const shell = makeShell(host);
  return async (line, exit = 0) => {
    const result = await shell(line.split(' '));
    if (result.exit !== exit) throw new Error(`${line}\nexit ${result.exit}, expected ${exit}\n${result.stdout}${result.stderr}`);
    return result.stdout;
  };
}
