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
    // Reads that are switched are not mirrored.
    if (workflow.frozen || !workflow.state.startsWith('Reads Not Switched')) return [];
    const own = runs.filter((run) => run.workflow === workflow.workflow && run.keyspace === workflow.keyspace);
    const at = own.findLastIndex(({ verb, ok }) => ok && (verb === 'mirrortraffic' || verb === 'create'));
    const mirrored = own[at];
    const after = own.slice(at + 1).filter(({ verb }) => verb === 'switchtraffic' || verb === 'reversetraffic');
    if (mirrored === undefined || mirrored.verb !== 'mirrortraffic' || mirrored.percent === 0) return [];
    if (after.length === 0 || after.some(({ ok }) => ok)) return [];
    const left = Object.keys(workflow.mirror?.percent ?? {});
    const lost = mirrored.types.filter((type) => !left.some((name) => name.toUpperCase() === type));
    if (lost.length === 0) return [];
    return [
      {
        kind: 'mirror-rules-lost',
        object: `${workflow.keyspace}.${workflow.workflow}`,
        keyspaces: unique([workflow.sourceKeyspace, workflow.keyspace]),
        workflows: [lockName(workflow)],
        text: `${workflow.keyspace}.${workflow.workflow} mirrored ${mirrored.percent}% of its ${mirrored.types.join(', ')} reads; a switch after that failed, and no rule is left for ${lost.join(', ')}`,
        // For all types at once it is refused, where some are mirrored and some are not (K39).
        next: [`MoveTables --workflow ${workflow.workflow} --target-keyspace ${workflow.keyspace} mirrortraffic --percent ${mirrored.percent} --tablet-types ${lost.join(',').toLowerCase()}`],
      },
    ];
  });
}
