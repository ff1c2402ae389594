import type { Repair } from '../../report/doctor/diagnosis.ts';
import { lockName, type Picture, unique } from '../../workflow/facts/stranded/found.ts';
import type { WorkflowFacts } from '../../workflow/facts/workflow.ts';
import { switchReverseCommand } from '../../workflow/recovery.ts';
import type { Finding } from '../finding.ts';
import { isAlone } from './routes.ts';
import { deleteStreams } from './turned.ts';

/**
 * Reverse workflows whose original is gone: a reversal that failed has deleted it (vitessio/vitess#14276), or a cancel broke off behind
 * its streams. No command works under the original's name any more, and the name that is left invites a cancel that drops the tables
 * that serve (#19903).
 */
export function originalGone(picture: Picture): Finding[] {
  return picture.workflows.filter(isAlone).map((workflow) => {
    const { keyspace, workflow: name, sourceKeyspace, frozen } = workflow;
    const original = `${sourceKeyspace}.${name.replace(/_reverse$/, '')}`;
    const ways = [...(canGoBack(picture, workflow) ? [goBack(workflow)] : []), forget(workflow)];
    return {
      kind: 'original-gone',
      object: `${keyspace}.${name}`,
      keyspaces: unique([sourceKeyspace, keyspace]),
      workflows: [lockName(workflow)],
      text: `${keyspace}.${name} is the way back of ${original}, which is gone${frozen ? '; it is frozen' : ''}`,
      next: [],
      impact: [`no command knows ${original}: it can be neither completed nor reversed; cancelling ${name} would drop ${workflow.tables.join(', ')} in ${keyspace}`],
      repairs: ways,
    };
  });
}

/** Its streams run, its source has the writes, and it covers every shard that there is, which a switch of whole tables checks. */
function canGoBack({ shards }: Picture, { kind, streams, traffic, sourceKeyspace, sources, frozen }: WorkflowFacts): boolean {
  const all = shards.filter(({ keyspace }) => keyspace === sourceKeyspace).every(({ keyspace, shard }) => sources.includes(`${keyspace}/${shard}`));
  const serves = traffic.some((table) => table.writes.servedBy === sourceKeyspace);
  return kind === 'tables' && !frozen && serves && all && streams.every(({ stored }) => stored === 'Running');
}

function goBack(workflow: WorkflowFacts): Repair {
  const { kind, keyspace, workflow: name, sourceKeyspace } = workflow;
  return {
    title: 'go back',
    consequence: `the traffic goes back to ${keyspace}, with all that was written; ${name.replace(/_reverse$/, '')} is made anew in ${sourceKeyspace}, to be switched or cancelled as any`,
    commands: [switchReverseCommand({ kind, targetKeyspace: keyspace, workflow: name }, ['PRIMARY', 'REPLICA', 'RDONLY'])],
    undo: [],
  };
}

function forget(workflow: WorkflowFacts): Repair {
  const { keyspace, sourceKeyspace } = workflow;
  return {
    title: 'delete what is left of the workflow',
    consequence: `tables, rules and the traffic stay as they are; the copies in ${keyspace} and ${sourceKeyspace} are no longer kept equal, so that there is no way back`,
    commands: deleteStreams(workflow),
    undo: [],
  };
}
