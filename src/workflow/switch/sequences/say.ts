import { errorText, errorVerbose, vtError } from '../../../lib/errors.ts';
import { NO_FAULTS } from '../../../runtime/step.ts';
import type { Value } from '../../../sql/value.ts';
import type { Cluster } from '../../../tablet/cluster.ts';
import { callTablet } from '../../../tablet/manager.ts';
import { currentValue, databaseOf, unknownDatabase } from '../../../tablet/sequences.ts';
import { currentValueSql } from '../../../tablet/sequence-table.ts';
import type { Context } from '../../../runtime/context.ts';
import type { SwitchRun } from '../run.ts';
import { getTargetSequenceMetadata, movesSequence, takesSequences } from '../sequences.ts';
import { checkSequences, globalPlace } from './create-missing.ts';
import { findSequences } from './find.ts';
import { largestValues, withoutCode } from './largest.ts';
import { sequencePlace } from './places.ts';
import type { Sequence } from './sequence.ts';

const WILL_BE = 'The following sequence backing tables used by tables being moved will be initialized:';

/**
 * What a dry run does for the step that looks for sequences: on a release from v21 on it makes the missing ones for good (K49).
 */
export async function dryRunFind(run: SwitchRun): Promise<void> {
  const { cluster, ctx, sw } = run;
  if (cluster.release.behaviours.sequenceDryRunMissing === 'makes') {
    await getTargetSequenceMetadata(run);
    return;
  }
  if (!(await takesSequences(run))) return;
  const sequences = await findSequences(ctx, cluster, sw);
  const missing = sequences.filter(({ located }) => !located);
  if (missing.length > 0) {
    const { info } = await globalPlace(ctx, cluster, sw, cluster.release.vitess ? sequences : missing);
    for (const sequence of missing) sequence.keyspace = info.keyspace;
  }
  if (!cluster.release.vitess) await checkSequences(ctx, cluster, sequences);
  run.sequences = sequences;
}

/** The lines of a dry run on the sequences that will be set; none where there are none. Throws what a release fails with. */
export async function dryRunInitialize({ cluster, ctx, sw, sequences }: SwitchRun): Promise<string[]> {
  if (sequences.length === 0) return [];
  const { sequenceDryRun } = cluster.release.behaviours;
  if (sequenceDryRun === 'named') return [`${WILL_BE} ${sequences.map(({ name }) => name).join(',')}`];
  const largest = await largestValues(ctx, cluster, sw, sequences, NO_FAULTS);
  const lines: string[] = [];
  for (const sequence of sequences) {
    const current = await whereItStands(ctx, cluster, sequence);
    lines.push(`\tBacking table: ${sequence.name}, current value ${current}, new value ${largest.get(sequence)! + 1n}`);
  }
  return [WILL_BE, ...lines];
}

/** The line of a dry run on caches that will be dropped. */
export async function dryRunReset(run: SwitchRun): Promise<string[]> {
  return (await movesSequence(run)) ? ['The sequence caches will be reset on the source since sequence tables are being moved'] : [];
}

/** The `next_id` of a sequence. `hardened` says 0 of one that is to be made. Throws Vitess's error. Vitess: getCurrentSequenceValue. */
async function whereItStands(ctx: Context, cluster: Cluster, sequence: Sequence): Promise<Value> {
  const { keyspace, name } = sequence;
  const { primary, db } = await sequencePlace(ctx, cluster, keyspace);
  const { behaviours, vitess } = cluster.release;
  if (!vitess && db.findTable(name) === undefined) return 0;
  // The statement is written before the tablet is asked for its database's name (#21166).
  const database = behaviours.sequenceDryRun === 'right' ? databaseOf(primary) : sequence.database;
  let value: Value | undefined;
  let why = '<nil>';
  try {
    value = await callTablet(ctx, cluster, primary, 'ExecuteFetchAsApp', () =>
      withoutCode(async () => {
        if (database !== databaseOf(primary)) throw unknownDatabase(database, currentValueSql(database, name));
        return currentValue(cluster, db, { database, table: name });
      }),
    );
  } catch (error) {
    why = errorVerbose(error);
  }
  if (value === undefined && (vitess || why !== '<nil>')) {
    const shown = `${databaseOf(primary)}.${name}`;
    const failed = vtError('INTERNAL', `failed to get the current value for the sequence table ${shown}: ${why}`);
    cluster.world.events.log('info', `Error getting current sequence values: ${errorText(failed)}`);
    throw failed;
  }
  return value ?? 0;
}
