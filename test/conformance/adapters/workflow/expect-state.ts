import { FROZEN, readStreams, type StreamRow } from '../../../../src/tablet/vreplication/streams.ts';
import { reverseWorkflowName } from '../../../../src/lib/names.ts';
import { getShard } from '../../../../src/topo/keyspaces.ts';
import { getSrvKeyspace } from '../../../../src/topo/srv-keyspace.ts';
import type { TabletControl } from '../../../../src/topo/proto/types.ts';
import { getVSchema } from '../../../../src/topo/vschema.ts';
import { getWorkflowState } from '../../../../src/workflow/state.ts';
import { same, subset } from '../../compare.ts';
import { type Fields, isMap, Mismatch, shown, Skipped, texts } from '../../fields.ts';
import type { Expectation } from './expect-answer.ts';
import { servedTypes } from './served.ts';
import { queryEffects } from './expect-queries.ts';
import type { Stage, StageStep } from './stage.ts';

const whole = (get: (stage: Stage) => Promise<unknown>): Expectation => (then, name) => {
  const expected = then.raw(name);
  return async (stage) => same(expected, await get(stage), name);
};

const part = (get: (stage: Stage) => Promise<unknown>): Expectation => (then, name) => {
  const expected = then.raw(name);
  if (!isMap(expected)) throw new Skipped(`then.${name} is no mapping: ${shown(expected)}`);
  return async (stage) => subset(expected, await get(stage), name);
};

const rules = (stage: Stage): Promise<Record<string, string[]>> => stage.world.routingRules();

/** The tables that every shard of a side denies: the same on each. */
const deniedOn = (side: 'source' | 'target'): Expectation => (then, name) => {
  const expected = then.strings(name).toSorted();
  return async (stage) => {
    const keyspace = stage.scene.workflow[side];
    for (const shard of stage.side(side).shards) same(expected, await stage.world.denied(keyspace, shard), `${name} on ${keyspace}/${shard}`);
  };
};

/** `{keyspace/shard: …}`, each compared with what the shard has. */
const byShard = (get: (stage: Stage, keyspace: string, shard: string) => Promise<unknown>): Expectation => (then, name) => {
  const shards = then.raw(name);
  if (!isMap(shards)) throw new Skipped(`then.${name} is no mapping by shard: ${shown(shards)}`);
  return async (stage) => {
    for (const [text, expected] of Object.entries(shards)) {
      const [keyspace, shard] = stage.shardOf(text);
      same(expected, await get(stage, keyspace, shard), `${name}.${text}`);
    }
  };
};

async function controlsOf(stage: Stage, keyspace: string, shard: string): Promise<TabletControl[]> {
  const { ctx, cluster } = stage.world.engine();
  return (await getShard(ctx, cluster.topo, keyspace, shard)).record.tablet_controls ?? [];
}

async function vschemaTables(stage: Stage, side: 'source' | 'target'): Promise<string[]> {
  const { ctx, cluster } = stage.world.engine();
  const { record } = await getVSchema(ctx, cluster.topo, stage.scene.workflow[side]);
  return Object.keys(record.tables ?? {}).toSorted();
}

const vschemaOf = (side: 'source' | 'target'): Expectation => (then, name) => {
  const expected = then.strings(name).toSorted();
  return async (stage) => same(expected, await vschemaTables(stage, side), name);
};

const inVSchema = (side: 'source' | 'target'): Expectation => (then, name) => {
  const tables = then.map(name);
  const wanted = tables.names.map((table) => [table, tables.bool(table)] as const);
  return async (stage) => {
    const there = await vschemaTables(stage, side);
    for (const [table, expected] of wanted) same(expected, there.includes(table), `${name}.${table}`);
  };
};

/** The streams of the workflow on its targets, or of its reverse on the sources. */
export function streamsOf(stage: Stage, which: 'forward' | 'reverse'): StreamRow[] {
  const { workflow } = stage.scene;
  const [keyspace, name] = which === 'forward' ? [workflow.target, workflow.name] : [workflow.source, reverseWorkflowName(workflow.name)];
  return stage.side(which === 'forward' ? 'target' : 'source').shards.flatMap((shard) => readStreams(stage.world.shard(keyspace, shard), name));
}

