import { validateShardName } from '../../src/lib/names.ts';
import { type Fields, isMap, shown, Skipped, texts } from './fields.ts';

/** A keyspace of a case. */
export interface SceneKeyspace {
  name: string;
  shards: string[];
  /** Of each shard's primary. */
  uids: number[];
  /** Shards that do not serve: a Reshard's targets. */
  idle?: string[];
  /** Shards that have no tablet. */
  bare?: string[];
  /** Where its primaries are; the first cell unless said. */
  cell?: string;
}

/** The workflow of a case. */
export interface SceneWorkflow {
  name: string;
  type: 'MoveTables' | 'Reshard';
  source: string;
  target: string;
  tables: string[];
  /** Of a Reshard, or of a migration of some shards: those that are left. Undefined: all. */
  sourceShards?: string[];
  targetShards?: string[];
}

/** Cells, keyspaces and the workflow that a case is about. */
export interface Scene {
  cells: string[];
  keyspaces: SceneKeyspace[];
  workflow: SceneWorkflow;
  /** The workflow that \`when\` names, where it is another of the case. */
  asked?: SceneWorkflow;
  /** The column that tables are sharded by, and the vindex. */
  column: string;
  vindex: string;
  /** Of the target, where it has another. */
  targetVindex?: { column: string; vindex: string };
  /** Whether every shard has a replica and an rdonly in every cell besides its primary. */
  replicas: boolean;
  /** Fields of a keyspace's VSchema that are added to what the scene makes. */
  vschema?: Record<string, object>;
  /** Whether an unsharded source has an empty VSchema. */
  bareSource?: true;
  /** The table, where a case writes it itself. It stays empty. */
  ddl?: string;
  /** The tenant that is moved; tables have a column for it. */
  tenant?: { id: string; column: string; type: string };
  /** What the target's VSchema says of the tables' sequence. */
  autoIncrement?: { column: string; sequence: string };
}

/** What a scene is where a case says nothing. */
export interface SceneDefaults {
  source?: { name: string; shards: string[] };
  target?: { name: string; shards: string[] };
  workflow?: string;
  tables?: string[];
  cells?: string[];
  /** The case is about the shards of one keyspace, whatever it says. */
  reshard?: true;
  /** The case is about a migration of these shards alone. */
  movedShards?: string[];
}

/** `ks1 -40,40- (sharded, hash(c1) on t1 and t2)`, `source (-)`, `customer (-80,80-)`, `source-ks (unsharded)`, `ks`. */
function readKeyspaceText(text: string): { name: string; shards?: string[]; column?: string; vindex?: string } {
  const [, name = '', rest = ''] = /^([\w-]*\w)(?: (.*))?$/.exec(text) ?? [];
  if (name === '') throw new Skipped(`not a keyspace: ${shown(text)}`);
  if (rest === '') return { name };
  if (rest === '(unsharded)') return { name, shards: ['0'] };
  const [, inBrackets, bare, more] = /^(?:\(([^()\s]+)\)|(\S+))(?: (\(.*\)))?$/.exec(rest) ?? [];
  const shards = (inBrackets ?? bare ?? '').split(',');
  if (shards.some((shard) => !isShard(shard))) throw new Skipped(`not a keyspace with shards: ${shown(text)}`);
  if (more === undefined) return { name, shards };
  const [, vindex, column] = /^\(sharded, (\w+)\((\w+)\) on [\w ,]+\)$/.exec(more) ?? [];
  if (vindex === undefined || column === undefined) throw new Skipped(`not a keyspace with shards: ${shown(text)}`);
  return { name, shards, column, vindex };
}

export function isShard(text: string): boolean {
  if (text === '0') return true;
  if (!text.includes('-')) return false;
  try {
    validateShardName(text);
    return true;
  } catch {
    return false;
  }
}

/** `targetks.wf1`, also with `MoveTables or Reshard` before it. */
export function readWorkflowText(text: string): { keyspace: string; name: string } | undefined {
  const [, keyspace, name] = /^(?:MoveTables |MoveTables or Reshard )?([\w-]+)\.([\w-]+)$/.exec(text) ?? [];
  return keyspace === undefined || name === undefined ? undefined : { keyspace, name };
}

