import { buildTrafficSwitcher } from '../../../../src/workflow/switcher.ts';
import type { VSchemaKeyspace } from '../../../../src/topo/proto/types.ts';
import { addTenantFilter, tenantPredicate } from '../../../../src/workflow/tenant.ts';
import { outcome, outcomeOf, readError, readResults, same } from '../../compare.ts';
import { type Adapter, type Case, type Check, Fields, isMap, Mismatch, shown, Skipped, texts } from '../../fields.ts';
import { readScene } from '../../scene.ts';
import { changeKeyspaceRoutingRules } from '../../../../src/topo/rules.ts';
import { movingWorld } from '../../world.ts';
import { topoWorld } from '../../topo-world.ts';
import { prepared, WORKFLOW_DEFAULTS } from './adapters.ts';
import { answerJson } from './expect-answer.ts';
import { readGiven } from './given.ts';
import { textMap } from './given-records.ts';

const NO_ERROR = readError(new Fields({ error: null }, 'then'))!;

/** Whether a workflow between these shards is one of some shards alone. */
function readIsPartial({ when, then }: Case): Check {
  const inputs = when.maps('inputs').map((input) => ({ source: input.strings('source'), target: input.strings('target') }));
  const check = readResults(then, 'results', inputs.length);
  return async () => {
    const results = [];
    for (const { source, target } of inputs) {
      const part = source.length === 1 && source.join() === target.join() && source[0] !== '-' && source[0] !== '0';
      const fields = part ? { source_keyspace: 'sourceks', target_keyspace: 'targetks', source_shards: source } : { source_keyspace: `sourceks (${source.join(',')})`, target_keyspace: `targetks (${target.join(',')})` };
      const scene = readScene(new Fields(fields, 'given'));
      const world = await movingWorld(scene);
      const { ctx, cluster } = world.engine();
      results.push(await outcomeOf(async () => (await buildTrafficSwitcher(ctx, cluster, 'targetks', scene.workflow.name)).kind === 'partial'));
    }
    check(results);
  };
}

/** Whether a workflow is found when only some shards are looked at. */
function readLookUp({ given, when, then }: Case): Check {
  const all = given.strings('all_shards');
  const on = given.strings('workflow_on');
  const inputs = when.list('inputs').map((shards, index) => texts(shards, `when.inputs[${index}]`));
  const expected = then.list('found');
  if (expected.length !== inputs.length) throw new Skipped('then.found has not one entry for each input');
  return async () => {
    const scene = readScene(new Fields({ source_keyspace: `sourceks (${all.join(',')})`, target_keyspace: `targetks (${all.join(',')})`, source_shards: on }, 'given'));
    const world = await movingWorld(scene);
    const got: boolean[] = [];
    for (const shards of inputs) {
      const answer = await world.run('Workflow', '--keyspace', 'targetks', 'show', '--workflow', scene.workflow.name, `--shards=${shards.join(',')}`);
      NO_ERROR(answer.failure);
      const workflows = answerJson(answer)?.['workflows'];
      got.push(Array.isArray(workflows) && workflows.length > 0);
    }
    same(expected, got, 'found');
  };
}

/** `query TABLE by COLUMN through vtgate`: where each query goes, named by the error of one that cannot be run. */
function readQueries({ op, given: fields, when, then }: Case): Check {
  const [, table, column] = /^query (\w+) by (\w+) through vtgate$/.exec(op) ?? [];
  if (table === undefined || column === undefined) throw new Skipped(`not a query: ${shown(op)}`);
  // The migration is of the last shard that the source's text names.
  const last = /\(([^)]*)\)$/.exec(String(fields.peek('source_keyspace')))?.[1]?.split(',').at(-1);
  const given = readGiven(fields, { ...WORKFLOW_DEFAULTS, tables: [table], movedShards: [last ?? '80-'] });
  const inputs = when.maps('inputs').map((input) => ({ use: input.str('use'), value: input.int(column) }));
  const expected = then.strings('target');
  if (expected.length !== inputs.length) throw new Skipped('then.target has not one entry for each input');
  return async () => {
    const stage = await prepared(given);
    const got: string[] = [];
    for (const { use, value } of inputs) {
      const { failure } = await stage.world.run('query', '--target', use, `select nowhere from ${table} where ${column} = ${value}`);
      const target = /target: (\S+?): /.exec(failure?.message ?? '')?.[1];
      if (target === undefined) throw new Mismatch(`${use}: no target is named: ${shown(failure?.message)}`);
      got.push(target);
    }
    same(expected, got, 'target');
  };
}

