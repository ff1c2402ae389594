import { readStreams, insertStream } from '../../../../src/tablet/vreplication/streams.ts';
import { epochSeconds } from '../../../../src/tablet/cluster.ts';
import { BinlogSource } from '../../../../src/topo/proto/messages-binlogdata.ts';
import { prototext } from '../../../../src/topo/proto/prototext.ts';
import { parsePrototext } from '../../../../src/topo/proto/prototext-parse.ts';
import type { BinlogSource as Source, Rule } from '../../../../src/topo/proto/types-workflow.ts';
import type { VSchemaKeyspace } from '../../../../src/topo/proto/types.ts';
import { contains, outcome, readError, readResults, same } from '../../compare.ts';
import { type Adapter, type Case, type Check, type Fields, isMap, Mismatch, Skipped } from '../../fields.ts';
import { createLine, setPosition } from '../../world.ts';
import { isReferenceStream, templateOf } from '../../../../src/workflow/switch/stream-templates.ts';
import { validateShardName } from '../../../../src/lib/names.ts';
import { prepared, readWhenWorkflow, WORKFLOW_DEFAULTS } from './adapters.ts';
import { readFlags } from './commands.ts';
import { readResponse } from './create.ts';
import { readThen } from './expect.ts';
import { readGiven } from './given.ts';
import type { Given } from './given-types.ts';
import type { Stage, StageStep } from './stage.ts';

/** A stream that another workflow has on a shard. */
interface OtherStream {
  shard: string;
  workflow: string;
  rules: Rule[];
}

/** Adds a stream whose source does not matter. */
function addStream(stage: Stage, { shard, workflow, rules }: OtherStream): void {
  const { keyspace } = stage.side('target');
  const db = stage.world.shard(keyspace, shard);
  const { cluster } = stage.world.engine();
  const source: Source = { keyspace: 'elsewhere', shard: '0', filter: { rules } };
  db.db.transact(() => {
    // A stream that runs has a message, which may be empty: those without one were never started.
    insertStream(db, { workflow, source: prototext(BinlogSource, source), pos: '', state: 'Running', db_name: db.dbName, time_updated: 0, message: '' }, epochSeconds(cluster));
  });
}

/** What `given` says of streams that are there already, and of the VSchema. */
function readOthers(given: Fields, into: Given): OtherStream[][] {
  const { workflow } = into.scene;
  const [sources, targets] = [workflow.sourceShards ?? [], workflow.targetShards ?? []];
  const streams: OtherStream[] = [];
  const vschema: VSchemaKeyspace = { sharded: true, vindexes: { hash: { type: 'hash' } }, tables: { t1: { column_vindexes: [{ column: 'id', name: 'hash' }] }, ref: { type: 'reference' } } };
  let orders: OtherStream[][] = [];
  const rule = (match: string): Rule => ({ match, filter: `select * from ${match}` });
  if (given.has('existing_workflow')) {
    throw new Skipped('an older client looks for the name of the workflow first; this one for any streams on the targets');
  }
  if (given.has('streams_on')) streams.push({ shard: given.str('streams_on'), workflow: 'other', rules: [rule('t1')] });
  if (given.has('reference_streams')) {
    if (given.str('reference_streams') !== 'present on only one source') throw new Skipped(`given.reference_streams is not known: ${given.str('reference_streams')}`);
    streams.push({ shard: sources[0]!, workflow: 'refs', rules: [rule('ref')] });
  }
  if (given.has('source_stream_table')) streams.push({ shard: sources[0]!, workflow: 'other', rules: [rule(given.str('source_stream_table'))] });
  if (given.has('vschema_tables')) {
    if (given.list('vschema_tables').length > 0) throw new Skipped('given.vschema_tables is not empty');
    vschema.tables = {};
  }
  if (given.has('one_stream_contains')) {
    const kinds = given.strings('one_stream_contains').map((kind) => (kind === 'a reference table' ? 'ref' : kind === 'a sharded table' ? 't1' : undefined));
    if (kinds.includes(undefined)) throw new Skipped('given.one_stream_contains is not known');
    if (given.has('orders') && given.str('orders') !== 'both') throw new Skipped('given.orders is not known');
    const one = (tables: (string | undefined)[]): OtherStream => ({ shard: sources[0]!, workflow: 'mixed', rules: tables.map((table) => rule(table!)) });
    orders = given.has('orders') ? [[one(kinds)], [one(kinds.toReversed())]] : [[one(kinds)]];
  }
  if (given.has('vschema') && isMap(given.peek('vschema'))) vschema.tables = given.raw('vschema') as Record<string, object>;
  if (given.has('missing_primary')) {
    const shard = given.str('missing_primary');
    if (!targets.includes(shard)) throw new Skipped('given.missing_primary is no target shard');
    into.scene.keyspaces[0]!.bare = [shard];
  }
  into.scene.vschema = { [workflow.target]: vschema };
  return orders.length > 0 ? orders.map((order) => [...streams, ...order]) : [streams];
}

