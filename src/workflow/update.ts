import { isTopoError, plainError, vtError, wrapError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import { NO_FAULTS, type StepScope } from '../runtime/step.ts';
import { type Cluster, epochSeconds } from '../tablet/cluster.ts';
import { callTablet, writeTablet } from '../tablet/manager.ts';
import type { ShardDb } from '../tablet/shard-db.ts';
import { checkConfig } from '../tablet/vreplication/config.ts';
import { FROZEN, readCopyState, readStreams, type StreamRow, updateStream } from '../tablet/vreplication/streams.ts';
import { findAllShards, shardText } from '../topo/keyspaces.ts';
import { paths } from '../topo/paths.ts';
import { BinlogSource } from '../topo/proto/messages-binlogdata.ts';
import { prototext } from '../topo/proto/prototext.ts';
import { parsePrototext } from '../topo/proto/prototext-parse.ts';
import type { BinlogSource as Source, OnDDLAction, WorkflowOptions } from '../topo/proto/types-workflow.ts';
import type { UpdateResponse } from './responses.ts';
import { refuseInterrupted } from './intent/stand-back.ts';
import { type MigrationTarget, primaryOf, WORKFLOW_SUB_TYPES } from './switcher.ts';

/** What is to be changed of a workflow's streams; what is left out stays. */
export interface StreamChange {
  state?: 'Running' | 'Stopped';
  cells?: readonly string[];
  tabletTypes?: readonly string[];
  /** Whether tablet types are taken in their order. A request that says nothing of it, not even `kept`, drops the order. */
  inOrder?: boolean | 'kept';
  onDdl?: OnDDLAction;
  /** VReplication settings: all that are to be set from now on. An empty value only takes its setting away. */
  config?: Readonly<Record<string, string>>;
}

/** A change, for the streams of a workflow on these shards (all of them if none is named). */
export interface UpdateRequest extends StreamChange {
  keyspace: string;
  workflow: string;
  shards: readonly string[];
}

/**
 * Changes the streams of a workflow: their state, where they copy from, what they do with DDL. Takes no lock at all, as in
 * Vitess (K19). Throws `cannot start a workflow when it is frozen`, `the W workflow does not exist in the K keyspace`.
 * Vitess: go/vt/vtctl/workflow/server.go WorkflowUpdate, TabletManager.UpdateVReplicationWorkflow.
 */
export async function updateWorkflow(ctx: Context, cluster: Cluster, request: UpdateRequest): Promise<UpdateResponse> {
  const { keyspace, workflow, shards } = request;
  await refuseInterrupted(ctx, cluster, [keyspace]);
  const members = await membersOf(ctx, cluster, keyspace, workflow, shards);
  if (request.state === 'Running') refuseRestart(members, workflow);
  if (members.length === 0) throw vtError('FAILED_PRECONDITION', `the ${workflow} workflow does not exist in the ${keyspace} keyspace`);
  const details: UpdateResponse['details'] = [];
  for (const member of members) {
    const changed = await changeStreams(ctx, cluster, member, workflow, request);
    details.push({ tablet: member.primary.alias!, changed });
  }
  return {
    summary: `Successfully updated the ${workflow} workflow on (${members.length}) target primary tablets in the ${keyspace} keyspace`,
    details,
  };
}

type Member = Pick<MigrationTarget, 'primary' | 'db'>;

async function membersOf(
  ctx: Context,
  cluster: Cluster,
  keyspace: string,
  workflow: string,
  shards: readonly string[],
): Promise<Member[]> {
  try {
    await cluster.topo.conn.listDir(ctx, paths.shards(keyspace));
  } catch (error) {
    throw isTopoError(error, 'NoNode') ? wrapError(error, `${keyspace} keyspace does not exist`) : error;
  }
  const infos = await findAllShards(ctx, cluster.topo, keyspace);
  const unknown = shards.find((name) => !infos.some((info) => info.name === name));
  if (unknown !== undefined) throw plainError(`shard ${unknown} not found in keyspace ${keyspace}`);
  const members: Member[] = [];
  for (const info of infos) {
    if (shards.length > 0 && !shards.includes(info.name)) continue;
    const member = await primaryOf(ctx, cluster, info, (shard) => plainError(`no primary found for shard ${shardText(shard)}`));
    if (readStreams(member.db, workflow).length > 0) members.push(member);
  }
  return members;
}

/** vtctldclient's own check of `start`: what an atomic copy copies is one snapshot, and cannot be gone on with. */
function refuseRestart(members: readonly Member[], workflow: string): void {
  if (members.length === 0) throw plainError(`workflow ${workflow} not found`);
  for (const { db } of members) {
    for (const row of readStreams(db, workflow)) {
      if (WORKFLOW_SUB_TYPES[row.workflow_sub_type] !== 'AtomicCopy' || readCopyState(db, row.id, 1).length === 0) continue;
      throw plainError(`stream ${row.id} is still in the copy phase: can only start workflow ${workflow} if all streams have completed the copy phase`);
    }
  }
}

/** Returns whether anything in the rows changed. */
function changeStreams(ctx: Context, cluster: Cluster, member: Member, workflow: string, change: StreamChange): Promise<boolean> {
  return callTablet(ctx, cluster, member.primary, 'UpdateVReplicationWorkflow', () =>
    writeTablet(ctx, cluster, member.db, () => {
      let changed = false;
      for (const row of readStreams(member.db, workflow)) {
        if (change.state === 'Running' && row.message === FROZEN) {
          throw vtError('FAILED_PRECONDITION', 'cannot start a workflow when it is frozen');
        }
        const columns = changedColumns(member.db, row, change);
        if (Object.keys(columns).length === 0) continue;
        changed = true;
        updateStream(member.db, row.id, columns, epochSeconds(cluster));
      }
      return changed;
    }),
  );
}

function changedColumns(db: ShardDb, row: StreamRow, change: StreamChange): Partial<StreamRow> {
  const { cells, config } = change;
  const state = change.state ?? row.state;
  const wanted: Partial<StreamRow> = {
    state: state === 'Running' && readCopyState(db, row.id, 1).length > 0 ? 'Copying' : state,
    source: withOnDdl(row.source, change.onDdl),
    cell: cells === undefined ? row.cell : cells.join(','),
    tablet_types: tabletTypes(row.tablet_types ?? '', change),
    options: config === undefined ? row.options : withConfig(row.options, config),
  };
  return Object.fromEntries(Object.entries(wanted).filter(([column, value]) => (row[column as keyof StreamRow] ?? '') !== (value ?? '')));
}

const IN_ORDER = 'in_order:';

function tabletTypes(before: string, { tabletTypes: types, inOrder }: StreamChange): string {
  const names = types === undefined ? before.replace(IN_ORDER, '') : types.join(',');
  const ordered = inOrder === 'kept' ? before.startsWith(IN_ORDER) : inOrder === true;
  return `${ordered ? IN_ORDER : ''}${names}`;
}

/** The source of a stream, written anew only where something of it changes. */
function withOnDdl(source: string, onDdl: OnDDLAction | undefined): string {
  if (onDdl === undefined) return source;
  const { on_ddl: _before, ...rest } = parsePrototext(BinlogSource, source) as Source;
  return prototext(BinlogSource, onDdl === 'IGNORE' ? rest : { ...rest, on_ddl: onDdl });
}

/**
 * Settings replace each other as a whole: what is not named again is gone. Where only empty values are given, those settings
 * go and the others stay. Vitess: go/vt/vttablet/tabletmanager/rpc_vreplication.go getOptionSetString.
 */
function withConfig(text: string, config: Readonly<Record<string, string>>): string {
  const given = Object.entries(config).map(([key, value]) => [key, value.trim()] as const);
  const set = given.filter(([, value]) => value !== '').toSorted(([a], [b]) => (a < b ? -1 : 1));
  const options = JSON.parse(text) as WorkflowOptions;
  if (set.length > 0) {
    checkConfig(Object.fromEntries(set));
    return JSON.stringify({ ...options, config: Object.fromEntries(set) });
  }
  if (options.config === undefined) return text;
  const gone = new Set(given.map(([key]) => key));
  return JSON.stringify({ ...options, config: Object.fromEntries(Object.entries(options.config).filter(([key]) => !gone.has(key))) });
}

/** What create's auto-start does. */
export async function startWorkflow(ctx: Context, cluster: Cluster, made: { workflow: string; targets: readonly Member[] }, scope: StepScope = NO_FAULTS): Promise<void> {
  for (const target of made.targets) {
    try {
      await scope.onTarget(shardText({ keyspace: target.db.keyspace, name: target.db.shard }), () => changeStreams(ctx, cluster, target, made.workflow, { state: 'Running' }));
    } catch (error) {
      throw wrapError(error, 'failed to update workflow');
    }
  }
}
