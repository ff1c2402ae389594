import { cellsFlag, deleteBatchSizeFlag, includeLogsFlag, keepFlags, shardsFlag } from '../flags.ts';
import type { CommandSpec, FlagSpec } from '../spec.ts';
import { exactly, vtctldclientCommand } from './build.ts';

const nameFlag: FlagSpec = { kind: 'string', name: 'workflow', short: 'w', required: true, about: 'name of the workflow' };

/** `GetWorkflows`. */
export const getWorkflows: CommandSpec = vtctldclientCommand({
  name: 'GetWorkflows',
  about: 'print every workflow of a keyspace with its streams, without those that are stopped',
  examples: ['GetWorkflows customer --show-all'],
  flags: [includeLogsFlag, { kind: 'bool', name: 'show-all', short: 'a', about: 'show streams that are stopped too' }],
  args: exactly('<keyspace>'),
  load: () => import('../commands/get-workflows.ts'),
});

/** `Workflow` and its subcommands. Vitess: go/cmd/vtctldclient/command/vreplication/workflow. */
export const workflow: CommandSpec = vtctldclientCommand({
  name: 'Workflow',
  aliases: ['workflow'],
  about: 'list, show and change the workflows of a keyspace',
  flags: [
    { kind: 'string', name: 'keyspace', short: 'k', required: true, about: 'keyspace whose workflows are meant' },
  ],
  // Bare, Vitess takes one argument for a keyspace and does what GetWorkflows does. Only a release line gets that far.
  args: exactly('<keyspace>'),
  load: () => import('../commands/workflow-show.ts'),
  subcommands: [
    vtctldclientCommand({
      name: 'list',
      aliases: ['List'],
      about: 'print the names of all workflows',
      examples: ['Workflow --keyspace customer list'],
      flags: [shardsFlag],
      load: () => import('../commands/workflow-list.ts'),
    }),
    vtctldclientCommand({
      name: 'show',
      aliases: ['Show'],
      about: 'print one workflow with its streams',
      examples: ['Workflow --keyspace customer show --workflow commerce2customer'],
      flags: [nameFlag, includeLogsFlag, shardsFlag],
      load: () => import('../commands/workflow-show.ts'),
    }),
    ...(['start', 'stop'] as const).map((name) =>
      vtctldclientCommand({
        name,
        aliases: [name === 'start' ? 'Start' : 'Stop'],
        about: `${name} a workflow's streams`,
        examples: [`Workflow --keyspace customer ${name} --workflow commerce2customer`],
        flags: [nameFlag, shardsFlag],
        load: () => import('../commands/workflow-start-stop.ts'),
      }),
    ),
    vtctldclientCommand({
      name: 'update',
      aliases: ['Update'],
      about: "change where a workflow's streams copy from, and their settings",
      examples: ['Workflow --keyspace customer update --workflow commerce2customer --cells zone1'],
      flags: [
        nameFlag,
        cellsFlag('new cells or cell aliases to copy from'),
        { kind: 'tablet-types', name: 'tablet-types', short: 't', about: 'new tablet types to copy from' },
        { kind: 'bool', name: 'tablet-types-in-order', default: true, about: 'take the tablet types in the order given' },
        { kind: 'string', name: 'on-ddl', about: 'new answer to DDL: IGNORE, STOP, EXEC or EXEC_IGNORE' },
        { kind: 'strings', name: 'config-overrides', about: 'VReplication settings of this workflow, as key=value' },
        shardsFlag,
      ],
      load: () => import('../commands/workflow-update.ts'),
    }),
    vtctldclientCommand({
      name: 'delete',
      aliases: ['Delete'],
      about: 'delete a workflow and clean up after it, as cancel does',
      examples: ['Workflow --keyspace customer delete --workflow commerce2customer'],
      flags: [nameFlag, ...keepFlags, deleteBatchSizeFlag, shardsFlag],
      load: () => import('../commands/workflow-delete.ts'),
    }),
  ],
});
