import { parseDateTime } from '../../../src/lib/go-time.ts';
import { findRelease } from '../../../src/lib/releases.ts';
import { summaryJson, summaryText } from '../../../src/report/vdiff/summary.ts';
import type { VDiffSummaryRow } from '../../../src/tablet/vdiff/records.ts';
import { buildSummary, progressReport, sortedTables, type TableCounts, type VDiffSummary } from '../../../src/workflow/vdiff/summary.ts';
import { readError, readResults, same } from '../compare.ts';
import { type Adapter, type Case, type Check, Fields, Mismatch, shown, Skipped } from '../fields.ts';
import { readScene, readWorkflowText, type Scene } from '../scene.ts';
import { movingWorld, RELEASE, type World } from '../world.ts';

const area = 'vdiff';
const NO_ERROR = readError(new Fields({ error: null }, 'then'))!;
const STYLE = { percent: findRelease(RELEASE).behaviours.vdiffPercent, shardSummaries: findRelease(RELEASE).behaviours.vdiffShardSummaries };

type State = VDiffSummaryRow['vdiff_state'];

/** A row of a shard's answer, with what a case says of it. */
function row(parts: Partial<VDiffSummaryRow>): VDiffSummaryRow {
  return {
    vdiff_state: 'completed',
    last_error: '',
    table_name: 't1',
    uuid: '',
    table_state: parts.vdiff_state ?? 'completed',
    table_rows: parts.rows_compared ?? 0,
    started_at: '',
    rows_compared: 0,
    completed_at: '',
    has_mismatch: 0,
    report: null,
    ...parts,
  };
}

function summaryOf(rows: ReadonlyMap<string, VDiffSummaryRow[]>, options: { verbose: boolean; uuid?: string; workflow?: { keyspace: string; name: string }; now?: number }): VDiffSummary {
  const { verbose, uuid = '', workflow = { keyspace: 'targetks', name: 'vdiffTest' }, now = 0 } = options;
  return buildSummary({ keyspace: workflow.keyspace, workflow: workflow.name, uuid, verbose, now }, rows);
}

const report = (counts: Readonly<Record<string, unknown>>): string => JSON.stringify(counts);

/** `progress`: what share is done, and how many seconds are left. */
function readProgress({ when, then }: Case): Check {
  const inputs = when.maps('inputs').map((input) => ({ compared: input.int('compared'), of: input.int('of'), ran: input.int('running_s', 0) }));
  const shares = then.list('percentage');
  const etas = then.list('eta_offset_from_now_s');
  if (shares.length !== inputs.length || etas.length !== inputs.length) throw new Skipped('then has not one entry for each input');
  return () => {
    const now = Date.UTC(2026, 0, 15);
    for (const [index, { compared, of, ran }] of inputs.entries()) {
      const started = new Date(now - ran * 1000).toISOString().slice(0, 19).replace('T', ' ');
      const { Percentage, ETA } = progressReport(compared, of, started, now);
      same(shares[index], Percentage, `percentage[${index}]`);
      same(etas[index], ETA === '' ? null : Math.round((parseDateTime(ETA) - now) / 1000), `eta_offset_from_now_s[${index}]`);
    }
  };
}

/** Whether a summary goes into shards and tables. */
function readVisibility({ given, when, then }: Case): Check {
  const shard = given.str('shard');
  const state = given.str('state') as State;
  const inputs = when.maps('inputs').map((input) => ({ verbose: input.bool('verbose'), mismatch: input.bool('mismatch') }));
  const expected = then.list('shard_summaries_present');
  if (expected.length !== inputs.length) throw new Skipped('then.shard_summaries_present has not one entry for each input');
  return () =>
    inputs.forEach(({ verbose, mismatch }, index) => {
      const rows = new Map([[shard, [row({ vdiff_state: state, has_mismatch: mismatch ? 1 : 0 })]]]);
      same(expected[index], summaryOf(rows, { verbose }).ShardSummaries !== undefined, `shard_summaries_present[${index}]`);
    });
}

/** Each shard's answer: a field of `given` for each shard, or several tables of one shard. */
function readAnswers(given: Fields): Map<string, VDiffSummaryRow[]> {
  if (given.has('tables')) {
    const tables = given.map('tables');
    const rows = tables.names.map((name) => {
      const table = tables.map(name);
      const [rowsCompared, mismatched] = [table.int('rows'), table.int('mismatched', 0)];
      return row({ table_name: name, rows_compared: rowsCompared, has_mismatch: mismatched > 0 ? 1 : 0, report: report({ TableName: name, ProcessedRows: rowsCompared, MismatchedRows: mismatched }) });
    });
    return new Map([[given.str('shard'), rows]]);
  }
  const answers = given.names.map((shard): [string, VDiffSummaryRow[]] => {
    const one = given.map(shard);
    const state = one.str('state') as State;
    const compared = one.int('rows', 0);
    const parts = {
      vdiff_state: state,
      table_state: one.str('table_state', state) as State,
      last_error: one.str('last_error', ''),
      rows_compared: compared,
      started_at: one.str('started', ''),
      completed_at: one.str('completed', ''),
      report: report({ TableName: 't1', ProcessedRows: compared }),
    };
    return [shard, [row(parts)]];
  });
  return new Map(answers);
}

