import type { Behaviours } from '../../lib/behaviours.ts';
import { edgesOf } from '../../runtime/edges.ts';
import type { FaultPoint } from '../../runtime/failpoints.ts';
import type { MigrationKind } from '../switcher.ts';

/** The workflows that a command creates. */
export type CreateType = 'MoveTables' | 'Reshard' | 'Materialize';

/** One step of a create. */
export interface CreateStep {
  /** One line for people. */
  about: string;
  /** It works shard by shard, and a fault may pick one. */
  perTarget?: true;
}

/**
 * The catalogue of the steps of create that change anything, and of those that take it back on `hardened`. A step is added here and in
 * `planCreate`; what it does stands in the room of its type.
 */
export const CREATE_STEPS = {
  'create/extendVSchema': { about: "give the target's VSchema the tables that it lacks" },
  'create/copySchema': { about: 'create the tables that the target shards lack', perTarget: true },
  'create/replaceAutoIncrement': { about: 'give the tables whose AUTO_INCREMENT was taken out a sequence in the VSchema' },
  'create/createStreams': { about: 'create the streams, stopped', perTarget: true },
  'create/setInitialRules': { about: 'point the routing rules of the tables at the source' },
  'create/denyTargetTables': { about: 'deny the tables on the target', perTarget: true },
  'create/rebuildSrvVSchema': { about: 'publish the rules to the cells' },
  'create/startStreams': { about: 'start the streams', perTarget: true },
  'create/rollback/deleteStreams': { about: 'delete the streams' },
  'create/rollback/restoreRecords': { about: 'put VSchema, rules and denied tables back' },
  'create/rollback/dropTables': { about: 'drop the tables that were created' },
} as const satisfies Record<string, CreateStep>;

export type CreateStepName = keyof typeof CREATE_STEPS;

/** What is to be created, as far as its steps depend on it. */
export interface CreatePath {
  type: CreateType;
  kind: MigrationKind;
  autoStart: boolean;
  copySchema: boolean;
  replacesAutoIncrement: boolean;
}

const when = (condition: boolean, ...names: CreateStepName[]): CreateStepName[] => (condition ? names : []);

/** The steps of a create, in order. Before and between them things are looked at, and refused. */
export function planCreate({ type, kind, autoStart, copySchema, replacesAutoIncrement }: CreatePath, behaviours: Behaviours): CreateStepName[] {
  const moves = type === 'MoveTables';
  return [
    ...when(moves, 'create/extendVSchema'),
    ...when(copySchema, 'create/copySchema'),
    ...when(moves && replacesAutoIncrement, 'create/replaceAutoIncrement'),
    'create/createStreams',
    ...when(moves, 'create/setInitialRules'),
    ...when(moves && kind === 'tables' && behaviours.deniedTablesOnTargetAtCreate, 'create/denyTargetTables'),
    ...when(moves, 'create/rebuildSrvVSchema'),
    ...when(autoStart, 'create/startStreams'),
  ];
}

/** The step from whose beginning on `hardened` goes forward: streams that run have copied, and all is made. */
export const STARTS: CreateStepName = 'create/startStreams';

/** The steps that take back what a create has made, in order: nothing may write any more, then nobody may look for it. */
export function planTakeBack(type: CreateType): CreateStepName[] {
  return ['create/rollback/deleteStreams', ...when(type === 'MoveTables', 'create/rollback/restoreRecords'), 'create/rollback/dropTables'];
}

/** What the failure of a create's step comes to. */
export type CreateZone =
  /** Nothing was made yet. */
  | 'nothing changed'
  /** What was made is taken back. */
  | 'rolls back'
  /** What was made stays. */
  | 'left as is'
  /** What Vitess cleans up is gone; the tables stay. */
  | 'cleaned up'
  /** All was done already. */
  | 'done';

/** From here on a release holds locks, and cleans up (K32, K33). */
const UNDER_LOCKS: readonly CreateStepName[] = ['create/setInitialRules', 'create/denyTargetTables', 'create/rebuildSrvVSchema', 'create/startStreams'];

/** The zone of a failure at an edge of a step, or undefined where the create does not have it. */
export function createZoneOf(behaviours: Behaviours, path: CreatePath, name: CreateStepName, edge: 'before' | 'after'): CreateZone | undefined {
  const steps = planCreate(path, behaviours);
  const at = steps.indexOf(name);
  if (at === -1) return undefined;
  if (at === 0 && edge === 'before') return 'nothing changed';
  if (behaviours.rollbackRestoresAll) return at === steps.length - 1 && edge === 'after' ? 'done' : 'rolls back';
  if (path.type === 'MoveTables') return UNDER_LOCKS.includes(name) ? 'cleaned up' : 'left as is';
  return at === steps.length - 1 && edge === 'after' ? 'done' : 'left as is';
}

/** The usual create of a kind of migration, as lists show it. */
export function usualCreate(kind: MigrationKind): CreatePath {
  return { type: kind === 'shards' ? 'Reshard' : 'MoveTables', kind, autoStart: true, copySchema: true, replacesAutoIncrement: false };
}

/** Every place where a fault can be put in a create, for a release. */
export function createPoints(behaviours: Behaviours): FaultPoint[] {
  const every: CreatePath = { ...usualCreate('tables'), replacesAutoIncrement: true };
  const names = new Set([...planCreate(every, behaviours), ...(behaviours.rollbackRestoresAll ? planTakeBack('MoveTables') : [])]);
  return (Object.keys(CREATE_STEPS) as CreateStepName[]).flatMap((name) => (names.has(name) ? [{ name, occurrences: 1, edges: edgesOf(CREATE_STEPS[name]) }] : []));
}
