import type { Behaviours } from '../../lib/behaviours.ts';
import { lockName, unique } from '../../workflow/facts/stranded/found.ts';
import type { Finding } from '../finding.ts';
import { type DoctorPicture, nameOfShard } from '../picture.ts';
import { writesMoved } from './moved.ts';
import { isSwitched, movers, movesTables, tablesOf } from './routes.ts';
import { denyCommands, freeShard } from './two-writers.ts';

/** Tables that a shard record denies, and that no workflow has a reason to deny there. */
export function deniedLeftOver(picture: DoctorPicture): Finding[] {
  const needed = neededDenials(picture);
  return picture.shards.flatMap((shard) =>
    shard.denied.flatMap(({ type, tables }): Finding[] => {
      const name = nameOfShard(shard);
      const unexplained = tables.filter((table) => type !== 'PRIMARY' || needed.get(name)?.has(table) !== true);
      if (unexplained.length === 0) return [];
      const about = picture.workflows.filter((one) => movesTables(one) && unexplained.some((table) => one.tables.includes(table)) && [one.keyspace, one.sourceKeyspace].includes(shard.keyspace));
      const whose = about.length === 0 ? 'no workflow moves them' : `${about.map((one) => `${one.keyspace}.${one.workflow}`).join(', ')} has no need of it`;
      const next = freeShard(name, unexplained, type.toLowerCase());
      return [
        {
          kind: 'denied-left-over',
          object: name,
          keyspaces: unique([shard.keyspace, ...about.flatMap((one) => [one.sourceKeyspace, one.keyspace])]),
          workflows: about.map(lockName),
          text: `${name} denies ${unexplained.join(', ')} to its ${type.toLowerCase()}, and ${whose}`,
          next,
          impact: [`queries that name ${shard.keyspace} or ${name} are refused for ${unexplained.join(', ')}; the next workflow with these tables meets the entries`],
        },
      ];
    }),
  );
}

/** By shard, what some workflow has a reason to deny there: a source what has moved, a target what is still to come. Shards and tenants have only the first. */
function neededDenials(picture: DoctorPicture): ReadonlyMap<string, ReadonlySet<string>> {
  const needed = new Map<string, Set<string>>();
  for (const workflow of picture.workflows.filter(movesTables)) {
    const { kind, frozen, sources, targets, tables } = workflow;
    // What is switched and what is being switched: rules and mark may not agree, and who denies has a reason by either.
    const moved = isSwitched(workflow) || writesMoved(picture, workflow);
    for (const shard of [...(moved ? sources : []), ...(kind === 'tables' && !frozen ? targets : [])]) {
      needed.set(shard, new Set([...(needed.get(shard) ?? []), ...tables]));
    }
  }
  return needed;
}

/** Tables that a shard should deny, for the other side of a workflow serves them: by the shard's own name it takes writes that are lost. */
export function denialMissing(picture: DoctorPicture, behaviours: Behaviours): Finding[] {
  return movers(picture).flatMap((workflow) => {
    const moved = writesMoved(picture, workflow);
    const denying = moved ? workflow.sources : workflow.kind === 'tables' && behaviours.deniedTablesOnTargetAtCreate ? workflow.targets : [];
    return denying.flatMap((name): Finding[] => {
      const shard = picture.shards.find((one) => nameOfShard(one) === name);
      if (shard === undefined) return [];
      const denied = new Set(shard.denied.filter(({ type }) => type === 'PRIMARY').flatMap(({ tables }) => tables));
      const open = workflow.tables.filter((table) => tablesOf(shard).has(table) && !denied.has(table));
      if (open.length === 0) return [];
      const serves = moved ? workflow.keyspace : workflow.sourceKeyspace;
      const next = denyCommands(name, open);
      return [
        {
          kind: 'denial-missing',
          object: name,
          keyspaces: unique([workflow.sourceKeyspace, workflow.keyspace]),
          workflows: [lockName(workflow)],
          text: `${name} does not deny ${open.join(', ')}, which ${serves} serves (${workflow.keyspace}.${workflow.workflow})`,
          next,
          impact: [`a write that names ${name} itself is taken there, beside ${serves}: no reader of ${serves} sees it`],
        },
      ];
    });
  });
}
