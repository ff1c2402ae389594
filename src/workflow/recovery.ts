import type { Behaviours } from '../lib/behaviours.ts';
import { shardText } from '../topo/keyspaces.ts';
import { commandOf, type MigrationKind } from './switcher.ts';

/** A workflow as far as recovering it needs to know. */
export interface RecoverySubject {
  targetKeyspace: string;
  workflow: string;
  tables: readonly string[];
  /** By which records its traffic is switched; only a move of whole tables denies them on the target while the source serves. */
  kind: MigrationKind;
  /** The shards to free, and those to deny. */
  sources: readonly { keyspace: string; name: string }[];
  targets: readonly { keyspace: string; name: string }[];
}

/**
 * The commands, without the program's name, that put denied tables and streams back by hand, in a safe order.
 * Vitess docs: migration troubleshooting.
 */
export function recoveryCommands(subject: RecoverySubject, behaviours: Behaviours): string[] {
  const { targetKeyspace, workflow, tables, kind, sources, targets } = subject;
  const denied = behaviours.deniedTablesOnTargetAtCreate && kind === 'tables' ? targets : [];
  return [
    ...sources.flatMap((shard) => freeCommands(shard, tables)),
    ...denied.flatMap((shard) => [
      `SetShardTabletControl --denied-tables=${tables.join(',')} ${shardText(shard)} primary`,
      `RefreshStateByShard ${shardText(shard)}`,
    ]),
    startCommand(targetKeyspace, workflow),
    'RebuildVSchemaGraph',
  ];
}

/** What has a tablet answer again that is stopped, or in a backup or a restore; `startsAs` is the type it starts as. */
export function cureCommand(alias: string, stopped: boolean, startsAs: string): string {
  return stopped ? `tablet start ${alias}` : `tablet set-type ${alias} ${startsAs.toLowerCase()}`;
}

/** A Reshard as far as recovering it needs to know. */
export interface ReshardSubject {
  keyspace: string;
  workflow: string;
  sources: readonly { keyspace: string; name: string }[];
  /** Streams of other workflows that were stopped on the source shards, and where each may not go on from by itself. */
  stopped: readonly { workflow: string; tablet: string; id: number; stopPosition: string }[];
  /** Stopped copies of them on the target shards. */
  copies: readonly { workflow: string; tablet: string }[];
}

/**
 * The commands that open the source shards of a Reshard again and put every stream back, in a safe order: writes first, then the
 * half-made copies go, then the streams are started.
 */
export function reshardRecoveryCommands({ keyspace, workflow, sources, stopped, copies }: ReshardSubject): string[] {
  const onTablet = (tablet: string, sql: string): string => `ExecuteFetchAsDBA ${tablet} "${sql}"`;
  const others = [...new Set(stopped.map((stream) => stream.workflow))].toSorted();
  const commands = [
    ...sources.flatMap((shard) => serveCommands(shard)),
    ...copies.map((copy) => deleteRowsCommand(copy.tablet, copy.workflow)),
    ...stopped
      .filter((stream) => stream.stopPosition !== '')
      .map((stream) => onTablet(stream.tablet, `update _vt.vreplication set stop_pos = null where id = ${stream.id}`)),
    ...others.map((other) => startCommand(keyspace, other)),
    startCommand(keyspace, workflow),
  ];
  return [...new Set(commands)];
}

/** Turns the query service of a shard's primary, or of its tablets of another type, on again, and has them notice. */
export function serveCommands(shard: { keyspace: string; name: string }, type = 'primary'): string[] {
  return [`SetShardTabletControl --disable-query-service=false ${shardText(shard)} ${type}`, `RefreshStateByShard ${shardText(shard)}`];
}

/** Takes tables off a shard's deny list and has its tablets notice. */
export function freeCommands(shard: { keyspace: string; name: string }, tables: readonly string[], type = 'primary'): string[] {
  return [
    `SetShardTabletControl --denied-tables=${tables.join(',')} --remove ${shardText(shard)} ${type}`,
    `RefreshStateByShard ${shardText(shard)}`,
  ];
}

/** Starts the streams of a workflow again. */
export function startCommand(keyspace: string, workflow: string): string {
  return `Workflow --keyspace ${keyspace} start --workflow ${workflow}`;
}

/** Stops the streams of a workflow. */
export function stopCommand(keyspace: string, workflow: string): string {
  return `Workflow --keyspace ${keyspace} stop --workflow ${workflow}`;
}

/**
 * Deletes the rows of a reverse workflow that a switch has left, and nothing else. `Workflow delete` would take the workflow for the
 * reverse one's own way back, and delete that too (K31); the rows are stopped, so that no engine works on them.
 */
export function deleteReverseCommands(primaries: readonly string[], workflow: string): string[] {
  return primaries.map((alias) => `ExecuteFetchAsDBA ${alias} "delete from _vt.vreplication where workflow = '${workflow}'"`);
}

/** Deletes the streams of a workflow on one tablet by their rows, whatever state their workflow is in. */
export function deleteRowsCommand(tablet: string, workflow: string): string {
  return `ExecuteFetchAsDBA ${tablet} "delete from _vt.vreplication where workflow = '${workflow}'"`;
}

const REVERSE = /_reverse$/;

/**
 * The lag check of a release counts from where the streams were stopped. The lock of a workflow whose holder died lasts a
 * day (#16260), so that a day is not enough.
 */
export const RESUME_LAG = '--max-replication-lag-allowed 48h';

/**
 * Runs a switch again: one past its journal is completed, one that left an intent goes back first. A reverse
 * workflow is what ReverseTraffic of the original runs.
 */
export function switchAgainCommand(
  run: { kind: MigrationKind; sourceKeyspace: string; targetKeyspace: string; workflow: string },
  behaviours: Behaviours,
  options: { reads: boolean; journaled: boolean },
): string {
  const reverse = REVERSE.test(run.workflow);
  const keyspace = reverse ? run.sourceKeyspace : run.targetKeyspace;
  const verb = reverse ? 'reversetraffic' : 'switchtraffic';
  const types = options.reads ? '' : ' --tablet-types primary';
  // Until the streams run again lag only grows, and a release checks it all the same.
  const lag = options.journaled && behaviours.resumeChecksLag ? ` ${RESUME_LAG}` : '';
  return `${commandOf(run.kind)} --workflow ${run.workflow.replace(REVERSE, '')} --target-keyspace ${keyspace} ${verb}${types}${lag}`;
}

/**
 * Goes on with a reversal whose roll-back has deleted the original workflow: what is left of the two is run under its own
 * name (vitessio/vitess#14276).
 */
export function switchReverseCommand(run: { kind: MigrationKind; targetKeyspace: string; workflow: string }, tabletTypes: readonly string[]): string {
  const types = tabletTypes.length === 3 ? '' : ` --tablet-types ${tabletTypes.join(',').toLowerCase()}`;
  return `${commandOf(run.kind)} --workflow ${run.workflow} --target-keyspace ${run.targetKeyspace} switchtraffic${types}`;
}
