import { validateKeyspaceName } from '../../lib/names.ts';
import { getKeyspace, keyspaceNames } from '../../topo/keyspaces.ts';
import { goJson } from '../../topo/proto/encode.ts';
import { Keyspace } from '../../topo/proto/messages-vtctldata.ts';
import { withCluster } from '../cluster.ts';
import type { Invocation } from '../spec.ts';
import { printRecord } from '../vtctl-output.ts';

/** Prints one keyspace's record, or all of them: two encodings of the same thing, as in vtctldclient. */
export function run(inv: Invocation): Promise<number> {
  return inv.path.at(-1) === 'GetKeyspace' ? printOne(inv) : printAll(inv);
}

function printOne(inv: Invocation): Promise<number> {
  const name = inv.args[0]!;
  return withCluster(inv, {}, async ({ ctx, cluster }) => {
    validateKeyspaceName(name, 'GetKeyspace');
    printRecord(inv, Keyspace, { name, keyspace: await getKeyspace(ctx, cluster.topo, name) });
    return 0;
  });
}

function printAll(inv: Invocation): Promise<number> {
  return withCluster(inv, {}, async ({ ctx, cluster: { topo } }) => {
    const names = await keyspaceNames(ctx, topo);
    const all = await Promise.all(names.map(async (name) => ({ name, keyspace: await getKeyspace(ctx, topo, name) })));
    inv.io.stdout.write(`${goJson({ list: Keyspace }, all.length === 0 ? null : all)}\n`);
    return 0;
  });
}
