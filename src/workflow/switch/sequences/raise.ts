import { errorVerbose, vtError } from '../../../lib/errors.ts';
import { escapeId } from '../../../lib/sqlescape.ts';
import type { Context } from '../../../runtime/context.ts';
import type { StepScope } from '../../../runtime/step.ts';
import { mysqlErrno } from '../../../sql/mysql-errors.ts';
import type { Cluster } from '../../../tablet/cluster.ts';
import { callTablet, writeTablet } from '../../../tablet/manager.ts';
import { untilFree } from '../../../tablet/query/waiting.ts';
import { noteSequenceChange } from '../../../tablet/sequence-changes.ts';
import { raiseSequenceSql } from '../../../tablet/sequence-table.ts';
import { createSequence, databaseOf, fetchAsApp, syntaxError } from '../../../tablet/sequences.ts';
import { shardText } from '../../../topo/keyspaces.ts';
import { aliasText } from '../../../topo/tablets.ts';
import { byPlace } from './create-missing.ts';
import { type Largest, withoutCode, plainSql } from './largest.ts';
import { resetCaches, type SequencePlace } from './places.ts';
import { canReplace, type Sequence } from './sequence.ts';

/**
 * Sets each sequence to the value after the largest in use, unless it stands further already, and has its tablet forget what it
 * cached. One call a shard, or until v22 one for each sequence. `change` is the name to note changes under, so that they can be
 * taken back. Throws what Vitess says. Vitess: updateSequenceValues.
 */
export async function raiseSequences(
  ctx: Context,
  cluster: Cluster,
  sequences: readonly Sequence[],
  largest: Largest,
  scope: StepScope,
  change: string | undefined,
): Promise<void> {
  const { behaviours } = cluster.release;
  // Of 22.0.0 to .2 and 23.0.0: the sequence of an empty table is left without its row (#19226).
  const wanted = sequences.filter((sequence) => behaviours.sequenceEmptyTables || largest.get(sequence) !== 0n);
  const raise: Raise = { ctx, cluster, change, next: (sequence) => largest.get(sequence)! + 1n };
  for (const [place, own] of await byPlace(ctx, cluster, wanted)) {
    if (behaviours.sequenceRpcs === 'batched') {
      await scope.onTarget(shardText(place.info), () => raiseTogether(raise, place, own));
    } else {
      for (const sequence of own) await scope.onTarget(shardText(place.info), () => raiseAlone(raise, place, sequence));
    }
  }
}

interface Raise {
  ctx: Context;
  cluster: Cluster;
  change: string | undefined;
  next: (sequence: Sequence) => bigint;
}

/** UpdateSequenceTables: all sequences of a shard in one call, and here in one transaction. */
async function raiseTogether(raise: Raise, { info, primary, db }: SequencePlace, sequences: readonly Sequence[]): Promise<void> {
  const { ctx, cluster } = raise;
  const alias = aliasText(primary.alias);
  try {
    await callTablet(ctx, cluster, primary, 'UpdateSequenceTables', () =>
      untilFree(ctx, cluster.world, () =>
        writeTablet(ctx, cluster, db, () => {
          for (const sequence of sequences) noted(raise, db, sequence, () => raiseOnTablet(raise, { info, primary, db }, sequence));
          resetCaches(cluster, { primary, db }, sequences.map(({ name }) => name));
        }),
      ),
    );
  } catch (error) {
    throw vtError('INTERNAL', `failed to initialize the backing sequence tables on tablet ${alias}: ${errorVerbose(error)}`);
  }
}

function noted(raise: Raise, db: SequencePlace['db'], sequence: Sequence, effect: () => void): void {
  if (raise.change === undefined) effect();
  else noteSequenceChange(db, raise.change, sequence.name, effect);
}

/** Vitess: updateSequenceValue of the tablet. A table that is not there is created. */
function raiseOnTablet({ cluster, next }: Raise, { primary, db }: SequencePlace, sequence: Sequence): void {
  const table = `${escapeId(databaseOf(primary))}.${escapeId(sequence.name)}`;
  try {
    if (db.findTable(sequence.name) === undefined) createSequence(cluster, db, sequence.name);
    fetchAsApp(cluster, db, raiseSequenceSql(table, next(sequence)));
  } catch (error) {
    // A lock that is in the way: the caller tries again.
    if (mysqlErrno(error) === undefined) throw error;
    throw vtError('INTERNAL', `failed to initialize the backing sequence table ${table}: ${plainSql(error)}`);
  }
}

/** Until v22 vtctld itself runs the statement on the tablet, and asks for the reset. */
async function raiseAlone({ ctx, cluster, next }: Raise, place: SequencePlace, sequence: Sequence): Promise<void> {
  const { info, primary, db } = place;
  const { behaviours } = cluster.release;
  const database = databaseOf(primary);
  const shown = `${database}.${sequence.name}`;
  const fetch = (): Promise<number> =>
    callTablet(ctx, cluster, primary, 'ExecuteFetchAsApp', () =>
      withoutCode(() =>
        untilFree(ctx, cluster.world, () =>
          writeTablet(ctx, cluster, db, () => fetchAsApp(cluster, db, statement(cluster, database, sequence, next(sequence))).rowsAffected),
        ),
      ),
    );
  let changed: number;
  try {
    changed = await fetch();
  } catch (error) {
    const failed = vtError('INTERNAL', `failed to initialize the backing sequence table ${shown}: ${errorVerbose(error)}`);
    if (mysqlErrno(error) !== 1146 || !canReplace(behaviours)) throw failed;
    await createAlone(ctx, cluster, place, sequence);
    changed = await fetch();
  }
  if (behaviours.sequenceCacheReset === 'never' || (behaviours.sequenceCacheReset === 'raised' && changed === 0)) return;
  try {
    await callTablet(ctx, cluster, primary, 'ResetSequences', () =>
      writeTablet(ctx, cluster, db, () => resetCaches(cluster, place, [sequence.name])),
    );
  } catch (error) {
    const where = `for backing table ${sequence.name} on shard ${shardText(info)} using tablet ${aliasText(primary.alias)}`;
    throw vtError('INTERNAL', `failed to reset the sequence cache ${where}: ${errorVerbose(error)}`);
  }
}

/** 22.0.0 and .1 write the names without backticks (#18762). Throws MySQL's error where that does not do. */
function statement(cluster: Cluster, database: string, { name }: Sequence, next: bigint): string {
  if (cluster.release.behaviours.sequenceNames !== 'unquoted') return raiseSequenceSql(`${escapeId(database)}.${escapeId(name)}`, next);
  const sql = raiseSequenceSql(`${database}.${name}`, next);
  const odd = /[^A-Za-z0-9_$.\u0080-\uffff]/.exec(`${database}.${name}`);
  if (odd !== null) throw syntaxError(sql, 'insert into '.length + odd.index);
  return sql;
}

async function createAlone(ctx: Context, cluster: Cluster, { info, primary, db }: SequencePlace, { name }: Sequence): Promise<void> {
  try {
    await callTablet(ctx, cluster, primary, 'ApplySchema', () => writeTablet(ctx, cluster, db, () => createSequence(cluster, db, name)));
  } catch (error) {
    throw vtError('INTERNAL', `failed to create the backing sequence table ${escapeId(name)} in the global-keyspace ${info.keyspace}: ${errorVerbose(error)}`);
  }
}
