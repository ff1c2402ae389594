import type { Context } from '../../runtime/context.ts';
import { COMMAND_LINE } from '../../runtime/command-line.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { readStreams } from '../../tablet/vreplication/streams.ts';
import type { Writer } from '../../topo/conn/conn.ts';
import { noteFirstStep } from '../../topo/locks.ts';
import { paths } from '../../topo/paths.ts';
import type { TabletControl, VSchemaKeyspace } from '../../topo/proto/types.ts';
import { type IntentHead, putIntent, putStep, tokensOf } from '../intent/record.ts';
import { read, readShard } from '../switch/intent-images.ts';
import type { MigrationKind } from '../switcher.ts';
import type { RulesBefore } from './initial-rules.ts';
import type { Member } from './request.ts';
import type { CreateStepName, CreateType } from './steps.ts';

/** A target shard before a create. */
interface TargetBefore {
  keyspace: string;
  shard: string;
  /** Tables that the create is going to make there. */
  makes: readonly string[];
  /** Ids of the streams that were there. */
  streams: number[];
  controls: TabletControl[];
}

/**
 * What a create on `hardened` writes down before it makes anything: what was there, so that what it makes can be told from it and
 * taken back by anybody.
 */
export interface CreateIntent extends IntentHead {
  verb: 'create';
  type: CreateType;
  /** As it was asked for. */
  request: object;
  tables: readonly string[];
  tenantId: string;
  targets: TargetBefore[];
  /** Of MoveTables: the target's VSchema, and the rules that it may write. */
  vschema: VSchemaKeyspace | undefined;
  rules: RulesBefore | undefined;
}

/** What is to be created, for its intent. */
export interface CreateSubject {
  type: CreateType;
  kind: MigrationKind;
  workflow: string;
  sourceKeyspace: string;
  targetKeyspace: string;
  request: object;
  tables: readonly string[];
  tenantId: string;
  targets: readonly { member: Member; makes: readonly string[] }[];
  /** The line that a person would type where none has been. */
  line: string;
  rules?: RulesBefore;
  plan: readonly CreateStepName[];
}

/** Writes down what there is before a create, with its first step. */
export async function recordCreate(ctx: Context, cluster: Cluster, subject: CreateSubject, first: CreateStepName): Promise<CreateIntent> {
  const { type, kind, workflow, sourceKeyspace, targetKeyspace, request, tables, tenantId, targets, line, rules, plan } = subject;
  let intent: CreateIntent | undefined;
  await noteFirstStep(ctx, cluster.topo, first, (writer) => {
    intent = {
      verb: 'create',
      keyspace: targetKeyspace,
      workflow,
      sourceKeyspace,
      targetKeyspace,
      kind,
      command: `${type} create ${workflow}`,
      line: ctx.value(COMMAND_LINE) ?? line,
      owner: cluster.world.processes.self,
      started: cluster.world.clock.now(),
      tokens: tokensOf(ctx),
      plan,
      type,
      request,
      tables,
      tenantId,
      targets: targets.map(({ member, makes }) => targetBefore(writer, member, makes)),
      vschema: type === 'MoveTables' ? read<VSchemaKeyspace>(writer, 'global', paths.vschema(targetKeyspace)) : undefined,
      rules,
    };
    putIntent(writer, intent);
    putStep(ctx, writer, cluster, intent, first);
  });
  return intent!;
}

function targetBefore(writer: Writer, { info, db }: Member, makes: readonly string[]): TargetBefore {
  return {
    keyspace: info.keyspace,
    shard: info.name,
    makes,
    streams: readStreams(db).map(({ id }) => id),
    controls: readShard(writer, info.keyspace, info.name)?.tablet_controls ?? [],
  };
}