const streamFields = (which: 'forward' | 'reverse'): Expectation => (then, name) => {
  const value = then.raw(name);
  if (Array.isArray(value)) {
    if (value.length > 0) throw new Skipped(`then.${name} is not known: ${shown(value)}`);
    return (stage) => same([], streamsOf(stage, which).map(({ workflow, id }) => `${workflow}:${id}`), name);
  }
  if (value === 'deleted') return (stage) => same([], streamsOf(stage, which).map(({ id }) => id), name);
  const expected = isMap(value) ? value : streamWords(String(value), name);
  const unknown = Object.keys(expected).find((key) => key !== 'state' && key !== 'message');
  if (unknown !== undefined) throw new Skipped(`then.${name}.${unknown} is not known`);
  return (stage) => {
    const streams = streamsOf(stage, which);
    if (streams.length === 0) throw new Mismatch(`${name}: there are none`);
    for (const { id, state, message } of streams) subset(expected, { state, message: message ?? '' }, `${name} ${id}`);
  };
};

/** `Running, message empty`. */
function streamWords(text: string, name: string): Record<string, unknown> {
  const [, state, message] = /^(Running|Stopped)(, message empty)?$/.exec(text) ?? [];
  if (state === undefined) throw new Skipped(`then.${name} is not known: ${text}`);
  return { state, ...(message !== undefined && { message: '' }) };
}

/** Locks that are held, of one kind; those that a case has given itself apart. */
function locksHeld(stage: Stage, kind: 'keyspaces/' | 'internal/named_locks/'): string[] {
  const { cluster } = stage.world.engine();
  const held = cluster.topo.conn.locks().filter(({ token, expiresMs }) => token !== undefined && expiresMs > 0);
  return held.flatMap(({ resource }) => (resource.startsWith(kind) ? [resource.slice(kind.length)] : [])).toSorted();
}

/** What was locked, in order: `keyspace ks`, `named ks/workflow`. */
export function lockSequence(stage: Stage): string[] {
  return stage.logged.flatMap((line) => /^Locking ((?:keyspace|named) \S+) for action/.exec(line)?.[1] ?? []);
}

/** The name that was locked: of each input in its place, or of the one command. */
const namedLocks: Expectation = (then, name) => {
  const value = then.raw(name);
  const expected = typeof value === 'string' ? [value] : texts(value, `then.${name}`);
  return (stage) => {
    const names = (one: Stage): string => {
      const locks = lockSequence(one).flatMap((lock) => (lock.startsWith('named ') ? [lock.slice('named '.length)] : []));
      return [...new Set(locks)].join(', ');
    };
    same(expected, (stage.inputs.length > 0 ? stage.inputs : [stage]).map(names), name);
  };
};

/** Where a table's queries go: the keyspace that its rule in the first cell names. */
async function routeOf(stage: Stage, table: string, type: string): Promise<string> {
  const all = await stage.world.cellRules(stage.scene.cells[0] ?? '');
  const to = (type === '' ? undefined : all[`${table}@${type}`]) ?? all[table];
  if (to?.[0] === undefined) throw new Mismatch(`there is no rule for ${table}${type === '' ? '' : `@${type}`}`);
  return to[0].slice(0, to[0].indexOf('.'));
}

const routes = (types: readonly string[]): Expectation => (then, name) => {
  const side = then.str(name);
  if (side !== 'source' && side !== 'target') throw new Skipped(`then.${name} is not source or target: ${side}`);
  return async (stage) => {
    const { workflow } = stage.scene;
    for (const table of workflow.tables) {
      for (const type of types) same(workflow[side], await routeOf(stage, table, type), `${name}: ${table}@${type}`);
    }
  };
};

const exists = (which: 'forward' | 'reverse', frozen?: true): Expectation => (then, name) => {
  const expected = then.bool(name);
  return (stage) => {
    const streams = streamsOf(stage, which);
    same(expected, streams.length > 0 && (frozen === undefined || streams.every(({ message }) => message === FROZEN)), name);
  };
};

/** Tables that are gone from every shard of the target. */
const dropped: Expectation = (then, name) => {
  const tables = then.strings(name);
  return (stage) => {
    const { target, tables: moved } = stage.scene.workflow;
    const other = tables.find((table) => !moved.includes(table));
    if (other !== undefined) throw new Mismatch(`${name}: ${other} was never there`);
    for (const shard of stage.side('target').shards) {
      for (const table of tables) same(false, stage.world.shard(target, shard).findTable(table) !== undefined, `${name}: ${table} in ${target}/${shard}`);
    }
  };
};

/** No statement that drops a table: every table that the target had is there. */
const noneDropped: Expectation = (then, name) => {
  if (then.list(name).length > 0) throw new Skipped(`then.${name} is not empty`);
  return (stage) => {
    const { target, tables } = stage.scene.workflow;
    for (const shard of stage.side('target').shards) {
      for (const table of tables) same(true, stage.world.shard(target, shard).findTable(table) !== undefined, `${name}: ${table} in ${target}/${shard}`);
    }
  };
};

