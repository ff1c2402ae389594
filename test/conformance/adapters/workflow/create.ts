import { parseStatement } from '../../../../src/sql/parser.ts';
import type { TableDef } from '../../../../src/sql/schema.ts';
import { tableDef } from '../../../../src/sql/schema-build.ts';
import { parsePrototext } from '../../../../src/topo/proto/prototext-parse.ts';
import { BinlogSource } from '../../../../src/topo/proto/messages-binlogdata.ts';
import type { BinlogSource as Source } from '../../../../src/topo/proto/types-workflow.ts';
import { readStreams } from '../../../../src/tablet/vreplication/streams.ts';
import { extendVSchema } from '../../../../src/workflow/create/tables.ts';
import type { MoveTablesRequest } from '../../../../src/workflow/create/request.ts';
import { getSrvVSchema, getVSchema, saveVSchema } from '../../../../src/topo/vschema.ts';
import { migrationId } from '../../../../src/lib/fnv.ts';
import { readErrorEntry, same, subset } from '../../compare.ts';
import { type Adapter, type Case, type Check, type Fields, isMap, Mismatch, shown, Skipped } from '../../fields.ts';
import { topoWorld } from '../../topo-world.ts';
import { createLine, setPosition } from '../../world.ts';
import { readFlags } from './commands.ts';
import { answerJson } from './expect-answer.ts';
import { readThen } from './expect.ts';
import { readGiven } from './given.ts';
import type { Given } from './given-types.ts';
import type { Stage, StageStep } from './stage.ts';
import { prepared, readWhenWorkflow, WORKFLOW_AREAS } from './adapters.ts';

/** The table that a CREATE statement makes. Throws Skipped for another statement. */
export function definitionOf(sql: string): TableDef {
  const statement = parseStatement(sql);
  if (statement.kind !== 'create-table') throw new Skipped(`not a CREATE TABLE: ${sql}`);
  return tableDef(statement);
}

