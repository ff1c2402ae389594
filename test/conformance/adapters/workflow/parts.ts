import { printStatus } from '../../../../src/cli/status-output.ts';
import type { Invocation } from '../../../../src/cli/spec.ts';
import { createMaterialize } from '../../../../src/workflow/create/materialize-create.ts';
import type { MaterializeRequest } from '../../../../src/workflow/create/materialize-request.ts';
import { formatName } from '../../../../src/sql/format-expr.ts';
import { derivedState } from '../../../../src/workflow/lag.ts';
import type { StreamRow } from '../../../../src/tablet/vreplication/streams.ts';
import { readStreams } from '../../../../src/tablet/vreplication/streams.ts';
import type { TableDef } from '../../../../src/sql/schema.ts';
import { sqliteName } from '../../../../src/sql/storage.ts';
import { readErrorEntry, readResults, readError, same, type Outcome, outcomeOf } from '../../compare.ts';
import { type Adapter, type Case, type Check, Fields, Mismatch, shown, Skipped, texts } from '../../fields.ts';
import { createLine, movingWorld, sceneWorld, workflowWords } from '../../world.ts';
import { readWorkflowText, type Scene } from '../../scene.ts';
import { prepared, WORKFLOW_DEFAULTS } from './adapters.ts';
import { readGiven } from './given.ts';
import { definitionOf } from './create.ts';
import { answerJson } from './expect-answer.ts';

/** Cases about parts of the workflow commands: what they check, print and count. */

const NO_ERROR = readError(new Fields({ error: null }, 'then'))!;

/** A scene of two keyspaces with these shards. */
function sceneOf(fields: Readonly<Record<string, unknown>>): Scene {
  return readGiven(new Fields(fields, 'given'), WORKFLOW_DEFAULTS).scene;
}

/** `--format` as `status` takes it: what the answer is written in. */
function readFormats({ when, then }: Case): Check {
  const inputs = when.strings('inputs');
  const check = readResults(then, 'results', inputs.length);
  return async () => {
    const scene = sceneOf({});
    const world = await movingWorld(scene);
    const results: Outcome<string>[] = [];
    for (const input of inputs) {
      const { failure, stdout } = await world.run(...workflowWords(scene.workflow), 'status', '--format', input);
      results.push(failure === undefined ? { value: stdout.startsWith('{') ? 'json' : 'text' } : { failure });
    }
    check(results);
  };
}

/** Words of a command line, run on an empty cluster. */
function readWords({ when, then }: Case): Check {
  const args = when.strings('args');
  const error = readError(then);
  const stdout = then.has('stdout') ? then.str('stdout') : undefined;
  return async () => {
    const answer = await (await sceneWorld(sceneOf({}))).run(...args);
    (error ?? NO_ERROR)(answer.failure);
    if (stdout !== undefined) same(stdout, answer.stdout, 'stdout');
  };
}

/** A status answer as a case describes it, printed. */
function readPrint({ op, given, then }: Case): Check {
  const format = op === 'workflow status (json)' ? 'json' : 'text';
  const workflow = readWorkflowText(given.str('workflow'));
  if (workflow === undefined) throw new Skipped('given.workflow is no workflow');
  const stream = given.map('stream');
  const tablet = stream.map('tablet');
  const alias = { cell: tablet.str('cell'), uid: tablet.int('uid') };
  const shard = stream.str('shard');
  const tables = given.map('tables');
  if (given.has('phase_field') && given.str('phase_field') !== 'not sent (UNKNOWN)') throw new Skipped('given.phase_field is not known');
  const withPhase = !given.has('phase_field');
  const states = Object.fromEntries(tables.names.map((name) => [name, copyState(tables.map(name), withPhase)]));
  const status = {
    table_copy_state: states,
    shard_streams: { [shard]: { streams: [{ id: stream.int('id'), tablet: alias, source_shard: '', position: '', status: stream.str('status'), info: stream.str('info') }] } },
    traffic_state: given.str('traffic_state'),
  };
  const stdout = then.has('stdout') ? then.str('stdout') : undefined;
  const parts = then.names.filter((name) => name.startsWith('table_copy_state.')).map((name) => [name.slice('table_copy_state.'.length), then.raw(name)] as const);
  return () => {
    const lines: string[] = [];
    const flags = { str: (name: string) => (name === 'workflow' ? workflow.name : name === 'target-keyspace' ? workflow.keyspace : ''), bool: () => false };
    const inv = { flags, io: { stdout: { write: (text: string) => void lines.push(text) } } } as unknown as Invocation;
    printStatus(inv, status as never, format);
    const text = lines.join('');
    if (stdout !== undefined) same(stdout, text, 'stdout');
    if (parts.length === 0) return;
    const record = JSON.parse(text) as { table_copy_state: Record<string, unknown> };
    for (const [table, expected] of parts) same(expected, record.table_copy_state[table], `table_copy_state.${table}`);
  };
}

