import { findRelease } from '../lib/releases.ts';
import { printClusterFile } from '../report/cluster-file/print.ts';
import { clusterJsonSchema } from '../report/json-schemas.ts';
import { describeCluster } from '../tablet/describe-cluster.ts';
import { readCluster } from '../topo/cluster-record.ts';
import { askedImplementation } from './asked-implementation.ts';
import { withCluster } from './cluster.ts';
import { readExample } from './examples.ts';
import type { Invocation } from './spec.ts';

/** `init --like` and `init --schema`: prints, and makes nothing. */
export async function printTemplate(inv: Invocation): Promise<number> {
  const { stdout } = inv.io;
  if (inv.flags.bool('schema')) {
    stdout.write(`${JSON.stringify(clusterJsonSchema(), null, 2)}\n`);
    return 0;
  }
  const name = inv.args[0] ?? 'commerce';
  if (name === '.') {
    return withCluster(inv, {}, async ({ ctx, cluster }) => {
      const topo = (await readCluster(ctx, cluster.topo.conn))?.topo_implementation;
      stdout.write(await printClusterFile(await describeCluster(ctx, cluster), { vitess: cluster.release.name, topo: cluster.release.vitess ? topo : undefined }));
      return 0;
    });
  }
  const spec = readExample(name, inv.flags.strings('without'));
  const asked = inv.flags.str('vitess-version') || (inv.io.env['SWITCHTRAFFIC_VITESS_VERSION'] ?? '') || 'hardened';
  const release = findRelease(asked);
  // What is the default there needs no line.
  const topo = inv.flags.given('topo-implementation') ? askedImplementation(inv, release) : undefined;
  stdout.write(await printClusterFile(spec, { vitess: release.name, topo }));
  return 0;
}
