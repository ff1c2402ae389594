import { ownFormatFlag } from '../flags.ts';
import type { CommandSpec } from '../spec.ts';
import { exactly, ownCommand } from './build.ts';
import { tabletLife } from './failures.ts';
import { gateFlags } from './gate-flags.ts';
import { tabletPrivileges } from './versions.ts';

/** What `show` can show. */
const SHOWN: readonly { name: string; about: string; arg?: string }[] = [
  { name: 'keyspace', about: 'keyspaces, their shards and what they serve', arg: '[NAME]' },
  { name: 'shard', about: 'shards, their primaries and denied tables', arg: '[KEYSPACE/SHARD]' },
  { name: 'tablet', about: 'tablets and what each of them believes', arg: '[ALIAS]' },
  { name: 'workflow', about: 'workflows, their streams and where traffic goes', arg: '[KEYSPACE.NAME]' },
  { name: 'routing', about: 'where queries for each table go', arg: '[TABLE]' },
  { name: 'locks', about: 'locks that are held, by whom, and who waits: the same as `lock show`' },
  { name: 'sessions', about: 'open sessions and their transactions', arg: '[NAME]' },
  { name: 'history', about: 'commands run on this cluster, and how they ended', arg: '[N]' },
];

/** Commands that vtctldclient does not have. */
export const ownCommands: readonly CommandSpec[] = [
  ownCommand({
    name: 'init',
    about: 'make a cluster from an example or a cluster file',
    examples: ['init commerce', 'init commerce --vitess-version v21 --rows 1000', 'init --like commerce', 'init my.yaml'],
    flags: [
      { kind: 'bool', name: 'like', about: 'print a cluster file to start from: of an example, or of the cluster at hand (init --like .)' },
      { kind: 'bool', name: 'schema', about: 'print the JSON Schema of cluster files, for editors' },
      { kind: 'strings', name: 'without', about: 'parts of the example to leave out' },
      { kind: 'int', name: 'rows', placeholder: 'N', about: "rows in each table (the example's own number when not given)" },
      { kind: 'bool', name: 'force', about: 'replace a cluster that is there already' },
    ],
    args: { min: 0, max: 1, usage: '[EXAMPLE|FILE]' },
    load: () => import('../commands/init.ts'),
  }),
  ownCommand({
    name: 'tablet',
    about: 'change the tablets of the cluster',
    subcommands: [
      ownCommand({
        name: 'add',
        about: 'add a tablet to a shard',
        examples: ['tablet add zone1-0000000101 --keyspace commerce --shard 0 --type replica'],
        flags: [
          { kind: 'string', name: 'keyspace', required: true, about: 'its keyspace' },
          { kind: 'string', name: 'shard', required: true, about: 'its shard' },
          { kind: 'tablet-type', name: 'type', default: ['REPLICA'], about: 'its type' },
        ],
        args: exactly('ALIAS'),
        load: () => import('../commands/tablet-add.ts'),
      }),
      ...tabletLife,
      tabletPrivileges,
    ],
  }),
  ownCommand({
    name: 'query',
    about: 'run one SQL statement through the gate',
    examples: ["query 'select * from customer'", "query --session a 'begin'"],
    flags: [
      { kind: 'string', name: 'session', placeholder: 'NAME', about: 'session to run it in, kept between commands' },
      { kind: 'string', name: 'target', placeholder: 'TARGET', about: 'where to: customer, customer:-80, @replica, customer@rdonly' },
      { kind: 'duration', name: 'timeout', default: '30s', about: 'give up on the statement after this long' },
      ...gateFlags,
      ownFormatFlag,
    ],
    args: exactly('SQL'),
    load: () => import('../commands/query.ts'),
  }),
  ownCommand({
    name: 'session',
    about: 'change sessions',
    subcommands: [
      ownCommand({
        name: 'kill',
        about: 'end a session and roll its transaction back',
        examples: ['session kill a'],
        args: exactly('NAME'),
        load: () => import('../commands/session-kill.ts'),
      }),
    ],
  }),
  ownCommand({
    name: 'steps',
    about: 'list the steps of a command, in order: the places where a fault can be put',
    examples: ['steps switchtraffic', 'steps --vitess-version v21.0.2', 'steps cancel'],
    flags: [ownFormatFlag],
    args: { min: 0, max: 1, usage: '[COMMAND]' },
    load: () => import('../commands/steps.ts'),
  }),
  ownCommand({
    name: 'show',
    about: 'show the cluster as it is',
    flags: [ownFormatFlag],
    subcommands: SHOWN.map(({ name, about, arg }) =>
      ownCommand({
        name,
        about,
        examples: [`show ${name}`],
        args: { min: 0, max: arg === undefined ? 0 : 1, usage: arg ?? '' },
        load: () => import('../commands/show.ts'),
      }),
    ),
  }),
  ownCommand({
    name: 'demo',
    about: 'watch a cutover fail and be repaired',
    flags: [
      { kind: 'string', name: 'keep', placeholder: 'DIR', about: "keep the demo's cluster in this directory" },
      { kind: 'bool', name: 'fast', about: 'do not pause between steps' },
    ],
    load: () => import('../commands/demo.ts'),
  }),
];
