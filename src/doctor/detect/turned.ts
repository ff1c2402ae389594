import { lockName, type Picture, unique } from '../../workflow/facts/stranded/found.ts';
import type { WorkflowFacts } from '../../workflow/facts/workflow.ts';
import { stopCommand } from '../../workflow/recovery.ts';
import type { Finding } from '../finding.ts';

/**
 * Workflows whose streams read the tables that they write. A stream that runs past the journal of its own switch goes on from where
 * the traffic went, which is its own shard (vitessio/vitess#19680); a Reshard takes frozen streams along and starts them.
 */
export function turnedOnItself({ workflows }: Picture): Finding[] {
  return workflows.filter(isTurned).map((workflow) => {
    const { keyspace, workflow: name, streams } = workflow;
    const tables = unique(streams.flatMap(({ ontoItself }) => ontoItself));
    return {
      kind: 'turned-on-itself',
      object: `${keyspace}.${name}`,
      keyspaces: [keyspace],
      workflows: [lockName(workflow)],
      text: `${keyspace}.${name} reads the tables that it writes: ${unique(streams.map((stream) => `${stream.from} to ${keyspace}/${stream.shard}`)).join(', ')}`,
      next: [],
      impact: [`every write to ${tables.join(', ')} is applied to the same table once more; the workflow can be neither switched nor completed`],
      repairs: [
        {
          title: 'delete its streams',
          consequence: 'tables, rules and the traffic stay as they are; nothing is lost, since there is nothing that these streams could bring',
          commands: deleteStreams(workflow),
          undo: [],
        },
      ],
    };
  });
}

/** True if a stream copies a table to itself, which nobody wants. */
function isTurned({ kind, streams }: WorkflowFacts): boolean {
  return kind !== 'shards' && streams.some(({ ontoItself }) => ontoItself.length > 0);
}

/** Stops the streams of a workflow, for the engines to notice, and deletes their rows. `Workflow delete` would drop its tables, or refuse. */
export function deleteStreams({ keyspace, workflow, streams }: WorkflowFacts): string[] {
  const tablets = unique(streams.map(({ tablet }) => tablet));
  return [stopCommand(keyspace, workflow), ...tablets.map((tablet) => `ExecuteFetchAsDBA ${tablet} "delete from _vt.vreplication where workflow = '${workflow}'"`)];
}
