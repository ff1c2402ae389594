import type { Finding } from '../finding.ts';
import { workflowRuns, type WorkflowRun } from '../commands-run.ts';
import type { DoctorPicture } from '../picture.ts';

/** Cancels and deletes that dropped the side which had the live rows. No record says so any more: the history does. */
export function dataGone({ history, workflows }: DoctorPicture): Finding[] {
  const runs = workflowRuns(history).filter(({ ok, dryRun }) => ok && !dryRun);
  return runs.flatMap((drop, index): Finding[] => {
    // `hardened` looks before it drops, and finishes reversals of which the history may have nothing.
    if ((drop.verb !== 'cancel' && drop.verb !== 'delete') || drop.keepData || drop.entry.version === 'hardened') return [];
    const name = drop.workflow.replace(/_reverse$/, '');
    // Its other way has the other keyspace, which no line says.
    const same = (run: WorkflowRun): boolean => (run.workflow === drop.workflow ? run.keyspace === drop.keyspace : run.workflow === name || run.workflow === `${name}_reverse`);
    // Made anew since, it says nothing of the old one; and whoever restored the rows did that first.
    if (runs.slice(index + 1).some((run) => same(run) && run.verb === 'create') || workflows.some(({ workflow }) => workflow === name)) return [];
    const before = runs.slice(0, index).filter(same);
    const at = before.findLastIndex(({ verb }) => verb === 'create');
    const [created, life] = [before[at], before.slice(at + 1)];
    const last = life.findLast((run) => run.writes && (run.verb === 'switchtraffic' || run.verb === 'reversetraffic'));
    const switched = last?.verb === 'switchtraffic';
    const isReverse = drop.workflow.endsWith('_reverse');
    // A workflow drops its target: that of the reverse one is the source of the original.
    if (isReverse ? switched : !switched) return [];
    // Of whole tables, tenants and shards a cancel knows itself whether their writes are switched, of a move of single shards not (K30).
    if (!isReverse && created !== undefined && !/^movetables .*--source[-_]shards/i.test(created.entry.command)) return [];
    const what = isReverse ? 'the source tables, which served the writes' : 'the target tables, to which the writes had been switched';
    return [
      {
        kind: 'data-gone',
        object: `${drop.keyspace}.${drop.workflow}`,
        keyspaces: [drop.keyspace],
        workflows: [],
        text: `${drop.entry.command} (pid ${drop.entry.pid}) dropped ${what}`,
        next: [],
        impact: [isReverse ? 'queries are answered from the copy, which has what had been replicated by then, if they are answered at all' : `rows written since the switch are gone; queries are answered from what the source had before it`],
        note: 'the rows cannot be brought back by any command: restore them from a backup or a snapshot',
      },
    ];
  });
}