/** Fields of `given` that only creating knows. */
function readCreateGiven(given: Fields, into: Given): void {
  const { scene } = into;
  const { workflow } = scene;
  // The source's VSchema is empty: it has the tables, as unsharded keyspaces may.
  scene.vschema = { [workflow.source]: {} };
  scene.bareSource = true;
  if (given.has('source_ddl')) scene.ddl = given.str('source_ddl');
  for (const name of ['target_vindex', 'target_vschema']) {
    if (!given.has(name) || typeof given.peek(name) !== 'string') continue;
    const [, vindex, column] = /^(?:table `[^`]+` with )?(\w+)\((\w+)\)$/.exec(given.str(name)) ?? [];
    if (vindex === undefined || column === undefined) throw new Skipped(`given.${name} is not known: ${given.str(name)}`);
    scene.vindex = vindex;
    scene.column = column;
  }
  if (given.has('target_vschema_auto_increment')) {
    const auto = given.map('target_vschema_auto_increment');
    scene.autoIncrement = { column: auto.str('column'), sequence: auto.str('sequence') };
  }
  if (given.has('position')) {
    const position = given.str('position');
    into.steps.push((stage) => {
      for (const shard of stage.side('source').shards) stage.world = setPosition(stage.world, workflow.source, shard, position);
    });
  }
  if (given.has('existing_journal_id')) {
    const tablets = given.strings('on_tablets');
    given.str('existing_journal_id');
    into.steps.push((stage) => putJournals(stage, tablets));
  }
}

/** The id that the workflow's journal will have: each target shard has one stream for each source shard, from 1 on. */
function journalId({ scene }: Stage): string {
  const { target, source } = scene.workflow;
  const [targets, sources] = [target, source].map((name) => scene.keyspaces.find((keyspace) => keyspace.name === name)!.shards);
  if (sources!.length !== 1) throw new Skipped('the journal of several sources cannot be foreseen');
  return String(migrationId(target, targets!.map((shard) => `${shard}:1`)));
}

function putJournals(stage: Stage, tablets: readonly string[]): void {
  const { keyspaces, cells } = stage.scene;
  const wanted = new Set(tablets);
  for (const { name, shards, uids } of keyspaces) {
    for (const [index, shard] of shards.entries()) {
      if (!wanted.delete(`${cells[0]}-${String(uids[index]).padStart(10, '0')}`)) continue;
      const db = stage.world.shard(name, shard);
      db.db.run('INSERT INTO "_vt.resharding_journal" VALUES (?, ?, ?)', journalId(stage), db.dbName, '');
    }
  }
  if (wanted.size > 0) throw new Skipped(`there is no tablet ${[...wanted].join(', ')}`);
}

type Expectation = (then: Fields, name: string) => StageStep;

/** What a create leaves. */
const CREATED: Readonly<Record<string, Expectation>> = {
  srv_vschema: (then, name) => {
    const wanted = then.map(name);
    const keyspaces = wanted.has('keyspaces') ? wanted.raw('keyspaces') : undefined;
    const rules = wanted.has('routing_rules_include') ? wanted.raw('routing_rules_include') : undefined;
    return async (stage) => {
      const { ctx, cluster } = stage.world.engine();
      for (const cell of stage.scene.cells) {
        const record = await getSrvVSchema(ctx, cluster.topo, cell);
        const own = Object.fromEntries(Object.entries(record?.keyspaces ?? {}).map(([keyspace, one]) => [keyspace, withoutEmpty(one)]));
        if (keyspaces !== undefined) same(keyspaces, own, `${name}.keyspaces in ${cell}`);
        if (rules !== undefined) subset(rules, await stage.world.cellRules(cell), `${name}.routing_rules_include in ${cell}`);
      }
    };
  },
  streams: (then, name) => {
    const shards = then.map(name);
    const wanted = shards.names.map((shard) => [shard, shards.maps(shard).map((stream) => ({ source_shard: stream.str('source_shard'), filter: stream.str('filter') }))] as const);
    return (stage) => {
      const { target, name: workflow } = stage.scene.workflow;
      for (const [shard, streams] of wanted) {
        const got = readStreams(stage.world.shard(target, shard), workflow).map((row) => {
          const source = parsePrototext(BinlogSource, row.source) as Source;
          return { source_shard: source.shard, filter: source.filter?.rules?.[0]?.filter ?? '' };
        });
        same(streams, got, `${name}.${shard}`);
      }
    };
  },
  shard_streams_count: (then, name) => {
    const expected = then.int(name);
    return (stage) => same(expected, allStreams(stage).length, name);
  },
  target_ddl_on_each_shard: (then, name) => {
    const expected = definitionOf(then.str(name));
    return (stage) => {
      const { target } = stage.scene.workflow;
      for (const shard of stage.side('target').shards) {
        const got = stage.world.shard(target, shard).findTable(expected.name);
        // Options follow from the server's own defaults where a case writes none.
        same({ ...expected, options: '' }, got === undefined ? null : { ...got, options: '' }, `${name} on ${shard}`);
      }
    };
  },
  target_vschema_changed: (then, name) => {
    const expected = then.bool(name);
    return async (stage) => {
      const { topology } = stage.before as { topology: Record<string, unknown> };
      const before = topology[`global:keyspaces/${stage.scene.workflow.target}/VSchema`];
      same(expected, JSON.stringify(before) !== JSON.stringify(await targetVSchema(stage)), name);
    };
  },
  target_vschema_auto_increment: (then, name) => {
    const expected = then.raw(name);
    return async (stage) => {
      for (const table of stage.scene.workflow.tables) same(expected, (await targetVSchema(stage)).tables?.[table]?.auto_increment, `${name} of ${table}`);
    };
  },
};

async function targetVSchema(stage: Stage): Promise<Awaited<ReturnType<typeof getVSchema>>['record']> {
  const { ctx, cluster } = stage.world.engine();
  return (await getVSchema(ctx, cluster.topo, stage.scene.workflow.target)).record;
}

function allStreams(stage: Stage): object[] {
  const { target, name } = stage.scene.workflow;
  return stage.side('target').shards.flatMap((shard) => readStreams(stage.world.shard(target, shard), name));
}

/** A record without what is empty or false: how protojson leaves it out. */
function withoutEmpty(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== false && !(isMap(value) && Object.keys(value).length === 0)));
}

/** The answer of create, or of status once the streams have copied. */
export function readResponse(then: Fields): StageStep[] {
  if (!then.has('response')) return [];
  const response = then.map('response');
  const state = response.has('traffic_state') ? response.str('traffic_state') : undefined;
  const shards = response.has('shard_streams') ? response.raw('shard_streams') : undefined;
  return [
    async (stage) => {
      await stage.world.pump();
      const got = answerJson(await stage.run('status', '--format', 'json'));
      if (state !== undefined) same(state, got?.['traffic_state'], 'response.traffic_state');
      if (shards !== undefined) same(shards, streamsBySaid(got), 'response.shard_streams');
    },
  ];
}

function streamsBySaid(answer: Record<string, unknown> | undefined): unknown {
  const shards = answer?.['shard_streams'];
  if (!isMap(shards)) throw new Mismatch(`the answer has no shard_streams: ${shown(answer)}`);
  return Object.fromEntries(
    Object.entries(shards).map(([shard, value]) => {
      const { streams } = value as { streams: { tablet: { cell: string; uid: number } }[] };
      return [shard, streams.map((stream) => ({ ...stream, tablet: `${stream.tablet.cell}-${String(stream.tablet.uid).padStart(10, '0')}` }))];
    }),
  );
}

/** `MoveTables create`, with flags in `when` or in its own words. */
function readCreate({ op, given: fields, when, then }: Case): Check {
  const given = readGiven(fields, { target: { name: 'targetks', shards: ['-80', '80-'] } });
  readCreateGiven(fields, given);
  readWhenWorkflow(when, given);
  if (when.has('tables')) given.scene.workflow.tables = when.strings('tables');
  // What the scene says already is not said twice.
  const words = op.replace(/ --(?:source-shards|tenant-id)[ =]\S+/g, (flag) => (createLine(given.scene).includes(flag.trim().replace(' ', '=')) || createLine(given.scene).join(' ').includes(flag.trim()) ? '' : flag)).split(' ').slice(2);
  const flags = [...words, ...readFlags(when, ['op', 'workflow', 'tables', 'inputs'])];
  const variants = when.has('inputs') ? when.maps('inputs').map((input) => readFlags(input)) : [[]];
  const errors = then.has('errors') ? then.list('errors').map((entry, index) => readErrorEntry(then, entry, `errors[${index}]`)) : undefined;
  if (errors !== undefined && errors.length !== variants.length) throw new Skipped('then.errors has not one entry for each input');
  const journal = fields.has('existing_journal_id') ? fields.str('existing_journal_id') : undefined;
  const steps = [...then.names.flatMap((name) => CREATED[name]?.(then, name) ?? []), ...readResponse(then)];
  const check = readThen(then, ['errors', 'response', ...Object.keys(CREATED)], errors === undefined ? undefined : () => {});
  return async () => {
    const start = await prepared(given, false);
    for (const [index, variant] of variants.entries()) {
      const stage = start.fork();
      const answer = await stage.world.run(...createLine(given.scene), ...flags, ...variant);
      // The case's id stands for that of the workflow, which follows from its streams.
      if (journal !== undefined && answer.failure !== undefined) answer.failure = new Error(answer.failure.message.replace(journalId(stage), journal));
      stage.answers.push(answer);
      errors?.[index]!(answer.failure);
      await check(stage);
      for (const step of steps) await step(stage);
    }
  };
}

/** `add tables t1..t4, copying source vschema`: what an unsharded target's VSchema gets of the source's. */
function readAddTables({ op, given, then }: Case): Check {
  const [, list = ''] = /^add tables (\S+), copying source vschema$/.exec(op) ?? [];
  const source = given.raw('source_vschema');
  const target = given.raw('target_vschema');
  if (!isMap(source) || !isMap(target)) throw new Skipped('given has no two VSchemas');
  if (target['sharded'] === true) throw new Skipped('a sharded target is left as it is');
  const [, prefix, from, to] = /^([a-z]+)(\d+)\.\.\1(\d+)$/.exec(list) ?? [];
  const tables = prefix === undefined ? list.split(',') : Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => `${prefix}${Number(from) + index}`);
  const expected = then.raw('target_tables');
  return async () => {
    const world = await topoWorld(['cell'], { sourceks: source['sharded'] === true ? ['-80', '80-'] : ['0'], targetks: ['0'] });
    const { ctx, cluster } = world.engine();
    await saveVSchema(ctx, cluster.topo, 'sourceks', source, null);
    await saveVSchema(ctx, cluster.topo, 'targetks', target, null);
    await extendVSchema(ctx, cluster, { sourceKeyspace: 'sourceks', targetKeyspace: 'targetks' } as MoveTablesRequest, tables);
    same(expected, (await getVSchema(ctx, cluster.topo, 'targetks')).record.tables ?? {}, 'target_tables');
  };
}

export const createAdapters: readonly Adapter[] = [
  { area: 'movetables_create', op: /^add tables \S+, copying source vschema$/, read: readAddTables },
 { area: WORKFLOW_AREAS, op: /^MoveTables create(?: --.*)?$/, read: readCreate }];
