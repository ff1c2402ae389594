import { errorText, nextOf, VtError } from '../lib/errors.ts';
import { suggest } from '../lib/suggest.ts';
import { background } from '../runtime/context.ts';
import { type Cluster, observing } from '../tablet/cluster.ts';
import { isStopped } from '../tablet/process.ts';
import { knownCells, stoppedCells } from '../topo/cells.ts';
import { findAllShards, keyspaceNames } from '../topo/keyspaces.ts';
import { aliasText, allTablets } from '../topo/tablets.ts';
import { getWorkflows } from '../workflow/status.ts';
import { readWorkflow } from '../workflow/vdiff/members.ts';
import { listVDiffs } from '../workflow/vdiff/show.ts';

/** A wrong name that an error speaks of, and what there is of its kind. */
interface Mistyped {
  name: string;
  /** What the names are, in plural: `keyspaces`. */
  kind: string;
  there: readonly string[];
  /** What else may have been meant. */
  orElse?: string;
}

/** What Vitess says of a name that is not there, and how to find the names that are. */
interface Rule {
  text: RegExp;
  read(cluster: Cluster, words: readonly string[], keyspace: string): Promise<Mistyped | undefined>;
}

/** More names than this tell nobody anything. */
const MOST = 12;

/**
 * The line that helps with a name which does not exist; Vitess's own text often shows a path of the topology and no more.
 * Undefined where the error is about something else.
 *
 * @param keyspace the keyspace the command is about, for texts that leave it out; `''` when there is none
 */
export async function hintFor(error: unknown, asked: Cluster, keyspace: string): Promise<string | undefined> {
  const cluster = observing(asked);
  if (!(error instanceof VtError)) return undefined;
  const next = nextOf(error);
  if (next !== undefined) return `next: ${next}`;
  const text = errorText(error);
  if (LOCKED.test(text)) return 'next: see who holds it: switchtraffic lock show';
  const down = (await startLine(cluster, text)) ?? (await primaryLine(cluster, text, keyspace));
  if (down !== undefined) return down;
  for (const rule of RULES) {
    const match = rule.text.exec(text);
    const wrong = match === null ? undefined : await rule.read(cluster, match.slice(1), keyspace);
    if (wrong !== undefined) return hintLine(wrong);
  }
  return undefined;
}

/** What starts the cell or the tablet that did not answer, where it is stopped. */
async function startLine(cluster: Cluster, text: string): Promise<string | undefined> {
  const { topo, shards } = cluster;
  const cell = /deadline exceeded: \/vitess\/([^/]+)\//.exec(text)?.[1];
  if (cell !== undefined && (await stoppedCells(background(), topo)).includes(cell)) return `next: start it: switchtraffic cell start ${cell}`;
  const port = /dial tcp \S+:(\d+): connect: connection refused/.exec(text)?.[1];
  if (port === undefined) return undefined;
  const tablets = await allTablets(background(), topo);
  const tablet = tablets.find(({ port_map: ports }) => String(ports?.['grpc']) === port);
  const alias = aliasText(tablet?.alias);
  if (tablet === undefined || !isStopped(shards.open(tablet.keyspace, tablet.shard), alias)) return undefined;
  return `next: start it: switchtraffic tablet start ${alias}`;
}

/** What gives a new shard the primary that a Reshard misses, under an alias that is free. */
async function primaryLine({ topo }: Cluster, text: string, keyspace: string): Promise<string | undefined> {
  const shard = /target shard (\S+) has no primary tablet/.exec(text)?.[1];
  const known = shard === undefined ? [] : (await allTablets(background(), topo)).flatMap(({ alias }) => (alias === undefined ? [] : [alias]));
  const cell = known[0]?.cell;
  if (shard === undefined || cell === undefined) return undefined;
  const uid = Math.max(...known.map((alias) => alias.uid ?? 0)) + 1;
  return `next: give it one: switchtraffic tablet add ${aliasText({ cell, uid })} --keyspace ${keyspace} --shard ${shard} --type primary`;
}

function hintLine({ name, kind, there, orElse }: Mistyped): string {
  // Numbers that are one digit apart have nothing to do with each other.
  const near = kind === 'tablets' || kind.startsWith('VDiffs') ? undefined : suggest(name, there);
  const question = near === undefined ? '' : `did you mean "${near}"? `;
  const more = there.length > MOST ? ', …' : '';
  return `next: ${question}${kind}: ${there.slice(0, MOST).join(', ') || 'none'}${more}${orElse === undefined ? '' : `; ${orElse}`}`;
}

/** A wait for a lock that ran out. */
const LOCKED = /deadline exceeded: .*\/locks\/?$/;

