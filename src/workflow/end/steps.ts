import type { Behaviours } from '../../lib/behaviours.ts';
import { edgesOf } from '../../runtime/edges.ts';
import type { FaultPoint } from '../../runtime/failpoints.ts';
import { MIGRATION_KINDS, type MigrationKind } from '../switcher.ts';

/** The two ways in which a workflow ends. `Workflow delete` is a cancel. */
export type EndVerb = 'complete' | 'cancel';

/** One step of an ending. */
export interface EndStep {
  /** One line for people. */
  about: string;
  /** Only looks, or only locks. */
  looks?: true;
  /** Which side it touches; both unless said. */
  side?: 'source' | 'target';
  /** It works shard by shard, and a fault may pick one. */
  perTarget?: true;
}

const looks = (about: string): EndStep => ({ about, looks: true });

/**
 * The catalogue of the steps of complete and cancel. A step is added here and in `planEnding`, its effect in `effects.ts`, what a
 * dry run says of it in `dry-run.ts`. Names are Vitess's where it has one: go/vt/vtctl/workflow/switcher_interface.go.
 */
export const END_STEPS = {
  'complete/lockWorkflow': looks('lock the name of the workflow'),
  'complete/check': looks('check that all traffic is switched'),
  'complete/lockSource': looks('lock the source keyspace'),
  'complete/lockTarget': looks('lock the target keyspace'),
  'complete/validate': looks('check that the streams are frozen and no rule leads to the source'),
  'complete/removeSourceTables': { about: 'drop the source tables, or rename them, and take them out of the VSchema', side: 'source', perTarget: true },
  'complete/dropSourceDeniedTables': { about: 'free the tables on the source', side: 'source', perTarget: true },
  'complete/dropTargetDeniedTables': { about: 'free the tables on the target', side: 'target', perTarget: true },
  'complete/dropSourceShards': { about: 'delete the source shards, with their tablets', side: 'source' },
  'complete/dropSourceReverseVReplicationStreams': { about: 'delete the reverse streams', side: 'source', perTarget: true },
  'complete/dropTargetVReplicationStreams': { about: 'delete the streams', side: 'target', perTarget: true },
  'complete/mirrorOff': { about: 'remove mirror rules that are left' },
  'complete/deleteRoutingRules': { about: 'delete the rules' },
  'complete/rebuildSrvVSchema': { about: 'publish the rules to the cells' },
  'cancel/lockWorkflow': looks('lock the name of the workflow'),
  'cancel/check': looks('check that the writes are not switched'),
  'cancel/lockSource': looks('lock the source keyspace'),
  'cancel/lockTarget': looks('lock the target keyspace'),
  'cancel/readsBack': { about: 'lead reads that are switched back to the source' },
  'cancel/mirrorOff': { about: 'remove the mirror rules' },
  'cancel/stopStreams': { about: 'stop the streams', side: 'target', perTarget: true },
  'cancel/deleteTenantData': { about: "delete the tenant's rows, the streams being stopped", side: 'target' },
  'cancel/removeTargetTables': { about: 'drop the target tables', side: 'target', perTarget: true },
  'cancel/dropTargetShards': { about: 'delete the target shards, with their tablets', side: 'target' },
  'cancel/dropSourceDeniedTables': { about: 'free the tables on the source', side: 'source', perTarget: true },
  'cancel/dropTargetDeniedTables': { about: 'free the tables on the target', side: 'target', perTarget: true },
  'cancel/dropSourceReverseVReplicationStreams': { about: 'delete the reverse streams', side: 'source', perTarget: true },
  'cancel/deleteRoutingRules': { about: 'delete the rules' },
  'cancel/rebuildSrvVSchema': { about: 'publish the rules to the cells' },
  'cancel/unlockKeyspaces': looks('unlock the keyspaces'),
  'cancel/deleteStreams': { about: 'delete the streams', side: 'target', perTarget: true },
} as const satisfies Record<string, EndStep>;

export type EndStepName = keyof typeof END_STEPS;

