import { errorText, vtError, wrapError } from '../../lib/errors.ts';
import { callTablet } from '../../tablet/manager.ts';
import { readJournal } from '../../tablet/vreplication/streams.ts';
import { cellNames } from '../../topo/cells.ts';
import { findAllShards } from '../../topo/keyspaces.ts';
import { changeRoutingRules, getRoutingRules, routingMap, type RoutingMap } from '../../topo/rules.ts';
import { allTablets } from '../../topo/tablets.ts';
import { rebuildSrvVSchema } from '../../topo/vschema.ts';
import { forAll } from '../fan-out.ts';
import { mirrorTables } from '../mirror-tables.ts';
import type { TrafficSwitcher } from '../switcher.ts';
import { isForced, type SwitchRun } from './run.ts';

/** The read types to switch: REPLICA alone takes RDONLY along where no such tablet exists. */
export async function readTypes(run: SwitchRun): Promise<string[]> {
  const types = run.request.tabletTypes.filter((type) => type !== 'PRIMARY');
  if (!types.includes('REPLICA') || types.includes('RDONLY')) return types;
  const tablets = await allTablets(run.ctx, run.cluster.topo, run.request.cells);
  return tablets.some((tablet) => tablet.type === 'RDONLY') ? types : [...types, 'RDONLY'];
}

/** Refuses a reversal of reads that were never switched, and a workflow that does not cover its shards. */
export async function validateReads(run: SwitchRun): Promise<void> {
  const { request, startState, direction } = run;
  if (run.path.kind === 'multi-tenant') await refuseSomeCells(run);
  if (direction === 'backward' && run.path.kind !== 'partial') {
    refuseUnlessSwitched(request.tabletTypes.includes('REPLICA'), startState.replicaSwitched, 'REPLICA');
    refuseUnlessSwitched(request.tabletTypes.includes('RDONLY'), startState.rdonlySwitched, 'RDONLY');
  }
  try {
    await checkJournals(run);
  } catch (error) {
    const problem = wrapError(error, `failed to read journal in the ${run.sw.sourceKeyspace} keyspace`);
    if (!isForced(run)) throw problem;
    run.cluster.world.events.emit({ kind: 'warning', text: errorText(problem) });
  }
  try {
    await validateShards(run);
  } catch (error) {
    throw wrapError(error, 'workflow validation failed');
  }
}

/** Keyspace routing rules have no cells. */
async function refuseSomeCells({ cluster, request, ctx }: SwitchRun): Promise<void> {
  if (request.cells.length === 0) return;
  const [all, asked] = [await cellNames(ctx, cluster.topo), request.cells.toSorted()];
  const counted = cluster.release.behaviours.tenantReadCells === 'as many';
  if (counted ? asked.length === all.length : asked.join() === all.toSorted().join()) return;
  const text = counted
    ? 'requesting read traffic for multi-tenant migrations must include all cells'
    : `requesting switch of read traffic for multi-tenant migrations must include all cells; all cells: ${all.toSorted().join(',')}, requested cells: ${asked.join(',')}`;
  throw wrapError(vtError('INVALID_ARGUMENT', text), 'invalid request');
}

function refuseUnlessSwitched(asked: boolean, cells: readonly string[], type: string): void {
  if (!asked || cells.length > 0) return;
  throw wrapError(
    vtError('FAILED_PRECONDITION', `requesting reversal of read traffic for ${type}s but ${type} reads have not been switched`),
    'invalid request',
  );
}

/** True if any source has the journal of an earlier attempt; asks their primaries. */
export async function checkJournals(run: SwitchRun): Promise<boolean> {
  const { cluster, sw, ctx } = run;
  let found = false;
  await forAll(sw.sources, async ({ db, primary }) => {
    found = (await callTablet(ctx, cluster, primary, 'VReplicationExec', () => readJournal(db, sw.id) !== undefined)) || found;
  });
  return found;
}

