import { errorText, errorVerbose, vtError } from '../../../lib/errors.ts';
import { escapeId } from '../../../lib/sqlescape.ts';
import type { Context } from '../../../runtime/context.ts';
import type { StepScope } from '../../../runtime/step.ts';
import { mysqlErrno } from '../../../sql/mysql-errors.ts';
import type { Value } from '../../../sql/value.ts';
import type { Cluster } from '../../../tablet/cluster.ts';
import { callTablet } from '../../../tablet/manager.ts';
import { toInt64 } from '../../../tablet/sequence-table.ts';
import { askAll, largestValueOf, type Question } from '../../../tablet/sequences.ts';
import { shardText } from '../../../topo/keyspaces.ts';
import { aliasText } from '../../../topo/tablets.ts';
import { forAll } from '../../fan-out.ts';
import type { MigrationTarget, TrafficSwitcher } from '../../switcher.ts';
import { checkNames, type Sequence, type SequenceUse } from './sequence.ts';

/** The largest value in use of each sequence; 0 where its tables are empty. */
export type Largest = Map<Sequence, bigint>;

/**
 * Asks every target shard for the largest values in the columns that take ids from these sequences: one call a shard, or until v22
 * one for each sequence and shard (#18172). Throws what Vitess says. Vitess: getMaxSequenceValues.
 */
export async function largestValues(
  ctx: Context,
  cluster: Cluster,
  sw: TrafficSwitcher,
  sequences: readonly Sequence[],
  scope: StepScope,
): Promise<Largest> {
  if (cluster.release.vitess) for (const sequence of sequences) checkNames(sequence, cluster.release.behaviours.sequenceNames);
  const asked = sequences.flatMap((sequence) =>
    sequence.uses.map((use): Asked => ({ sequence, use, question: largestValueOf({ database: sequence.usingDatabase, ...use }) })),
  );
  const largest: Largest = new Map(sequences.map((sequence) => [sequence, 0n]));
  const meet = ({ sequence }: Asked, value: bigint): void => {
    if (value > largest.get(sequence)!) largest.set(sequence, value);
  };
  if (cluster.release.behaviours.sequenceRpcs === 'batched') {
    await forAll(sw.targets, (target) => scope.onTarget(shardText(target.info), () => askTogether(ctx, cluster, target, asked, meet)));
    return largest;
  }
  for (const one of asked) {
    await forAll(sw.targets, (target) =>
      scope.onTarget(shardText(target.info), async () => meet(one, await askAlone(ctx, cluster, sw, target, one))),
    );
  }
  return largest;
}

interface Asked {
  sequence: Sequence;
  use: SequenceUse;
  question: Question;
}

async function askTogether(
  ctx: Context,
  cluster: Cluster,
  target: MigrationTarget,
  asked: readonly Asked[],
  meet: (one: Asked, value: bigint) => void,
): Promise<void> {
  try {
    await callTablet(ctx, cluster, target.primary, 'GetMaxValueForSequences', async () => {
      const values = await askAll(ctx, cluster, target.db, asked, (error, { use }) => ofTable(use, errorText(error)));
      for (const [at, one] of asked.entries()) {
        try {
          meet(one, convert(cluster, target, one.use, values[at]!));
        } catch (error) {
          throw ofTable(one.use, errorVerbose(error));
        }
      }
    });
  } catch (error) {
    const alias = aliasText(target.primary.alias);
    throw vtError('INTERNAL', `failed to get the max used sequence values on tablet ${alias} in order to initialize the backing sequence table: ${errorVerbose(error)}`);
  }
}

/** On the tablet itself MySQL's error is no error of Vitess yet: its text has no code. */
function ofTable({ table }: SequenceUse, why: string): Error {
  return vtError('INTERNAL', `failed to get the max used sequence value for target table ${escapeId(table)} in order to initialize the backing sequence table: ${why}`);
}

async function askAlone(ctx: Context, cluster: Cluster, sw: TrafficSwitcher, target: MigrationTarget, one: Asked): Promise<bigint> {
  const { use } = one;
  try {
    const [value] = await callTablet(ctx, cluster, target.primary, 'ExecuteFetchAsApp', () => withoutCode(() => askAll(ctx, cluster, target.db, [one], (error) => error)));
    return convert(cluster, target, use, value!);
  } catch (error) {
    // The tablet is named since the change that copes with NULL (#15289).
    const on = cluster.release.behaviours.sequenceNullMaximum ? ` on tablet ${aliasText(target.primary.alias)}` : '';
    throw vtError(
      'INTERNAL',
      `failed to get the max used sequence value for target table ${sw.targetKeyspace}.${use.table}${on} in order to initialize the backing sequence table: ${errorVerbose(error)}`,
    );
  }
}

/** NULL is the largest value of no rows. */
function convert(cluster: Cluster, target: MigrationTarget, { table, column }: SequenceUse, value: Value): bigint {
  if (value === null && cluster.release.behaviours.sequenceNullMaximum) return 0n;
  return toInt64(target.db.table(table), column, value);
}

/** MySQL's error as it comes out of ExecuteFetchAsApp, which knows no code for it. */
export async function withoutCode<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw mysqlErrno(error) === undefined ? error : vtError('UNKNOWN', errorText(error));
  }
}

/** On the tablet itself MySQL's error is no error of Vitess yet. */
export function plainSql(error: unknown): string {
  return mysqlErrno(error) === undefined ? errorVerbose(error) : errorText(error);
}
