import { withTimeout } from '../../runtime/context.ts';
import type { StepScope } from '../../runtime/step.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import { aliasText } from '../../topo/tablets.ts';
import { getVSchema } from '../../topo/vschema.ts';
import { forAll } from '../fan-out.ts';
import { WORKFLOW_TYPES } from '../switcher.ts';
import type { SwitchRun } from './run.ts';
import { byPlace, createMissing, prepareSequences } from './sequences/create-missing.ts';
import { findSequences } from './sequences/find.ts';
import { largestValues } from './sequences/largest.ts';
import { resetCaches } from './sequences/places.ts';
import { raiseSequences } from './sequences/raise.ts';
import { changeName, expectSequenceChanges } from './sequences-undo.ts';

/**
 * Finds the sequences that the target's tables take their ids from, and makes those that are missing. Where the source is sharded,
 * its sequences are in use already and nothing is done. Vitess: getTargetSequenceMetadata.
 */
export async function getTargetSequenceMetadata(run: SwitchRun): Promise<void> {
  const { cluster, sw, ctx } = run;
  if (!(await takesSequences(run))) return;
  const sequences = await findSequences(ctx, cluster, sw);
  if (run.intent !== undefined) await prepareSequences(ctx, cluster, sw, sequences, run.intent);
  else await createMissing(ctx, cluster, sw, sequences);
  run.sequences = sequences;
}

/** Whether a switch is one that initialises sequences: of tables that leave an unsharded keyspace. */
export async function takesSequences({ cluster, sw, ctx }: SwitchRun): Promise<boolean> {
  if (WORKFLOW_TYPES[sw.workflowType] !== 'MoveTables') return false;
  const { record } = await getVSchema(ctx, cluster.topo, sw.sourceKeyspace);
  if (record.sharded !== true) return true;
  const text = `--initialize-target-sequences does nothing here: keyspace ${sw.sourceKeyspace} is sharded, so its tables use sequences already`;
  cluster.world.events.emit({ kind: 'warning', text });
  return false;
}

/** Sets the sequences found above the largest ids in use, in half of `--timeout` at most. Vitess: initializeTargetSequences. */
export async function initializeTargetSequences(run: SwitchRun, scope: StepScope): Promise<void> {
  const { cluster, sw, sequences, intent } = run;
  if (sequences.length === 0) return;
  const limited = withTimeout(run.ctx, cluster.world.clock, run.request.timeoutMs / 2);
  try {
    const largest = await largestValues(limited.ctx, cluster, sw, sequences, scope);
    if (intent !== undefined) await expectSequenceChanges(limited.ctx, cluster, intent, [...(await byPlace(limited.ctx, cluster, sequences)).keys()]);
    await raiseSequences(limited.ctx, cluster, sequences, largest, scope, intent === undefined ? undefined : changeName(intent));
  } finally {
    limited.end();
  }
}

/** Whether a table that moves is a sequence, by the target's VSchema. Vitess: mustResetSequences. */
export async function movesSequence({ cluster, sw, ctx }: SwitchRun): Promise<boolean> {
  if (!['MoveTables', 'Migrate'].includes(WORKFLOW_TYPES[sw.workflowType] ?? '')) return false;
  const { tables = {} } = (await getVSchema(ctx, cluster.topo, sw.targetKeyspace)).record;
  return sw.tables.some((table) => tables[table]?.type === 'sequence');
}

/** Has the source primaries forget what they cached of sequences, if one moves: the target gives the values out from here on. */
export async function resetSequences(run: SwitchRun): Promise<void> {
  if (!(await movesSequence(run))) return;
  const { cluster, sw, ctx } = run;
  await forAll(sw.sources, async ({ info, primary, db }) => {
    const alias = aliasText(primary.alias);
    cluster.world.events.log('info', `Resetting sequences for source shard ${info.keyspace}.${info.name} on tablet ${alias}`);
    await callTablet(ctx, cluster, primary, 'ResetSequences', () => writeTablet(ctx, cluster, db, () => resetCaches(cluster, { primary, db }, sw.tables)));
  });
}