/** The shards that serve each tablet type, in every cell. */
const serving: Expectation = (then, name) => {
  const types = then.map(name);
  const wanted = types.names.map((type) => [type, types.strings(type)] as const);
  return async (stage) => {
    const { ctx, cluster } = stage.world.engine();
    for (const cell of stage.scene.cells) {
      const record = await getSrvKeyspace(ctx, cluster.topo, cell, stage.scene.workflow.target);
      for (const [type, shards] of wanted) {
        const partition = record?.partitions?.find((one) => one.served_type === type);
        same(shards.toSorted(), (partition?.shard_references ?? []).map((shard) => shard.name).toSorted(), `${name}.${type} in ${cell}`);
      }
    }
  };
};

/** Shard routing rules as JSON without blanks, sorted by shard and then by where they lead. */
const shardRulesJson: Expectation = (then, name) => {
  const expected = then.str(name);
  return async (stage) => {
    const all = Object.entries(await stage.world.shardRoutingRules()).map(([from, to]) => {
      const dot = from.indexOf('.');
      return { from_keyspace: from.slice(0, dot), to_keyspace: to, shard: from.slice(dot + 1) };
    });
    const order = (rule: { shard: string; to_keyspace: string }): string => `${rule.shard} ${rule.to_keyspace}`;
    same(expected, JSON.stringify({ rules: all.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)) }), name);
  };
};

/** Expectations of what is left in the cluster. */
export const STATE: Readonly<Record<string, Expectation>> = {
  routing_rules: whole(rules),
  rules_subset: part(rules),
  routing_rules_subset: part(rules),
  unsuffixed_rules: part(rules),
  unsuffixed_rules_unchanged: part(rules),
  shard_routing_rules: whole((stage) => stage.world.shardRoutingRules()),
  shard_routing_rules_json: shardRulesJson,
  keyspace_routing_rules: whole((stage) => stage.world.keyspaceRoutingRules()),
  mirror_rules: whole((stage) => stage.world.mirrorRules()),
  rule_count_before: (then, name) => {
    const expected = then.int(name);
    return (stage) => same(expected, Object.keys(rulesBefore(stage)).length, name);
  },
  rule_count_after: (then, name) => {
    const expected = then.int(name);
    return async (stage) => same(expected, Object.keys(await rules(stage)).length, name);
  },
  every_rule_points_to: (then, name) => {
    if (then.str(name) !== "the target keyspace's table of the same name") throw new Skipped(`then.${name} is not known`);
    return async (stage) => {
      const all = Object.entries(await rules(stage));
      if (all.length === 0) throw new Mismatch(`${name}: there are no rules`);
      for (const [from, to] of all) same([`${stage.scene.workflow.target}.${from.replace(/^.*\./, '').replace(/@.*$/, '')}`], to, `${name}: ${from}`);
    };
  },
  routing: (then, name) => {
    if (then.str(name) !== 'all tables still routed to the target') throw new Skipped(`then.${name} is not known`);
    return async (stage) => {
      for (const table of stage.scene.workflow.tables) {
        for (const type of ['', 'replica', 'rdonly']) same(stage.scene.workflow.target, await routeOf(stage, table, type), `${name}: ${table}@${type}`);
      }
    };
  },
  table_rules_point_to: (then, name) => {
    const keyspace = then.str(name);
    return async (stage) => {
      const all = Object.entries(await rules(stage));
      if (all.length === 0) throw new Mismatch(`${name}: there are no rules`);
      for (const [from, to] of all) same(keyspace, to[0]?.split('.')[0], `${name}: ${from}`);
    };
  },
  srv_vschema_rules: (then, name) => {
    const cells = then.map(name);
    const wanted = cells.names.map((cell) => [cell, cells.raw(cell)] as const);
    return async (stage) => {
      for (const [cell, expected] of wanted) same(expected, await stage.world.cellRules(cell), `${name}.${cell}`);
    };
  },
  denied: byShard((stage, keyspace, shard) => stage.world.denied(keyspace, shard)),
  tablet_controls: byShard(controlsOf),
  source_denied_tables: deniedOn('source'),
  source_denied: deniedOn('source'),
  target_denied: deniedOn('target'),
  target_denied_tables: deniedOn('target'),
  target_allow_reads: (then, name) => {
    const expected = then.bool(name);
    return async (stage) => {
      const { target } = stage.scene.workflow;
      for (const shard of stage.side('target').shards) {
        const control = (await controlsOf(stage, target, shard)).find(({ tablet_type: type }) => type === 'PRIMARY');
        same(expected, control?.allow_reads === true, `${name} on ${target}/${shard}`);
      }
    };
  },
  reads_mirrored: mirrored('readsMirrored'),
  writes_mirrored: mirrored('writesMirrored'),
  writes_switched: mirrored('writesSwitched'),
  target_streams: streamFields('forward'),
  reverse_streams: streamFields('reverse'),
  target_streams_frozen: exists('forward', true),
  workflow_still_exists: exists('forward'),
  journal_id: (then, name) => {
    const expected = then.str(name);
    return (stage) => {
      const { keyspace, shards } = stage.side('source');
      for (const shard of shards) {
        const ids = stage.world.shard(keyspace, shard).db.all<{ id: string | number }>('SELECT id FROM "_vt.resharding_journal"');
        same([expected], ids.map(({ id }) => String(id)), `${name} on ${keyspace}/${shard}`);
      }
    };
  },
  keyspace_locks_per_phase: (then, name) => {
    const expected = then.strings(name);
    return (stage) => {
      // A full switch has a phase for the reads and one for the writes.
      const locks = lockSequence(stage).flatMap((lock) => (lock.startsWith('keyspace ') ? [lock.slice('keyspace '.length)] : []));
      same([...expected, ...expected], locks, name);
    };
  },
  shard_routing_rules_changed: changed('ShardRoutingRules'),
  table_routing_rules_changed: changed('RoutingRules'),
  served_types_unchanged: (then, name) => {
    const expected = then.bool(name);
    return async (stage) => {
      const records = (state: unknown): unknown => Object.entries((state as { topology: object }).topology).filter(([path]) => path.endsWith('/SrvKeyspace'));
      same(expected, JSON.stringify(records(stage.before)) === JSON.stringify(records(await stage.print())), name);
    };
  },
  keyspace_locks_held: (then, name) => {
    const expected = then.strings(name).toSorted();
    return (stage) => same(expected, locksHeld(stage, 'keyspaces/'), name);
  },
  named_lock_held: (then, name) => {
    const expected = then.bool(name);
    return (stage) => same(expected, locksHeld(stage, 'internal/named_locks/').length > 0, name);
  },
  lock_sequence: (then, name) => {
    const expected = then.strings(name);
    return (stage) => same(expected, lockSequence(stage), name);
  },
  named_lock: namedLocks,
  source_vschema_tables: vschemaOf('source'),
  target_vschema_tables: vschemaOf('target'),
  in_source_vschema: inVSchema('source'),
  in_target_vschema: inVSchema('target'),
  reads_route_to: routes(['replica', 'rdonly']),
  writes_route_to: routes(['']),
  other_tables_dropped: dropped,
  drop_table_statements: noneDropped,
  srv_keyspace: serving,
  source_queries: queryEffects('source'),
  source_query: queryEffects('source'),
  each_target_queries: queryEffects('target'),
};

