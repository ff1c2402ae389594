import { isTopoError, plainError, vtError, wrapError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import { type Cluster, epochSeconds } from '../tablet/cluster.ts';
import { callTablet } from '../tablet/manager.ts';
import { BEING_CANCELLED, FROZEN, readCopyState, readStreams, updateStream } from '../tablet/vreplication/streams.ts';
import { findAllShards } from '../topo/keyspaces.ts';
import type { UpdateResponse } from './responses.ts';
import { refuseInterrupted } from './switch/intent.ts';
import { type MigrationTarget, primaryOf } from './switcher.ts';

/**
 * Starts or stops the streams of a workflow. Takes no lock at all, as in Vitess (K19). Throws
 * `cannot start a workflow when it is frozen`. Vitess: go/vt/vtctl/workflow/server.go WorkflowUpdate.
 */
export async function updateWorkflow(
  ctx: Context,
  cluster: Cluster,
  request: { keyspace: string; workflow: string; state: 'Running' | 'Stopped'; shards: readonly string[] },
): Promise<UpdateResponse> {
  const { keyspace, workflow, state, shards } = request;
  await refuseInterrupted(ctx, cluster, [keyspace]);
  const members = await membersOf(ctx, cluster, keyspace, workflow, shards);
  if (members.length === 0) {
    throw state === 'Running'
      ? plainError(`workflow ${workflow} not found`)
      : plainError(`the ${workflow} workflow does not exist in the ${keyspace} keyspace`);
  }
  const details: UpdateResponse['details'] = [];
  for (const member of members) {
    const changed = await setState(ctx, cluster, member, workflow, state);
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
  let infos: Awaited<ReturnType<typeof findAllShards>>;
  try {
    infos = await findAllShards(ctx, cluster.topo, keyspace);
  } catch (error) {
    throw isTopoError(error, 'NoNode') ? error : wrapError(error, `${keyspace} keyspace does not exist`);
  }
  const unknown = shards.find((name) => !infos.some((info) => info.name === name));
  if (unknown !== undefined) throw plainError(`shard ${unknown} not found in keyspace ${keyspace}`);
  const members: Member[] = [];
  for (const info of infos) {
    if (shards.length > 0 && !shards.includes(info.name)) continue;
    const member = await primaryOf(ctx, cluster, info, (shard) => plainError(`shard has no primary: ${shard.name}`));
    if (readStreams(member.db, workflow).length > 0) members.push(member);
  }
  return members;
}

/** Returns whether anything in the rows changed. */
function setState(ctx: Context, cluster: Cluster, member: Member, workflow: string, state: 'Running' | 'Stopped'): Promise<boolean> {
  return callTablet(ctx, cluster, member.primary, 'UpdateVReplicationWorkflow', () =>
    member.db.db.write(cluster.world.clock, () => {
      let changed = false;
      for (const row of readStreams(member.db, workflow)) {
        if (state === 'Running' && row.message === FROZEN) {
          throw vtError('UNKNOWN', 'cannot start a workflow when it is frozen');
        }
        if (state === 'Running' && row.message === BEING_CANCELLED) {
          throw vtError('FAILED_PRECONDITION', 'cannot start a workflow of which a cancel has deleted rows: cancel it again');
        }
        const next = state === 'Running' && readCopyState(member.db, row.id).length > 0 ? 'Copying' : state;
        // An update that names no preference drops the one that was there.
        const types = (row.tablet_types ?? '').replace(/^in_order:/, '');
        if (row.state === next && row.tablet_types === types) continue;
        changed = true;
        updateStream(member.db, row.id, { state: next, tablet_types: types }, epochSeconds(cluster));
      }
      return changed;
    }),
  );
}

/** What create's auto-start does. */
export async function startWorkflow(ctx: Context, cluster: Cluster, made: { workflow: string; targets: readonly Member[] }): Promise<void> {
  for (const target of made.targets) {
    try {
      await setState(ctx, cluster, target, made.workflow, 'Running');
    } catch (error) {
      throw wrapError(error, 'failed to update workflow');
    }
  }
}
