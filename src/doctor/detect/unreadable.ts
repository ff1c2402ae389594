import type { Behaviours } from '../../lib/behaviours.ts';
import type { Repair } from '../../report/doctor/diagnosis.ts';
import { FROZEN } from '../../tablet/vreplication/streams.ts';
import { lockName, unique } from '../../workflow/facts/stranded/found.ts';
import type { WorkflowFacts } from '../../workflow/facts/workflow.ts';
import type { Finding } from '../finding.ts';
import { type DoctorPicture, nameOfShard } from '../picture.ts';

/** Workflows that no command can read any more, mostly because a shard or a keyspace that they stream from is gone. */
export function unreadable(picture: DoctorPicture, behaviours: Behaviours): Finding[] {
  return picture.workflows
    .filter((workflow) => workflow.problem !== undefined && !waitsForPrimary(picture, workflow))
    .map((workflow) => {
      const { keyspace, workflow: name, streams, type } = workflow;
      const frozen = streams.every(({ message }) => message === FROZEN);
      return {
        kind: 'unreadable',
        object: `${keyspace}.${name}`,
        keyspaces: [keyspace],
        workflows: [lockName(workflow)],
        text: `${keyspace}.${name} cannot be read: ${workflow.problem}`,
        next: [],
        repairs: frozen ? [rid(workflow, behaviours, type === 'Reshard' ? 'Reshard' : 'MoveTables')] : [],
        note: frozen
          ? undefined
          : `its streams are not frozen: what is missing has to come back, or ${keyspace} has only what was copied until then`,
      };
    });
}

/** `no-primary` says that. */
function waitsForPrimary({ shards }: DoctorPicture, { problem = '', streams }: WorkflowFacts): boolean {
  const without = shards.filter((shard) => !shard.tablets.some((tablet) => tablet.primary)).map(nameOfShard);
  return /primary|tablets\//i.test(problem) && (without.some((name) => problem.includes(name)) || (without.length > 0 && streams.every(({ from }) => from === '')));
}

/** Its traffic is switched: there is nothing left that the streams could bring. `hardened` ends it as if the source were there. */
function rid({ keyspace, workflow, streams }: WorkflowFacts, { rollbackRestoresAll }: Behaviours, command: string): Repair {
  const tablets = unique(streams.map(({ tablet }) => tablet));
  return {
    title: rollbackRestoresAll ? 'complete it' : 'delete its streams',
    consequence: 'the traffic is switched already, and stays as it is; only the streams go',
    commands: rollbackRestoresAll
      ? [`${command} --workflow ${workflow} --target-keyspace ${keyspace} complete`]
      : tablets.map((tablet) => `ExecuteFetchAsDBA ${tablet} "delete from _vt.vreplication where workflow = '${workflow}'"`),
    undo: [],
  };
}
