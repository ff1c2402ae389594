import {
  createFlags,
  deleteBatchSizeFlag,
  everyShardFlag,
  includeLogsFlag,
  keepFlags,
  shardsFlag,
  trafficFlags,
  trafficTabletTypesFlag,
  workflowFlags,
} from '../flags.ts';
import type { CommandSpec, FlagSpec } from '../spec.ts';
import { startAndStop, vtctldclientCommand } from './build.ts';

const workflow = 'MoveTables --workflow commerce2customer --target-keyspace customer';

const ownCreateFlags: readonly FlagSpec[] = [
  { kind: 'string', name: 'source-keyspace', required: true, about: 'keyspace the tables are moved from' },
  { kind: 'strings', name: 'tables', about: 'tables to move' },
  { kind: 'bool', name: 'all-tables', about: 'move every table of the source keyspace' },
  { kind: 'strings', name: 'exclude-tables', about: 'tables left out' },
  { kind: 'strings', name: 'source-shards', about: 'move these source shards only (a partial migration)' },
  { kind: 'string', name: 'source-time-zone', about: 'time zone of the source, whose DATETIMEs are turned into UTC' },
  { kind: 'bool', name: 'no-routing-rules', about: 'create no routing rules' },
  { kind: 'bool', name: 'atomic-copy', about: 'copy all tables from one snapshot' },
  { kind: 'string', name: 'tenant-id', about: 'move one tenant (a multi-tenant migration)' },
  { ...shardsFlag, about: 'target shards, in a multi-tenant migration only' },
  { kind: 'string', name: 'global-keyspace', about: 'unsharded keyspace for sequence tables' },
  {
    kind: 'string',
    name: 'sharded-auto-increment-handling',
    default: 'REMOVE',
    about: 'what becomes of AUTO_INCREMENT in a sharded target: LEAVE, REMOVE or REPLACE',
  },
  ...createFlags,
];

/** `MoveTables` and its subcommands. Vitess: go/cmd/vtctldclient/command/vreplication/movetables. */
export const moveTables: CommandSpec = vtctldclientCommand({
  name: 'MoveTables',
  aliases: ['movetables'],
  about: 'move tables from one keyspace to another, and switch their traffic',
  flags: workflowFlags('keyspace the tables are moved to'),
  subcommands: [
    vtctldclientCommand({
      name: 'create',
      aliases: ['Create'],
      about: 'create the workflow and start copying',
      examples: [`${workflow} create --source-keyspace commerce --tables customer,corder`],
      flags: ownCreateFlags,
      load: () => import('../commands/movetables-create.ts'),
    }),
    vtctldclientCommand({
      name: 'show',
      aliases: ['Show'],
      about: 'print the workflow with its streams, as JSON',
      examples: [`${workflow} show`],
      flags: [includeLogsFlag, shardsFlag],
      load: () => import('../commands/movetables-show.ts'),
    }),
    vtctldclientCommand({
      name: 'status',
      aliases: ['Status', 'progress', 'Progress'],
      about: 'print how far the streams are and where traffic goes',
      examples: [`${workflow} status --format json`],
      flags: [shardsFlag],
      load: () => import('../commands/movetables-status.ts'),
    }),
    ...startAndStop(workflow, [shardsFlag]),
    vtctldclientCommand({
      name: 'mirrortraffic',
      aliases: ['MirrorTraffic'],
      about: 'send a part of the reads to the target too',
      examples: [`${workflow} mirrortraffic --percent 5.0`],
      flags: [
        { ...trafficTabletTypesFlag, about: 'tablet types whose reads are mirrored' },
        { kind: 'float', name: 'percent', default: 1, about: 'percentage of the reads; 0 ends it' },
      ],
      load: () => import('../commands/movetables-mirror.ts'),
    }),
    vtctldclientCommand({
      name: 'switchtraffic',
      aliases: ['SwitchTraffic'],
      about: 'switch reads, writes or both to the target',
      examples: [`${workflow} switchtraffic --tablet-types "replica,rdonly"`, `${workflow} switchtraffic --dry-run`],
      flags: [
        ...trafficFlags,
        {
          kind: 'bool',
          name: 'initialize-target-sequences',
          about: 'set the sequences of moved tables above the largest value in use',
        },
      ],
      load: () => import('../commands/movetables-switch.ts'),
    }),
    vtctldclientCommand({
      name: 'reversetraffic',
      aliases: ['ReverseTraffic'],
      about: 'switch traffic back to the source',
      examples: [`${workflow} reversetraffic`],
      flags: trafficFlags,
      load: () => import('../commands/movetables-switch.ts'),
    }),
    vtctldclientCommand({
      name: 'complete',
      aliases: ['Complete'],
      about: 'end a workflow whose traffic is all switched: drop the source tables, rules and streams',
      examples: [`${workflow} complete --dry-run`],
      flags: [
        ...keepFlags,
        { kind: 'bool', name: 'rename-tables', about: 'rename the source tables instead of dropping them' },
        { kind: 'bool', name: 'dry-run', about: 'print what would be done, and do none of it' },
        everyShardFlag,
      ],
      load: () => import('../commands/movetables-complete.ts'),
    }),
    vtctldclientCommand({
      name: 'cancel',
      aliases: ['Cancel'],
      about: 'give up a workflow whose writes are not switched: drop the target tables, rules and streams',
      examples: [`${workflow} cancel`],
      flags: [...keepFlags, deleteBatchSizeFlag, shardsFlag],
      load: () => import('../commands/movetables-cancel.ts'),
    }),
  ],
});
