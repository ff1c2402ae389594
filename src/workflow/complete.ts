import { isTopoError, plainError } from '../lib/errors.ts';
import { formatRfc822 } from '../lib/go-time.ts';
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { getRoutingRules, routingMap } from '../topo/rules.ts';
import { rebuildSrvVSchema } from '../topo/vschema.ts';
import { completePart, isPartOfMove, partLines } from './complete-partial.ts';
import { denyTables } from './denied.ts';
import { deleteRules, deleteStreams, forgetTables, removeTables, underLocks } from './ending.ts';
import { dropShardsLine, dropSourceShards, unfinishedShards } from './end-shards.ts';
import type { CompleteResponse } from './responses.ts';
import { frozenProblems, isFullySwitched } from './ending-checks.ts';
import { getWorkflowState, type WorkflowWithState } from './state.ts';
import type { MigrationKind, TrafficSwitcher } from './switcher.ts';

/** What `MoveTables complete` was asked to do. */
export interface CompleteRequest {
  keyspace: string;
  workflow: string;
  keepData: boolean;
  keepRoutingRules: boolean;
  renameTables: boolean;
  dryRun: boolean;
  /** Leave the source keyspace alone, which may be gone. */
  ignoreSource: boolean;
}

/**
 * Ends a workflow whose traffic is all switched: drops the source's tables and every trace of the workflow. There is no
 * way back. Vitess: go/vt/vtctl/workflow/server.go MoveTablesComplete, dropSources.
 */
export async function completeMoveTables(ctx: Context, cluster: Cluster, request: CompleteRequest): Promise<CompleteResponse> {
  const { sw, state } = await readSwitched(ctx, cluster, request);
  if (!isFullySwitched(cluster, state)) {
    throw plainError('cannot complete workflow because you have not yet switched all read and write traffic');
  }
  const named = `${request.keyspace}.${request.workflow}`;
  if (request.dryRun) {
    await validateCompleted(ctx, cluster, sw);
    const lines = await dryRunLines(ctx, cluster, sw, request);
    return {
      summary: `Complete dry run results for workflow ${named} at ${formatRfc822(cluster.world.clock.now())}`,
      dry_run_results: (await isPartOfMove(ctx, cluster, sw)) ? partLines(lines) : lines,
    };
  }
  await underLocks(ctx, cluster, sw, { workflow: 'MoveTablesComplete', keyspaces: 'DropSources', ignoreSource: request.ignoreSource }, (inner) =>
    sw.kind === 'partial' ? completePart(inner, cluster, sw, request) : dropSources(inner, cluster, sw, request),
  );
  return {
    summary: `Successfully completed the ${request.workflow} workflow in the ${request.keyspace} keyspace`,
    dry_run_results: [],
  };
}

/** A Reshard whose source shards are gone already was interrupted: `hardened` completes it without them (F53). */
async function readSwitched(ctx: Context, cluster: Cluster, request: CompleteRequest): Promise<WorkflowWithState> {
  const { keyspace, workflow } = request;
  try {
    return await getWorkflowState(ctx, cluster, keyspace, workflow, request);
  } catch (error) {
    if (cluster.release.vitess || !isTopoError(error, 'NoNode')) throw error;
    const found = await getWorkflowState(ctx, cluster, keyspace, workflow, { ignoreSource: true });
    if (found.sw.kind !== 'shards') throw error;
    return found;
  }
}

async function dropSources(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, request: CompleteRequest): Promise<void> {
  await validateCompleted(ctx, cluster, sw);
  // On `hardened` the reverse streams go first: they would break on the tables they read (K42).
  if (!request.keepData && cluster.release.behaviours.rollbackRestoresAll) await deleteStreams(ctx, cluster, sw.sources, sw.reverseWorkflow);
  if (sw.kind === 'shards') {
    if (!request.keepData) await dropSourceShards(ctx, cluster, sw);
  } else {
    await dropSourceTables(ctx, cluster, sw, request);
  }
  await deleteStreams(ctx, cluster, sw.sources, sw.reverseWorkflow);
  await deleteStreams(ctx, cluster, sw.targets, sw.workflow);
  if (!request.keepRoutingRules && sw.kind !== 'shards') await deleteRules(ctx, cluster, sw);
  await rebuildSrvVSchema(ctx, cluster.topo);
}