function mirrored(which: 'readsMirrored' | 'writesMirrored' | 'writesSwitched'): Expectation {
  return (then, name) => {
    const expected = then.bool(name);
    return async (stage) => {
      const { ctx, cluster } = stage.world.engine();
      const { state } = await getWorkflowState(ctx, cluster, stage.scene.workflow.target, stage.scene.workflow.name);
      same(expected, state[which], name);
    };
  };
}

/** Whether a record of rules is another than before. */
function changed(record: string): Expectation {
  return (then, name) => {
    const expected = then.bool(name);
    return async (stage) => {
      const of = (state: unknown): string => JSON.stringify((state as { topology: Record<string, unknown> }).topology[`global:${record}`] ?? {});
      same(expected, of(stage.before) !== of(await stage.print()), name);
    };
  };
}

function rulesBefore(stage: Stage): Record<string, unknown> {
  const { topology } = stage.before as { topology: Record<string, Record<string, unknown>> };
  return topology['global:RoutingRules'] ?? {};
}

/** `customer@replica_routes_to`, `customer_routes_to`, and a cell with the number of types that each shard serves there. */
export function readNamed(then: Fields, name: string): StageStep | undefined {
  if (/^(?:cell|zone)\d+$/.test(name)) {
    const expected = then.raw(name);
    return async (stage) => same(expected, await servedTypes(stage, name), name);
  }
  const [, table, type = ''] = /^(.+?)(?:@(replica|rdonly))?_routes_to$/.exec(name) ?? [];
  if (table === undefined) return undefined;
  const expected = then.str(name);
  return async (stage) => same(expected, await routeOf(stage, table, type), name);
}
