import { formatDuration, parseDuration } from '../../../../src/lib/duration.ts';
import { rootCommand } from '../../../../src/cli/commands.ts';
import { parseArgv } from '../../../../src/cli/argv.ts';
import { readStreams, type StreamRow } from '../../../../src/tablet/vreplication/streams.ts';
import { BinlogSource } from '../../../../src/topo/proto/messages-binlogdata.ts';
import { prototext } from '../../../../src/topo/proto/prototext.ts';
import { parsePrototext } from '../../../../src/topo/proto/prototext-parse.ts';
import type { BinlogSource as Source } from '../../../../src/topo/proto/types-workflow.ts';
import { deleteRules } from '../../../../src/workflow/ending.ts';
import { stateText, type WorkflowState } from '../../../../src/workflow/state.ts';
import { cancelMigration } from '../../../../src/workflow/switch/cancel-migration.ts';
import { reverseWorkflowName } from '../../../../src/lib/names.ts';
import { outcomeOf, readError, same } from '../../compare.ts';
import { type Adapter, type Case, type Check, Fields, Mismatch, Skipped } from '../../fields.ts';
import { movingWorld, setPosition } from '../../world.ts';
import { prepared, readWhenWorkflow, WORKFLOW_AREAS, WORKFLOW_DEFAULTS } from './adapters.ts';
import { switchStill } from './commands.ts';
import { readThen } from './expect.ts';
import { readGiven } from './given.ts';
import type { Given } from './given-types.ts';
import { Stage } from './stage.ts';
import { lockedRun, runSteps } from './switch-run.ts';

/** Cases that call a part of the engine. */

const NO_ERROR = readError(new Fields({ error: null }, 'then'))!;

/** The text of a state. */
function readFormat({ given, then }: Case): Check {
  const partial = given.bool('partial', false);
  const expected = then.str('state');
  const shards = partial ? { switched: given.strings('shards_switched'), notSwitched: given.strings('shards_not_switched'), own: { switched: [], notSwitched: [] } } : undefined;
  const cells = given.strings('all_cells', []);
  const [replica, rdonly] = [given.strings('replica_switched', []), given.strings('rdonly_switched', [])];
  if (!partial && cells.length === 0) throw new Skipped('given.all_cells is missing');
  const state: WorkflowState = {
    replicaSwitched: replica,
    replicaNotSwitched: cells.filter((cell) => !replica.includes(cell)),
    rdonlySwitched: rdonly,
    rdonlyNotSwitched: cells.filter((cell) => !rdonly.includes(cell)),
    writesSwitched: given.bool('writes_switched', false),
    readsMirrored: false,
    writesMirrored: false,
    partial: shards,
  };
  return () => same(expected, stateText(state), 'state');
}

/** Why a workflow cannot be switched now; '' where it can. */
function readCanSwitch({ given: fields, then }: Case): Check {
  const given = readGiven(fields, WORKFLOW_DEFAULTS);
  const reason = then.str('reason');
  return async () => {
    const stage = await prepared(given);
    const { failure } = await switchStill(stage, { sub: 'switchtraffic', flags: ['--dry-run'] }, given.flags);
    if (reason === '') return NO_ERROR(failure);
    same(`cannot switch traffic for workflow ${given.scene.workflow.name} at this time: ${reason}`, failure?.message, 'reason');
  };
}

/** The limits of a switch that names none. */
function readTimeouts({ then }: Case): Check {
  const names = { catchup_timeout: 'timeout', max_replication_lag_allowed: 'max-replication-lag-allowed' } as const;
  const wanted = Object.entries(names).flatMap(([name, flag]) => (then.has(name) ? [[name, flag, parseDuration(then.str(name))] as const] : []));
  return () => {
    const parsed = parseArgv(rootCommand, ['MoveTables', '--workflow', 'w', '--target-keyspace', 'k', 'SwitchTraffic'], { hardened: false, warn: () => {} });
    if (parsed.kind !== 'run') throw new Mismatch('SwitchTraffic is not a command to run');
    for (const [name, flag, expected] of wanted) same(formatDuration(expected), formatDuration(parsed.flags.duration(flag)), name);
  };
}