const RULES: readonly Rule[] = [
  { text: /^buildResharder: GetShard\((\S+)\) failed: node doesn't exist: .*\/keyspaces\/([^/]*)\//, read: newShard },
  { text: /node doesn't exist: .*\/keyspaces\/([^/]*?)(?:\/shards\/([^/]+)\/(?:Shard)?|\/.*)?$/, read: topologyPath },
  { text: /node doesn't exist: .*\/cells\/(.*?)\/?CellInfo$/, read: (cluster, [cell = '']) => cells(cluster, cell) },
  { text: /node doesn't exist: .*\/tablets\/([^/]+)\/Tablet$/, read: (cluster, [alias = '']) => tablets(cluster, alias) },
  { text: /unknown database '(.*)' in vschema/, read: (cluster, [name = '']) => keyspaces(cluster, name) },
  { text: /shard (\S+) not found in keyspace (\S+)/, read: (cluster, [shard = '', keyspace = '']) => shards(cluster, keyspace, shard) },
  { text: /no healthy tablet available for 'keyspace:"([^"]*)" shard:"([^"]*)"/, read: (cluster, [keyspace = '', shard = '']) => shards(cluster, keyspace, shard) },
  { text: /no streams found in keyspace (\S+) for (.*)$/, read: (cluster, [keyspace = '', name = '']) => workflows(cluster, keyspace, name) },
  { text: /the (.+) workflow does not exist in the (\S+) keyspace/, read: (cluster, [name = '', keyspace = '']) => workflows(cluster, keyspace, name) },
  {
    text: /no vdiff found for UUID (\S+) keyspace (\S+) and workflow (.+) on tablet/,
    read: (cluster, [uuid = '', keyspace = '', name = '']) => vdiffs(cluster, keyspace, name, uuid),
  },
  { text: /^workflow (.+) not found/, read: (cluster, [name = ''], keyspace) => workflows(cluster, keyspace, name) },
  { text: /not found in source keyspace (\S+): ([^,]+)/, read: (cluster, [keyspace = '', table = '']) => tables(cluster, [keyspace], table) },
  { text: /^table (\S+) not found$/, read: async (cluster, [table = '']) => tables(cluster, await keyspaceNames(background(), cluster.topo), table) },
  { text: /No partition found for tabletType (unknown)/, read: async () => ({ name: '', kind: 'tablet types', there: ['primary', 'replica', 'rdonly'] }) },
];

/** A record that is missing: of a keyspace that is not there, or of a shard of one that is. */
async function topologyPath(cluster: Cluster, [keyspace = '', shard]: readonly string[]): Promise<Mistyped | undefined> {
  const wrong = await keyspaces(cluster, keyspace);
  if (wrong !== undefined) return wrong;
  return shard === undefined ? undefined : shards(cluster, keyspace, shard);
}

async function keyspaces({ topo }: Cluster, name: string): Promise<Mistyped | undefined> {
  return missing({ name, kind: 'keyspaces', there: await keyspaceNames(background(), topo) });
}

async function cells({ topo }: Cluster, name: string): Promise<Mistyped | undefined> {
  return missing({ name, kind: 'cells', there: await knownCells(background(), topo) });
}

async function tablets({ topo }: Cluster, name: string): Promise<Mistyped | undefined> {
  const all = await allTablets(background(), topo);
  return missing({ name, kind: 'tablets', there: all.map((tablet) => aliasText(tablet.alias)) });
}

/** A shard that a Reshard names: most often one of the new ones, that nobody has made. */
async function newShard(cluster: Cluster, [shard = '', keyspace = '']: readonly string[]): Promise<Mistyped | undefined> {
  const wrong = await shards(cluster, keyspace, shard);
  return wrong === undefined ? undefined : { ...wrong, orElse: `make it: switchtraffic CreateShard ${keyspace}/${shard}` };
}

async function shards({ topo }: Cluster, keyspace: string, name: string): Promise<Mistyped | undefined> {
  const all = await findAllShards(background(), topo, keyspace);
  return missing({ name, kind: `shards of ${keyspace}`, there: all.map((shard) => shard.name) });
}

async function workflows(cluster: Cluster, keyspace: string, name: string): Promise<Mistyped | undefined> {
  if (keyspace === '') return undefined;
  const all = await getWorkflows(background(), cluster, { keyspace, includeLogs: false });
  return missing({ name, kind: `workflows of ${keyspace}`, there: all.map((workflow) => workflow.name ?? '') });
}

async function vdiffs(cluster: Cluster, keyspace: string, workflow: string, uuid: string): Promise<Mistyped | undefined> {
  const sw = await readWorkflow(background(), cluster, { keyspace, workflow });
  const all = [...(await listVDiffs(background(), cluster, sw)).values()].flat();
  return missing({ name: uuid, kind: `VDiffs of ${keyspace}.${workflow}`, there: [...new Set(all.map((vdiff) => vdiff.vdiff_uuid))] });
}

async function tables(cluster: Cluster, wanted: readonly string[], name: string): Promise<Mistyped | undefined> {
  const all = await Promise.all(wanted.map((keyspace) => findAllShards(background(), cluster.topo, keyspace)));
  const names = all.flat().flatMap((shard) => cluster.shards.open(shard.keyspace, shard.name).tableNames());
  const kind = wanted.length === 1 ? `tables of ${wanted[0]}` : 'tables';
  return missing({ name, kind, there: [...new Set(names)].toSorted() });
}

/** Nothing to say when the name is there: then the error is about something else. */
function missing(wrong: Mistyped): Mistyped | undefined {
  return wrong.there.includes(wrong.name) ? undefined : wrong;
}