/** `{rows: [copied, total], bytes: [copied, total], phase}`. */
function copyState(table: Fields, withPhase: boolean): object {
  const pair = (name: string): [number, number] => {
    const value = table.list(name);
    if (value.length !== 2 || value.some((one) => typeof one !== 'number')) throw new Skipped(`${table.path}.${name} is no pair of numbers`);
    return value as [number, number];
  };
  const [rows, bytes] = [pair('rows'), pair('bytes')];
  const percentage = ([copied, total]: [number, number]): number => (total === 0 ? 0 : (copied / total) * 100);
  const phase = table.str('phase');
  return {
    rows_copied: String(rows[0]),
    rows_total: String(rows[1]),
    rows_percentage: percentage(rows),
    bytes_copied: String(bytes[0]),
    bytes_total: String(bytes[1]),
    bytes_percentage: percentage(bytes),
    phase: withPhase ? phase : 'UNKNOWN',
  };
}

function numbers(fields: Fields): [string, number][] {
  return fields.names.map((name) => [name, fields.int(name)]);
}

/** How far a copy is, from the rows on either side and the tables that are still to copy. */
function readProgress({ given, then }: Case): Check {
  const source = numbers(given.map('source_rows'));
  const target = new Map(numbers(given.map('target_rows')));
  const copying = given.strings('tables_in_copy_state');
  const wanted = then.names.map((name) => {
    const table = then.map(name);
    return [name, { copied: table.int('copied'), total: table.int('total'), percent: table.int('percent'), phase: table.str('phase') }] as const;
  });
  return async () => {
    const tables = source.map(([table]) => table);
    const scene: Scene = { ...sceneOf({ target_keyspace: 'targetks (unsharded)', source_keyspace: 'sourceks (unsharded)' }) };
    scene.workflow.tables = tables;
    const world = await sceneWorld(scene);
    const fill = (keyspace: string, table: string, rows: number): void => {
      const { db } = world.shard(keyspace, '0');
      db.exec(`DELETE FROM ${sqliteName(table)}`);
      db.exec(`WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ${rows}) INSERT INTO ${sqliteName(table)} (id) SELECT id FROM n WHERE id <= ${rows}`);
    };
    await world.prepare(...createLine(scene), '--auto-start=false');
    for (const [table, rows] of source) fill(scene.workflow.source, table, rows);
    for (const table of tables) fill(scene.workflow.target, table, target.get(table) ?? 0);
    const db = world.shard(scene.workflow.target, '0');
    for (const { id } of readStreams(db, scene.workflow.name)) {
      db.db.run('DELETE FROM "_vt.copy_state" WHERE vrepl_id = ?', id);
      for (const table of copying) db.db.run('INSERT INTO "_vt.copy_state" (vrepl_id, table_name) VALUES (?, ?)', id, table);
    }
    const answer = await world.run(...workflowWords(scene.workflow), 'status', '--format', 'json');
    NO_ERROR(answer.failure);
    const states = answerJson(answer)?.['table_copy_state'] as Record<string, { rows_copied: string; rows_total: string; rows_percentage: number; phase: string }>;
    for (const [table, expected] of wanted) {
      const state = states[table];
      same(expected, state === undefined ? undefined : { copied: Number(state.rows_copied), total: Number(state.rows_total), percent: state.rows_percentage, phase: state.phase }, table);
    }
  };
}

