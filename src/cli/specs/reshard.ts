import { createFlags, includeLogsFlag, keepDataFlag, shardsFlag, switchFlags, workflowFlags } from '../flags.ts';
import type { CommandSpec, FlagSpec } from '../spec.ts';
import { startAndStop, vtctldclientCommand } from './build.ts';

const workflow = 'Reshard --workflow cust2cust --target-keyspace customer';

const ownCreateFlags: readonly FlagSpec[] = [
  { kind: 'strings', name: 'source-shards', about: 'shards that serve now' },
  { kind: 'strings', name: 'target-shards', about: 'shards that are to serve instead' },
  { kind: 'bool', name: 'skip-schema-copy', about: 'create no tables on the target shards' },
  ...createFlags,
];

/** `Reshard` and its subcommands. Vitess: go/cmd/vtctldclient/command/vreplication/reshard. */
export const reshard: CommandSpec = vtctldclientCommand({
  name: 'Reshard',
  aliases: ['reshard'],
  about: 'split or merge the shards of a keyspace, and switch their traffic',
  flags: workflowFlags('keyspace that is resharded'),
  subcommands: [
    vtctldclientCommand({
      name: 'create',
      aliases: ['Create'],
      about: 'create the workflow and start copying',
      examples: [`${workflow} create --source-shards 0 --target-shards=-80,80-`],
      flags: ownCreateFlags,
      load: () => import('../commands/reshard-create.ts'),
    }),
    vtctldclientCommand({
      name: 'show',
      aliases: ['Show'],
      about: 'print the workflow with its streams, as JSON',
      examples: [`${workflow} show`],
      flags: [includeLogsFlag],
      load: () => import('../commands/movetables-show.ts'),
    }),
    vtctldclientCommand({
      name: 'status',
      aliases: ['Status', 'progress', 'Progress'],
      about: 'print how far the streams are and where traffic goes',
      examples: [`${workflow} status --format json`],
      load: () => import('../commands/movetables-status.ts'),
    }),
    ...startAndStop(workflow, [shardsFlag]),
    vtctldclientCommand({
      name: 'switchtraffic',
      aliases: ['SwitchTraffic'],
      about: 'switch reads, writes or both to the target shards',
      examples: [`${workflow} switchtraffic --tablet-types "replica,rdonly"`, `${workflow} switchtraffic --dry-run`],
      flags: switchFlags,
      load: () => import('../commands/movetables-switch.ts'),
    }),
    vtctldclientCommand({
      name: 'reversetraffic',
      aliases: ['ReverseTraffic'],
      about: 'switch traffic back to the source shards',
      examples: [`${workflow} reversetraffic`],
      flags: switchFlags,
      load: () => import('../commands/movetables-switch.ts'),
    }),
    vtctldclientCommand({
      name: 'complete',
      aliases: ['Complete'],
      about: 'end a workflow whose traffic is all switched: delete the source shards and streams',
      examples: [`${workflow} complete`],
      load: () => import('../commands/movetables-complete.ts'),
    }),
    vtctldclientCommand({
      name: 'cancel',
      aliases: ['Cancel'],
      about: 'give up a workflow whose writes are not switched: drop the tables of the target shards and the streams',
      examples: [`${workflow} cancel`],
      flags: [keepDataFlag],
      load: () => import('../commands/movetables-cancel.ts'),
    }),
  ],
});
