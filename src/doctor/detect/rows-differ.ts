import { lockName, unique } from '../../workflow/facts/stranded/found.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';

/** Workflows whose newest VDiff found rows that are not the same on both sides. Doctor compares none itself. */
export function rowsDiffer(picture: DoctorPicture): Finding[] {
  return picture.workflows.flatMap((workflow): Finding[] => {
    const { keyspace, workflow: name, sourceKeyspace } = workflow;
    const found = picture.vdiffs.filter((diff) => diff.keyspace === keyspace && diff.workflow === name && diff.differ.length > 0);
    if (found.length === 0) return [];
    const tables = unique(found.flatMap(({ differ }) => differ));
    return [
      {
        kind: 'rows-differ',
        object: `${keyspace}.${name}`,
        keyspaces: unique([sourceKeyspace, keyspace]),
        workflows: [lockName(workflow)],
        text: `${keyspace}.${name}: the newest VDiff found other rows on the target in ${tables.join(', ')}`,
        next: [],
        evidence: found.map(({ shard, uuid, at, differ }) => `VDiff ${uuid} on ${keyspace}/${shard}, ${at}: ${differ.join(', ')} differ`),
        impact: [`after a switch readers of ${tables.join(', ')} see what the target has`],
        note: `look at the rows (VDiff --workflow ${name} --target-keyspace ${keyspace} show ${found[0]!.uuid} --verbose), put right what is wrong, and compare again: VDiff --workflow ${name} --target-keyspace ${keyspace} create --wait`,
      },
    ];
  });
}