/** The state that people are told of a stream. */
function readDerived({ when, then }: Case): Check {
  const inputs = when.maps('inputs').map((input) => {
    const ago = input.has('time_updated') ? /^(\d+)s ago$/.exec(input.str('time_updated'))?.[1] : undefined;
    if (input.has('time_updated') && ago === undefined) throw new Skipped(`${input.path}.time_updated is not known`);
    return { state: input.str('state', 'Running'), message: input.str('message', ''), copying: input.strings('copy_states', []).length > 0, ago: ago === undefined ? undefined : Number(ago) };
  });
  if (inputs.some(({ ago }) => ago !== undefined)) throw new Skipped('upstream compares time_updated with the second of the minute: no real stream is Lagging by it');
  const check = readResults(then, 'results', inputs.length);
  return () => check(inputs.map(({ state, message, copying }) => ({ value: derivedState({ state, message } as StreamRow, copying) })));
}

/** Which source shards each target shard streams from. */
function readSelection({ given, when, then }: Case): Check {
  if (given.str('both_keyspaces') !== 'same primary vindex type on the table') throw new Skipped('given.both_keyspaces is not known');
  const inputs = when.maps('inputs').map((input) => ({ source: input.strings('source'), target: input.strings('target') }));
  const check = readResults(then, 'results', inputs.length);
  return async () => {
    const results: Outcome<unknown>[] = [];
    for (const { source, target } of inputs) {
      const scene = sceneOf({ source_keyspace: `sourceks (${source.join(',')})`, target_keyspace: `targetks (${target.join(',')})` });
      const stage = await prepared({ scene, createFlags: [], early: [], steps: [], late: [], flags: [], others: [], still: false });
      const chosen = target.map((shard) => {
        const rows = readStreams(stage.world.shard('targetks', shard), scene.workflow.name);
        return [shard, rows.map((row) => /shard:"([^"]*)"/.exec(row.source)?.[1] ?? '')] as const;
      });
      results.push({ value: Object.fromEntries(chosen) });
    }
    check(results);
  };
}

/** Rows that are in the way on the target. */
function readNonEmpty({ given, then }: Case): Check {
  const target = given.str('target_keyspace');
  const shards = given.strings('target_shards');
  const tables = given.strings('tables');
  const filled = given.map('non_empty');
  const where = filled.names.map((table) => [table, filled.strings(table)] as const);
  const once = then.has('each_table_listed_once') ? then.bool('each_table_listed_once') : undefined;
  const wrapped = (failure: unknown): Error | undefined => {
    // What the check itself says stands after what the command says of it.
    const text = failure instanceof Error ? failure.message.replace('failed to validate that all target tables are empty: ', '') : undefined;
    return text === undefined ? undefined : new Error(text);
  };
  const error = readError(then);
  if (error === undefined) throw new Skipped('then says nothing of an error');
  return async () => {
    const scene = sceneOf({ source_keyspace: 'sourceks (unsharded)', target_keyspace: `${target} (${shards.join(',')})`, tables });
    const world = await sceneWorld(scene);
    // The tables are there once a workflow has made them.
    await world.prepare(...createLine({ ...scene, workflow: { ...scene.workflow, name: 'before' } }), '--auto-start=false', '--no-routing-rules');
    await world.prepare('MoveTables', '--workflow', 'before', '--target-keyspace', target, 'cancel', '--keep-data');
    for (const [table, names] of where) for (const shard of names) world.shard(target, shard).db.exec(`INSERT INTO ${sqliteName(table)} (id) VALUES (1)`);
    const failure = wrapped((await world.run(...createLine(scene))).failure);
    error(failure);
    if (once === undefined || failure === undefined) return;
    const listed = failure.message.replace(/^[^:]*: /, '').split(', ');
    same(once, new Set(listed).size === listed.length && listed.length === where.length, 'each_table_listed_once');
  };
}

/** Tables that are to be moved, against those that the source has. */
function readTablesExist({ given, when, then }: Case): Check {
  const there = given.strings('source_tables');
  const inputs = when.list('inputs').map((tables, index) => texts(tables, `when.inputs[${index}]`));
  const checks = then.list('results').map((entry, index) => readErrorEntry(then, entry, `results[${index}]`));
  if (checks.length !== inputs.length) throw new Skipped('then.results has not one entry for each input');
  return async () => {
    for (const [index, tables] of inputs.entries()) {
      const scene = sceneOf({ source_keyspace: 'sourceks (unsharded)', target_keyspace: 'targetks (unsharded)', tables: there });
      const world = await sceneWorld(scene);
      const line = createLine({ ...scene, workflow: { ...scene.workflow, tables } });
      const { failure } = await world.run(...line, '--auto-start=false');
      // A table that passes the check may still be missing when it is copied.
      checks[index]!(failure?.message.startsWith('table(s) not found in source keyspace') === true ? failure : undefined);
    }
  };
}

