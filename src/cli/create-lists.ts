import type { Release } from '../lib/releases.ts';
import type { PointFacts, PointList } from '../report/fault-list.ts';
import type { StepFacts, StepList } from '../report/steps.ts';
import { edgesOf } from '../runtime/edges.ts';
import type { Failpoints } from '../runtime/failpoints.ts';
import { CREATE_STEPS, type CreatePath, type CreateStepName, createZoneOf, planCreate, planTakeBack, usualCreate } from '../workflow/create/steps.ts';
import { MIGRATION_KINDS } from '../workflow/switcher.ts';
import type { PlannedCommand } from './planned-commands.ts';

/** A step that the usual create does not have, and when there is one. */
interface Other {
  name: CreateStepName;
  path: CreatePath;
  when: string;
}

function others({ kind }: PlannedCommand, { behaviours }: Release): Other[] {
  const known = new Set(planCreate(usualCreate(kind), behaviours));
  const elsewhere: { path: CreatePath; when: string }[] = [
    ...(kind === 'shards' ? [] : [{ path: { ...usualCreate(kind), replacesAutoIncrement: true }, when: 'with --sharded-auto-increment-handling REPLACE' }]),
    ...MIGRATION_KINDS.filter((other) => other !== kind).map((other) => ({ path: usualCreate(other), when: other === 'shards' ? 'of Reshard' : 'of MoveTables' })),
  ];
  return elsewhere.flatMap(({ path, when }) =>
    planCreate(path, behaviours).flatMap((name) => {
      if (known.has(name)) return [];
      known.add(name);
      return [{ name, path, when }];
    }),
  );
}

/** Only `hardened` takes back what it has made. */
function takesBack({ kind }: PlannedCommand, { behaviours }: Release): CreateStepName[] {
  return behaviours.rollbackRestoresAll ? planTakeBack(usualCreate(kind).type) : [];
}

function stepFacts(name: CreateStepName, index: number, leadsTo: string | undefined): StepFacts {
  return { number: index + 1, name, occurrence: 1, occurrences: 1, about: CREATE_STEPS[name].about, leadsTo, undoneBy: '', pointOfNoReturn: false };
}

/** `steps create`. */
export function createList(command: PlannedCommand, release: Release): StepList {
  const path = usualCreate(command.kind);
  return {
    command: command.title,
    vitessVersion: release.name,
    note: command.note,
    steps: planCreate(path, release.behaviours).map((name, index) => stepFacts(name, index, createZoneOf(release.behaviours, path, name, 'before'))),
    elsewhere: others(command, release).map(({ name, when }) => ({ name, about: CREATE_STEPS[name].about, when })),
    rollback: takesBack(command, release).map((name, index) => stepFacts(name, index, undefined)),
  };
}

/** `fault list create`. */
export function createFaults(command: PlannedCommand, release: Release, workflows: PointList['workflows'], faults: Failpoints): PointList {
  const { behaviours } = release;
  const usual = usualCreate(command.kind);
  const targets = [...new Set(workflows.flatMap(({ target }) => target))].filter((target) => target.includes('/'));
  const fact = (name: CreateStepName, zones: PointFacts['zones'], when?: string): PointFacts => ({
    name,
    about: CREATE_STEPS[name].about,
    edges: edgesOf(CREATE_STEPS[name]),
    sides: ['target'],
    targets,
    when,
    zones,
    armed: faults.armedAt(name),
  });
  const zones = (path: CreatePath, name: CreateStepName): PointFacts['zones'] => [
    { occurrence: 1, before: createZoneOf(behaviours, path, name, 'before') ?? '', after: createZoneOf(behaviours, path, name, 'after') ?? '' },
  ];
  return {
    command: command.title,
    vitessVersion: release.name,
    note: command.note,
    workflows,
    points: [
      ...planCreate(usual, behaviours).map((name) => fact(name, zones(usual, name))),
      ...others(command, release).map(({ name, path, when }) => fact(name, zones(path, name), when)),
    ],
    rollback: takesBack(command, release).map((name) => fact(name, [{ occurrence: 1, before: 'left to the next run', after: 'left to the next run' }])),
  };
}
