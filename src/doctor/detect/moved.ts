import type { WorkflowFacts } from '../../workflow/facts/workflow.ts';
import type { DoctorPicture } from '../picture.ts';
import { hasRules, isSwitched, leads } from './routes.ts';

/**
 * True if writes go to the target. Rules that agree say it; without such the workflow's own mark does, which a reversal that broke
 * off has taken off (it makes the workflow anew, not frozen) while the target still serves.
 */
export function writesMoved(picture: DoctorPicture, workflow: WorkflowFacts): boolean {
  return ruledBy(picture, workflow) ?? isSwitched(workflow);
}

function ruledBy(picture: DoctorPicture, workflow: WorkflowFacts): boolean | undefined {
  const { kind, sourceKeyspace, keyspace, sources } = workflow;
  const { shardRules, keyspaceRules } = picture.records;
  if (kind === 'partial') {
    const rules = shardRules.rules ?? [];
    const moved = sources.filter((source) => rules.some((rule) => rule.from_keyspace === sourceKeyspace && rule.to_keyspace === keyspace && `${sourceKeyspace}/${rule.shard}` === source));
    return moved.length === 0 ? undefined : moved.length === sources.length;
  }
  if (kind === 'multi-tenant') {
    const rule = (keyspaceRules.rules ?? []).find((one) => one.from_keyspace === sourceKeyspace);
    return rule === undefined ? undefined : rule.to_keyspace === keyspace;
  }
  const places = new Set(leads(picture, workflow, 'PRIMARY').map(({ to }) => to));
  if (!hasRules(picture, workflow) || places.size !== 1) return undefined;
  return places.has(keyspace) ? true : places.has(sourceKeyspace) ? false : undefined;
}