/** What is to end, and how much of it. */
export interface Ending {
  verb: EndVerb;
  kind: MigrationKind;
  keepData: boolean;
  keepRoutingRules: boolean;
  ignoreSource: boolean;
}

/** A step, and which of its name. */
export interface PlannedEnd {
  name: EndStepName;
  occurrence: number;
}

/**
 * The steps of an ending, in order: what the command runs, the dry run tells and faults name. Vitess: dropSources, dropTargets.
 * `hardened` takes no stream away before everything else is gone, so that the command can be repeated (K41).
 */
export function planEnding(ending: Ending, behaviours: Behaviours): PlannedEnd[] {
  const names = ending.verb === 'complete' ? planComplete(ending, behaviours) : planCancel(ending, behaviours);
  const seen = new Map<EndStepName, number>();
  return names.map((name) => {
    const occurrence = (seen.get(name) ?? 0) + 1;
    seen.set(name, occurrence);
    return { name, occurrence };
  });
}

const when = (condition: boolean, ...names: EndStepName[]): EndStepName[] => (condition ? names : []);

function planComplete({ kind, keepData, keepRoutingRules, ignoreSource }: Ending, behaviours: Behaviours): EndStepName[] {
  const own = behaviours.rollbackRestoresAll;
  const tables = kind !== 'shards';
  const early = behaviours.namedLock !== 'command';
  const last = behaviours.completeOrder === 'streams-last';
  return [
    ...when(early, 'complete/check'),
    ...when(behaviours.namedLock !== 'none', 'complete/lockWorkflow'),
    ...when(!early, 'complete/check'),
    ...when(tables && !ignoreSource, 'complete/lockSource'),
    'complete/lockTarget',
    'complete/validate',
    // They would break on the tables that they read (K42).
    ...when(last, 'complete/dropSourceReverseVReplicationStreams'),
    ...when(tables && !keepData && !ignoreSource, 'complete/removeSourceTables'),
    // Keeping the data keeps the denials too, on a release: for ever (K43).
    ...when(tables && (own || !keepData) && !ignoreSource, 'complete/dropSourceDeniedTables'),
    ...when(tables && (own || !keepData), 'complete/dropTargetDeniedTables'),
    ...when(!tables && !keepData, 'complete/dropSourceShards'),
    ...when(!last, 'complete/dropSourceReverseVReplicationStreams', 'complete/dropTargetVReplicationStreams'),
    ...when(tables && behaviours.endingMirrors === 'go', 'complete/mirrorOff'),
    ...when(!keepRoutingRules, 'complete/deleteRoutingRules'),
    'complete/rebuildSrvVSchema',
    ...when(last, 'complete/dropTargetVReplicationStreams'),
  ];
}

function planCancel({ kind, keepData, keepRoutingRules, ignoreSource }: Ending, behaviours: Behaviours): EndStepName[] {
  const own = behaviours.rollbackRestoresAll;
  const tables = kind !== 'shards';
  const rows = kind === 'multi-tenant' && behaviours.tenantCancel === 'deletes rows';
  const streamsFirst = behaviours.cancelOrder === 'stream-first';
  return [
    ...when(own, 'cancel/lockWorkflow'),
    'cancel/check',
    ...when(streamsFirst, 'cancel/deleteStreams'),
    ...when(!own && behaviours.namedLock !== 'none', 'cancel/lockWorkflow'),
    // A release deletes rows while reads may still go there; on `hardened` the rules lead back to the source first.
    ...when(rows && !keepData && !own, 'cancel/deleteTenantData'),
    ...when(tables && !ignoreSource, 'cancel/lockSource'),
    'cancel/lockTarget',
    ...when(kind === 'tables' && behaviours.cancelReads === 'led back', 'cancel/readsBack'),
    ...when(tables && behaviours.endingMirrors === 'go', 'cancel/mirrorOff'),
    ...when(behaviours.cancelOrder === 'stopped', 'cancel/stopStreams'),
    ...when(!tables && !keepData && behaviours.reshardCancel === 'removes shards', 'cancel/dropTargetShards'),
    ...when(!keepData && !rows && (tables || behaviours.reshardCancel !== 'removes shards'), 'cancel/removeTargetTables'),
    // A release keeps the denials with the data, so that the kept tables cannot be read (K43).
    ...when(tables && (own || !keepData) && !ignoreSource, 'cancel/dropSourceDeniedTables'),
    ...when(tables && (own || !keepData), 'cancel/dropTargetDeniedTables'),
    ...when(!ignoreSource, 'cancel/dropSourceReverseVReplicationStreams'),
    ...when(!keepRoutingRules, 'cancel/deleteRoutingRules'),
    'cancel/rebuildSrvVSchema',
    'cancel/unlockKeyspaces',
    ...when(rows && !keepData && own, 'cancel/deleteTenantData'),
    ...when(!streamsFirst, 'cancel/deleteStreams'),
  ];
}

