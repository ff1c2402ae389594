import { cellsFlag } from '../flags.ts';
import type { ArgsSpec, CommandSpec, FlagSpec } from '../spec.ts';
import { exactly, vtctldclientCommand } from './build.ts';

/** Commands that an operator repairs, prepares or disturbs a cluster with. Vitess: go/cmd/vtctldclient/command. */

function atLeast(first: string, more: string): ArgsSpec {
  return { min: first === '' ? 0 : 1, max: Number.POSITIVE_INFINITY, usage: `${first} ${more}`.trim() };
}

const jsonFlag: FlagSpec = { kind: 'bool', name: 'json', short: 'j', about: 'print the result as JSON and not as a table' };
const maxRowsFlag: FlagSpec = { kind: 'int', name: 'max-rows', default: 10_000, about: 'fail if there are more rows than this' };

const reparents: readonly CommandSpec[] = [
  vtctldclientCommand({
    name: 'PlannedReparentShard',
    about: 'make another tablet of a shard its primary; every tablet must answer',
    examples: ['PlannedReparentShard commerce/0', 'PlannedReparentShard commerce/0 --new-primary zone1-0000000101'],
    flags: [
      { kind: 'duration', name: 'wait-replicas-timeout', default: '15s', about: 'how long replicas may take to catch up, before and after' },
      { kind: 'duration', name: 'tolerable-replication-lag', default: '0s', about: 'lag that a tablet chosen by itself may have; here none has any' },
      { kind: 'string', name: 'new-primary', about: 'tablet to promote' },
      { kind: 'string', name: 'avoid-primary', about: 'promote another one if this tablet is the primary' },
      { kind: 'string', name: 'expected-primary', about: 'do nothing unless this tablet is the primary' },
      { kind: 'bool', name: 'allow-cross-cell-promotion', about: 'a tablet of another cell may be chosen too' },
    ],
    args: exactly('<keyspace/shard>'),
    load: () => import('../commands/reparent.ts'),
  }),
  vtctldclientCommand({
    name: 'ChangeTabletType',
    about: 'change the type of a tablet that is no primary',
    examples: ['ChangeTabletType zone1-0000000101 rdonly'],
    flags: [{ kind: 'bool', name: 'dry-run', short: 'd', about: 'show the change without making it' }],
    args: exactly('<alias>', '<tablet-type>'),
    load: () => import('../commands/change-tablet-type.ts'),
  }),
];

const places: readonly CommandSpec[] = [
  vtctldclientCommand({
    name: 'CreateKeyspace',
    about: 'create the record of a keyspace',
    examples: ['CreateKeyspace customer'],
    flags: [
      { kind: 'bool', name: 'force', short: 'f', about: 'succeed also if the keyspace exists; its record stays as it is' },
      { kind: 'bool', name: 'allow-empty-vschema', short: 'e', about: 'create no VSchema' },
      { kind: 'string', name: 'type', default: 'NORMAL', about: 'NORMAL; snapshot keyspaces are not built' },
      { kind: 'string', name: 'base-keyspace', about: 'keyspace that a snapshot keyspace is of' },
      { kind: 'string', name: 'snapshot-timestamp', about: 'time of a snapshot keyspace, RFC 3339' },
      { kind: 'string', name: 'durability-policy', default: 'none', about: 'whose acknowledgement a commit waits for' },
      { kind: 'string', name: 'sidecar-db-name', default: '_vt', about: "name of Vitess's own database; only _vt is built" },
    ],
    args: exactly('<keyspace>'),
    load: () => import('../commands/places.ts'),
  }),
  vtctldclientCommand({
    name: 'CreateShard',
    about: 'create the record of a shard; it serves unless it overlaps another one',
    examples: ['CreateShard customer/-80'],
    flags: [
      { kind: 'bool', name: 'force', short: 'f', about: 'succeed also if the shard exists; its record stays as it is' },
      { kind: 'bool', name: 'include-parent', short: 'p', about: 'create the keyspace too' },
    ],
    args: exactly('<keyspace/shard>'),
    load: () => import('../commands/places.ts'),
  }),
  vtctldclientCommand({
    name: 'DeleteShards',
    about: 'delete the records of shards',
    examples: ['DeleteShards --recursive customer/-80 customer/80-'],
    flags: [
      { kind: 'bool', name: 'recursive', short: 'r', about: 'delete their tablets too' },
      { kind: 'bool', name: 'even-if-serving', about: 'also a shard that serves' },
      { kind: 'bool', name: 'force', short: 'f', about: 'also if the shard cannot be locked' },
    ],
    args: atLeast('<keyspace/shard>', '[<keyspace/shard> ...]'),
    load: () => import('../commands/places.ts'),
  }),
  vtctldclientCommand({
    name: 'DeleteTablets',
    about: 'delete the records of tablets',
    examples: ['DeleteTablets zone1-0000000101'],
    flags: [{ kind: 'bool', name: 'allow-primary', short: 'p', about: 'also the primary of a shard' }],
    args: atLeast('<alias>', '[<alias> ...]'),
    load: () => import('../commands/places.ts'),
  }),
  vtctldclientCommand({
    name: 'SetShardIsPrimaryServing',
    about: 'say in the record of a shard whether it serves; rebuild the serving graph after',
    examples: ['SetShardIsPrimaryServing customer/0 false'],
    args: exactly('<keyspace/shard>', '<true/false>'),
    load: () => import('../commands/places.ts'),
  }),
];

