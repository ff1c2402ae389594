import { lockKeyspace } from '../../../src/topo/locks.ts';
import { updateDeniedTables } from '../../../src/topo/denied-tables.ts';
import { getShard, updateShardFields } from '../../../src/topo/keyspaces.ts';
import { keyRangeToProto } from '../../../src/topo/proto/key-range.ts';
import type { Shard, SrvKeyspace, TabletControl } from '../../../src/topo/proto/types.ts';
import { getSrvKeyspace } from '../../../src/topo/srv-keyspace.ts';
import { validateShardName } from '../../../src/lib/names.ts';
import { type ErrorCheck, outcomeOf, readError, same, subset } from '../compare.ts';
import { type Adapter, type Case, type Check, Fields, isMap, Skipped, texts } from '../fields.ts';
import { putSrvKeyspace, readControls, setControls, shardPath, topoWorld } from '../topo-world.ts';
import { csv, type World } from '../world.ts';

/** A shard of a case, with its controls and whether the caller holds its keyspace's lock. */
interface GivenShard {
  keyspace: string;
  shard: string;
  locked: boolean;
  controls: TabletControl[];
}

function readShard(given: Fields): GivenShard {
  const { keyspace, shard } = shardPath(given.str('shard'));
  const lock = given.has('lock') ? given.str('lock') : 'none';
  if (lock !== 'none' && lock !== `keyspace ${keyspace} locked by the caller`) throw new Skipped(`given.lock is not known: ${lock}`);
  return { keyspace, shard, locked: lock !== 'none', controls: readControls(given.raw('tablet_controls') ?? []) };
}

/** A change to the denied tables, in the words of a case. */
interface Change {
  tabletType: string;
  tables: string[];
  cells: string[];
  remove: boolean;
  allowReads: boolean;
  allowCreate: boolean;
}

/** A command without a type is about that of the one before it. */
function readChange(command: Fields, before: string): Change {
  const verbs = ['add', 'remove', 'remove_cells'].filter((verb) => command.has(verb));
  if (verbs.length !== 1) throw new Skipped(`not one change: ${command.path}`);
  const cells = command.has('remove_cells') ? command.strings('remove_cells') : command.strings('cells', []);
  const tables = command.has('remove_cells') ? (command.raw('tables') ?? []) : command.strings(verbs[0]!);
  return {
    tabletType: command.str('tablet_type', before),
    tables: texts(tables, `${command.path}.tables`),
    cells,
    remove: !command.has('add'),
    allowReads: command.bool('allow_reads', false),
    allowCreate: command.bool('allow_create', true),
  };
}

/** Changes a shard's record, as the caller of the case does. */
async function apply(world: World, { keyspace, shard, locked }: GivenShard, change: Change): Promise<unknown> {
  const { ctx, cluster } = world.engine();
  const lock = locked ? await lockKeyspace(ctx, cluster.topo, keyspace, 'a case') : undefined;
  const { failure } = await outcomeOf(() =>
    updateShardFields(lock?.ctx ?? ctx, cluster.topo, keyspace, shard, async (record) => {
      await updateDeniedTables(lock?.ctx ?? ctx, cluster.topo, { keyspace, name: shard }, record, change);
      return true;
    }),
  );
  await lock?.unlock(failure);
  return failure;
}

async function recordOf(world: World, { keyspace, shard }: GivenShard): Promise<Shard> {
  const { ctx, cluster } = world.engine();
  return (await getShard(ctx, cluster.topo, keyspace, shard)).record;
}

const controlOf = (record: Shard, type: string): TabletControl | undefined => record.tablet_controls?.find((control) => control.tablet_type === type);

/** What is expected of the control that was changed. */
type Look = (record: Shard, type: string) => void;

function readLook(then: Fields): Look {
  const looks: Look[] = [];
  const look = (name: string, get: (control: TabletControl | undefined, record: Shard) => unknown, order: (value: unknown) => unknown = (value) => value): void => {
    if (!then.has(name)) return;
    const expected = then.raw(name);
    looks.push((record, type) => same(order(expected), order(get(controlOf(record, type), record)), name));
  };
  const sorted = (value: unknown): unknown => (Array.isArray(value) ? value.toSorted() : value);
  look('cells', (control) => control?.cells ?? []);
  look('allow_reads', (control) => control?.allow_reads === true);
  look('denied_tables', (control) => control?.denied_tables ?? []);
  look('denied_set', (control) => [...new Set(control?.denied_tables)], sorted);
  look('no_duplicates', (control) => new Set(control?.denied_tables).size === (control?.denied_tables ?? []).length);
  look('tablet_control', (control) => control ?? null);
  look('primary_tablet_control', (_control, record) => controlOf(record, 'PRIMARY') ?? null);
  look('tablet_controls', (_control, record) => record.tablet_controls ?? []);
  return (record, type) => looks.forEach((one) => one(record, type));
}

