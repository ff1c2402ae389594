import { isSwitched, hasRules, leads, movers } from './routes.ts';
import { ROUTED_TYPES, type RoutedType } from '../../workflow/facts/routing.ts';
import { lockName, unique } from '../../workflow/facts/stranded/found.ts';
import type { WorkflowFacts } from '../../workflow/facts/workflow.ts';
import type { Repair } from '../../report/doctor/diagnosis.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';
import { applyRules, routeTables, type RuleType, type Side } from './rule-lines.ts';

const SUFFIX: Record<RoutedType, RuleType> = { PRIMARY: '', REPLICA: '@replica', RDONLY: '@rdonly' };

/** Rules that lead some names of a workflow's tables to one side and others to the other, or elsewhere. */
export function incompleteRules(picture: DoctorPicture): Finding[] {
  return movers(picture)
    .filter((workflow) => workflow.kind === 'tables' && hasRules(picture, workflow))
    .flatMap((workflow) => {
      const mixed = ROUTED_TYPES.filter((type) => new Set(leads(picture, workflow, type).map(({ to }) => to)).size > 1);
      return mixed.length === 0 ? [] : [incomplete(picture, workflow, mixed)];
    });
}

function incomplete(picture: DoctorPicture, workflow: WorkflowFacts, types: readonly RoutedType[]): Finding {
  const { keyspace, workflow: name, sourceKeyspace } = workflow;
  const evidence = types.map((type) => {
    const all = leads(picture, workflow, type);
    const places = unique(all.map(({ to }) => to || 'nowhere')).map((place) => `${all.filter(({ to }) => (to || 'nowhere') === place).map(({ from }) => from).join(', ')} to ${place}`);
    return `${type.toLowerCase()}: the saved rules lead ${places.join('; ')}`;
  });
  // Where the writes are known to be, their rules are not up to anybody. Reads may be on either side.
  const known: Side | undefined = isSwitched(workflow) ? 'target' : types.includes('PRIMARY') && types.length === 1 ? 'source' : undefined;
  const way = (side: Side): Repair => {
    const to = side === 'target' ? keyspace : sourceKeyspace;
    const { command, undo } = applyRules(picture.records.rules, routeTables(workflow, side, types.map((type) => SUFFIX[type])));
    return {
      title: `lead them all to ${to}`,
      consequence: `every name of ${workflow.tables.join(', ')} leads to ${to} for ${types.join(', ').toLowerCase()}; other rules stay`,
      commands: [command],
      undo: [undo],
    };
  };
  const repairs = known === undefined ? [way('source'), way('target')] : [way(known)];
  return {
    kind: 'incomplete-rules',
    object: `${keyspace}.${name}`,
    keyspaces: unique([sourceKeyspace, keyspace]),
    workflows: [lockName(workflow)],
    text: `${keyspace}.${name}: its routing rules are not all for one side`,
    next: [],
    evidence,
    impact: [`${types.map((type) => (type === 'PRIMARY' ? 'writes' : `${type.toLowerCase()} reads`)).join(', ')} of ${workflow.tables.join(', ')} go to one keyspace or the other by the name that a query uses`],
    repairs,
  };
}
