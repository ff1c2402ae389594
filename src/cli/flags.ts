import { UserError } from '../lib/errors.ts';
import type { FlagSpec, Invocation } from './spec.ts';

/** Flags that stand in more than one command's table, and the one way to read `--format`. */

/** `--shards`: which target shards a command is limited to. */
export const shardsFlag: FlagSpec = {
  kind: 'strings',
  name: 'shards',
  about: 'only these target shards',
};

/** `--shards` of commands that are about every shard of a workflow. */
export const everyShardFlag: FlagSpec = { ...shardsFlag, about: 'has to name every target shard; vtctldclient never sends it' };

/** `-c, --cells`. */
export function cellsFlag(about: string): FlagSpec {
  return { kind: 'strings', name: 'cells', short: 'c', about };
}

/** What `create` of every kind of workflow takes about the copy: where from, and in which order. */
export const copyFromFlags: readonly FlagSpec[] = [
  cellsFlag('cells or cell aliases to copy from'),
  {
    kind: 'tablet-types',
    name: 'tablet-types',
    default: ['REPLICA', 'PRIMARY'],
    about: 'tablet types to copy from',
  },
  {
    kind: 'bool',
    name: 'tablet-types-in-preference-order',
    default: true,
    about: 'take the tablet types in the order given',
  },
  { kind: 'bool', name: 'stop-after-copy', about: 'stop the streams when the copy is done' },
];

/** The rest of what `MoveTables create` and `Reshard create` share. */
export const createFlags: readonly FlagSpec[] = [
  ...copyFromFlags,
  { kind: 'bool', name: 'all-cells', short: 'a', about: 'copy from any cell' },
  {
    kind: 'string',
    name: 'on-ddl',
    default: 'IGNORE',
    about: 'what a stream does with DDL: IGNORE, STOP, EXEC or EXEC_IGNORE',
  },
  { kind: 'bool', name: 'defer-secondary-keys', default: true, about: 'add secondary keys after the copy' },
  { kind: 'bool', name: 'auto-start', default: true, about: 'start the streams at once' },
  { kind: 'strings', name: 'config-overrides', about: 'VReplication settings of this workflow, as key=value' },
];

/** What every command on one workflow takes, before or after the subcommand. */
export function workflowFlags(keyspace: string): readonly FlagSpec[] {
  return [
    { kind: 'string', name: 'target-keyspace', required: true, about: keyspace },
    { kind: 'string', name: 'workflow', short: 'w', required: true, about: 'name of the workflow' },
    { kind: 'string', name: 'format', default: 'text', about: 'text or json' },
  ];
}

/** `--tablet-types` of the traffic commands: all that serve, unless given. */
export const trafficTabletTypesFlag: FlagSpec = {
  kind: 'tablet-types',
  name: 'tablet-types',
  default: ['PRIMARY', 'REPLICA', 'RDONLY'],
  about: 'tablet types whose traffic is moved',
};

/** `--include-logs`. */
export const includeLogsFlag: FlagSpec = {
  kind: 'bool',
  name: 'include-logs',
  default: true,
  about: "show each stream's log too",
};

/** What `switchtraffic` and `reversetraffic` of every kind of workflow share. */
export const switchFlags: readonly FlagSpec[] = [
  cellsFlag('cells or cell aliases whose serving VSchema is rebuilt (all when not given)'),
  trafficTabletTypesFlag,
  {
    kind: 'duration',
    name: 'timeout',
    default: '30s',
    about: 'how long streams may take to catch up once writes are stopped; with a unit, at least 1s',
  },
  {
    kind: 'duration',
    name: 'max-replication-lag-allowed',
    default: '30s',
    about: 'refuse to switch when a stream lags more than this',
  },
  {
    kind: 'bool',
    name: 'enable-reverse-replication',
    default: true,
    about: 'start the streams that keep the old side current, so that the switch can be reversed',
  },
  { kind: 'bool', name: 'dry-run', about: 'print what would be done, and do none of it' },
  { kind: 'bool', name: 'force', about: 'pass over tablets that cannot be refreshed; vtctldclient never sends it' },
];

/** The same for MoveTables. */
export const trafficFlags: readonly FlagSpec[] = [
  ...switchFlags,
  everyShardFlag,
];

/** `--keep-data`. */
export const keepDataFlag: FlagSpec = { kind: 'bool', name: 'keep-data', about: 'leave the tables where they are' };

/** What is left behind when a workflow goes: `complete`, `cancel`, `Workflow delete`. */
export const keepFlags: readonly FlagSpec[] = [
  keepDataFlag,
  { kind: 'bool', name: 'keep-routing-rules', about: 'leave the routing rules as they are' },
  {
    kind: 'bool',
    name: 'ignore-source-keyspace',
    about: 'do not look at the source keyspace, for when it is gone already',
  },
];

/** `--delete-batch-size`. */
export const deleteBatchSizeFlag: FlagSpec = {
  kind: 'int',
  name: 'delete-batch-size',
  default: 1000,
  about: "rows deleted at a time when a tenant's data is removed",
};

/** What every `Apply…RoutingRules` takes. */
export const applyRulesFlags: readonly FlagSpec[] = [
  { kind: 'string', name: 'rules', short: 'r', about: 'the rules, as JSON' },
  { kind: 'string', name: 'rules-file', short: 'f', about: 'a file with the rules, as JSON' },
  cellsFlag('rebuild the serving VSchema of these cells only'),
  { kind: 'bool', name: 'skip-rebuild', about: 'save the rules without rebuilding any serving VSchema' },
  { kind: 'bool', name: 'dry-run', short: 'd', about: 'print what would be saved, and save nothing' },
];

/** True for a subcommand of MoveTables and its kin, which are about one workflow. */
export function isWorkflowCommand(path: readonly string[]): boolean {
  return path.length > 1 && WORKFLOW_COMMANDS.includes(path[0] ?? '');
}

const WORKFLOW_COMMANDS = ['MoveTables', 'Reshard', 'Materialize'];

/** True if the command takes a flag: handlers serve several kinds of workflow, and not each has every flag. */
export function hasFlag({ spec }: Invocation, name: string): boolean {
  return spec.flags.some((flag) => flag.name === name);
}

/** A bool that is false where the command lacks it. */
export function boolOf(inv: Invocation, name: string): boolean {
  return hasFlag(inv, name) && inv.flags.bool(name);
}

/** A list that is empty where the command lacks it. */
export function stringsOf(inv: Invocation, name: string): readonly string[] {
  return hasFlag(inv, name) ? inv.flags.strings(name) : [];
}

/** `--format text|json` of our own commands; a wrong one is a usage error. */
export const ownFormatFlag: FlagSpec = {
  kind: 'string',
  name: 'format',
  default: 'text',
  choices: ['text', 'json'],
  about: 'text or json',
};

/**
 * The value of a vtctldclient command's `--format`: trimmed, lower case. Call it where Vitess does, after the
 * check for required flags.
 *
 * @throws UserError `invalid output format, got X`, X being what was typed
 */
export function outputFormat<T extends string = 'text' | 'json'>(inv: Invocation, allowed?: readonly T[]): T {
  const typed = inv.flags.str('format');
  const format = typed.trim().toLowerCase();
  const known: readonly string[] = allowed ?? ['text', 'json'];
  if (!known.includes(format)) throw new UserError(`invalid output format, got ${typed}`);
  return format as T;
}