/** One change after the other, with what is expected after each or after all. */
function readSequence({ given, when, then }: Case): Check {
  const shard = readShard(given);
  let type = 'PRIMARY';
  const changes = when.maps('commands').map((command) => {
    const change = readChange(command, type);
    type = change.tabletType;
    return change;
  });
  return runChanges(shard, changes, then);
}

function readUpdate({ given, when, then }: Case): Check {
  return runChanges(readShard(given), [readChange(when, 'PRIMARY')], then);
}

function runChanges(shard: GivenShard, changes: readonly Change[], then: Fields): Check {
  const none: ErrorCheck = readError(new Fields({ error: null }, 'then'))!;
  const whole = readError(then);
  const steps = then.has('steps') ? then.maps('steps').map((step) => ({ error: readError(step), look: readLook(step) })) : [];
  if (steps.length > 0 && steps.length !== changes.length) throw new Skipped('then.steps has not one entry for each command');
  const last = readLook(then);
  return async () => {
    const world = await topoWorld(['first'], { [shard.keyspace]: [shard.shard] });
    const { ctx, cluster } = world.engine();
    await setControls(ctx, cluster, shard.keyspace, shard.shard, shard.controls);
    let failure: unknown;
    for (const [index, change] of changes.entries()) {
      failure = await apply(world, shard, change);
      const step = steps[index];
      if (step !== undefined) (step.error ?? none)(failure);
      // Without steps an error is that of the last change.
      else if (index < changes.length - 1) none(failure);
      step?.look(await recordOf(world, shard), change.tabletType);
    }
    if (steps.length === 0) (whole ?? none)(failure);
    last(await recordOf(world, shard), changes.at(-1)?.tabletType ?? 'PRIMARY');
  };
}

/** Cells of a control, as adding and removing the same tables in more cells changes them. */
function readCells(remove: boolean) {
  return ({ given, when, then }: Case): Check => {
    if (given.has('meaning') && given.str('meaning') !== 'empty list = all cells') throw new Skipped(`given.meaning is not known: ${given.str('meaning')}`);
    const expected = then.list('results').map((cells) => texts(cells, 'then.results'));
    const cases: { have: string[]; changes: string[][] }[] = remove
      ? [{ have: given.strings('all_cells'), changes: when.list('sequence').map((cells) => texts(cells, 'when.sequence')) }]
      : when.maps('cases').map((one) => ({ have: one.strings('have'), changes: [one.strings('add')] }));
    if (cases.flatMap(({ changes }) => changes).length !== expected.length) throw new Skipped('then.results has not one entry for each change');
    return async () => {
      const got: string[][] = [];
      for (const { have, changes } of cases) {
        const world = await topoWorld(['first'], { ks: ['0'] });
        const { ctx, cluster } = world.engine();
        const shard = { keyspace: 'ks', shard: '0', locked: true, controls: [] };
        const control = { tablet_type: 'RDONLY', denied_tables: ['t'], ...(have.length > 0 && { cells: have }) } as TabletControl;
        await setControls(ctx, cluster, 'ks', '0', [control]);
        for (const cells of changes) {
          const failure = await apply(world, shard, { tabletType: 'RDONLY', tables: ['t'], cells, remove, allowReads: false, allowCreate: true });
          if (failure !== undefined) throw failure;
          got.push(controlOf(await recordOf(world, shard), 'RDONLY')?.cells ?? []);
        }
      }
      same(expected, got, 'results');
    };
  };
}

type CellControls = Record<string, { name: string; query_service_disabled: boolean }[]>;

/** `{zone1: [{name: '-', query_service_disabled: false}]}`. */
function readCellControls(fields: Fields, name: string): CellControls | undefined {
  if (!fields.has(name)) return undefined;
  const cells = fields.map(name);
  return Object.fromEntries(
    cells.names.map((cell) => [cell, cells.maps(cell).map((control) => ({ name: control.str('name'), query_service_disabled: control.bool('query_service_disabled') }))]),
  );
}