/** Fields of `given` that `readScene` reads; adapters read the others. */
export function readScene(given: Fields, defaults: SceneDefaults = {}): Scene {
  if (defaults.reshard === true || isReshard(given)) return readReshardScene(given, defaults);
  const cells = readCells(given, defaults);
  const named = given.has('keyspaces') && isMap(given.raw('keyspaces')) ? readKeyspaces(given.map('keyspaces')) : [];
  const full = readWorkflow(given);
  const some = readMovedShards(given, defaults);
  const own = full?.type === 'Reshard' || named.length > 0 ? {} : readSides(given);
  const [first, second] = named;
  const source = full?.source ?? own.source?.name ?? first?.name ?? defaults.source?.name ?? 'sourceks';
  const target = full?.target ?? own.target?.name ?? second?.name ?? own.workflow?.keyspace ?? defaults.target?.name ?? 'targetks';
  const keyspaces: SceneKeyspace[] = [...named];
  const add = (name: string, shards: string[]): void => {
    if (keyspaces.some((keyspace) => keyspace.name === name)) return;
    keyspaces.push({ name, shards, uids: [] });
  };
  // Of a migration shard by shard both sides have all the shards that its own is one of.
  const both = some === undefined ? undefined : (own.source?.whole ?? [...some, ...besides(some)].toSorted((a, b) => (validateShardName(a).keyRange!.start < validateShardName(b).keyRange!.start ? -1 : 1)));
  add(source, both ?? own.source?.shards ?? defaults.source?.shards ?? ['0']);
  add(target, both ?? own.target?.shards ?? defaults.target?.shards ?? ['0']);
  keyspaces.forEach((keyspace, index) => {
    if (keyspace.uids.length === 0) keyspace.uids = keyspace.shards.map((_, shard) => (index + 1) * 100 + shard * 10);
  });
  return {
    cells,
    keyspaces,
    workflow: {
      name: full?.name ?? own.workflow?.name ?? defaults.workflow ?? 'wf1',
      type: full?.type ?? 'MoveTables',
      source,
      target,
      tables: full?.tables ?? own.tables ?? defaults.tables ?? ['t1'],
      ...((full?.sourceShards ?? some) !== undefined && { sourceShards: full?.sourceShards ?? some! }),
      ...(some !== undefined && { targetShards: some }),
      ...(full?.targetShards !== undefined && { targetShards: full.targetShards }),
    },
    ...readTenant(given),
    column: own.source?.column ?? own.target?.column ?? 'id',
    vindex: own.source?.vindex ?? own.target?.vindex ?? 'hash',
    // Where a case names two sharded keyspaces in short, each has vindexes of its own: rows may go from any shard to any.
    ...(given.has('source') && own.target?.vindex === undefined && { targetVindex: { column: 'id', vindex: own.source?.vindex === 'xxhash' ? 'hash' : 'xxhash' } }),
    replicas: false,
  };
}