/** What is expected of a summary. */
const SUMMARY: Readonly<Record<string, (then: Fields, name: string, answers: ReadonlyMap<string, VDiffSummaryRow[]>) => (summary: VDiffSummary) => void>> = {
  state: (then, name) => {
    const expected = then.str(name);
    return ({ State }) => same(expected, State, name);
  },
  rows_compared: (then, name) => {
    const expected = then.int(name);
    return ({ RowsCompared }) => same(expected, RowsCompared, name);
  },
  has_mismatch: (then, name) => {
    const expected = then.bool(name);
    return ({ HasMismatch }) => same(expected, HasMismatch, name);
  },
  started_at: (then, name) => {
    const expected = then.str(name);
    return ({ StartedAt }) => same(expected, StartedAt, name);
  },
  completed_at: (then, name) => {
    const expected = then.str(name);
    return ({ CompletedAt }) => same(expected, CompletedAt, name);
  },
  errors: (then, name) => {
    const expected = then.raw(name);
    return ({ Errors }) => same(expected, Object.fromEntries(Errors), name);
  },
  shard_states: (then, name) => {
    const expected = then.raw(name);
    return ({ ShardSummaries }) => same(expected, Object.fromEntries([...(ShardSummaries ?? [])].map(([shard, { State: state }]) => [shard, state])), name);
  },
  per_shard_times_kept: (then, name, answers) => {
    const expected = then.bool(name);
    const wanted = [...answers].map(([shard, [first]]) => `${shard} ${first?.started_at} ${first?.completed_at}`).toSorted();
    return ({ ShardSummaries }) => {
      const got = [...(ShardSummaries ?? [])].map(([shard, { StartedAt, CompletedAt }]) => `${shard} ${StartedAt} ${CompletedAt}`).toSorted();
      same(expected, got.join() === wanted.join(), name);
    };
  },
  tables: (then, name) => {
    const tables = then.map(name);
    const wanted = tables.names.map((table) => {
      const one = tables.map(table);
      return { table, mismatch: one.bool('has_mismatch'), mismatched: one.int('mismatched', 0) };
    });
    return ({ ShardSummaries }) => {
      const states = [...(ShardSummaries ?? new Map()).values()].flatMap(({ TableStates }) => [...TableStates.values()]);
      for (const { table, mismatch, mismatched } of wanted) {
        const own = states.filter(({ TableName }) => TableName === table);
        if (own.length === 0) throw new Mismatch(`${name}.${table} is not there`);
        same(mismatch, own.some(({ HasMismatch }) => HasMismatch), `${name}.${table}.has_mismatch`);
        same(mismatched, own.reduce((sum, { MismatchedRows }) => sum + MismatchedRows, 0), `${name}.${table}.mismatched`);
      }
    };
  },
};

function readSummary(verbose: boolean) {
  return ({ given, then }: Case): Check => {
    const answers = readAnswers(given);
    const checks = then.names.flatMap((name) => SUMMARY[name]?.(then, name, answers) ?? []);
    return () => {
      const summary = summaryOf(answers, { verbose });
      checks.forEach((check) => check(summary));
    };
  };
}

/** A diff as `VDiff show` prints it. */
function readShow({ op, given, when, then }: Case): Check {
  const [, format = '', verbose] = /^VDiff show \((json|text)(, verbose)?\)$/.exec(op) ?? [];
  const uuid = given.str('uuid');
  const shard = given.str('shard');
  const one = given.map('row');
  const answer = row({
    vdiff_state: one.str('vdiff_state') as State,
    table_state: one.str('table_state', one.str('vdiff_state')) as State,
    table_name: one.str('table'),
    uuid,
    table_rows: one.int('table_rows'),
    rows_compared: one.int('rows_compared'),
    has_mismatch: one.int('has_mismatch'),
    started_at: given.str('started_at', ''),
    completed_at: given.str('completed_at', ''),
    report: report({ TableName: one.str('table'), ...(one.raw('report') as object) }),
  });
  // The time that is left is counted from now, which the case leaves open.
  const now = given.has('eta_equals') ? parseDateTime(given.str('eta_equals')) : 0;
  const workflow = when.has('workflow') ? readWorkflowText(when.str('workflow')) : { keyspace: 'targetks', name: 'vdiffTest' };
  if (workflow === undefined) throw new Skipped('when.workflow is no workflow');
  const state = then.has('state') ? then.str('state') : undefined;
  const stdout = then.has('stdout') ? then.str('stdout') : undefined;
  const json = then.has('json_in_key_order') ? then.raw('json_in_key_order') : undefined;
  return () => {
    const summary = summaryOf(new Map([[shard, [answer]]]), { verbose: verbose !== undefined, uuid, workflow, now });
    if (state !== undefined) same(state, summary.State, 'state');
    if (stdout !== undefined) same(stdout, format === 'text' ? summaryText(summary, STYLE) : `${summaryJson(summary, STYLE)}\n`, 'stdout');
    if (json !== undefined) same(JSON.stringify(json, null, 2), summaryJson(summary, STYLE), 'json_in_key_order');
  };
}