/** `SetShardTabletControl` as its command line. */
function readSetControl({ given, when, then }: Case): Check {
  const { keyspace, shard } = shardPath(given.str('shard'));
  const controls = readControls(given.raw('tablet_controls') ?? []);
  const type = when.str('tablet_type');
  const servingGiven = readCellControls(given, `srv_keyspace_${type.toLowerCase()}_controls`);
  const servingThen = readCellControls(then, `srv_keyspace_${type.toLowerCase()}_controls`);
  const holder = given.has('keyspace_lock_held_by') ? given.str('keyspace_lock_held_by') : undefined;
  if (holder !== undefined && holder !== 'another client') throw new Skipped(`given.keyspace_lock_held_by is not known: ${holder}`);
  const denied = when.strings('denied_tables', []);
  const cells = when.strings('cells', []);
  const words = [
    ...denied.flatMap((table) => ['--denied-tables', csv(table)]),
    ...(cells.length > 0 ? ['--cells', cells.join(',')] : []),
    ...(when.bool('remove', false) ? ['--remove'] : []),
    ...(when.has('disable_query_service') ? [`--disable-query-service=${when.bool('disable_query_service')}`] : []),
  ];
  const error = readError(then) ?? readError(new Fields({ error: null }, 'then'))!;
  const expected = then.has('tablet_controls') ? readControls(then.raw('tablet_controls')) : undefined;
  const known = new Set(['zone1', ...cells, ...Object.keys(servingGiven ?? {}), ...controls.flatMap((control) => control.cells ?? [])]);
  return async () => {
    const world = await topoWorld([...known], { [keyspace]: [shard] });
    const { ctx, cluster } = world.engine();
    await setControls(ctx, cluster, keyspace, shard, controls);
    for (const [cell, list] of Object.entries(servingGiven ?? {})) await putSrvKeyspace(ctx, cluster, cell, keyspace, servingRecord(type, list));
    if (holder !== undefined) await lockKeyspace(ctx, cluster.topo, keyspace, holder);
    const before = (await getShard(ctx, cluster.topo, keyspace, shard)).record;
    // Shorter than a lease, which a release does not renew.
    const waiting = holder === undefined ? [] : ['--lock-timeout', '1s'];
    const answer = await world.run('SetShardTabletControl', ...waiting, ...words, `${keyspace}/${shard}`, type.toLowerCase());
    error(answer.failure);
    const { record } = await getShard(ctx, cluster.topo, keyspace, shard);
    if (answer.failure !== undefined) same(before, record, 'the record after an error');
    if (expected !== undefined) same(expected, record.tablet_controls ?? [], 'tablet_controls');
    for (const [cell, list] of Object.entries(servingThen ?? {})) {
      const partition = (await getSrvKeyspace(ctx, cluster.topo, cell, keyspace))?.partitions?.find((one) => one.served_type === type);
      subset(list, (partition?.shard_tablet_controls ?? []).map((control) => ({ name: control.name, query_service_disabled: control.query_service_disabled === true })), `the serving record of ${cell}`);
    }
  };
}

function servingRecord(type: string, controls: CellControls[string]): SrvKeyspace {
  const shard = (name: string): { name: string; key_range?: ReturnType<typeof keyRangeToProto> } => {
    const { keyRange } = validateShardName(name);
    return { name, ...(keyRange !== undefined && { key_range: keyRangeToProto(keyRange) }) };
  };
  const partition = {
    served_type: type,
    shard_references: controls.map(({ name }) => shard(name)),
    shard_tablet_controls: controls.map(({ name, query_service_disabled: disabled }) => ({ ...shard(name), query_service_disabled: disabled })),
  };
  return { partitions: [partition] } as unknown as SrvKeyspace;
}

const ofMaps = ({ when }: Case): boolean => {
  const commands = when.peek('commands');
  return Array.isArray(commands) && commands.length > 0 && commands.every(isMap);
};

export const deniedTablesAdapters: readonly Adapter[] = [
  { area: 'denied_tables', op: 'sequence', serves: ofMaps, read: readSequence },
  { area: 'denied_tables', op: 'update denied tables', read: readUpdate },
  { area: 'denied_tables', op: 'add cells', read: readCells(false) },
  { area: 'denied_tables', op: 'remove cells', read: readCells(true) },
  { area: 'denied_tables', op: 'SetShardTabletControl', read: readSetControl },
];