/** Starting and stopping a workflow, of some shards: how many tablets the answer names. */
function readStartStop({ given, when, then }: Case): Check {
  const text = given.str('workflow');
  const shards = /^running on target shards (\S+(?: and \S+)*)$/.exec(text)?.[1]?.split(' and ');
  if (shards === undefined) throw new Skipped(`given.workflow is not known: ${text}`);
  const commands = when.strings('commands').map((command) => {
    const [, sub, list] = /^MoveTables (start|stop)(?: --shards (\S+))?$/.exec(command) ?? [];
    if (sub === undefined) throw new Skipped(`not a command: ${command}`);
    return [sub, ...(list === undefined ? [] : ['--shards', list])];
  });
  const expected = then.list('details_count');
  return async () => {
    const scene = sceneOf({ target_keyspace: `targetks (${shards.join(',')})` });
    const world = await movingWorld(scene);
    const got: number[] = [];
    for (const command of commands) {
      const answer = await world.run(...workflowWords(scene.workflow), ...command);
      NO_ERROR(answer.failure);
      const details = answerJson(answer)?.['details'];
      if (!Array.isArray(details)) throw new Mismatch(`no details: ${shown(answer.stdout)}`);
      got.push(details.length);
    }
    same(expected, got, 'details_count');
  };
}

/** Streams that are made from an expression, past what the client looks at. */
function readExpression({ when, then }: Case): Check {
  const expression = when.str('source_expression');
  const error = readError(then);
  if (error === undefined) throw new Skipped('then says nothing of an error');
  return async () => {
    const { ctx, cluster } = (await sceneWorld(sceneOf({ source_keyspace: 'sourceks (unsharded)', target_keyspace: 'targetks (unsharded)' }))).engine();
    const request: MaterializeRequest = {
      workflow: 'w',
      sourceKeyspace: 'sourceks',
      targetKeyspace: 'targetks',
      settings: [{ target_table: 't1', source_expression: expression, create_ddl: 'create table t1 (id bigint primary key)' }],
      referenceTables: [],
      cells: [],
      tabletTypes: ['PRIMARY'],
      inOrder: true,
      stopAfterCopy: false,
    };
    error((await outcomeOf(() => createMaterialize(ctx, cluster, request))).failure);
  };
}

/** What of a table is left out where a workflow makes it: which one makes it so, and in which shards. */
const STRIPPED: Readonly<Record<string, (scene: Scene, table: string) => { line: string[]; shards: string[] }>> = {
  'strip auto increment': (scene) => ({ line: createLine(scene), shards: ['-80', '80-'] }),
  'strip foreign keys': (_scene, table) => ({ line: copyLine(table, 'copy:drop_foreign_keys'), shards: ['-80', '80-'] }),
  'strip constraints': (_scene, table) => ({ line: copyLine(table, 'copy:drop_constraint'), shards: ['-80', '80-'] }),
};

function copyLine(table: string, ddl: string): string[] {
  const settings = [{ target_table: table, source_expression: `select * from ${formatName(table)}`, create_ddl: ddl }];
  return ['Materialize', '--workflow', 'w', '--target-keyspace', 'targetks', 'create', '--source-keyspace', 'sourceks', '--table-settings', JSON.stringify(settings)];
}

/** A table as a workflow makes it on the target. What the texts mean is compared. */
function readStripped({ op, given, then }: Case): Check {
  const ddl = given.str('ddl').replace(/;\s*$/, '');
  const source = definitionOf(ddl);
  const expected = definitionOf(then.str('ddl').replace(/\bENGINE (\w+),\s*CHARSET (\w+)$/, 'ENGINE=$1 DEFAULT CHARSET=$2'));
  const scene = sceneOf({ source_keyspace: 'sourceks (unsharded)', target_keyspace: 'targetks (-80,80-)', tables: [source.name] });
  scene.ddl = ddl;
  scene.column = source.columns[0]?.name ?? 'id';
  const { line, shards } = STRIPPED[op]!(scene, source.name);
  return async () => {
    const world = await sceneWorld(scene);
    NO_ERROR((await world.run(...line)).failure);
    for (const shard of shards) same(plain(expected), plain(world.shard('targetks', shard).findTable(source.name)), `ddl on ${shard}`);
  };
}