function readSorted({ given, then }: Case): Check {
  const tables = given.strings('tables');
  const expected = then.strings('order');
  return () => {
    const counts = (TableName: string): TableCounts => ({ TableName, State: 'completed', RowsCompared: 0, MatchingRows: 0, MismatchedRows: 0, ExtraRowsSource: 0, ExtraRowsTarget: 0 });
    same(expected, sortedTables({ TableSummary: new Map(tables.map((table) => [table, counts(table)])) }).map(({ TableName }) => TableName), 'order');
  };
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function vdiff(world: World, scene: Scene, ...words: string[]): ReturnType<World['run']> {
  return world.run('VDiff', '--workflow', scene.workflow.name, '--target-keyspace', scene.workflow.target, ...words);
}

function readCreate({ given, when, then }: Case): Check {
  const scene = readScene(given);
  const named = readWorkflowText(when.str('workflow'));
  if (named?.keyspace !== scene.workflow.target) throw new Skipped('when.workflow is not of the target');
  scene.workflow.name = named.name;
  const uuid = when.raw('uuid');
  if (uuid !== null && typeof uuid !== 'string') throw new Skipped(`when.uuid is no text: ${shown(uuid)}`);
  const error = readError(then) ?? NO_ERROR;
  const expected = then.has('response_uuid') ? then.str('response_uuid') : undefined;
  return async () => {
    const world = await movingWorld(scene);
    const { stdout, failure } = await vdiff(world, scene, 'create', ...(uuid === null ? [] : [uuid]), '--format', 'json');
    error(failure);
    if (expected === undefined || failure !== undefined) return;
    const got = (JSON.parse(stdout) as { UUID: string }).UUID;
    if (expected !== 'valid UUID') same(expected, got, 'response_uuid');
    else if (!UUID.test(got)) throw new Mismatch(`response_uuid: not valid: ${shown(got)}`);
  };
}

/** `VDiff resume / stop` of shards that the workflow does not have. */
function readShards({ op, given, when, then }: Case): Check {
  const subs = op.slice('VDiff '.length).split(' / ');
  const text = given.str('workflow');
  const [, name, shards] = /^(\S+) on (\S+)$/.exec(text) ?? [];
  if (name === undefined || shards === undefined) throw new Skipped(`given.workflow is not known: ${text}`);
  const asked = when.strings('target_shards');
  const error = readError(then);
  if (error === undefined) throw new Skipped('then says nothing of an error');
  return async () => {
    const scene = readScene(new Fields({ source_keyspace: 'sourceks (unsharded)', target_keyspace: `targetks (${shards})` }, 'given'));
    scene.workflow.name = name;
    const world = await movingWorld(scene);
    const { stdout } = await vdiff(world, scene, 'create', '--format', 'json');
    const { UUID: uuid } = JSON.parse(stdout) as { UUID: string };
    for (const sub of subs) error((await vdiff(world, scene, sub, uuid, `--target-shards=${asked.join(',')}`)).failure);
  };
}

/** The client's check of shards that are named, before anything else is looked at. */
function readShardsFlag({ when, then }: Case): Check {
  const inputs = when.list('inputs').map((list) => {
    if (!Array.isArray(list) || list.some((shard) => typeof shard !== 'string')) throw new Skipped(`not a list of shards: ${shown(list)}`);
    return list as string[];
  });
  const errors = then.list('errors');
  const check = readResults(new Fields({ results: errors.map((error) => (error === null ? 'passed' : { error })) }, 'then'), 'results', inputs.length);
  return async () => {
    const scene = readScene(new Fields({ source_keyspace: 'sourceks (unsharded)', target_keyspace: 'targetks (-80,80-)' }, 'given'));
    const world = await movingWorld(scene);
    const results = [];
    for (const shards of inputs) {
      const flag = shards.length === 1 && shards[0] === '' ? '""' : shards.join(',');
      const { failure } = await vdiff(world, scene, 'resume', 'b3f59678-5241-11ee-be56-0242ac120002', `--target-shards=${flag}`);
      results.push(failure?.message.startsWith('invalid shard: ') === true ? { failure } : { value: 'passed' });
    }
    check(results);
  };
}

export const vdiffAdapters: readonly Adapter[] = [
  { area, op: 'progress', read: readProgress },
  { area, op: 'build summary', serves: ({ when }) => when.has('inputs'), read: readVisibility },
  { area, op: 'build summary', read: readSummary(false) },
  { area, op: 'build summary (verbose)', read: readSummary(true) },
  { area, op: 'sorted table summaries', read: readSorted },
  { area, op: /^VDiff show \((?:json|text)(?:, verbose)?\)$/, read: readShow },
  { area, op: 'VDiff create', read: readCreate },
  { area, op: /^VDiff (?:resume|stop)(?: \/ (?:resume|stop))*$/, read: readShards },
  { area: 'cli_parsing', op: 'validate --shards', read: readShardsFlag },
];
