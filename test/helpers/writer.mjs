// An application of its own: writes rows through the gate until it is told to stop (a line on stdin), and keeps count of
// what was acknowledged. One JSON document on stdout at the end.
import { background, withTimeout } from '../../dist/runtime/context.js';
import { runQuery } from '../../dist/gate/query.js';
import { findRelease } from '../../dist/lib/releases.js';
import { fileHost } from '../../dist/cli/host.js';
import { ETCD_NAMES } from '../../dist/topo/conn/directory.js';

const [state, name] = process.argv.slice(2);
const host = fileHost(state, '.');
const world = host.world();
const conn = host.openTopology(world, { names: ETCD_NAMES, renewed: true, reapDead: true }, false);
const topo = { conn, release: findRelease('hardened'), world, lockTimeoutMs: 1000, held: new Set() };
const cluster = { world, release: topo.release, topo, shards: host.openShards(world) };

const acknowledged = [];
const unexpected = [];
let refused = 0;
let stop = false;
process.stdin.once('data', () => (stop = true));
process.stdout.write('ready\n');

for (let n = 0; !stop; n++) {
  const email = `${name}-${n}@writer`;
  const limited = withTimeout(background(), world.clock, 10_000);
  try {
    await runQuery(limited.ctx, cluster, { sql: `insert into customer (email) values ('${email}')`, cell: 'zone1' });
    acknowledged.push(email);
  } catch (error) {
    if (/disallowed due to rule/.test(error.message)) refused++;
    else unexpected.push(error.message);
  } finally {
    limited.end();
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
}
process.stdout.write(`${JSON.stringify({ acknowledged, refused, unexpected })}\n`);
process.stdin.destroy();
