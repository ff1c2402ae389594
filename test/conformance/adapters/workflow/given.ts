import { parseDuration } from '../../../../src/lib/duration.ts';
import { reverseWorkflowName } from '../../../../src/lib/names.ts';
import { same } from '../../compare.ts';
import { type Fields, Skipped } from '../../fields.ts';
import { servedTypes } from './served.ts';
import { readScene, readWorkflowText, type SceneDefaults } from '../../scene.ts';
import { createLine, csv } from '../../world.ts';
import { RECORDS, setRules } from './given-records.ts';
import { STREAMS } from './given-streams.ts';
import type { Given, Reader } from './given-types.ts';

/** Reads `given`. What nobody knows stays unread, and skips the case. */
export function readGiven(given: Fields, defaults: SceneDefaults = {}): Given {
  const into: Given = { scene: readScene(given, defaults), createFlags: [], early: [], steps: [], late: [], flags: [], others: [], still: false };
  for (const name of given.names) {
    const read = READERS[name] ?? PATTERNS.find(([pattern]) => pattern.test(name))?.[1];
    read?.(given, name, into);
  }
  return into;
}

const READERS: Record<string, Reader> = {
  ...RECORDS,
  ...STREAMS,
  allowed_lag_s: (given, name, into) => into.flags.push('--max-replication-lag-allowed', `${given.int(name)}s`),
  max_replication_lag_allowed: (given, name, into) => into.flags.push('--max-replication-lag-allowed', given.str(name).replace(/ \(default\)$/, '')),
  writes_switched: expectFalse('writes are switched by workflow_state alone'),
  second_workflow: (given, name, into) => {
    const second = readWorkflowText(given.str(name));
    const { workflow, keyspaces } = into.scene;
    if (second?.keyspace !== workflow.target || workflow.sourceShards === undefined) throw new Skipped(`given.${name} is no other part of the migration`);
    const rest = keyspaces.find((one) => one.name === workflow.source)!.shards.filter((shard) => !workflow.sourceShards!.includes(shard));
    const other = { ...into.scene, workflow: { ...workflow, name: second.name, sourceShards: rest, targetShards: rest } };
    // Before what else is given, so that both are there.
    into.steps.unshift(async (stage) => {
      await stage.world.prepare(...createLine(other));
      await stage.world.pump();
    });
    into.others.push(other.workflow);
  },
  vindex: (given, name, into) => {
    const [, vindex, column] = /^(\w+)\((\w+)\)$/.exec(given.str(name)) ?? [];
    if (vindex === undefined || column === undefined) throw new Skipped(`given.${name} is not known: ${given.str(name)}`);
    Object.assign(into.scene, { vindex, column });
  },
  rdonly_tablets: (given, name) => {
    if (given.str(name) !== 'none') throw new Skipped(`given.${name} is not known: ${given.str(name)}`);
  },
  replica_and_rdonly_tablets_in_each_cell: (given, name, into) => {
    into.scene.replicas = given.bool(name);
  },
  state: (given, name, into) => cellStates(given.str(name), into),
  created_with: (given, name, into) => void into.createFlags.push(...given.str(name).split(' ')),
  reverse_workflow: (given, name, into) => {
    const reverse = given.map(name);
    const { workflow } = into.scene;
    const [own, runs, reads] = [reverse.str('name'), reverse.str('runs_in'), reverse.str('reads_from')];
    if (own !== reverseWorkflowName(workflow.name) || runs !== workflow.source || reads !== workflow.target) {
      throw new Skipped(`given.${name} is not the reverse workflow of ${workflow.target}.${workflow.name}`);
    }
  },
  source_denied_tables_after_switch: (given, name, into) => {
    into.scene.workflow.tables = given.strings(name);
  },
  lock_timeout: (given, name, into) => {
    const text = given.str(name);
    parseDuration(text);
    into.flags.push('--lock-timeout', text);
  },
  drop_failure: (given, name, into) => {
    const failure = given.map(name);
    const [table, number, state] = [failure.str('table'), failure.int('mysql_error'), failure.str('sqlstate', '42S02')];
    if (number !== 1051 || state !== '42S02') throw new Skipped(`given.${name}: the MySQL error ${number} cannot be brought about`);
    into.steps.push((stage) => {
      const { target } = stage.scene.workflow;
      for (const shard of stage.side('target').shards) stage.world.shard(target, shard).dropTable(table);
    });
  },
  other_workflow: otherWorkflow,
  cells_override: (given, name, into) => {
    into.scene.cells = given.strings(name);
  },
  global_routing_rules: (given, name) => {
    if (given.str(name) !== 'reads point to target' || !given.has('srv_vschema_rebuilt_in')) throw new Skipped(`given.${name} is not known: ${given.str(name)}`);
  },
  srv_vschema_rebuilt_in: (given, name, into) => {
    const cells = given.strings(name);
    if (cells.length > 0) into.steps.push((stage) => stage.prepare('switchtraffic', '--tablet-types', 'replica,rdonly', '--cells', cells.join(',')));
  },
  event: (given, name, into) => {
    const step = EVENTS[given.str(name)];
    if (step === undefined) throw new Skipped(`given.${name} is not known: ${given.str(name)}`);
    into.flags.push('--fault', step);
  },
  intra_keyspace_streams_on_sources: (given, name) => {
    if (given.str(name) !== 'none') throw new Skipped(`given.${name} is not known: ${given.str(name)}`);
  },
  meaning: (given, name) => {
    if (given.str(name) !== 'number of tablet types a shard serves in the cell') throw new Skipped(`given.${name} is not known: ${given.str(name)}`);
  },
  initial: (given, name, into) => {
    const cells = given.map(name);
    const wanted = cells.names.map((cell) => [cell, cells.raw(cell)] as const);
    into.steps.push(async (stage) => {
      for (const [cell, expected] of wanted) same(expected, await servedTypes(stage, cell), `given.${name}.${cell}`);
    });
  },
  previous: (given, name, into) => {
    if (given.str(name) !== 'a failed write switch') throw new Skipped(`given.${name} is not known: ${given.str(name)}`);
    into.steps.push(async (stage) => {
      const { failure } = await stage.world.run(...stage.words, 'switchtraffic', '--tablet-types', 'primary', '--fault', 'switchTraffic/writes/waitForCatchup:before=return(DEADLINE_EXCEEDED)');
      if (failure === undefined) throw new Skipped('the earlier switch did not fail');
    });
  },
  forward: (given, name, into) => sameWorkflow(given.str(name), into.scene.workflow.target, into.scene.workflow.name),
  reverse: (given, name, into) => sameWorkflow(given.str(name), into.scene.workflow.source, reverseWorkflowName(into.scene.workflow.name)),
  all_traffic_on: (given, name, into) => {
    if (given.str(name) !== 'target') throw new Skipped(`given.${name} is not known: ${given.str(name)}`);
    into.steps.push((stage) => stage.prepare('switchtraffic'));
  },
};

