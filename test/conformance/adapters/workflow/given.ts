import { FROZEN, readStreams, type StreamRow, updateStream } from '../../../../src/tablet/vreplication/streams.ts';
import { epochSeconds } from '../../../../src/tablet/cluster.ts';
import { parseDuration } from '../../../../src/lib/duration.ts';
import { reverseWorkflowName } from '../../../../src/lib/names.ts';
import { updateShardFields } from '../../../../src/topo/keyspaces.ts';
import { lockKeyspace, lockName, withKeyspaceLock } from '../../../../src/topo/locks.ts';
import { saveKeyspaceRoutingRules, saveMirrorRules, saveRoutingRules, saveShardRoutingRules } from '../../../../src/topo/rules.ts';
import { rebuildSrvVSchema } from '../../../../src/topo/vschema.ts';
import { same } from '../../compare.ts';
import { type Fields, isMap, shown, Skipped, texts } from '../../fields.ts';
import { servedTypes } from './served.ts';
import { readScene, readWorkflowText, type Scene, type SceneDefaults } from '../../scene.ts';
import { createLine, csv, setPosition } from '../../world.ts';
import type { Stage, StageStep } from './stage.ts';
import { readState } from './states.ts';

/** What `given` says of a case with a workflow. */
export interface Given {
  scene: Scene;
  /** Flags that the workflow is created with. */
  createFlags: string[];
  /** What is done before the workflow is made, and after. */
  early: StageStep[];
  steps: StageStep[];
  /** What is done last: streams could not go on after it. */
  late: StageStep[];
  /** Flags of the commands that `given` says something of. */
  flags: string[];
  /** Other workflows that \`given\` makes. */
  others: Scene['workflow'][];
  /** True if commands must not move the streams first, since `given` says how they are. */
  still: boolean;
}