/** Whether a case is about the shards of one keyspace. */
export function isReshard(given: Fields): boolean {
  const workflow = given.peek('workflow');
  if (isMap(workflow) && workflow['type'] === 'Reshard') return true;
  if (typeof workflow === 'string' && / \(Reshard /.test(workflow)) return true;
  if (['source_keyspace', 'target_keyspace', 'source', 'target'].some((name) => given.has(name))) return false;
  return (given.has('source_shards') && given.has('target_shards')) || (given.has('serving') && given.has('not_serving'));
}

/** The shards that are left of a keyspace beside some that stand together. */
function besides(shards: readonly string[]): string[] {
  const bounds = shards.map((shard) => validateShardName(shard).keyRange ?? { start: '', end: '' });
  const start = bounds.map((range) => range.start).toSorted()[0] ?? '';
  const ends = bounds.map((range) => range.end);
  const end = ends.includes('') ? '' : (ends.toSorted().at(-1) ?? '');
  return [...(start === '' ? [] : [`-${start}`]), ...(end === '' ? [] : [`${end}-`])];
}

/** A keyspace with the shards of a Reshard: those that serve, 100, 110, ..., and those that do not yet, 200, 210, ... */
function readReshardScene(given: Fields, defaults: SceneDefaults): Scene {
  const cells = readCells(given, { cells: defaults.cells ?? ['cell'] });
  const workflow = given.peek('workflow');
  let [name, keyspace, sources, targets] = [defaults.workflow ?? 'wf1', given.str('keyspace', 'ks'), ['0'], ['-80', '80-']];
  let tables = ['t1'];
  if (typeof workflow === 'string') {
    const [, ks, wf, from, to] = /^([\w-]+)\.([\w-]+) \(Reshard (\S+) to (\S+)\)$/.exec(given.str('workflow')) ?? [];
    if (ks === undefined || wf === undefined || from === undefined || to === undefined) throw new Skipped(`not a Reshard: ${workflow}`);
    [keyspace, name, sources, targets] = [ks, wf, from.split(','), to.split(',')];
  } else if (isMap(workflow)) {
    const one = given.map('workflow');
    one.str('type');
    name = one.str('name');
    keyspace = one.str('target_keyspace', one.str('keyspace', keyspace));
    if (one.str('source_keyspace', keyspace) !== keyspace) throw new Skipped('a Reshard has one keyspace');
    sources = one.strings('source_shards', sources);
    targets = one.strings('target_shards', targets);
    // Its streams are of every table.
    if (one.strings('tables', ['/.*']).join() !== '/.*') throw new Skipped('a Reshard is of every table');
  }
  sources = given.strings('source_shards', given.strings('serving', sources));
  // Two shards become four where a case does not say what becomes of them.
  if (sources.join() === '-80,80-' && !isMap(workflow) && typeof workflow !== 'string') targets = ['-40', '40-80', '80-c0', 'c0-'];
  targets = given.strings('target_shards', given.strings('not_serving', targets));
  if (given.has('tables')) tables = given.strings('tables');
  const others = besides(sources);
  const shards = [...sources, ...others, ...targets];
  let uids = [...sources, ...others].map((_, index) => 100 + index * 10).concat(targets.map((_, index) => 200 + index * 10));
  if (given.has('keyspaces')) {
    const [own, ...more] = readKeyspaces(given.map('keyspaces'));
    if (own === undefined || more.length > 0 || own.name !== keyspace) throw new Skipped('a Reshard has one keyspace');
    const uidOf = new Map(own.shards.map((shard, index) => [shard, own.uids[index]]));
    if (own.shards.some((shard) => !shards.includes(shard))) throw new Skipped('given.keyspaces has a shard of neither side');
    uids = shards.map((shard, index) => uidOf.get(shard) ?? uids[index]!);
  }
  return {
    cells,
    keyspaces: [{ name: keyspace, shards, uids, idle: targets }],
    workflow: { name, type: 'Reshard', source: keyspace, target: keyspace, tables, sourceShards: sources, targetShards: targets },
    column: 'id',
    vindex: 'hash',
    replicas: false,
  };
}

/** `tenant_id`, and the spec in a field of its own or as `multi_tenant_spec(tenant_id INT64)`. */
function readTenant(given: Fields): { tenant?: { id: string; column: string; type: string } } {
  if (!given.has('tenant_id')) return {};
  const id = given.str('tenant_id');
  if (given.has('multi_tenant_spec')) {
    const spec = given.map('multi_tenant_spec');
    return { tenant: { id, column: spec.str('tenant_id_column_name'), type: spec.str('tenant_id_column_type') } };
  }
  if (!given.has('target_vschema')) return { tenant: { id, column: 'tenant_id', type: /^\d+$/.test(id) ? 'INT64' : 'VARCHAR' } };
  const [, column, type] = /^multi_tenant_spec\((\w+) (\w+)\)$/.exec(given.str('target_vschema')) ?? [];
  if (column === undefined || type === undefined) throw new Skipped(`given.target_vschema is not known: ${given.str('target_vschema')}`);
  return { tenant: { id, column, type } };
}

/** The shards that a partial migration moves: those of the source that a case names, and none of the target. */
function readMovedShards(given: Fields, defaults: SceneDefaults): string[] | undefined {
  if (given.has('source_shards') && !given.has('target_shards') && given.has('source_keyspace')) return given.strings('source_shards');
  return defaults.movedShards;
}

function readCells(given: Fields, defaults: SceneDefaults): string[] {
  if (given.has('cells')) return given.strings('cells');
  if (given.has('all_cells')) return given.strings('all_cells');
  if (given.has('cell')) return [given.str('cell')];
  return defaults.cells ?? ['cell'];
}

function readKeyspaces(all: Fields): SceneKeyspace[] {
  return all.names.map((name) => {
    const one = all.map(name);
    const shards = one.strings('shards');
    const uids = one.maybe('primary_uids');
    const wrong = shards.find((shard) => !isShard(shard));
    if (wrong !== undefined) throw new Skipped(`not a shard: ${wrong}`);
    return { name, shards, uids: uids === undefined ? [] : shards.map((shard) => uids.int(shard)) };
  });
}

function readWorkflow(given: Fields): SceneWorkflow | undefined {
  if (!given.has('workflow') || !isMap(given.raw('workflow'))) return undefined;
  const one = given.map('workflow');
  const type = one.str('type', 'MoveTables');
  if (type !== 'MoveTables' && type !== 'Reshard') throw new Skipped(`a workflow of type ${type} is not known`);
  return {
    name: one.str('name'),
    type,
    source: one.str('source_keyspace'),
    target: one.str('target_keyspace'),
    tables: one.strings('tables'),
    ...(one.has('source_shards') && { sourceShards: one.strings('source_shards') }),
    ...(one.has('target_shards') && { targetShards: one.strings('target_shards') }),
  };
}

/** A side, and the shards that its own text names. */
type Side = ReturnType<typeof readKeyspaceText> & { whole?: string[] };

interface Sides {
  source?: Side;
  target?: Side;
  tables?: string[];
  workflow?: { keyspace: string | undefined; name: string };
}

function readSides(given: Fields): Sides {
  const sides: Sides = {};
  for (const side of ['source', 'target'] as const) {
    const name = given.has(`${side}_keyspace`) ? `${side}_keyspace` : side;
    if (!given.has(name)) continue;
    const read = readKeyspaceText(given.str(name));
    sides[side] = { ...read, ...(read.shards !== undefined && { whole: read.shards }) };
  }
  if (given.has('both')) {
    if (given.str('both') !== 'unsharded, one shard 0') throw new Skipped(`given.both is not known: ${given.str('both')}`);
    for (const side of ['source', 'target'] as const) if (sides[side] !== undefined) sides[side].shards = ['0'];
  }
  if (given.has('shards') && isMap(given.raw('shards'))) {
    const shards = given.map('shards');
    for (const name of shards.names) {
      const side = (['source', 'target'] as const).find((candidate) => sides[candidate]?.name === name);
      if (side === undefined) throw new Skipped(`given.shards.${name} is of no keyspace of the case`);
      sides[side]!.shards = shards.strings(name);
    }
  }
  for (const side of ['source', 'target'] as const) {
    const name = `${side}_shards`;
    if (!given.has(name) || sides[side]?.shards !== undefined) continue;
    sides[side] = { ...(sides[side] ?? { name: `${side}ks` }), shards: texts(given.raw(name), `given.${name}`) };
  }
  if (given.has('tables') && Array.isArray(given.raw('tables'))) sides.tables = given.strings('tables');
  else if (given.has('table')) sides.tables = [given.str('table')];
  // The two tables of upstream's older tests, which name their keyspaces with the shards.
  else if (given.has('source') && sides.source?.shards !== undefined) sides.tables = ['t1', 't2'];
  if (given.has('workflow') && typeof given.raw('workflow') === 'string') {
    const text = given.str('workflow');
    const workflow = /^[\w-]+$/.test(text) ? { keyspace: undefined, name: text } : readWorkflowText(text);
    if (workflow === undefined) throw new Skipped(`not a workflow: ${given.str('workflow')}`);
    sides.workflow = workflow;
  }
  return sides;
}
