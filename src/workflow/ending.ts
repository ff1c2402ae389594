import type { Context } from '../runtime/context.ts';
import { NO_FAULTS, type StepScope } from '../runtime/step.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { callTablet, writeTablet } from '../tablet/manager.ts';
import type { ShardDb } from '../tablet/shard-db.ts';
import { noSuchTable, tableExists, unknownTable } from '../sql/mysql-errors.ts';
import { quoteName } from '../sql/format-expr.ts';
import { sqliteName } from '../sql/storage.ts';
import { deleteWorkflowStreams } from '../tablet/vreplication/streams.ts';
import { shardText } from '../topo/keyspaces.ts';
import { getVSchema, saveVSchema } from '../topo/vschema.ts';
import { deleteRulesOf } from './ending-rules.ts';
import type { MigrationSource, MigrationTarget, TrafficSwitcher } from './switcher.ts';

/** What Complete and Cancel take away, part by part. */

type Member = Pick<MigrationSource | MigrationTarget, 'primary' | 'db' | 'info'>;

/** The name of a table that `--rename-tables` leaves behind. */
export function renamedTable(table: string): string {
  return `_${table.slice(0, 59)}_old`;
}

/**
 * Drops (or renames) tables on each member: all of a member's or none on `hardened`, one by one on a release. One that is not
 * there is an error until v20.0.1, and since then a warning (#16505).
 */
export async function removeTables(
  ctx: Context,
  cluster: Cluster,
  members: readonly Member[],
  tables: readonly string[],
  how: 'drop' | 'rename',
  scope: StepScope = NO_FAULTS,
): Promise<void> {
  const portions = cluster.release.behaviours.rollbackRestoresAll ? [tables] : tables.map((table) => [table]);
  for (const { primary, db, info } of members) {
    await scope.onTarget(shardText(info), async () => {
      for (const portion of portions) {
        await callTablet(ctx, cluster, primary, 'ExecuteFetchAsDba', () =>
          writeTablet(ctx, cluster, db, () => {
            for (const table of portion) removeTable(cluster, db, table, how);
          }),
        );
      }
    });
  }
}

function removeTable({ release, world }: Cluster, db: ShardDb, table: string, how: 'drop' | 'rename'): void {
  const definition = db.findTable(table);
  if (definition === undefined) {
    if (release.behaviours.missingTables === 'error') throw how === 'drop' ? unknownTable(db.dbName, table) : noSuchTable(db.dbName, table);
    world.events.log('warning', `Table ${quoteName(table)} did not exist when attempting to remove it`);
    return;
  }
  if (how === 'drop') {
    db.dropTable(table);
    return;
  }
  const name = renamedTable(table);
  if (db.findTable(name) !== undefined) throw tableExists(name);
  db.db.exec(`ALTER TABLE ${sqliteName(table)} RENAME TO ${sqliteName(name)}`);
  db.db.run('DELETE FROM _tables WHERE name = ?', table);
  db.saveDefinition({ ...definition, name });
}

/** Takes tables out of a keyspace's vschema. */
export async function forgetTables(ctx: Context, cluster: Cluster, keyspace: string, tables: readonly string[]): Promise<void> {
  const { record, version } = await getVSchema(ctx, cluster.topo, keyspace);
  const { tables: known = {}, ...rest } = record;
  const kept = Object.entries(known).filter(([table]) => !tables.includes(table));
  // A record is written without what has its default, and no tables is the default.
  const left = kept.length === 0 ? rest : { ...rest, tables: Object.fromEntries(kept) };
  await saveVSchema(ctx, cluster.topo, keyspace, left, version);
}

/** Deletes a workflow's streams on each member. */
export async function deleteStreams(
  ctx: Context,
  cluster: Cluster,
  members: readonly Member[],
  workflow: string,
  scope: StepScope = NO_FAULTS,
): Promise<void> {
  for (const { info, primary, db } of members) {
    await scope.onTarget(shardText(info), () =>
      callTablet(ctx, cluster, primary, 'DeleteVReplicationWorkflow', () => writeTablet(ctx, cluster, db, () => deleteWorkflowStreams(db, workflow))),
    );
  }
}

/** Removes every routing rule of the workflow. */
export async function deleteRules(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<void> {
  // Guarded by the locks that are held: without sources the source keyspace is not locked.
  await deleteRulesOf(ctx, cluster, sw, sw.sources.length === 0 ? [sw.targetKeyspace] : [sw.sourceKeyspace, sw.targetKeyspace]);
}
