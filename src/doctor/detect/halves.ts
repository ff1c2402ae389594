import { commandOf } from '../../workflow/switcher.ts';
import { lockName, unique } from '../../workflow/facts/stranded/found.ts';
import type { HistoryFacts } from '../../workflow/facts/history.ts';
import type { WorkflowFacts } from '../../workflow/facts/workflow.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';
import { isWayBack, movesTables, tablesOf } from './routes.ts';

/** Workflows that `create` has left before they were whole. */
export function halfCreated(picture: DoctorPicture): Finding[] {
  return picture.workflows.flatMap((workflow): Finding[] => {
    const { keyspace, workflow: name, sourceKeyspace, frozen, journal } = workflow;
    if (frozen || journal.on.length > 0 || name.endsWith('_reverse')) return [];
    const evidence = unmade(picture, workflow);
    if (evidence.length === 0) return [];
    return [
      {
        kind: 'half-created',
        object: `${keyspace}.${name}`,
        keyspaces: unique([sourceKeyspace, keyspace]),
        workflows: [lockName(workflow)],
        text: `${keyspace}.${name} was only half created`,
        next: [`${workflow.type === 'Materialize' ? 'Materialize' : commandOf(workflow.kind)} --workflow ${name} --target-keyspace ${keyspace} cancel`],
        evidence,
      },
    ];
  });
}

/** What a whole workflow has and this one does not. */
function unmade(picture: DoctorPicture, workflow: WorkflowFacts): string[] {
  const { keyspace, workflow: name, kind, targets, tables, problem, subType, streams } = workflow;
  const created = lastOf(picture.history, workflow, /\bcreate$/i);
  const failed = created !== undefined && created.exit !== 0;
  const missing: string[] = [];
  if (movesTables(workflow) && subType !== 'Partial') {
    const without = picture.shards.filter((shard) => shard.keyspace === keyspace && shard.serving && !targets.includes(`${keyspace}/${shard.shard}`));
    if (without.length > 0) missing.push(`no stream of ${name} on ${without.map(({ shard }) => `${keyspace}/${shard}`).join(', ')}`);
  }
  const bare = problem !== undefined || !movesTables(workflow) ? [] : targets.filter((target) => picture.shards.some((shard) => `${shard.keyspace}/${shard.shard}` === target && tables.every((table) => !tablesOf(shard).has(table))));
  if (bare.length > 0 && failed) missing.push(`no table of it on ${bare.join(', ')}`);
  if (kind === 'shards' && failed) missing.push(`its create failed; streams are on ${targets.join(', ')}`);
  if (failed && missing.length === 0 && streams.every((stream) => stream.stored === 'Stopped' && stream.position === '')) missing.push('its create failed before a stream was started');
  return missing;
}

/** Workflows that `complete` or `cancel` has left half-way: some of their tables are gone. */
export function halfEnded(picture: DoctorPicture): Finding[] {
  return picture.workflows.flatMap((workflow): Finding[] => {
    const { keyspace, workflow: name, sourceKeyspace, frozen, problem, sources, targets, tables } = workflow;
    if (!movesTables(workflow) || problem !== undefined || isWayBack(workflow, picture)) return [];
    const side = frozen ? sources : targets;
    const gone = side.flatMap((place) => {
      const shard = picture.shards.find((one) => `${one.keyspace}/${one.shard}` === place);
      const lost = shard === undefined ? [] : tables.filter((table) => !tablesOf(shard).has(table));
      return lost.length === 0 ? [] : [`${place} has no ${lost.join(', ')} any more`];
    });
    const verb = frozen ? 'complete' : 'cancel';
    const ended = lastOf(picture.history, workflow, verb === 'complete' ? /\bcomplete$/i : /\b(cancel|delete)$/i);
    const broken = ended !== undefined && ended.exit !== 0 && isNewest(picture.history, workflow, ended);
    // Without a history (a process that was killed leaves none) only a side that is wholly gone is known to be one that was being dropped.
    if (gone.length === 0 || (!broken && gone.length < side.length)) return [];
    return [
      {
        kind: 'half-ended',
        object: `${keyspace}.${name}`,
        keyspaces: unique([sourceKeyspace, keyspace]),
        workflows: [lockName(workflow)],
        text: `${keyspace}.${name}: a ${verb} broke off half-way`,
        next: [ended !== undefined && broken ? again(ended.command) : `${commandOf(workflow.kind)} --workflow ${name} --target-keyspace ${keyspace} ${verb}`],
        evidence: gone,
      },
    ];
  });
}

/** A command line without the fault that made it fail. */
function again(command: string): string {
  return command.replace(/ --fault[= ]\S+/g, '');
}

/** The last command of a kind on a workflow, whether it ended well or not. */
function lastOf(history: readonly HistoryFacts[], workflow: WorkflowFacts, verb: RegExp): HistoryFacts | undefined {
  return history.findLast((entry) => isAbout(entry, workflow) && entry.command.split(' ').some((word) => verb.test(word)));
}

function isAbout({ command }: HistoryFacts, { workflow }: WorkflowFacts): boolean {
  return command.split(/[\s=]+/).includes(workflow);
}

/** True if nothing has changed the workflow since. */
function isNewest(history: readonly HistoryFacts[], workflow: WorkflowFacts, entry: HistoryFacts): boolean {
  return history.findLast((one) => isAbout(one, workflow) && /\b(create|switchtraffic|reversetraffic|complete|cancel|delete|start|stop)\b/i.test(one.command)) === entry;
}