/** The same for who must know, whether the primaries answer or not: what a source has written stays written. */
export function isJournaledBySources({ sw }: SwitchRun): boolean {
  return sw.sources.some((source) => readJournal(source.db, sw.id) !== undefined);
}

/** Throws unless the workflow's shards are all shards of both keyspaces, where they have to be. Vitess: trafficSwitcher.validate. */
export async function validateShards(run: Pick<SwitchRun, 'ctx' | 'cluster' | 'sw'>): Promise<void> {
  const { sw } = run;
  if (sw.kind === 'shards' || sw.kind === 'partial') return;
  if (sw.kind === 'multi-tenant' && (sw.options.shards ?? []).length > 0) return;
  await compareShards(run, sw.sourceKeyspace, sw.sources.map((source) => source.info.name));
  await compareShards(run, sw.targetKeyspace, sw.targets.map((target) => target.info.name));
  const wild = sw.tables.find((table) => table.startsWith('/'));
  if (wild !== undefined) throw vtError('INVALID_ARGUMENT', `cannot migrate streams with wild card table names: ${wild}`);
}

async function compareShards(run: Pick<SwitchRun, 'ctx' | 'cluster'>, keyspace: string, named: readonly string[]): Promise<void> {
  const there = (await findAllShards(run.ctx, run.cluster.topo, keyspace)).map((shard) => shard.name);
  const missing = there.filter((name) => !named.includes(name));
  const extra = named.filter((name) => !there.includes(name));
  if (missing.length === 0 && extra.length === 0) return;
  const parts = [
    ...(extra.length > 0 ? [`switch command shards not in topo: [${extra.join(' ')}]`] : []),
    ...(missing.length > 0 ? [`topo shards not in switch command: [${missing.join(' ')}]`] : []),
  ];
  throw vtError('INVALID_ARGUMENT', `mismatched shards for keyspace ${keyspace}: ${parts.join('; ')}`);
}

/** Where the rules of a read type point after the switch (or the reversal). */
export function switchReadRules(rules: RoutingMap, sw: TrafficSwitcher, types: readonly string[], backward: boolean): void {
  const to = backward ? sw.sourceKeyspace : sw.targetKeyspace;
  for (const table of sw.tables) {
    for (const type of types) {
      const suffix = `@${type.toLowerCase()}`;
      for (const from of [table, `${sw.targetKeyspace}.${table}`, `${sw.sourceKeyspace}.${table}`]) {
        rules.set(`${from}${suffix}`, [`${to}.${table}`]);
      }
    }
  }
}

/** Points the reads at the other side. The cells see it when the serving vschema is rebuilt. */
export async function switchTableReads(run: SwitchRun): Promise<void> {
  const { sw, cluster, direction } = run;
  const types = await readTypes(run);
  await changeRoutingRules(run.ctx, cluster.topo, [sw.sourceKeyspace, sw.targetKeyspace], (rules) =>
    switchReadRules(rules, sw, types, direction === 'backward'),
  );
}

/** True if the rules of the reads stand where this switch wants them. */
export async function areReadsSwitched(run: SwitchRun): Promise<boolean> {
  const now = routingMap(await getRoutingRules(run.ctx, run.cluster.topo));
  const wanted: RoutingMap = new Map();
  switchReadRules(wanted, run.sw, await readTypes(run), run.direction === 'backward');
  return [...wanted].every(([from, to]) => now.get(from)?.[0] === to[0]);
}

export function rebuildAfterReads(run: SwitchRun): Promise<void> {
  return rebuildSrvVSchema(run.ctx, run.cluster.topo, run.request.cells);
}

/** Removes the workflow's mirror rules for these types, and republishes the rules. */
export function removeMirrorRules(run: SwitchRun, types: readonly string[]): Promise<void> {
  return mirrorTables(run.ctx, run.cluster, run.sw, types, 0, { force: isForced(run) });
}