/** The rules that each target gets: the first, and the one after it. */
function readRules(then: Fields): StageStep[] {
  const names = ['rules_per_target_first', 'rules_per_target_then'].filter((name) => then.has(name));
  const wanted = names.map((name) => {
    const rule = then.map(name);
    return { match: rule.str('match'), filter: rule.str('filter') };
  });
  if (wanted.length === 0) return [];
  return [
    (stage) => {
      const { keyspace, shards } = stage.side('target');
      for (const shard of shards) {
        for (const row of readStreams(stage.world.shard(keyspace, shard), stage.scene.workflow.name)) {
          const rules = (parsePrototext(BinlogSource, row.source) as Source).filter?.rules ?? [];
          same(wanted.map((rule) => ({ ...rule, filter: rule.filter === '<target range>' ? shard : rule.filter })), rules.slice(0, wanted.length).map(({ match, filter }) => ({ match, filter: filter ?? '' })), `rules of ${shard}`);
        }
      }
    },
  ];
}

/** What is said of the streams that were made. */
function readStreamsMade(then: Fields): StageStep[] {
  const steps: StageStep[] = [];
  const rows = (stage: Stage): ReturnType<typeof readStreams> => {
    const { keyspace, shards } = stage.side('target');
    const all = shards.flatMap((shard) => readStreams(stage.world.shard(keyspace, shard), stage.scene.workflow.name));
    if (all.length === 0) throw new Mismatch('there are no streams');
    return all;
  };
  if (then.has('source_contains')) {
    const part = then.str('source_contains');
    steps.push((stage) => rows(stage).forEach((row) => contains(part, row.source, 'source_contains')));
  }
  if (then.has('state')) {
    const state = then.str('state');
    steps.push((stage) => rows(stage).forEach((row) => same(state, row.state, 'state')));
  }
  return steps;
}

const OWN = ['response', 'rules_per_target_first', 'rules_per_target_then', 'source_contains', 'state'];

function readReshardCreate({ given: fields, when, then }: Case): Check {
  const given = readGiven(fields, { ...WORKFLOW_DEFAULTS, reshard: true });
  readWhenWorkflow(when, given);
  const others = readOthers(fields, given);
  if (fields.has('auto_start')) given.createFlags.push(`--auto-start=${fields.bool('auto_start')}`);
  if (fields.has('position')) {
    const position = fields.str('position');
    given.steps.push((stage) => {
      const { keyspace, shards } = stage.side('source');
      for (const shard of shards) stage.world = setPosition(stage.world, keyspace, shard, position);
    });
  }
  // Where `when` names shards these are asked for; the keyspace's are those of `given`.
  const { workflow } = given.scene;
  const asked = { ...given.scene, workflow: { ...workflow, sourceShards: when.strings('source_shards', workflow.sourceShards ?? []), targetShards: when.strings('target_shards', workflow.targetShards ?? []) } };
  const flags = readFlags(when, ['op', 'workflow', 'source_shards', 'target_shards']);
  // Vitess's older command puts a prefix before this error.
  const check = readThen(then, OWN);
  const steps = [...readResponse(then), ...readRules(then), ...readStreamsMade(then)];
  return async () => {
    for (const streams of others) {
      const stage = await prepared(given, false);
      for (const stream of streams) addStream(stage, stream);
      await stage.remember();
      stage.answers.push(await stage.world.run(...createLine(asked), ...given.createFlags, ...flags));
      await check(stage);
      for (const step of steps) await step(stage);
    }
  };
}

