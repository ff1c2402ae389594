import type { CommandSpec, FlagSpec } from '../spec.ts';
import { exactly, vtctldclientCommand } from './build.ts';

const vdiff = 'VDiff --workflow commerce2customer --target-keyspace customer';
const uuid = 'b3f59678-5241-11ee-be56-0242ac120002';

const createFlags: readonly FlagSpec[] = [
  { kind: 'strings', name: 'source-cells', about: 'cells to read the source from (any when not given)' },
  { kind: 'strings', name: 'target-cells', about: 'cells to read the target from (any when not given)' },
  {
    kind: 'tablet-types',
    name: 'tablet-types',
    default: ['RDONLY', 'REPLICA', 'PRIMARY'],
    about: 'tablet types to read source and target from',
  },
  { kind: 'bool', name: 'tablet-types-in-preference-order', default: true, about: 'take the tablet types in the order given' },
  { kind: 'strings', name: 'tables', about: 'compare only these tables of the workflow' },
  { kind: 'int', name: 'limit', default: 2 ** 63, shown: '9223372036854775807', about: 'rows of each table after which it stops comparing' },
  {
    kind: 'duration',
    name: 'filtered-replication-wait-time',
    default: '30s',
    about: "how long streams may take to reach the sources' position; whole seconds count",
  },
  { kind: 'bool', name: 'debug-query', about: 'add to each row that differs the query that finds it' },
  { kind: 'int', name: 'max-report-sample-rows', default: 10, about: 'rows that differ to show of each table (0: all)' },
  { kind: 'bool', name: 'only-pks', about: 'show only the primary keys of rows that differ' },
  {
    kind: 'int',
    name: 'max-extra-rows-to-compare',
    default: 1000,
    about: 'rows found on one side only to look at once more, for those that are merely sorted otherwise',
  },
  { kind: 'bool', name: 'wait', about: 'print how far it is until it has ended' },
  { kind: 'duration', name: 'wait-update-interval', default: '1m0s', about: 'with --wait: how often to print' },
  { kind: 'bool', name: 'auto-retry', default: true, about: 'try again after 30s when it fails with an error that may pass' },
  { kind: 'bool', name: 'update-table-stats', about: 'count the rows anew before (done in any case: rows are counted, not estimated)' },
  {
    kind: 'duration',
    name: 'max-diff-duration',
    about: 'take both sides anew after a table took so long (0: never); whole seconds count',
  },
  { kind: 'int', name: 'row-diff-column-truncate-at', default: 128, about: 'bytes after which shown values are cut, keys apart (below 1: never)' },
  { kind: 'bool', name: 'auto-start', default: true, about: 'begin at once; otherwise with resume' },
];

const targetShardsFlag: FlagSpec = { kind: 'strings', name: 'target-shards', about: 'only on these target shards' };

/** `VDiff` and its subcommands. Vitess: go/cmd/vtctldclient/command/vreplication/vdiff. */
export const vdiffCommand: CommandSpec = vtctldclientCommand({
  name: 'VDiff',
  aliases: ['vdiff'],
  about: 'compare the tables of a workflow, row by row, between source and target',
  flags: [
    { kind: 'string', name: 'target-keyspace', required: true, about: 'target keyspace of the workflow' },
    { kind: 'string', name: 'workflow', short: 'w', required: true, about: 'name of the workflow' },
    { kind: 'string', name: 'format', default: 'text', about: 'text or json' },
  ],
  subcommands: [
    vtctldclientCommand({
      name: 'create',
      aliases: ['Create'],
      about: 'compare source and target, both as they are at one position',
      examples: [`${vdiff} create`, `${vdiff} create ${uuid} --tables customer --max-report-sample-rows 100 --wait --wait-update-interval 5s`],
      args: { min: 0, max: 1, usage: '[<uuid>]' },
      flags: createFlags,
      load: () => import('../commands/vdiff-create.ts'),
    }),
    vtctldclientCommand({
      name: 'show',
      aliases: ['Show'],
      about: 'print what a diff has found (--verbose: of each table also when nothing differs), or list them',
      examples: [`${vdiff} show last --verbose --format json`, `${vdiff} show ${uuid}`, `${vdiff} show all`],
      args: exactly('<uuid|last|all>'),
      load: () => import('../commands/vdiff-show.ts'),
    }),
    vtctldclientCommand({
      name: 'resume',
      aliases: ['Resume'],
      about: 'go on with a diff that was stopped, or compare what has been added since one ended',
      examples: [`${vdiff} resume ${uuid}`],
      args: exactly('<uuid>'),
      flags: [targetShardsFlag],
      load: () => import('../commands/vdiff-resume.ts'),
    }),
    vtctldclientCommand({
      name: 'stop',
      aliases: ['Stop'],
      about: 'stop a diff that runs',
      examples: [`${vdiff} stop ${uuid}`],
      args: exactly('<uuid>'),
      flags: [targetShardsFlag],
      load: () => import('../commands/vdiff-stop.ts'),
    }),
    vtctldclientCommand({
      name: 'delete',
      aliases: ['Delete'],
      about: 'delete a diff, or all of the workflow, with what was found',
      examples: [`${vdiff} delete ${uuid}`, `${vdiff} delete all`],
      args: exactly('<uuid|all>'),
      load: () => import('../commands/vdiff-delete.ts'),
    }),
  ],
});
