import type { Behaviours } from '../../lib/behaviours.ts';
import { lockName, unique } from '../../workflow/facts/stranded/found.ts';
import { workflowRuns } from '../commands-run.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';

/** Mirror rules between keyspaces that no workflow joins. */
export function mirrorRulesLeftOver({ records, workflows }: DoctorPicture): Finding[] {
  const orphans = (records.mirrorRules.rules ?? []).filter(({ from_table: from = '', to_table: to = '' }) => {
    const [fromKeyspace, table = ''] = from.replace(/@.*$/, '').split('.');
    return !workflows.some((one) => one.sourceKeyspace === fromKeyspace && to.startsWith(`${one.keyspace}.`) && one.tables.includes(table));
  });
  if (orphans.length === 0) return [];
  const names = orphans.map(({ from_table: from = '', to_table: to = '' }) => `${from} to ${to}`);
  return [
    {
      kind: 'mirror-rules-left-over',
      object: 'mirror rules',
      keyspaces: unique(orphans.map(({ from_table: from = '' }) => from.split('.')[0]!)),
      workflows: [],
      text: `mirror rules of no workflow: ${names.join(', ')}`,
      next: [],
      evidence: orphans.map(({ from_table: from = '', to_table: to = '', percent = 0 }) => `${percent}% of the reads of ${from} are sent to ${to} too`),
    },
  ];
}

/** Workflows whose mirroring a failed switch ended. The rules are gone; only the history tells. */
export function mirrorRulesLost(picture: DoctorPicture, behaviours: Behaviours): Finding[] {
  if (behaviours.rollbackRestoresAll) return [];
  const runs = workflowRuns(picture.history).filter(({ dryRun }) => !dryRun);
  return picture.workflows.flatMap((workflow): Finding[] => {
    if (workflow.mirror !== undefined || workflow.frozen) return [];
    const own = runs.filter((run) => run.workflow === workflow.workflow && run.keyspace === workflow.keyspace);
    const at = own.findLastIndex(({ verb, ok }) => ok && (verb === 'mirrortraffic' || verb === 'create'));
    const mirrored = own[at];
    const after = own.slice(at + 1).filter(({ verb }) => verb === 'switchtraffic' || verb === 'reversetraffic');
    if (mirrored === undefined || mirrored.verb !== 'mirrortraffic' || mirrored.percent === 0) return [];
    if (after.length === 0 || after.some(({ ok }) => ok)) return [];
    return [
      {
        kind: 'mirror-rules-lost',
        object: `${workflow.keyspace}.${workflow.workflow}`,
        keyspaces: unique([workflow.sourceKeyspace, workflow.keyspace]),
        workflows: [lockName(workflow)],
        text: `${workflow.keyspace}.${workflow.workflow} mirrored ${mirrored.percent}% of its reads, a switch after that failed, and no mirror rule is left`,
        next: [mirrored.entry.command],
      },
    ];
  });
}
