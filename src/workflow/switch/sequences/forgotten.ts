import type { Context } from '../../../runtime/context.ts';
import { NO_FAULTS } from '../../../runtime/step.ts';
import type { Cluster } from '../../../tablet/cluster.ts';
import { currentValue, databaseOf } from '../../../tablet/sequences.ts';
import { readJournal } from '../../../tablet/vreplication/streams.ts';
import type { VSchemaKeyspace } from '../../../topo/proto/types.ts';
import { paths } from '../../../topo/paths.ts';
import { findRecord } from '../../../topo/server.ts';
import { buildTrafficSwitcher, type TrafficSwitcher } from '../../switcher.ts';
import { findSequences } from './find.ts';
import { largestValues } from './largest.ts';
import { sequencePlace } from './places.ts';
import type { Sequence } from './sequence.ts';

/**
 * Why inserts would fail after a switch of the writes that initialises no sequences: one is missing, has no row, or would give
 * ids that are taken. Undefined where they would not, or nobody can tell. Only reads, and never throws for what it finds wrong.
 */
export async function forgottenSequences(ctx: Context, cluster: Cluster, keyspace: string, workflow: string): Promise<string | undefined> {
  if (!(await usesSequences(ctx, cluster, keyspace))) return undefined;
  try {
    const sw = await buildTrafficSwitcher(ctx, cluster, keyspace, workflow);
    const source = await vschemaOf(ctx, cluster, sw.sourceKeyspace);
    const resumed = sw.sources.some((member) => readJournal(member.db, sw.id) !== undefined);
    if (sw.frozen || resumed || source.sharded === true) return undefined;
    return await firstProblem(ctx, cluster, sw);
  } catch {
    // The switch itself says what is wrong with the workflow or its sequences.
    return undefined;
  }
}

async function firstProblem(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<string | undefined> {
  const sequences = await findSequences(ctx, cluster, sw);
  const missing = sequences.find(({ located }) => !located);
  if (missing !== undefined) return `${about(missing)} does not exist`;
  const largest = await largestValues(ctx, cluster, sw, sequences, NO_FAULTS);
  for (const sequence of sequences) {
    const { primary, db } = await sequencePlace(ctx, cluster, sequence.keyspace);
    if (db.findTable(sequence.name) === undefined) return `${about(sequence)} does not exist`;
    const value = currentValue(cluster, db, { database: databaseOf(primary), table: sequence.name });
    if (value === undefined) return `${about(sequence)} has no row`;
    const taken = largest.get(sequence)!;
    if (taken >= BigInt((value ?? 0) as number)) return `${about(sequence)} stands at ${value ?? 'NULL'}, and ids up to ${taken} are taken`;
  }
  return undefined;
}

function about({ name, keyspace, uses }: Sequence): string {
  const table = keyspace === '' ? name : `${keyspace}.${name}`;
  return `the sequence ${table}, from which ${uses.map((use) => use.table).join(', ')} will take ids,`;
}

async function usesSequences(ctx: Context, cluster: Cluster, keyspace: string): Promise<boolean> {
  const { tables = {} } = await vschemaOf(ctx, cluster, keyspace);
  return Object.values(tables).some((entry) => entry.auto_increment !== undefined && entry.auto_increment !== null);
}

async function vschemaOf(ctx: Context, cluster: Cluster, keyspace: string): Promise<VSchemaKeyspace> {
  return (await findRecord<VSchemaKeyspace>(ctx, cluster.topo.conn, paths.vschema(keyspace)))?.record ?? {};
}
