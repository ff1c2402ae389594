import { existsSync, statSync } from 'node:fs';
import { loading } from '../../lib/loading.ts';
import { UserError } from '../../lib/errors.ts';
import { findRelease } from '../../lib/releases.ts';
import { type ClusterSpec, createCluster, type MadeCluster } from '../../tablet/bootstrap.ts';
import { generateRows } from '../../tablet/generate-rows.ts';
import { writeCluster } from '../../topo/cluster-record.ts';
import { DEFAULT_IMPLEMENTATION } from '../../topo/conn/implementations.ts';
import { askedImplementation } from '../asked-implementation.ts';
import type { ReadCluster } from '../../report/cluster-file/read.ts';
import { hostOf, withCluster } from '../cluster.ts';
import { isExample, readExample, unknownExample } from '../examples.ts';
import type { DraftHost } from '../host.ts';
import { inputPath } from '../input-path.ts';
import type { Invocation } from '../spec.ts';

/**
 * Makes a cluster from an example or a cluster file, or prints what such a file looks like. An existing one is left
 * alone, unless `--force` replaces it: by a whole one, in one instant, or not at all.
 */
export async function run(inv: Invocation): Promise<number> {
  if (inv.flags.bool('schema') || inv.flags.bool('like')) {
    const { printTemplate } = await loading(import('../cluster-template.ts'));
    return printTemplate(inv);
  }
  const wanted = await readWanted(inv);
  const host = hostOf(inv);
  const force = inv.flags.bool('force');
  if (host.exists() && !force) {
    throw new UserError(`there is a cluster in ${host.place} already`, {
      next: `look at it: switchtraffic show keyspace, or replace it: switchtraffic init ${wanted.name} --force`,
      exit: 2,
    });
  }
  const draft = await host.beside();
  let made: MadeCluster;
  try {
    made = await make(inv, draft, wanted);
    await draft.take(force);
  } catch (error) {
    draft.drop();
    throw error;
  }
  for (const note of shortened(made.notes)) inv.io.stderr.write(`${note}\n`);
  inv.io.stdout.write(summary(wanted, made, host.place));
  return 0;
}

/** What is to be made. */
interface Wanted {
  /** As it was typed. */
  name: string;
  spec: ClusterSpec;
  /** The release by its full name. */
  release: string;
  /** The topology server whose locks it has; undefined on `hardened`, which has its own. */
  implementation: string | undefined;
  /** Rows to fill the example's tables with. */
  rows: number;
}

async function readWanted(inv: Invocation): Promise<Wanted> {
  const [name] = inv.args;
  if (name === undefined) throw unknownExample(undefined);
  const rows = inv.flags.int('rows');
  const { spec, vitess, topo } = isFile(inv, name) ? await readFile(inv, name) : { spec: readExample(name, inv.flags.strings('without')), vitess: undefined, topo: undefined };
  if (rows < 0) throw new UserError(`--rows ${rows} is negative`, { exit: 2 });
  if (rows > 0 && !spec.keyspaces.some((keyspace) => keyspace.name === EXAMPLE_KEYSPACE)) {
    throw new UserError(`--rows fills the tables of keyspace ${EXAMPLE_KEYSPACE}, which is left out`, { exit: 2 });
  }
  const asked = inv.flags.str('vitess-version') || (inv.io.env['SWITCHTRAFFIC_VITESS_VERSION'] ?? '') || vitess || 'hardened';
  const release = findRelease(asked);
  return { name, spec, release: release.name, implementation: askedImplementation(inv, release, topo === undefined ? undefined : { name: topo, source: `topo_implementation ${topo} of ${name}` }), rows };
}

const EXAMPLE_KEYSPACE = 'commerce';

/** An example's name always means the example; `./NAME` is the file of that name. */
function isFile(inv: Invocation, name: string): boolean {
  if (isExample(name)) return false;
  if (name.includes('/') || /\.(?:ya?ml|json)$/i.test(name)) return true;
  if (name === '' || name.includes('\0')) return false;
  const path = inputPath(inv.io, name);
  return existsSync(path) && statSync(path).isFile();
}

async function readFile(inv: Invocation, name: string): Promise<ReadCluster> {
  for (const flag of ['rows', 'without']) {
    if (!inv.flags.given(flag)) continue;
    const next = flag === 'rows' ? 'give the keyspace rows: in the file' : 'take the keyspace out of the file';
    throw new UserError(`--${flag} is for the examples, and ${name} is a file`, { next, exit: 2 });
  }
  const [{ filesBeside, readInput }, { readClusterFile }] = await Promise.all([
    loading(import('../input-files.ts')),
    loading(import('../../report/cluster-file/read.ts')),
  ]);
  return readClusterFile(name, readInput(inputPath(inv.io, name), name), filesBeside(inv.io, name));
}

async function make(inv: Invocation, draft: DraftHost, { name, spec, release, implementation, rows }: Wanted): Promise<MadeCluster> {
  let made: MadeCluster = { keyspaces: [], notes: [] };
  await withCluster({ ...inv, host: draft }, { create: { version: release, implementation }, history: true }, async ({ ctx, cluster }) => {
    made = await createCluster(ctx, cluster, spec);
    if (rows > 0) {
      const added = await generateRows(cluster, cluster.shards.open(EXAMPLE_KEYSPACE, '0'), rows);
      for (const keyspace of made.keyspaces) if (keyspace.name === EXAMPLE_KEYSPACE) keyspace.rows += added;
    }
    await writeCluster(ctx, cluster.topo.conn, {
      vitess_version: release,
      ...(implementation !== undefined && { topo_implementation: implementation }),
      made_from: name,
      made_at: cluster.world.clock.now(),
      ...(draft.shardFolder !== undefined && draft.shardFolder !== 'shards' && { shard_folder: draft.shardFolder }),
    });
    return 0;
  });
  return made;
}

const MOST_NOTES = 100;

/** A note for each table of thousands helps nobody; how many there are is said always. */
function shortened(notes: readonly string[]): string[] {
  const shown = notes.slice(0, MOST_NOTES).map((note) => `note: ${note}`);
  return notes.length > MOST_NOTES ? [...shown, `note: and ${notes.length - MOST_NOTES} more of these`] : shown;
}

function summary({ spec, release, implementation }: Wanted, made: MadeCluster, place: string): string {
  const lines = spec.keyspaces.map((keyspace) => {
    const shards = keyspace.shards.map((shard) => `${shard.name} (tablets ${shard.tablets.map((tablet) => Number(tablet.alias.split('-').at(-1))).join(', ')})`);
    const { tables = 0, rows = 0 } = made.keyspaces.find((one) => one.name === keyspace.name) ?? {};
    const loaded = tables + rows === 0 ? 'empty' : `${count(tables, 'table')}, ${count(rows, 'row')}`;
    return `  ${keyspace.name}/${shards.join(', ')}: ${loaded}`;
  });
  const on = implementation === undefined || implementation === DEFAULT_IMPLEMENTATION ? '' : ` on ${implementation}`;
  return `Cluster made in ${place}, behaving like ${release === 'hardened' ? release : `Vitess ${release}`}${on}\n${lines.join('\n')}\n`;
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