/** Any traffic command of a workflow that is not there. */
function readNotFound({ given, when, then }: Case): Check {
  const keyspace = given.str('keyspace');
  if (given.list('workflows').length > 0) throw new Skipped('given.workflows is not empty');
  const [named, workflow] = when.str('workflow').split('.');
  if (named !== keyspace || workflow === undefined) throw new Skipped(`when.workflow is not of ${keyspace}`);
  const error = readError(then);
  if (error === undefined) throw new Skipped('then says nothing of an error');
  return async () => {
    const { scene } = readGiven(new Fields({ source_keyspace: 'another', target_keyspace: keyspace }, 'given'), WORKFLOW_DEFAULTS);
    const world = await movingWorld({ ...scene, workflow: { ...scene.workflow, name: 'another' } });
    for (const sub of ['switchtraffic', 'reversetraffic', 'complete', 'cancel']) error((await world.run('MoveTables', '--workflow', workflow, '--target-keyspace', keyspace, sub)).failure);
  };
}

/** A MoveTables workflow whose streams say another source than it was made with. */
function readOtherSource({ given: fields, when, then }: Case): Check {
  const type = fields.str('type', 'MoveTables');
  if (type !== 'MoveTables') throw new Skipped(`a workflow of type ${type} is not known`);
  const source = fields.str('stream_source_keyspace');
  const given = readGiven(fields, WORKFLOW_DEFAULTS);
  readWhenWorkflow(when, given);
  const types = when.strings('tablet_types', ['PRIMARY', 'REPLICA', 'RDONLY']);
  const check = readThen(then);
  return async () => {
    const stage = await prepared(given);
    const { target, name } = given.scene.workflow;
    for (const shard of stage.side('target').shards) {
      const { db } = stage.world.shard(target, shard);
      for (const row of readStreams(stage.world.shard(target, shard), name)) {
        const own = sourceOf(row);
        db.run('UPDATE "_vt.vreplication" SET source = ? WHERE id = ?', prototext(BinlogSource, { ...own, keyspace: source, shard: stage.shardsOf(source)[0]! }), row.id);
      }
    }
    stage.answers.push(await switchStill(stage, { sub: 'switchtraffic', flags: ['--tablet-types', types.join(',')] }, []));
    await check(stage);
  };
}

const sourceOf = (row: StreamRow): Source => parsePrototext(BinlogSource, row.source) as Source;

/** `stop source writes`, `gather source positions`, with a write in between. */
function readPositions({ given, when, then }: Case): Check {
  const [first, second] = [given.str('source_position_at_stop'), given.str('new_source_position')];
  const writes = given.bool('a_write_lands_before_gathering');
  const commands = when.strings('commands').join(', ');
  if (commands !== 'stop source writes, gather source positions') throw new Skipped(`when.commands is not known: ${commands}`);
  const expected = then.str('catchup_position');
  return async () => {
    const start = await prepared(readGiven(new Fields({}, 'given'), { target: { name: 'targetks', shards: ['0'] } }));
    const { source } = start.scene.workflow;
    const stage = new Stage(start.scene, setPosition(start.world, source, '0', first));
    const run = await lockedRun(stage);
    await runSteps(run, 'stopSourceWrites');
    const db = stage.world.shard(source, '0');
    if (writes) db.db.transact(() => void db.skip());
    // Where the server has got to by then is the case's to say.
    if (db.positionText() !== (writes ? second : first)) throw new Skipped('given.new_source_position is not one transaction further');
    await runSteps(run, 'gatherSourcePositions');
    same(expected, run.sw.sources[0]?.position, 'catchup_position');
  };
}

/** A roll-back of a switch that has stopped the writes, the streams, and made the reverse workflow. */
function readCancelMigration({ given: fields, when, then }: Case): Check {
  const given = readGiven(fields, WORKFLOW_DEFAULTS);
  if (when.str('migration_type', 'TABLES') !== 'TABLES') throw new Skipped('only tables move between two keyspaces');
  const locks = fields.has('locks') ? fields.strings('locks') : undefined;
  const byTablet = then.names.flatMap((name) => {
    const uid = /^(?:source|target)_(\d+)_queries$/.exec(name)?.[1];
    return uid === undefined ? [] : [{ name, uid: Number(uid) }];
  });
  const checks = byTablet.map(({ name, uid }) => {
    const keyspace = given.scene.keyspaces.find((one) => one.uids.includes(uid));
    const side = keyspace?.name === given.scene.workflow.source ? 'source' : 'target';
    if (keyspace === undefined || !name.startsWith(side)) throw new Skipped(`there is no ${name.split('_')[0]} tablet ${uid}`);
    if (keyspace.shards.length !== 1) throw new Skipped(`${name} is about one of several tablets`);
    return readThen(new Fields({ [side === 'source' ? 'source_queries' : 'each_target_queries']: then.raw(name) }, 'then'), [], () => {});
  });
  const check = readThen(then, byTablet.map(({ name }) => name));
  return async () => {
    const stage = await prepared(given);
    const run = await lockedRun(stage, locks);
    await runSteps(run, 'stopSourceWrites', 'gatherSourcePositions', 'waitForCatchup', 'createReverseVReplication');
    await stage.remember();
    const failure = (await cancelMigration(run)) as Error | undefined;
    stage.answers.push({ exit: 0, stdout: '', stderr: '', failure });
    await check(stage);
    for (const one of checks) await one(stage);
  };
}

