import { STOPPED_FOR_CUTOVER } from '../../tablet/vreplication/streams.ts';
import { lockName, unique } from '../../workflow/facts/stranded/found.ts';
import { startCommand } from '../../workflow/recovery.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';

/** Streams that met what they do not get over by themselves. */
export function streamErrors({ workflows }: DoctorPicture): Finding[] {
  return workflows.flatMap((workflow): Finding[] => {
    const { keyspace, workflow: name, sourceKeyspace } = workflow;
    const failed = workflow.streams.filter((stream) => stream.stored === 'Error' || stream.state === 'Error');
    if (failed.length === 0) return [];
    const ids = failed.map((stream) => `${stream.id} on ${keyspace}/${stream.shard}`).join(', ');
    const command = startCommand(keyspace, name);
    return [
      {
        kind: 'stream-error',
        object: `${keyspace}.${name}`,
        keyspaces: unique([sourceKeyspace, keyspace]),
        workflows: [lockName(workflow)],
        text: `${keyspace}.${name}: stream${failed.length === 1 ? '' : 's'} ${ids} stopped with an error`,
        next: [command],
        evidence: failed.map((stream) => `stream ${stream.id} on ${keyspace}/${stream.shard}, at ${stream.position || 'no position'}: ${stream.message}`),
        note: 'first cure what the message says; started without that it stops at the same place again',
      },
    ];
  });
}

/** What an operator did, or is about to do, and no problem: a workflow that is stopped, one that waits to be completed. */
export function workflowNotes(picture: DoctorPicture): string[] {
  return picture.workflows.flatMap(({ keyspace, workflow, streams, frozen, reverse, type }) => {
    const stopped = streams.filter((stream) => stream.stored === 'Stopped' && stream.message !== STOPPED_FOR_CUTOVER);
    if (frozen) {
      const back = reverse === undefined ? '' : '; its reverse workflow keeps the source up to date until then';
      return workflow.endsWith('_reverse') ? [] : [`${keyspace}.${workflow} is switched and waits to be completed${back}`];
    }
    if (stopped.length === 0 || type === '') return [];
    return [`${keyspace}.${workflow} is stopped: ${stopped.length === streams.length ? 'nothing' : `not everything`} is replicated`];
  });
}