async function dropSourceTables(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, request: CompleteRequest): Promise<void> {
  if (!request.keepData) {
    await removeTables(ctx, cluster, sw.sources, sw.tables, request.renameTables ? 'rename' : 'drop');
    if (!request.ignoreSource) await forgetTables(ctx, cluster, sw.sourceKeyspace, sw.tables);
  }
  // Keeping the data keeps the denials too, on a release: for ever (K43).
  if (!request.keepData || cluster.release.behaviours.rollbackRestoresAll) {
    await denyTables(ctx, cluster, sw, 'source', true);
    await denyTables(ctx, cluster, sw, 'target', true);
  }
}

async function validateCompleted(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<void> {
  const problems = await unfinished(ctx, cluster, sw);
  if (problems.length > 0) throw plainError(problems.join('\n'));
}

async function unfinished(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<string[]> {
  if (sw.kind === 'shards') return unfinishedShards(cluster, sw);
  const problems = frozenProblems(sw);
  // That rules lead to the source keyspace is as it should be there: those of its shards lead on.
  if (sw.kind === 'partial') return problems;
  const rules = routingMap(await getRoutingRules(ctx, cluster.topo));
  for (const table of sw.tables) {
    for (const [from, to] of rules) {
      if (to[0] === `${sw.sourceKeyspace}.${table}`) {
        problems.push(`routing still exists from keyspace ${sw.sourceKeyspace} table ${table} to ${from}`);
      }
    }
  }
  return problems;
}

/** What else is deleted with the rules of the tables. */
const RULE_LINES: Readonly<Record<MigrationKind, readonly string[]>> = {
  tables: [],
  partial: ['Shard routing rules for participating shards will be deleted'],
  'multi-tenant': ['Keyspace routing rules will be deleted'],
  shards: [],
};

async function dryRunLines(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, request: CompleteRequest): Promise<string[]> {
  const uidOf = (member: { primary: { alias?: { uid: number } } }): number => member.primary.alias?.uid ?? 0;
  const denied = (keyspace: string, members: readonly (typeof sw.sources)[number][] | typeof sw.targets): string =>
    `Denied tables records on [${sw.tables.join(',')}] will be removed from: [${members
      .map((member) => `keyspace:${keyspace};shard:${member.info.name};tablet:${uidOf(member)}`)
      .join(',')}]`;
  const dropped = sw.sources.flatMap((source) =>
    sw.tables.map(
      (table) =>
        `keyspace:${sw.sourceKeyspace};shard:${source.info.name};dbname:${source.db.dbName};tablet:${uidOf(source)};table:${table}`,
    ),
  );
  const streams = (keyspace: string, members: readonly (typeof sw.sources)[number][] | typeof sw.targets, workflow: string): string =>
    `[${members
      .map(
        (member) =>
          `keyspace:${keyspace};shard:${member.info.name};workflow:${workflow};dbname:${member.db.dbName};tablet:${uidOf(member)}`,
      )
      .join(',')}]`;
  const source = (...lines: string[]): string[] => (request.ignoreSource ? [] : lines);
  return [
    ...source(...(sw.kind === 'shards' ? [] : [`Lock keyspace ${sw.sourceKeyspace}`])),
    `Lock keyspace ${sw.targetKeyspace}`,
    ...(request.keepData
      ? []
      : sw.kind === 'shards'
        ? [await dropShardsLine(ctx, cluster, sw)]
        : [
          ...source(
            `${request.renameTables ? 'Renaming' : 'Dropping'} these tables from the database and removing them from the vschema for keyspace ${sw.sourceKeyspace}: [${dropped.join(',')}]`,
            denied(sw.sourceKeyspace, sw.sources),
          ),
          denied(sw.targetKeyspace, sw.targets),
        ]),
    `Delete reverse vreplication streams on sources: ${streams(sw.sourceKeyspace, sw.sources, sw.reverseWorkflow)}`,
    `Delete vreplication streams on targets: ${streams(sw.targetKeyspace, sw.targets, sw.workflow)}`,
    ...(request.keepRoutingRules ? [] : ['Routing rules for participating tables will be deleted', ...RULE_LINES[sw.kind]]),
    `Unlock keyspace ${sw.targetKeyspace}`,
    ...source(...(sw.kind === 'shards' ? [] : [`Unlock keyspace ${sw.sourceKeyspace}`])),
  ];
}