/** Ends a workflow past the check of its state: rules that a case leaves out lead to the target. */
function readDropSources({ given: fields, then }: Case): Check {
  const given = readGiven(fields, WORKFLOW_DEFAULTS);
  const check = readThen(then);
  return async () => {
    const stage = await prepared(given);
    const { source, target, tables } = given.scene.workflow;
    const rules = await stage.world.routingRules();
    for (const table of tables) {
      for (const type of ['@replica', '@rdonly']) for (const from of [`${table}${type}`, `${source}.${table}${type}`]) rules[from] ??= [`${target}.${table}`];
    }
    const json = JSON.stringify({ rules: Object.entries(rules).map(([from, to]) => ({ from_table: from, to_tables: to })) });
    await stage.world.prepare('ApplyRoutingRules', '--rules', json);
    await stage.remember();
    await stage.run('complete');
    await check(stage);
  };
}

/** Takes the rules of a workflow away, and no others. */
function readDeleteRules({ given: fields, then }: Case): Check {
  const given = readGiven(fields, WORKFLOW_DEFAULTS);
  const partial = fields.bool('partial', false);
  const check = readThen(then, [], () => {});
  return async () => {
    const stage = await prepared(given);
    const run = await lockedRun(stage);
    const sw = partial ? { ...run.sw, kind: 'partial' as const } : run.sw;
    const { failure } = await outcomeOf(() => deleteRules(run.ctx, run.cluster, sw));
    NO_ERROR(failure);
    await check(stage);
  };
}

/** The reverse streams that a switch makes, stopped. */
async function reverseStreams(given: Given, edit?: (row: StreamRow) => void): Promise<{ stage: Stage; byShard: Map<string, StreamRow[]>; positions: Map<string, string> }> {
  const stage = await prepared(given);
  const run = await lockedRun(stage);
  await runSteps(run, 'stopSourceWrites', 'gatherSourcePositions', 'waitForCatchup');
  for (const { streams } of run.sw.targets) for (const stream of streams) {
    const row = { ...stream.row };
    edit?.(row);
    stream.row = row;
  }
  await runSteps(run, 'createReverseVReplication');
  const { source, name } = given.scene.workflow;
  const byShard = new Map(stage.side('source').shards.map((shard) => [shard, [...readStreams(stage.world.shard(source, shard), reverseWorkflowName(name))]]));
  return { stage, byShard, positions: new Map(run.sw.targets.map((target) => [target.info.name, target.position])) };
}

/** What a target's position is called where a case does not say which it is. */
function readSymbolicPosition(fields: Fields): string | undefined {
  return fields.has('target_positions') ? fields.str('target_positions') : undefined;
}

/** `reverse filter for t1`, `reverse filter for t1 on source shard -40`. */
function readFilterOf({ op, given: fields, then }: Case): Check {
  const [, table = '', shard] = /^reverse filter for (\S+)(?: on source shard (\S+))?$/.exec(op) ?? [];
  readSymbolicPosition(fields);
  const given = readGiven(fields, WORKFLOW_DEFAULTS);
  if (fields.has('vindex_name') && fields.str('vindex_name') !== given.scene.vindex) throw new Skipped('given.vindex_name is not the name of the vindex');
  const expected = then.str('filter');
  return async () => {
    const { byShard } = await reverseStreams(given);
    const rows = shard === undefined ? [...byShard.values()].flat() : (byShard.get(shard) ?? []);
    if (rows.length === 0) throw new Mismatch('there are no reverse streams');
    for (const row of rows) same(expected, sourceOf(row).filter?.rules?.find(({ match }) => match === table)?.filter, `filter of stream ${row.id}`);
  };
}