/** A definition whose checks are written without blanks, quotes and brackets around them. */
function plain(table: TableDef | undefined): object | undefined {
  const checks = table?.checks?.map((check) => ({ ...check, expression: check.expression.replace(/[\s`]/g, '').replace(/^\((.*)\)$/, '$1') }));
  return table === undefined || checks === undefined ? table : { ...table, checks };
}

/** What is left of shards once a Reshard is complete. */
function readCompleteThenGet({ given: fields, when, then }: Case): Check {
  const given = readGiven(fields, WORKFLOW_DEFAULTS);
  const inputs = when.strings('inputs');
  const checks = then.list('results').map((entry, index) => readErrorEntry(then, entry, `results[${index}]`));
  if (checks.length !== inputs.length) throw new Skipped('then.results has not one entry for each input');
  return async () => {
    const stage = await prepared(given);
    NO_ERROR((await stage.run('complete')).failure);
    for (const [index, shard] of inputs.entries()) checks[index]!((await stage.world.run('GetShard', `${stage.scene.workflow.target}/${shard}`)).failure);
  };
}

/** Flags of create that name cells: those that the streams read from. */
function readCreateFlags({ given, when, then }: Case): Check {
  const cells = given.strings('cells');
  const inputs = when.strings('inputs');
  const error = readError(then);
  const expected = then.has('cells') ? then.strings('cells') : undefined;
  return async () => {
    for (const input of inputs) {
      const scene = sceneOf({ cells });
      const world = await sceneWorld(scene);
      const { failure } = await world.run(...createLine(scene), ...input.split(' '));
      (error ?? NO_ERROR)(failure);
      if (expected === undefined || failure !== undefined) continue;
      for (const shard of ['-80', '80-']) for (const { cell } of readStreams(world.shard('targetks', shard), 'wf1')) same(expected, (cell ?? '').split(','), `cells of ${shard}`);
    }
  };
}

/** Settings of a workflow that are changed, each on a workflow of its own. */
function readOverrides({ when, then }: Case): Check {
  const inputs = when.strings('inputs');
  const checks = then.list('results').map((entry, index) => readErrorEntry(then, entry, `results[${index}]`));
  if (checks.length !== inputs.length) throw new Skipped('then.results has not one entry for each input');
  return async () => {
    const scene = sceneOf({});
    for (const [index, input] of inputs.entries()) {
      const world = await movingWorld(scene);
      checks[index]!((await world.run('Workflow', '--keyspace', 'targetks', 'update', '--workflow', 'wf1', '--config-overrides', input)).failure);
    }
  };
}

export const partAdapters: readonly Adapter[] = [
  { area: 'cli_parsing', op: 'validate --format', read: readFormats },
  { area: 'cli_parsing', op: 'cli', read: readWords },
  { area: 'cli_parsing', op: /^workflow status \((?:json|text)\)$/, read: readPrint },
  { area: 'cli_parsing', op: 'WorkflowStatus', read: readProgress },
  { area: 'cli_parsing', op: 'parse create flags', read: readCreateFlags },
  { area: 'cli_parsing', op: 'workflow update --config-overrides', read: readOverrides },
  { area: 'can_switch', op: 'derive stream state', read: readDerived },
  { area: 'movetables_create', op: 'select source shards per target shard', read: readSelection },
  { area: 'movetables_create', op: 'validate target tables are empty', read: readNonEmpty },
  { area: 'movetables_create', op: 'validate source tables exist', read: readTablesExist },
  { area: 'movetables_create', op: 'create streams', read: readExpression },
  { area: 'movetables_create', op: /^strip (?:auto increment|foreign keys|constraints)$/, read: readStripped },
  { area: 'reshard_create', op: 'Complete then GetShard', read: readCompleteThenGet },
  { area: 'movetables_create', op: 'sequence', serves: ({ then }) => then.has('details_count'), read: readStartStop },
];
