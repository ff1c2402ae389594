import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import { findRelease } from '../../lib/releases.ts';
import { suggest } from '../../lib/suggest.ts';
import { type ClusterSpec, createCluster } from '../../tablet/bootstrap.ts';
import { generateRows } from '../../tablet/load-rows.ts';
import { writeCluster } from '../../topo/cluster-record.ts';
import { hostOf, withCluster } from '../cluster.ts';
import { EXAMPLE_NAME, exampleNames, EXAMPLES } from '../examples.ts';
import type { Invocation } from '../spec.ts';

/** Makes a cluster from an example. An existing one is left alone, unless `--force` replaces it. */
export async function run(inv: Invocation): Promise<number> {
  const name = inv.args[0]!;
  const spec = readExample(name, inv.flags.strings('without'));
  const rows = inv.flags.int('rows');
  if (rows < 0) throw new UserError(`--rows ${rows} is negative`, { exit: 2 });
  const asked = inv.flags.str('vitess-version') || (inv.io.env['SWITCHTRAFFIC_VITESS_VERSION'] ?? '') || 'hardened';
  const release = findRelease(asked);
  const host = hostOf(inv);
  if (host.exists()) {
    if (!inv.flags.bool('force')) {
      throw new UserError(`there is a cluster in ${host.place} already`, {
        next: `look at it: switchtraffic show keyspace, or replace it: switchtraffic init ${name} --force`,
        exit: 2,
      });
    }
    host.reset();
  }
  return withCluster(inv, { create: release.name, history: true }, async ({ ctx, cluster }) => {
    await createCluster(ctx, cluster, spec);
    if (rows > 0) await generateRows(cluster, cluster.shards.open('commerce', '0'), rows);
    await writeCluster(ctx, cluster.topo.conn, {
      vitess_version: release.name,
      made_from: name,
      made_at: cluster.world.clock.now(),
    });
    inv.io.stdout.write(summary(spec, release.name, host.place));
    return 0;
  });
}

interface ExampleFile {
  cells: string[];
  keyspaces: (Omit<ClusterSpec['keyspaces'][number], 'schema' | 'rows'> & { schema?: string; rows?: string })[];
}

function readExample(name: string, without: readonly string[]): ClusterSpec {
  const folder = join(EXAMPLES, name);
  if (!EXAMPLE_NAME.test(name) || !existsSync(folder)) {
    const there = exampleNames();
    const near = suggest(name, there);
    const hint = near === undefined ? '' : `; did you mean "${near}"?`;
    throw new UserError(`there is no example "${name}"${hint}`, { next: `the examples are: ${there.join(', ')}`, exit: 2 });
  }
  const file = JSON.parse(readFileSync(join(folder, 'cluster.json'), 'utf8')) as ExampleFile;
  const names = file.keyspaces.map((keyspace) => keyspace.name);
  const unknown = without.find((part) => !names.includes(part));
  if (unknown !== undefined) {
    throw new UserError(`the example ${name} has no keyspace "${unknown}" to leave out`, { next: `it has: ${names.join(', ')}`, exit: 2 });
  }
  const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
  const keyspaces = file.keyspaces
    .filter((keyspace) => !without.includes(keyspace.name))
    .map(({ schema, rows, ...rest }) => ({
      ...rest,
      ...(schema === undefined ? {} : { schema: read(schema) }),
      ...(rows === undefined ? {} : { rows: read(rows) }),
    }));
  return { cells: file.cells, keyspaces };
}

function summary(spec: ClusterSpec, version: string, place: string): string {
  const lines = spec.keyspaces.map((keyspace) => {
    const shards = keyspace.shards.map((shard) => `${shard.name} (tablets ${shard.tablets.map((tablet) => Number(tablet.alias.split('-').at(-1))).join(', ')})`);
    return `  ${keyspace.name}/${shards.join(', ')}`;
  });
  return `Cluster made in ${place}, behaving like ${version === 'hardened' ? version : `Vitess ${version}`}\n${lines.join('\n')}\n`;
}