/** The reverse streams by source shard: what they read, which rows they take, how they stand. */
function readCreateReverse({ given: fields, then }: Case): Check {
  const symbol = readSymbolicPosition(fields);
  const given = readGiven(fields, WORKFLOW_DEFAULTS);
  const wanted = then.map('streams');
  const expected = wanted.names.map((name) => [name, wanted.maps(name).map((stream) => ({ workflow: stream.str('workflow'), reads_from: stream.str('reads_from'), filters_for: stream.str('filters_for'), state: stream.str('state') }))] as const);
  if (then.has('start_position') && then.str('start_position') !== `the target shard's position ${symbol ?? ''}`) throw new Skipped('then.start_position is not known');
  return async () => {
    const { stage, byShard, positions } = await reverseStreams(given);
    for (const [name, streams] of expected) {
      const [keyspace, shard] = stage.shardOf(name);
      if (keyspace !== given.scene.workflow.source) throw new Mismatch(`${name} is not of the source`);
      const rows = byShard.get(shard) ?? [];
      same(streams, rows.map(streamShape), `streams.${name}`);
      for (const row of rows) same(positions.get(sourceOf(row).shard), row.pos, `start_position of stream ${row.id} in ${name}`);
    }
  };
}

function streamShape(row: StreamRow): object {
  const source = sourceOf(row);
  const ranges = new Set((source.filter?.rules ?? []).map(({ filter }) => /in_keyrange\(.*'([^']*)'\)$/.exec(filter ?? '')?.[1] ?? ''));
  return { workflow: row.workflow, reads_from: `${source.keyspace}/${source.shard}`, filters_for: [...ranges].join(' '), state: row.state };
}

const UPDATE = /^update _vt\.vreplication set cell = '([^']*)', tablet_types = '([^']*)' where workflow = '([^']*)' and db_name = '([^']*)'$/;

/** Which cells and tablet types a reverse stream gets from its forward one. */
function readPropagation({ given, when, then }: Case): Check {
  const [workflow, db] = [given.str('reverse_workflow'), given.str('db')];
  const inputs = when.maps('inputs').map((one) => ({ target: one.str('target_cell'), source: one.str('source_cell'), cells: one.str('cells'), types: one.str('tablet_types') }));
  const wanted = then.strings('queries').map((query) => {
    const [, cell, types, of, name] = UPDATE.exec(query) ?? [];
    if (cell === undefined || types === undefined) throw new Skipped(`then.queries: what this does is not known: ${query}`);
    if (of !== workflow || name !== db) throw new Mismatch(`then.queries: not of ${workflow} in ${db}: ${query}`);
    return { cell, types };
  });
  if (wanted.length !== inputs.length) throw new Skipped('then.queries has not one entry for each input');
  return async () => {
    for (const [index, { target, source, cells, types }] of inputs.entries()) {
      const given0 = readGiven(new Fields({ cells: [...new Set([source, target])] }, 'given'), { target: { name: 'targetks', shards: ['0'] } });
      given0.scene.keyspaces.find((one) => one.name === 'targetks')!.cell = target;
      given0.createFlags.push('--cells', given0.scene.cells.join(','));
      const { byShard } = await reverseStreams(given0, (row) => Object.assign(row, { cell: cells, tablet_types: types }));
      const [row] = byShard.get('0') ?? [];
      same(wanted[index], { cell: row?.cell ?? '', types: row?.tablet_types ?? '' }, `queries[${index}]`);
    }
  };
}

export const engineAdapters: readonly Adapter[] = [
  { area: 'workflow_state', op: 'format workflow state', read: readFormat },
  { area: 'can_switch', op: 'can switch', read: readCanSwitch },
  { area: 'switch_traffic', op: 'SwitchTraffic with no timeout given', read: readTimeouts },
  { area: WORKFLOW_AREAS, op: 'any traffic action', read: readNotFound },
  { area: WORKFLOW_AREAS, op: 'SwitchTraffic', serves: ({ given }) => given.has('stream_source_keyspace'), read: readOtherSource },
  { area: 'switch_traffic', op: 'sequence', serves: ({ given }) => given.has('source_position_at_stop'), read: readPositions },
  { area: 'cancel_on_error', op: 'cancel migration', serves: ({ when }) => when.has('migration_type'), read: readCancelMigration },
  { area: WORKFLOW_AREAS, op: 'drop sources', read: readDropSources },
  { area: WORKFLOW_AREAS, op: /^delete workflow (?:keyspace |shard )?routing rules$/, read: readDeleteRules },
  { area: 'reverse_streams', op: /^reverse filter for \S+(?: on source shard \S+)?$/, read: readFilterOf },
  { area: 'reverse_streams', op: 'create reverse streams', read: readCreateReverse },
  { area: 'reverse_streams', op: 'reverse stream option update', read: readPropagation },
];

