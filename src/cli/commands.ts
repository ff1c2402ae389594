import { adminCommands } from './specs/admin.ts';
import { noArgs } from './specs/build.ts';
import { doctor } from './specs/doctor.ts';
import { cell } from './specs/failures.ts';
import { fault } from './specs/fault.ts';
import { lock } from './specs/lock.ts';
import { materialize } from './specs/materialize.ts';
import { moveTables } from './specs/movetables.ts';
import { ownCommands } from './specs/own.ts';
import { reshard } from './specs/reshard.ts';
import { scenarioCommands } from './specs/scenario.ts';
import { topologyCommands } from './specs/topology.ts';
import { vdiffCommand } from './specs/vdiff.ts';
import { versions } from './specs/versions.ts';
import { getWorkflows, workflow } from './specs/workflow.ts';
import { snapshot } from './specs/snapshot.ts';
import { workload } from './specs/workload.ts';
import type { CommandSpec } from './spec.ts';

/** The whole command tree. Light to load: every handler is imported when its command is called. */
export const rootCommand: CommandSpec = {
  name: 'switchtraffic',
  aliases: [],
  about: 'Rehearse a Vitess cutover: MoveTables and Reshard over real rows and real locks, any step made to fail.',
  long:
    'Rehearse a Vitess cutover: MoveTables and Reshard over real rows and real locks, any step made to fail.\n' +
    "The commands in CamelCase are vtctldclient's, and so are their flags, output and errors.",
  examples: ['init commerce', 'MoveTables --workflow commerce2customer --target-keyspace customer switchtraffic'],
  flags: [],
  args: noArgs,
  family: 'vtctldclient',
  subcommands: [moveTables, reshard, materialize, workflow, getWorkflows, vdiffCommand, ...topologyCommands, ...adminCommands, ...ownCommands, doctor, snapshot, lock, cell, workload, fault, versions, ...scenarioCommands],
};
