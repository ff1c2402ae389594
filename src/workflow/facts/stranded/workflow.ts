import type { Behaviours } from '../../../lib/behaviours.ts';
import { deleteReverseCommands, startCommand } from '../../recovery.ts';
import { STOPPED_FOR_CUTOVER } from '../../../tablet/vreplication/streams.ts';
import type { WorkflowFacts } from '../workflow.ts';
import { type Found, lockName, type Picture, primariesOf, unique } from './found.ts';
import { complete } from './intent.ts';
import { leftOthers } from './others.ts';

/** What a switch that broke off left of a workflow. An intent says the same, and better. */
export function ofWorkflow(picture: Picture, workflow: WorkflowFacts, behaviours: Behaviours): Found[] {
  const { keyspace, workflow: name, sourceKeyspace, journal, frozen, streams, reverse } = workflow;
  if (picture.intents.some((intent) => intent.keyspace === keyspace && intent.workflow === name)) return [];
  const about = { object: `${keyspace}.${name}`, keyspaces: unique([keyspace, sourceKeyspace]), workflows: [lockName(workflow)] };
  if (journal.on.length > 0) {
    if (frozen) return [];
    if (isOldJournal(workflow)) return [{ ...about, ...oldJournal(picture, workflow) }];
    const disagree = journal.missing.length > 0;
    const missing = disagree ? `, but not on ${journal.missing.join(', ')}` : '';
    const text = `${keyspace}.${name} is past the point of no return and not finished: its journal is on ${journal.on.join(', ')}${missing}, and it is not frozen`;
    return [{ kind: disagree ? 'journals-disagree' : 'journal-without-frozen', ...about, text, next: complete(workflow, behaviours) }];
  }
  const found: Found[] = [];
  const stopped = streams.filter((stream) => stream.stored === 'Stopped' && stream.message === STOPPED_FOR_CUTOVER);
  if (stopped.length > 0) {
    const ids = stopped.map((stream) => `${stream.id} on ${keyspace}/${stream.shard}`).join(', ');
    const what = stopped.length === 1 ? `stream ${ids} was` : `streams ${ids} were`;
    const text = `${keyspace}.${name}: ${what} stopped for a cutover that did not happen (no journal)`;
    found.push({ kind: 'stopped-for-cutover', ...about, text, next: [startCommand(keyspace, name)] });
  }
  if (workflow.kind === 'shards') found.push(...leftOthers(picture, workflow));
  if (reverse !== undefined && !frozen && !reverse.frozen && reverse.workflow.endsWith('_reverse') && reverse.states.every((state) => state === 'Stopped') && !isReversing(picture, reverse)) {
    const text = `${reverse.keyspace}.${reverse.workflow} was made for a switch of ${keyspace}.${name} that did not happen (no journal)`;
    found.push({
      kind: 'reverse-left-over',
      ...about,
      object: `${reverse.keyspace}.${reverse.workflow}`,
      workflows: [lockName(workflow), lockName(reverse)],
      text,
      next: deleteReverseCommands(primariesOf(picture, workflow.sources), reverse.workflow),
    });
  }
  return found;
}

/**
 * A switch makes its reverse workflow, and stops the writes, before it writes a journal. One whose source takes writes and that has no
 * way back is of another workflow: ids of streams have come again (F46).
 */
export function isOldJournal({ reverse, traffic, streams }: WorkflowFacts): boolean {
  return reverse === undefined && traffic.length > 0 && traffic.every((table) => !table.sourceDenied) && streams.every(({ stored }) => stored !== 'Stopped');
}

function oldJournal(picture: Picture, { keyspace, workflow, journal }: WorkflowFacts): Pick<Found, 'kind' | 'text' | 'next'> {
  const primaries = primariesOf(picture, journal.on);
  return {
    kind: 'old-journal',
    text: `${journal.on.join(', ')} ${journal.on.length === 1 ? 'has' : 'have'} journal ${journal.id}, which is the id of ${keyspace}.${workflow}, and ${journal.on.length === 1 ? 'takes' : 'take'} writes: it is of an older switch`,
    next: primaries.map((alias) => `ExecuteFetchAsDBA ${alias} 'delete from _vt.resharding_journal where id = ${journal.id}'`),
  };
}

/** A reversal that broke off: the reverse workflow was what it switched, and nothing that a switch had made. */
function isReversing({ workflows }: Picture, { keyspace, workflow }: { keyspace: string; workflow: string }): boolean {
  const own = workflows.find((one) => one.keyspace === keyspace && one.workflow === workflow);
  return own !== undefined && (own.journal.on.length > 0 || own.streams.some((stream) => stream.message === STOPPED_FOR_CUTOVER));
}