const servingGraph: readonly CommandSpec[] = [
  vtctldclientCommand({
    name: 'GetSrvKeyspaceNames',
    about: 'print the keyspaces that each cell knows of',
    examples: ['GetSrvKeyspaceNames zone1'],
    args: atLeast('', '[<cell> ...]'),
    load: () => import('../commands/serving-graph.ts'),
  }),
  vtctldclientCommand({
    name: 'GetSrvKeyspaces',
    about: 'print which shards serve a keyspace in each cell',
    examples: ['GetSrvKeyspaces customer'],
    args: atLeast('<keyspace>', '[<cell> ...]'),
    load: () => import('../commands/serving-graph.ts'),
  }),
  vtctldclientCommand({
    name: 'RebuildKeyspaceGraph',
    about: 'rebuild which shards serve keyspaces from the records of their shards',
    examples: ['RebuildKeyspaceGraph customer'],
    flags: [
      cellsFlag('only in these cells'),
      { kind: 'bool', name: 'allow-partial', about: 'let a snapshot keyspace have fewer shards; means nothing for any other' },
    ],
    args: atLeast('<keyspace>', '[<keyspace> ...]'),
    load: () => import('../commands/serving-graph.ts'),
  }),
];

const queries: readonly CommandSpec[] = [
  vtctldclientCommand({
    name: 'ExecuteFetchAsDBA',
    aliases: ['ExecuteFetchAsDba'],
    about: "run one SQL statement on a tablet's MySQL as the DBA user: no query rule stops it",
    examples: ["ExecuteFetchAsDBA zone1-0000000100 'select id, state from _vt.vreplication'"],
    flags: [
      maxRowsFlag,
      { kind: 'bool', name: 'disable-binlogs', about: 'write nothing to the binlog: no stream sees it' },
      { kind: 'bool', name: 'reload-schema', about: 'have the tablet read its schema again; here it always knows it' },
      jsonFlag,
    ],
    args: exactly('<alias>', '<query>'),
    load: () => import('../commands/execute-fetch.ts'),
  }),
  vtctldclientCommand({
    name: 'ExecuteFetchAsApp',
    about: "run one SQL statement on a tablet's MySQL as the app user: no query rule stops it",
    examples: ["ExecuteFetchAsApp zone1-0000000100 'select * from customer'"],
    flags: [maxRowsFlag, { kind: 'bool', name: 'use-pool', about: 'take a connection of the pool; here there is no difference' }, jsonFlag],
    args: exactly('<alias>', '<query>'),
    load: () => import('../commands/execute-fetch.ts'),
  }),
];

export const adminCommands: readonly CommandSpec[] = [...reparents, ...places, ...servingGraph, ...queries];