type Reader = (given: Fields, name: string, into: Given) => void;

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
  workflow_state: (given, name, into) => into.steps.push(readState(given.str(name))),
  streams_frozen: frozenIf(true),
  frozen: frozenIf(true),
  target_streams: frozenIf(FROZEN),
  target_stream_message: frozenIf(FROZEN),
  stream_message: (given, name, into) => {
    const message = given.str(name);
    into.still = true;
    into.steps.push((stage) => changeStreams(stage, { message }));
  },
  stream_state: (given, name, into) => streamState(given.str(name), into),
  lag_s: (given, name, into) => {
    const lag = given.int(name);
    into.still = true;
    into.steps.push((stage) => changeStreams(stage, { transaction_timestamp: epochSeconds(stage.world.engine().cluster) - lag, time_heartbeat: 0 }));
  },
  allowed_lag_s: (given, name, into) => into.flags.push('--max-replication-lag-allowed', `${given.int(name)}s`),
  max_replication_lag_allowed: (given, name, into) => into.flags.push('--max-replication-lag-allowed', given.str(name).replace(/ \(default\)$/, '')),
  writes_switched: expectFalse('writes are switched by workflow_state alone'),
  routing_rules: (given, name, into) => {
    if (typeof given.raw(name) === 'string') return rulesWords(given.str(name), into);
    const rules = ruleRecord(given.raw(name), `given.${name}`);
    into.steps.push((stage) => setRules(stage, rules));
  },
  initial_cell_rules: (given, name, into) => {
    const rules = ruleRecord(given.raw(name), `given.${name}`);
    into.steps.push((stage) => setRules(stage, rules));
  },
  mirror_rules: (given, name, into) => {
    const rules = mirrorRecord(given.raw(name));
    into.steps.push(async (stage) => {
      const { ctx, cluster } = stage.world.engine();
      await saveMirrorRules(ctx, cluster.topo, { rules });
      await rebuildSrvVSchema(ctx, cluster.topo);
    });
  },
  shard_routing_rules: (given, name, into) => {
    const rules = shardRuleRecord(given.raw(name));
    into.steps.push(async (stage) => {
      const { ctx, cluster } = stage.world.engine();
      await saveShardRoutingRules(ctx, cluster.topo, { rules });
      await rebuildSrvVSchema(ctx, cluster.topo);
    });
  },
  keyspace_routing_rules: (given, name, into) => {
    const map = textMap(given.raw(name), `given.${name}`);
    const rules = Object.entries(map).map(([from, to]) => ({ from_keyspace: from, to_keyspace: to }));
    into.steps.push(async (stage) => {
      const { ctx, cluster } = stage.world.engine();
      await saveKeyspaceRoutingRules(ctx, cluster.topo, { rules });
      await rebuildSrvVSchema(ctx, cluster.topo);
    });
  },
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
  primary_position_every_source: positions('source'),
  primary_position_every_target: positions('target'),
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
  named_lock_held: (given, name, into) => {
    const lock = given.str(name);
    into.steps.push(async (stage) => {
      const { ctx, cluster } = stage.world.engine();
      await lockName(ctx, cluster.topo, lock, 'somebody else');
    });
  },
  keyspace_lock_held: (given, name, into) => {
    const keyspace = given.str(name);
    into.steps.push(async (stage) => {
      const { ctx, cluster } = stage.world.engine();
      await lockKeyspace(ctx, cluster.topo, keyspace, 'somebody else');
    });
  },
  lock_timeout: (given, name, into) => {
    const text = given.str(name);
    parseDuration(text);
    into.flags.push('--lock-timeout', text);
  },
  source_keyspace_exists: (given, name, into) => {
    if (!given.bool(name)) into.steps.push((stage) => forgetKeyspace(stage, stage.scene.workflow.source));
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
  target_denied: deniedOn('target'),
  source_denied: deniedOn('source'),
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
  refresh_error_on: (given, name, into) => {
    for (const text of given.strings(name)) {
      const [, keyspace, shard, type] = /^([\w-]+)\/(\S+) (primary|replica|rdonly)$/.exec(text) ?? [];
      const found = into.scene.keyspaces.find((one) => one.name === keyspace);
      const uid = found?.uids[found.shards.indexOf(shard ?? '')];
      if (uid === undefined) throw new Skipped(`given.${name} is no tablet of the case: ${text}`);
      if (type === 'primary') throw new Skipped('a primary that is down fails earlier: workflows are read from it');
      into.scene.replicas = true;
      into.late.push((stage) => stage.world.prepare('tablet', 'stop', `${into.scene.cells[0]}-${uid + (type === 'replica' ? 1 : 2)}`).then(() => {}));
    }
  },
  target_tablets: (given, name, into) => {
    if (given.str(name) !== 'none usable for streaming') throw new Skipped(`given.${name} is not known: ${given.str(name)}`);
    // The workflow streams from rdonly tablets, of which there is none.
    into.late.push((stage) => changeStreams(stage, { tablet_types: 'rdonly' }));
  },
  is_primary_serving: (given, name, into) => {
    const shards = given.map(name);
    const wanted = shards.names.map((shard) => [shard, shards.bool(shard)] as const);
    const first = into.scene.workflow.sourceShards?.[0];
    if (wanted.some(([shard, serving]) => serving && shard === first)) throw new Skipped(`whether writes are switched is read off ${first}, the first source shard`);
    into.steps.push(async (stage) => {
      // The rest is as after a full switch.
      await stage.prepare('switchtraffic');
      const { ctx, cluster } = stage.world.engine();
      const { keyspace } = stage.side('target');
      await withKeyspaceLock(ctx, cluster.topo, keyspace, 'given', async (locked) => {
        for (const [shard, serving] of wanted) {
          await updateShardFields(locked, cluster.topo, keyspace, shard, (record) => {
            record.is_primary_serving = serving;
            return true;
          });
        }
      });
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

/** Marks the streams frozen where `given` says so, as a switch of the writes has done already. */
function frozenIf(value: unknown): Reader {
  return (given, name, into) => {
    const got = given.raw(name);
    if (got === false) return;
    if (got !== value) throw new Skipped(`given.${name} is not known: ${shown(got)}`);
    into.steps.push((stage) => changeStreams(stage, { message: FROZEN, state: 'Stopped' }));
  };
}

function expectFalse(why: string): Reader {
  return (given, name) => {
    if (given.bool(name)) throw new Skipped(`given.${name}: ${why}`);
  };
}

async function changeStreams(stage: Stage, changes: Partial<StreamRow>): Promise<void> {
  const { target, name } = stage.scene.workflow;
  const { cluster } = stage.world.engine();
  for (const shard of stage.side('target').shards) {
    const db = stage.world.shard(target, shard);
    await db.db.write(cluster.world.clock, () => {
      for (const { id } of readStreams(db, name)) updateStream(db, id, changes, epochSeconds(cluster));
    });
  }
}

function streamState(state: string, into: Given): void {
  if (state !== 'Running' && state !== 'Stopped' && state !== 'Copying' && state !== 'Error') throw new Skipped(`a stream's state ${state} is not known`);
  into.still = true;
  into.steps.push(async (stage) => {
    await changeStreams(stage, { state, ...(state === 'Error' && { message: 'error: it broke' }) });
    if (state !== 'Copying') return;
    const { target, name, tables } = stage.scene.workflow;
    for (const shard of stage.side('target').shards) {
      const db = stage.world.shard(target, shard);
      for (const { id } of readStreams(db, name)) db.db.run('INSERT INTO "_vt.copy_state" (vrepl_id, table_name) VALUES (?, ?)', id, tables[0] ?? '');
    }
  });
}

/** `all reads switched`, `reads switched for REPLICA and RDONLY in all cells`. */
function rulesWords(text: string, into: Given): void {
  const types = /^reads switched for ([A-Z]+)(?: and ([A-Z]+))? in all cells$/.exec(text)?.slice(1).filter(Boolean);
  if (text !== 'all reads switched' && types === undefined) throw new Skipped(`given.routing_rules is not known: ${text}`);
  into.steps.push((stage) => stage.prepare('switchtraffic', '--tablet-types', types?.join(',') ?? 'REPLICA,RDONLY'));
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

function ruleRecord(value: unknown, path: string): { from_table: string; to_tables: string[] }[] {
  if (!isMap(value)) throw new Skipped(`${path} is no mapping of rules: ${shown(value)}`);
  return Object.entries(value).map(([from, to]) => ({ from_table: from, to_tables: texts(to, `${path}.${from}`) }));
}

async function setRules(stage: Stage, rules: { from_table: string; to_tables: string[] }[]): Promise<void> {
  const { ctx, cluster } = stage.world.engine();
  await saveRoutingRules(ctx, cluster.topo, { rules });
  await rebuildSrvVSchema(ctx, cluster.topo);
}

export function mirrorRecord(value: unknown): { from_table: string; to_table: string; percent: number }[] {
  if (!isMap(value)) throw new Skipped(`not a mapping of mirror rules: ${shown(value)}`);
  return Object.entries(value).flatMap(([from, targets]) => {
    if (!isMap(targets)) throw new Skipped(`not a mapping of mirror rules: ${shown(targets)}`);
    return Object.entries(targets).map(([to, percent]) => ({ from_table: from, to_table: to, percent: percent as number }));
  });
}

/** `{keyspace.shard: keyspace}`, or the record as JSON. */
export function shardRuleRecord(value: unknown): { from_keyspace: string; to_keyspace: string; shard: string }[] {
  if (typeof value === 'string') return (JSON.parse(value) as { rules: { from_keyspace: string; to_keyspace: string; shard: string }[] }).rules;
  return Object.entries(textMap(value, 'shard routing rules')).map(([from, to]) => {
    const dot = from.indexOf('.');
    if (dot < 1) throw new Skipped(`not a keyspace and a shard: ${from}`);
    return { from_keyspace: from.slice(0, dot), to_keyspace: to, shard: from.slice(dot + 1) };
  });
}

export function textMap(value: unknown, path: string): Record<string, string> {
  if (!isMap(value) || Object.values(value).some((one) => typeof one !== 'string')) throw new Skipped(`${path} is no mapping of texts: ${shown(value)}`);
  return value as Record<string, string>;
}

function positions(side: 'source' | 'target'): Reader {
  return (given, name, into) => {
    const position = given.str(name);
    into.still = true;
    into.steps.push((stage) => {
      const keyspace = stage.scene.workflow[side];
      for (const shard of stage.side(side).shards) stage.world = setPosition(stage.world, keyspace, shard, position);
    });
  };
}

/** As if the keyspace had never been: nothing of it is left in the topology. */
function forgetKeyspace(stage: Stage, keyspace: string): void {
  for (const nodes of stage.world.host.store.nodes.values()) {
    for (const path of nodes.keys()) if (path.startsWith(`keyspaces/${keyspace}/`)) nodes.delete(path);
  }
}

/** The tables denied on every shard of a side; a workflow has denied its own on its target already. */
function deniedOn(side: 'source' | 'target'): Reader {
  return (given, name, into) => {
    const tables = given.strings(name);
    const { workflow, keyspaces } = into.scene;
    const keyspace = workflow[side];
    const shards = keyspaces.find((one) => one.name === keyspace)?.shards ?? [];
    if (side === 'target' && [...tables].toSorted().join() === [...workflow.tables].toSorted().join()) return;
    into.steps.push(async (stage) => {
      for (const shard of shards) {
        await stage.world.prepare('SetShardTabletControl', ...tables.flatMap((table) => ['--denied-tables', csv(table)]), `${keyspace}/${shard}`, 'primary');
      }
    });
  };
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