/** Keyspace routing rules that are set, also where there were none. */
function readUpdateRules({ given, when, then }: Case): Check {
  const before = given.has('keyspace_routing_rules') ? given.raw('keyspace_routing_rules') : 'node absent';
  const routes = Object.entries(textMap(when.raw('routes'), 'when.routes'));
  const old = isMap(before) ? Object.entries(textMap(before, 'given.keyspace_routing_rules')) : [];
  if (!isMap(before) && before !== 'node absent') throw new Skipped(`given.keyspace_routing_rules is not known: ${shown(before)}`);
  const expected = then.raw('keyspace_routing_rules');
  return async () => {
    const world = await topoWorld(['zone1']);
    const { ctx, cluster } = world.engine();
    const set = (entries: [string, string][]): Promise<void> =>
      changeKeyspaceRoutingRules(ctx, cluster.topo, [], 'a case', (rules) => {
        for (const [from, to] of entries) rules.set(from, to);
      });
    if (old.length > 0) await set(old);
    await set(routes);
    same(expected, await world.keyspaceRoutingRules(), 'keyspace_routing_rules');
  };
}

/** The shard routing rules of a new migration shard by shard, of every shard of the source. */
function readDefaultRules({ given, when, then }: Case): Check {
  const [source, target] = [when.str('source_keyspace'), when.str('target_keyspace')];
  const [from, to] = [given.strings(source), given.strings(target)];
  const expected = then.raw('shard_routing_rules');
  return async () => {
    const scene = readScene(new Fields({ source_keyspace: `${source} (${from.join(',')})`, target_keyspace: `${target} (${to.join(',')})` }, 'given'));
    scene.workflow.sourceShards = from.slice(0, 1);
    const world = await movingWorld(scene);
    same(expected, await world.shardRoutingRules(), 'shard_routing_rules');
  };
}

/** A filter with the condition of a tenant before its own. */
function readTenantFilter({ given, when, then }: Case): Check {
  const id = given.str('tenant_id');
  const [, column, type] = /^(\w+) (INT64|VARCHAR)$/.exec(given.str('tenant_id_column')) ?? [];
  if (column === undefined || type === undefined) throw new Skipped(`given.tenant_id_column is not known: ${given.str('tenant_id_column')}`);
  const query = when.str('query');
  const error = readError(then) ?? NO_ERROR;
  const expected = then.has('query') ? then.str('query') : undefined;
  return () => {
    const vschema = { multi_tenant_spec: { tenant_id_column_name: column, tenant_id_column_type: type } } as VSchemaKeyspace;
    const { value, failure } = outcome(() => addTenantFilter(query, tenantPredicate(id, vschema, false)));
    error(failure);
    if (expected !== undefined) same(expected, value, 'query');
  };
}

export const partialAdapters: readonly Adapter[] = [
  { area: 'shard_names_keyranges', op: 'is partial (shard by shard) migration', read: readIsPartial },
  { area: 'partial_migration', op: 'look up workflow with --shards', read: readLookUp },
  { area: 'partial_migration', op: /^query \w+ by \w+ through vtgate$/, read: readQueries },
  { area: 'partial_migration', op: 'create default shard routing rules', read: readDefaultRules },
  { area: 'multi_tenant', op: 'add tenant filter', read: readTenantFilter },
  { area: 'multi_tenant', op: 'update keyspace routing rules', read: readUpdateRules },
];
