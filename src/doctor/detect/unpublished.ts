import { lockName } from '../../workflow/facts/stranded/found.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';
import { applyRules } from './rule-lines.ts';

/**
 * Rules that a cell has not been told are put right in two ways, unless it is known which of both is meant: they are published, or
 * those that the gates follow are saved again. A switch that failed saves the rules of the reads without publishing them (K13), a
 * create that failed deletes what was there before it without telling anybody (K33).
 */
export function withBothWays(finding: Finding, picture: DoctorPicture): Finding {
  const { kind, object, next, workflows } = finding;
  if (kind !== 'rules-not-published' || next[0] !== 'RebuildVSchemaGraph') return finding;
  // Past its journal a switch goes forward, and its rules with it.
  if (picture.workflows.some((one) => workflows.includes(lockName(one)) && one.journal.on.length > 0)) return finding;
  const rules = picture.routing.unpublished.filter(({ cell, of }) => object === `cell ${cell}` && of === undefined);
  if (rules.length === 0) return finding;
  const { command, undo } = applyRules(picture.records.rules, (saved) => {
    for (const { from, published } of rules) {
      if (published === undefined) saved.delete(from);
      else saved.set(from, published.split(','));
    }
  });
  const names = [...new Set(rules.map(({ from }) => from.replace(/^.*\./, '').replace(/@.*$/, '')))].toSorted().join(', ');
  return {
    ...finding,
    repairs: [
      { title: 'publish the saved rules', consequence: `the gates of every cell send queries for ${names} where the saved rules say`, commands: next, undo: [] },
      { title: 'save what the gates follow', consequence: `queries for ${names} go on where they go now, and a rebuild no longer changes that; other rules stay`, commands: [command], undo: [undo] },
    ],
  };
}
