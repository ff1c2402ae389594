import { lockName, unique } from '../../workflow/facts/stranded/found.ts';
import type { WorkflowFacts } from '../../workflow/facts/workflow.ts';
import { startCommand } from '../../workflow/recovery.ts';
import { commandOf } from '../../workflow/switcher.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';
import { movers } from './routes.ts';

/**
 * Workflows that a cancel has stopped and not deleted. From v22 on it stops the streams first, with a request that blanks the tablets
 * that they read from, as nothing else does. Where it has dropped tables already, `half-ended` says so. Vitess: WorkflowDelete, K44.
 */
export function halfCancelled(picture: DoctorPicture): Finding[] {
  return movers(picture)
    .filter((workflow) => isBlank(workflow) && hasTables(picture, workflow))
    .map((workflow) => {
      const { keyspace, workflow: name, kind, sourceKeyspace } = workflow;
      return {
        kind: 'half-cancelled' as const,
        object: `${keyspace}.${name}`,
        keyspaces: unique([sourceKeyspace, keyspace]),
        workflows: [lockName(workflow)],
        text: `${keyspace}.${name} was stopped by a cancel, which blanks its cells and tablet types; its tables are still there`,
        next: [],
        impact: [`no query is affected; nothing is replicated, and ${name} can be neither switched nor created anew`],
        repairs: [
          {
            title: 'cancel it, and keep tables and rules',
            consequence: `the workflow is gone; queries go where they went, and the copies in ${keyspace} stay, to be looked at or dropped. Without the rules a bare name would be ambiguous while both are there`,
            commands: [`${commandOf(kind)} --workflow ${name} --target-keyspace ${keyspace} cancel --keep-data --keep-routing-rules`],
            undo: [],
          },
          {
            title: 'go on with it',
            consequence: 'its streams run on from where they were, reading from any tablet; nothing is lost',
            commands: [`Workflow --keyspace ${keyspace} update --workflow ${name} --tablet-types replica,primary`, startCommand(keyspace, name)],
            undo: [`Workflow --keyspace ${keyspace} stop --workflow ${name}`],
          },
        ],
      };
    });
}

function isBlank({ frozen, journal, streams }: WorkflowFacts): boolean {
  return !frozen && journal.on.length === 0 && streams.length > 0 && streams.every(({ stored, message, tabletTypes }) => stored === 'Stopped' && message === '' && tabletTypes === '');
}

function hasTables({ shards }: DoctorPicture, { targets, tables }: WorkflowFacts): boolean {
  return shards.filter(({ keyspace, shard }) => targets.includes(`${keyspace}/${shard}`)).every((shard) => tables.every((table) => shard.tables.includes(table)));
}