/** A VSchema as the cases of stream migration write it: `{tables: {t1: 'thash(c1)', ref: reference}}`. */
function readVSchema(given: Fields): VSchemaKeyspace {
  const vschema = given.map('vschema');
  const [vindexes, tables] = [vschema.map('vindexes'), vschema.map('tables')];
  const entries = tables.names.map((name) => {
    const text = tables.str(name);
    if (text === 'reference') return [name, { type: 'reference' }] as const;
    const [, vindex, column] = /^(\w+)\((\w+)\)$/.exec(text) ?? [];
    if (vindex === undefined || column === undefined) throw new Skipped(`given.vschema.tables.${name} is not known: ${text}`);
    return [name, { column_vindexes: [{ column, name: vindex }] }] as const;
  });
  return {
    sharded: vschema.bool('sharded'),
    vindexes: Object.fromEntries(vindexes.names.map((name) => [name, { type: vindexes.str(name) }])),
    tables: Object.fromEntries(entries),
  };
}

/** The template of a stream, or none for one of reference tables. */
function template(source: Source, vschema: VSchemaKeyspace): Source | undefined {
  return isReferenceStream(source, vschema) ? undefined : templateOf(source, vschema);
}

const sourceOf = (rules: Rule[]): Source => ({ keyspace: 'ks', shard: '80-', filter: { rules } });

/** `templatize stream rule for TABLE`: filters in, filters out; or templates of which there are none. */
function readTemplateRule({ op, given, when, then }: Case): Check {
  const table = op.slice('templatize stream rule for '.length);
  const vschema = readVSchema(given);
  const inputs = when.strings('inputs');
  const name = ['filters', 'templates', 'results'].find((candidate) => then.has(candidate));
  if (name === undefined) throw new Skipped('then has no filters and no templates');
  const check = readResults(then, name, inputs.length);
  return () => {
    check(
      inputs.map((filter) =>
        outcome(() => {
          const made = template(sourceOf([{ match: table, filter }]), vschema);
          if (name === 'templates') return made === undefined ? [] : [made];
          return made?.filter?.rules?.[0]?.filter ?? null;
        }),
      ),
    );
  };
}

function readRule(fields: Fields): Rule[] {
  if (fields.has('rules')) {
    return fields.strings('rules').map((text) => {
      const [, match, filter] = /^(\S+) (.*)$/.exec(text) ?? [];
      if (match === undefined || filter === undefined) throw new Skipped(`${fields.path}.rules is not known: ${text}`);
      return { match, filter: filter === "''" ? '' : filter };
    });
  }
  return [{ match: fields.str('match'), filter: fields.str('filter', '') }];
}

function readTemplate({ given, when, then }: Case): Check {
  const vschema = readVSchema(given);
  if (when.has('inputs')) {
    const inputs = when.maps('inputs').map(readRule);
    const error = readError(then);
    if (error === undefined) throw new Skipped('then says nothing of an error');
    const hints = then.has('expected_text_hints') ? then.strings('expected_text_hints') : undefined;
    if (hints !== undefined && hints.length !== inputs.length) throw new Skipped('then.expected_text_hints has not one entry for each input');
    return () =>
      inputs.forEach((rules, index) => {
        const { failure } = outcome(() => template(sourceOf(rules), vschema));
        if (failure === undefined) throw new Mismatch(`input ${index + 1}: expected an error, got none`);
        error(failure);
        // Upstream looks for a mix in two places, whose texts differ in a word.
        const text = failure instanceof Error ? failure.message.replace('cannot reshard streams with a mix', 'cannot migrate streams with a mix') : '';
        if (hints !== undefined) contains(hints[index]!, text, `expected_text_hints[${index}]`);
      });
  }
  const stream = when.map('stream');
  const [id, workflow, keyspace, shard] = [stream.int('id'), stream.str('workflow'), stream.str('keyspace'), stream.str('shard')];
  validateShardName(shard);
  const rules = stream.maps('rules').flatMap(readRule);
  const expected = then.str('json');
  return () => {
    const made = template({ keyspace, shard, filter: { rules } }, vschema);
    same(expected, JSON.stringify(made === undefined ? [] : [{ ID: id, Workflow: workflow, BinlogSource: made }]), 'json');
  };
}

export const reshardAdapters: readonly Adapter[] = [
  { area: 'reshard_create', op: 'Reshard create', read: readReshardCreate },
  { area: 'stream_migration', op: /^templatize stream rule for \S+$/, read: readTemplateRule },
  { area: 'stream_migration', op: 'templatize stream', read: readTemplate },
];

