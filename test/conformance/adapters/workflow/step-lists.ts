import type { Stage } from './stage.ts';

/** What a list with one entry for each command of a sequence is about: looked at after each. Undefined for another name. */
export function stepList(name: string): ((stage: Stage) => Promise<unknown>) | undefined {
  if (name === 'mirrored_tablet_types_and_percent') return mirrored;
  const shard = /^table_denied_on_shard_(.+)$/.exec(name)?.[1];
  if (shard !== undefined) return (stage) => deniedOn(stage, shard);
  return undefined;
}

/** The percentage by tablet type, which is the same of every table. */
async function mirrored(stage: Stage): Promise<Record<string, number>> {
  const { source, tables } = stage.scene.workflow;
  const rules = await stage.world.mirrorRules();
  const types: Record<string, number> = {};
  for (const [type, suffix] of [['PRIMARY', ''], ['REPLICA', '@replica'], ['RDONLY', '@rdonly']] as const) {
    const percents = new Set(tables.map((table) => Object.values(rules[`${source}.${table}${suffix}`] ?? {})[0]));
    const [percent] = percents;
    if (percents.size === 1 && percent !== undefined) types[type] = percent;
  }
  return types;
}

async function deniedOn(stage: Stage, shard: string): Promise<Record<string, boolean>> {
  const { source, target, tables } = stage.scene.workflow;
  const isDenied = async (keyspace: string): Promise<boolean> => {
    const denied = await stage.world.denied(keyspace, shard);
    return tables.every((table) => denied.includes(table));
  };
  return { target: await isDenied(target), source: await isDenied(source) };
}
