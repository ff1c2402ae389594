import type { Repair } from '../../report/doctor/diagnosis.ts';
import { lockName, unique } from '../../workflow/facts/stranded/found.ts';
import type { WorkflowFacts } from '../../workflow/facts/workflow.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';
import { undoOf } from '../undo.ts';
import { routeWrites } from './rule-lines.ts';
import { freeShard } from './two-writers.ts';

/** Workflows whose writes are switched by their own mark, while the rules or the serving graph do not lead to the target. */
export function frozenNotServed(picture: DoctorPicture): Finding[] {
  return picture.workflows.flatMap((workflow): Finding[] => {
    const { keyspace, workflow: name, sourceKeyspace, frozen, traffic, kind, problem } = workflow;
    if (!frozen || problem !== undefined || traffic.length === 0) return [];
    const elsewhere = traffic.filter((table) => !isServedByTarget(workflow, table.writes.servedBy, table.writes.reason));
    if (elsewhere.length === 0) return [];
    const tables = elsewhere.map(({ table }) => table);
    const repair = kind === 'shards' ? serveTargets(workflow) : routeToTarget(picture, workflow, tables);
    return [
      {
        kind: 'frozen-not-served',
        object: `${keyspace}.${name}`,
        keyspaces: unique([sourceKeyspace, keyspace]),
        workflows: [lockName(workflow)],
        text: `${keyspace}.${name} is frozen, its writes are switched; but writes of ${tables.join(', ')} ${elsewhere[0]!.writes.servedBy === undefined ? `are refused (${elsewhere[0]!.writes.reason ?? ''})` : `are served by ${elsewhere[0]!.writes.servedBy}`}`,
        next: [],
        impact: [`writes of ${tables.join(', ')} do not reach ${keyspace}, which has what was written since the switch`],
        repairs: [repair],
      },
    ];
  });
}

/** The rows are there even where its own tablets refuse them: then the rules are right, and `refused` is the word. */
function isServedByTarget({ kind, keyspace, targets }: WorkflowFacts, servedBy: string | undefined, reason = ''): boolean {
  const place = servedBy ?? reason.replace(/^routed to /, '').replace(/, (whose|which|where) .*$/, '');
  if (kind === 'shards') return targets.every((target) => place.split(', ').includes(target));
  return place.split(', ').every((one) => one === keyspace || one.startsWith(`${keyspace}/`));
}

function routeToTarget(picture: DoctorPicture, workflow: WorkflowFacts, tables: readonly string[]): Repair {
  const { commands, undo } = routeWrites(workflow, picture.records, 'target');
  const denying = workflow.targets.flatMap((name) => {
    const shard = picture.shards.find((one) => `${one.keyspace}/${one.shard}` === name);
    const denied = (shard?.denied ?? []).filter(({ type }) => type === 'PRIMARY').flatMap((one) => one.tables);
    const held = tables.filter((table) => denied.includes(table));
    return held.length === 0 ? [] : freeShard(name, held);
  });
  return {
    title: 'finish forward',
    consequence: `${workflow.keyspace} serves the writes, which it had since the switch; other rules stay. To go back, reversetraffic afterwards`,
    commands: [...denying, ...commands],
    undo: [...undo, ...undoOf(denying)],
  };
}

function serveTargets({ keyspace, sources, targets }: WorkflowFacts): Repair {
  const commands = [
    ...targets.map((shard) => `SetShardIsPrimaryServing ${shard} true`),
    ...sources.map((shard) => `SetShardIsPrimaryServing ${shard} false`),
    `RebuildKeyspaceGraph ${keyspace}`,
    ...[...targets, ...sources].map((shard) => `RefreshStateByShard ${shard}`),
  ];
  return { title: 'finish forward', consequence: `${targets.join(', ')} serve, which have what was written since the switch`, commands, undo: [...undoOf(commands), `RebuildKeyspaceGraph ${keyspace}`] };
}
