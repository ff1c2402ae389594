import { getShard, updateShardFields } from '../../../../src/topo/keyspaces.ts';
import { lockKeyspace, lockName, withKeyspaceLock } from '../../../../src/topo/locks.ts';
import { saveKeyspaceRoutingRules, saveMirrorRules, saveRoutingRules, saveShardRoutingRules } from '../../../../src/topo/rules.ts';
import { rebuildSrvVSchema } from '../../../../src/topo/vschema.ts';
import { isMap, shown, Skipped, texts } from '../../fields.ts';
import { setControls } from '../../topo-world.ts';
import type { Stage } from './stage.ts';
import type { Given, Reader } from './given-types.ts';

/** Records of the topology that `given` tells: rules, locks, denied tables, tablets. */
export const RECORDS: Record<string, Reader> = {
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
  source_keyspace_exists: (given, name, into) => {
    if (!given.bool(name)) into.steps.push((stage) => forgetKeyspace(stage, stage.scene.workflow.source));
  },
  target_denied: deniedOn('target'),
  source_denied: deniedOn('source'),
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
};

export async function setRules(stage: Stage, rules: { from_table: string; to_tables: string[] }[]): Promise<void> {
  const { ctx, cluster } = stage.world.engine();
  await saveRoutingRules(ctx, cluster.topo, { rules });
  await rebuildSrvVSchema(ctx, cluster.topo);
}

function ruleRecord(value: unknown, path: string): { from_table: string; to_tables: string[] }[] {
  if (!isMap(value)) throw new Skipped(`${path} is no mapping of rules: ${shown(value)}`);
  return Object.entries(value).map(([from, to]) => ({ from_table: from, to_tables: texts(to, `${path}.${from}`) }));
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

/** As if the keyspace had never been: nothing of it is left in the topology. */
function forgetKeyspace(stage: Stage, keyspace: string): void {
  for (const nodes of stage.world.host.store.nodes.values()) {
    for (const path of nodes.keys()) if (path.startsWith(`keyspaces/${keyspace}/`)) nodes.delete(path);
  }
}

function deniedOn(side: 'source' | 'target'): Reader {
  return (given, name, into) => {
    const tables = given.strings(name);
    into.steps.push((stage) => setDenied(stage, side, tables));
  };
}

/** The tables, and no others, denied on every shard of a side; a workflow has denied its own on its target already. */
export async function setDenied(stage: Stage, side: 'source' | 'target', tables: readonly string[]): Promise<void> {
  const { keyspace, shards } = stage.side(side);
  const { ctx, cluster } = stage.world.engine();
  for (const shard of shards) {
    const { record } = await getShard(ctx, cluster.topo, keyspace, shard);
    const denied = record.tablet_controls?.find((control) => control.tablet_type === 'PRIMARY')?.denied_tables ?? [];
    if (denied.toSorted().join() === tables.toSorted().join()) continue;
    await setControls(ctx, cluster, keyspace, shard, tables.length > 0 ? [{ tablet_type: 'PRIMARY', denied_tables: [...tables] }] : []);
    await stage.world.prepare('RefreshStateByShard', `${keyspace}/${shard}`);
  }
}

/** `all reads switched`, `reads switched for REPLICA and RDONLY in all cells`. */
function rulesWords(text: string, into: Given): void {
  const types = /^reads switched for ([A-Z]+)(?: and ([A-Z]+))? in all cells$/.exec(text)?.slice(1).filter(Boolean);
  if (text !== 'all reads switched' && types === undefined) throw new Skipped(`given.routing_rules is not known: ${text}`);
  into.steps.push((stage) => stage.prepare('switchtraffic', '--tablet-types', types?.join(',') ?? 'REPLICA,RDONLY'));
}
