import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { shardTablets } from '../../topo/tablets.ts';
import { MIRRORED_TYPES } from '../mirror-tables.ts';
import type { MigrationKind, MigrationTarget, TrafficSwitcher } from '../switcher.ts';
import { isPartOfMove } from './checks.ts';
import { type EndRun, walkEnding } from './run.ts';
import type { EndStepName } from './steps.ts';

/**
 * What a complete would do, line by line. The workflow's lock and the checks are real; keyspace locks are not taken. A release also
 * publishes the rules, as if it had changed any. Vitess: go/vt/vtctl/workflow/switcher_dry_run.go.
 */
export async function endingDryRun(run: EndRun): Promise<string[]> {
  const { release } = run.cluster;
  const part = await isPartOfMove(run.ctx, run.cluster, run.found.sw);
  const real = new Set<EndStepName>(['complete/lockWorkflow', 'complete/check', 'complete/validate']);
  if (release.behaviours.completeDryRun === 'publishes') real.add('complete/rebuildSrvVSchema');
  const lines: string[] = [];
  const unlocks: string[] = [];
  await walkEnding(run, async (name, perform) => {
    if (real.has(name)) return perform();
    lines.push(...(await LINES[name]?.(run, part) ?? []));
    const unlock = UNLOCKS[name]?.(run);
    if (unlock !== undefined) unlocks.unshift(unlock);
  });
  return [...lines, ...unlocks];
}

type Line = (run: EndRun, part: boolean) => string[] | Promise<string[]>;
type Member = Pick<MigrationTarget, 'info' | 'primary' | 'db'>;

/** What else is deleted with the rules of the tables. */
const RULE_LINES: Readonly<Record<MigrationKind, readonly string[]>> = {
  tables: [],
  partial: ['Shard routing rules for participating shards will be deleted'],
  'multi-tenant': ['Keyspace routing rules will be deleted'],
  shards: [],
};

/** What the steps of a complete say; the others say nothing. */
const LINES: Partial<Record<EndStepName, Line>> = {
  'complete/lockSource': ({ found: { sw } }) => [`Lock keyspace ${sw.sourceKeyspace}`],
  'complete/lockTarget': ({ found: { sw } }) => [`Lock keyspace ${sw.targetKeyspace}`],
  'complete/removeSourceTables': ({ found: { sw }, renameTables }, part) => {
    const tables = byUid(sw.sources).flatMap((source) =>
      sw.tables.map((table) => `keyspace:${sw.sourceKeyspace};shard:${source.info.name};dbname:${source.db.dbName};tablet:${uidOf(source)};table:${table}`),
    );
    const vschema = part ? '' : ` and removing them from the vschema for keyspace ${sw.sourceKeyspace}`;
    return [`${renameTables ? 'Renaming' : 'Dropping'} these tables from the database${vschema}: ${list(tables)}`];
  },
  'complete/dropSourceDeniedTables': ({ found: { sw } }) => [deniedLine(sw.tables, sw.sourceKeyspace, sw.sources)],
  'complete/dropTargetDeniedTables': ({ found: { sw } }) => [deniedLine(sw.tables, sw.targetKeyspace, sw.targets)],
  'complete/dropSourceShards': async ({ ctx, cluster, found: { sw } }) => [await dropShardsLine(ctx, cluster, sw)],
  'complete/dropSourceReverseVReplicationStreams': ({ found: { sw } }) => [
    `Delete reverse vreplication streams on sources: ${streams(sw.sourceKeyspace, sw.sources, sw.reverseWorkflow)}`,
  ],
  'complete/dropTargetVReplicationStreams': ({ found: { sw } }) => [
    `Delete vreplication streams on targets: ${streams(sw.targetKeyspace, sw.targets, sw.workflow)}`,
  ],
  'complete/mirrorOff': ({ found: { sw, state } }) =>
    state.readsMirrored || state.writesMirrored
      ? [`Mirroring 0.00 percent of traffic from keyspace ${sw.sourceKeyspace} to keyspace ${sw.targetKeyspace} for tablet types ${list(MIRRORED_TYPES)}`]
      : [],
  'complete/deleteRoutingRules': ({ found: { sw } }, part) => (part ? [] : ['Routing rules for participating tables will be deleted', ...RULE_LINES[sw.kind]]),
};

const UNLOCKS: Partial<Record<EndStepName, (run: EndRun) => string>> = {
  'complete/lockSource': ({ found: { sw } }) => `Unlock keyspace ${sw.sourceKeyspace}`,
  'complete/lockTarget': ({ found: { sw } }) => `Unlock keyspace ${sw.targetKeyspace}`,
};

const list = (texts: readonly string[]): string => `[${texts.join(',')}]`;
const uidOf = ({ primary }: Member): number => primary.alias?.uid ?? 0;
const byUid = <M extends Member>(members: readonly M[]): M[] => members.toSorted((a, b) => uidOf(a) - uidOf(b));

function deniedLine(tables: readonly string[], keyspace: string, members: readonly Member[]): string {
  const places = byUid(members).map((member) => `keyspace:${keyspace};shard:${member.info.name};tablet:${uidOf(member)}`);
  return `Denied tables records on ${list(tables)} will be removed from: ${list(places)}`;
}

function streams(keyspace: string, members: readonly Member[], workflow: string): string {
  return list(
    byUid(members).map((member) => `keyspace:${keyspace};shard:${member.info.name};workflow:${workflow};dbname:${member.db.dbName};tablet:${uidOf(member)}`),
  );
}

/** What is said of source shards that are deleted. */
export async function dropShardsLine(ctx: Context, cluster: Cluster, sw: Pick<TrafficSwitcher, 'sources'>): Promise<string> {
  const entries: string[] = [];
  for (const { info, primary } of byUid(sw.sources)) {
    const uids = (await shardTablets(ctx, cluster.topo, info)).map(({ alias }) => String(alias?.uid ?? 0)).toSorted();
    entries.push(`cell:${primary.alias?.cell ?? ''};keyspace:${info.keyspace};shards:[${info.name}]`, uids.join(','));
  }
  return `Delete shards (and all related tablets): ${list(entries)}`;
}
