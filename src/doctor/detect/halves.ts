import type { Behaviours } from '../../lib/behaviours.ts';
import type { Repair } from '../../report/doctor/diagnosis.ts';
import { compareEnds, compareKeyRanges, compareStarts, type KeyRange } from '../../lib/key-range.ts';
import { keyRangeFromProto } from '../../topo/proto/key-range.ts';
import { commandOf } from '../../workflow/switcher.ts';
import { lockName, unique } from '../../workflow/facts/stranded/found.ts';
import type { WorkflowFacts } from '../../workflow/facts/workflow.ts';
import { linesBrokenOff } from '../cause.ts';
import { workflowLine, type WorkflowRun, workflowRuns } from '../commands-run.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';
import { undoOf } from '../undo.ts';
import { freeShard } from './two-writers.ts';
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
  // One that was refused at once, since the workflow is there, has not made it.
  const created = runsOf(picture, workflow).findLast(({ verb, dryRun, ok, entry }) => verb === 'create' && !dryRun && (ok || entry.begun));
  const failed = created !== undefined && !created.ok;
  const unstarted = streams.filter((stream) => stream.stored === 'Stopped' && stream.position === '');
  const missing: string[] = [];
  if (movesTables(workflow) && subType !== 'Partial') {
    const without = picture.shards.filter((shard) => shard.keyspace === keyspace && shard.serving && !targets.includes(`${keyspace}/${shard.shard}`));
    if (without.length > 0) missing.push(`no stream of ${name} on ${without.map(({ shard }) => `${keyspace}/${shard}`).join(', ')}`);
  }
  const bare = problem !== undefined || !movesTables(workflow) ? [] : targets.filter((target) => picture.shards.some((shard) => `${shard.keyspace}/${shard.shard}` === target && tables.every((table) => !tablesOf(shard).has(table))));
  if (bare.length > 0 && failed) missing.push(`no table of it on ${bare.join(', ')}`);
  // Whoever started all of them since has made it whole.
  if (kind === 'shards' && failed && (unstarted.length > 0 || !coversSources(picture, workflow))) missing.push(`its create failed; streams are on ${targets.join(', ')}`);
  if (failed && missing.length === 0 && unstarted.length === streams.length) missing.push('its create failed before a stream was started');
  return missing;
}

/** True if the shards that a Reshard fills are, together, those that it reads. */
function coversSources({ records }: DoctorPicture, { sources, targets }: WorkflowFacts): boolean {
  const spans = (names: readonly string[]): KeyRange[] => {
    const ranges = records.shards.flatMap(({ keyspace, shard, record }) => (names.includes(`${keyspace}/${shard}`) ? [keyRangeFromProto(record.key_range)] : []));
    const joined: KeyRange[] = [];
    for (const range of ranges.toSorted(compareKeyRanges)) {
      const last = joined.at(-1);
      if (last !== undefined && last.end !== '' && compareStarts({ start: last.end, end: '' }, range) === 0) joined[joined.length - 1] = { start: last.start, end: range.end };
      else joined.push(range);
    }
    return joined;
  };
  const [read, filled] = [spans(sources), spans(targets)];
  return read.length === filled.length && read.every((range, index) => compareStarts(range, filled[index]) === 0 && compareEnds(range, filled[index]) === 0);
}

/** Workflows that `complete` or `cancel` has left half-way: some of their tables are gone. */
export function halfEnded(picture: DoctorPicture, behaviours: Behaviours): Finding[] {
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
    const runs = runsOf(picture, workflow).filter((run) => !run.dryRun);
    const ended = runs.findLast((run) => run.verb === verb || (!frozen && run.verb === 'delete'));
    const newest = runs.findLast((run) => CHANGING.includes(run.verb));
    const failed = ended !== undefined && !ended.ok && ended === newest ? ended.entry.command : undefined;
    const broken = failed ?? lineThatDied(picture, workflow, verb, newest?.entry.at ?? 0);
    // Where nothing tells of one that broke off, only a side that is wholly gone is known to be one that was being dropped.
    if (gone.length === 0 || (broken === undefined && gone.length < side.length)) return [];
    const line = `${commandOf(workflow.kind)} --workflow ${name} --target-keyspace ${keyspace} ${verb}`;
    const about = { kind: 'half-ended' as const, object: `${keyspace}.${name}`, keyspaces: unique([sourceKeyspace, keyspace]), workflows: [lockName(workflow)], text: `${keyspace}.${name}: a ${verb} broke off half-way`, evidence: gone };
    if (behaviours.missingTables === 'error') return [{ ...about, next: [], repairs: [keepRest(picture, workflow, line, [...sources, ...targets])], note: `tables that are left in ${frozen ? sourceKeyspace : keyspace} stay: drop them where nobody needs them` }];
    return [{ ...about, next: [broken === undefined ? line : again(broken)] }];
  });
}

/** This release fails on a table that is gone already, unless it is not to touch any. Without the rules names may be ambiguous: the VSchema has them still. */
function keepRest({ shards }: DoctorPicture, { tables }: WorkflowFacts, line: string, places: readonly string[]): Repair {
  const denying = places.flatMap((place) => {
    const denied = shards.find((one) => `${one.keyspace}/${one.shard}` === place)?.denied.filter(({ type }) => type === 'PRIMARY').flatMap((one) => one.tables) ?? [];
    const held = tables.filter((table) => denied.includes(table));
    return held.length === 0 ? [] : freeShard(place, held);
  });
  const commands = [`${line} --keep-data --keep-routing-rules`, ...denying];
  return { title: 'finish it', consequence: 'the workflow is gone, and no more tables; its rules stay, and lead where they did', commands, undo: undoOf(denying) };
}

/** The command line of a process that died at it, where no command has changed the workflow since: with its own flags, as what is left is to be kept or not. */
function lineThatDied(picture: DoctorPicture, { keyspace, workflow }: WorkflowFacts, verb: 'complete' | 'cancel', since: number): string | undefined {
  return linesBrokenOff(picture).findLast(({ command, at }) => {
    const line = workflowLine(command);
    return line !== undefined && at >= since && line.keyspace === keyspace && line.workflow === workflow && !line.dryRun && (line.verb === verb || (verb === 'cancel' && line.verb === 'delete'));
  })?.command;
}

/** A command line without the fault that made it fail. */
function again(command: string): string {
  return command.replace(/ --fault[= ]\S+/g, '');
}

const CHANGING = ['create', 'switchtraffic', 'reversetraffic', 'complete', 'cancel', 'delete', 'start', 'stop'];

/** The commands on a workflow, oldest first. */
function runsOf({ history }: DoctorPicture, { keyspace, workflow }: WorkflowFacts): WorkflowRun[] {
  return workflowRuns(history).filter((run) => run.keyspace === keyspace && run.workflow === workflow);
}