/** Every ending that has a list of its own, the usual one of a kind first, and when it is run. */
export function endingsOf(verb: EndVerb, kind: MigrationKind): { ending: Ending; when: string | undefined }[] {
  const usual: Ending = { verb, kind, keepData: false, keepRoutingRules: false, ignoreSource: false };
  const others = MIGRATION_KINDS.filter((other) => other !== kind).map((other) => ({ ending: { ...usual, kind: other }, when: KIND_TEXTS[other] }));
  return [{ ending: usual, when: undefined }, ...others];
}

const KIND_TEXTS: Readonly<Record<MigrationKind, string>> = {
  tables: 'of MoveTables',
  partial: 'of a partial move',
  'multi-tenant': 'of a multi-tenant move',
  shards: 'of Reshard',
};

/** Every place where a fault can be put in an ending, for a release. */
export function endingPoints(behaviours: Behaviours): FaultPoint[] {
  const most = new Map<EndStepName, number>();
  for (const verb of ['complete', 'cancel'] as const) {
    for (const { ending } of endingsOf(verb, 'tables')) {
      for (const { name, occurrence } of planEnding(ending, behaviours)) most.set(name, Math.max(most.get(name) ?? 0, occurrence));
    }
  }
  return (Object.keys(END_STEPS) as EndStepName[]).flatMap((name) => (most.has(name) ? [{ name, occurrences: most.get(name)!, edges: edgesOf(END_STEPS[name]) }] : []));
}

/** What the failure of an ending's step comes to. */
export type EndZone =
  /** Nothing was changed yet. */
  | 'nothing changed'
  /** The command does the rest when it is run again. */
  | 'run again'
  /** It cannot be run again: what is left has to be put right by hand. */
  | 'half done'
  /** All was done already. */
  | 'done';

/** The zone of a failure at an edge of a step, or undefined where the ending does not have it. */
export function endZoneOf(behaviours: Behaviours, ending: Ending, place: PlannedEnd & { edge: 'before' | 'after' }): EndZone | undefined {
  const steps = planEnding(ending, behaviours);
  const at = steps.findIndex((step) => step.name === place.name && step.occurrence === place.occurrence);
  if (at === -1) return undefined;
  const changing = steps.map((step, index) => ({ ...step, index })).filter(({ name }) => !('looks' in END_STEPS[name]));
  const done = changing.filter(({ index }) => index < at || (index === at && place.edge === 'after'));
  if (done.length === 0) return 'nothing changed';
  if (done.length === changing.length) return 'done';
  return done.some(({ name }) => isLastLook(name, behaviours)) ? 'half done' : 'run again';
}

/** After it the workflow cannot be found again, or a release fails on what is gone. */
function isLastLook(name: EndStepName, { missingTables, rollbackRestoresAll: own }: Behaviours): boolean {
  if (name === 'complete/dropTargetVReplicationStreams' || name === 'cancel/deleteStreams') return true;
  // A release reads the shards that it has deleted (F53, F54).
  if (name === 'cancel/dropTargetShards' || (name === 'complete/dropSourceShards' && !own)) return true;
  return missingTables === 'error' && (name === 'complete/removeSourceTables' || name === 'cancel/removeTargetTables');
}
