import { lockName, primariesOf, unique } from '../../workflow/facts/stranded/found.ts';
import { deleteReverseCommands, stopCommand, switchAgainCommand } from '../../workflow/recovery.ts';
import type { Behaviours } from '../../lib/behaviours.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';
import { isSwitched, isWayBack } from './routes.ts';

/** Workflows whose streams run both ways: rows go round in a circle. */
export function bothDirections(picture: DoctorPicture, behaviours: Behaviours): Finding[] {
  return picture.workflows.flatMap((workflow): Finding[] => {
    const { keyspace, workflow: name, sourceKeyspace, reverse, streams, kind } = workflow;
    if (reverse === undefined || isWayBack(workflow, picture)) return [];
    const runs = (states: readonly string[]): boolean => states.some((state) => state !== 'Stopped');
    if (!runs(streams.map(({ stored }) => stored)) || !runs(reverse.states)) return [];
    const switched = isSwitched(workflow);
    // Whoever stops the way forward has to freeze it again: that is what the switch does, run past its journal.
    const next = switched
      ? [stopCommand(keyspace, name), switchAgainCommand({ kind, sourceKeyspace, targetKeyspace: keyspace, workflow: name }, behaviours, { reads: false, journaled: true })]
      : [stopCommand(reverse.keyspace, reverse.workflow), ...(reverse.frozen ? [] : deleteReverseCommands(primariesOf(picture, workflow.sources), reverse.workflow))];
    const where = switched ? keyspace : sourceKeyspace;
    return [
      {
        kind: 'both-directions-run',
        object: `${keyspace}.${name}`,
        keyspaces: unique([sourceKeyspace, keyspace]),
        workflows: [lockName(workflow), lockName(reverse)],
        text: `${keyspace}.${name} and ${reverse.keyspace}.${reverse.workflow} both run; the writes are in ${where}`,
        next,
        note: `then compare the two: VDiff --workflow ${name} --target-keyspace ${keyspace} create`,
      },
    ];
  });
}