/** What happens during a command, as a fault. */
const EVENTS: Readonly<Record<string, string>> = {
  'caller context is cancelled while the freeze statement runs': 'switchTraffic/writes/freezeTargetVReplication:before=ctx(cancel)',
};

const PATTERNS: readonly (readonly [RegExp, Reader])[] = [
  [
    /_switched_tablet_types$/,
    (given, name, into) => {
      if (name !== `${into.scene.workflow.name}_switched_tablet_types`) return;
      const types = given.strings(name);
      if (types.length > 0) into.steps.push((stage) => stage.prepare('switchtraffic', '--tablet-types', types.join(',')));
    },
  ],
];
function sameWorkflow(text: string, keyspace: string, name: string): void {
  const named = readWorkflowText(text);
  if (named?.keyspace !== keyspace || named.name !== name) throw new Skipped(`not the workflow ${keyspace}.${name}: ${text}`);
}

function expectFalse(why: string): Reader {
  return (given, name) => {
    if (given.bool(name)) throw new Skipped(`given.${name}: ${why}`);
  };
}

/** `RDONLY switched in cell1; REPLICA+RDONLY visible in cell2`. */
function cellStates(text: string, into: Given): void {
  const shards = /^(\S+) already switched$/.exec(text)?.[1];
  if (shards !== undefined) {
    if (shards !== into.scene.workflow.sourceShards?.join(',')) throw new Skipped(`given.state is not of the workflow: ${text}`);
    into.steps.push((stage) => stage.prepare('switchtraffic'));
    return;
  }
  // What such a migration began with: the bare table and the target's lead to the source.
  const { source, target, tables } = into.scene.workflow;
  const first = tables.flatMap((table) => [table, `${target}.${table}`].map((from) => ({ from_table: from, to_tables: [`${source}.${table}`] })));
  into.steps.push((stage) => setRules(stage, first));
  for (const part of text.split('; ')) {
    const [, types, cell] = /^([A-Z+]+) (?:switched|visible) in (\S+)$/.exec(part) ?? [];
    if (types === undefined || cell === undefined) throw new Skipped(`given.state is not known: ${text}`);
    into.steps.push((stage) => stage.prepare('switchtraffic', '--tablet-types', types.replaceAll('+', ','), '--cells', cell));
  }
}

function otherWorkflow(given: Fields, name: string, into: Given): void {
  const other = given.map(name);
  const [workflow, source, target] = [other.str('name'), other.str('source_keyspace'), other.str('target_keyspace')];
  const tables = other.strings('tables');
  const types = other.strings('switched_tablet_types', []);
  for (const keyspace of [source, target]) {
    if (into.scene.keyspaces.some((one) => one.name === keyspace)) continue;
    into.scene.keyspaces.push({ name: keyspace, shards: ['0'], uids: [(into.scene.keyspaces.length + 1) * 100] });
  }
  into.steps.push(async ({ world }) => {
    for (const table of tables) {
      const db = world.shard(source, '0');
      if (db.findTable(table) === undefined) await world.prepare('query', '--target', `${source}:0`, `create table \`${table}\` (id bigint not null primary key)`);
    }
    const words = ['MoveTables', '--workflow', workflow, '--target-keyspace', target];
    await world.prepare(...words, 'create', '--source-keyspace', source, ...tables.flatMap((table) => ['--tables', csv(table)]));
    await world.pump();
    if (types.length > 0) await world.prepare(...words, 'switchtraffic', '--tablet-types', types.join(','));
  });
}
