import { formatDuration } from '../lib/duration.ts';
import type { ScenarioStep } from '../report/scenario-file/schema.ts';

/** What a step is called in reports. */
export function stepTitle(step: Partial<ScenarioStep>): string {
  if (step.name !== undefined) return step.name;
  if (step.run !== undefined) return step.run.trim();
  if (step.wait !== undefined) return `wait ${formatDuration(step.wait)}`;
  if (step.snapshot !== undefined) return `snapshot ${step.snapshot}`;
  if (step.recover !== undefined) return 'recover';
  if (step.parallel !== undefined) return step.parallel.map(({ name, run, release }) => name ?? run ?? `release ${release ?? ''}`).join(' | ');
  return step.eventually === undefined ? 'expect' : `eventually, within ${formatDuration(step.eventually.within)}`;
}
