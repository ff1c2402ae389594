import { wrapError } from '../lib/errors.ts';
import type { Context } from '../runtime/context.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { callTablet, writeTablet } from '../tablet/manager.ts';
import type { ShardDb } from '../tablet/shard-db.ts';
import { noSuchTable, unknownTable } from '../sql/mysql-errors.ts';
import { sqliteName } from '../sql/storage.ts';
import { deleteWorkflowStreams } from '../tablet/vreplication/streams.ts';
import { type Locked, lockKeyspace, lockName } from '../topo/locks.ts';
import { getVSchema, saveVSchema } from '../topo/vschema.ts';
import { deleteRulesOf } from './ending-rules.ts';
import { refuseInterrupted } from './switch/intent.ts';
import type { MigrationSource, MigrationTarget, TrafficSwitcher } from './switcher.ts';

/** What Complete and Cancel share: taking a workflow's traces away under its locks. */

/** How an ending locks, and what of it needs the workflow's lock alone. */
export interface EndingLocks {
  workflow: string;
  keyspaces: string;
  ignoreSource: boolean;
  /** Done before the keyspaces are locked. */
  before?: (ctx: Context) => Promise<void>;
  /** Done after the keyspaces are unlocked. */
  after?: (ctx: Context) => Promise<void>;
}

/** Runs an ending under the workflow's lock and, inside, the locks of its keyspaces: of the target alone, if the source is to be ignored. */
export async function underLocks<T>(
  ctx: Context,
  cluster: Cluster,
  sw: TrafficSwitcher,
  actions: EndingLocks,
  body: (ctx: Context) => Promise<T>,
): Promise<T> {
  const { topo } = cluster;
  await refuseInterrupted(ctx, cluster, [sw.sourceKeyspace, sw.targetKeyspace]);
  const locks: Locked[] = [];
  let failure: unknown;
  let current = ctx;
  const take = async (what: string, lock: Promise<Locked>): Promise<void> => {
    try {
      const locked = await lock;
      locks.push(locked);
      current = locked.ctx;
    } catch (error) {
      throw wrapError(error, `failed to lock the ${what}`);
    }
  };
  try {
    const name = `${sw.targetKeyspace}/${sw.workflow}`;
    if (cluster.release.behaviours.namedLock !== 'none') await take(`${name} workflow`, lockName(current, topo, name, actions.workflow));
    const outer = locks.length;
    await actions.before?.(current);
    for (const keyspace of new Set([...(actions.ignoreSource ? [] : [sw.sourceKeyspace]), sw.targetKeyspace])) {
      await take(`${keyspace} keyspace`, lockKeyspace(current, topo, keyspace, actions.keyspaces));
    }
    const result = await body(current);
    if (actions.after !== undefined) {
      while (locks.length > outer) await locks.pop()!.unlock(undefined);
      await actions.after(current);
    }
    return result;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    for (const lock of locks.reverse()) await lock.unlock(failure);
  }
}

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
): Promise<void> {
  const portions = cluster.release.behaviours.rollbackRestoresAll ? [tables] : tables.map((table) => [table]);
  for (const { primary, db } of members) {
    for (const portion of portions) {
      await callTablet(ctx, primary, 'ExecuteFetchAsDba', () =>
        writeTablet(ctx, cluster, db, () => {
          for (const table of portion) removeTable(cluster, db, table, how);
        }),
      );
    }
  }
}

function removeTable({ release, world }: Cluster, db: ShardDb, table: string, how: 'drop' | 'rename'): void {
  const definition = db.findTable(table);
  if (definition === undefined) {
    if (release.behaviours.missingTables === 'error') throw how === 'drop' ? unknownTable(db.dbName, table) : noSuchTable(db.dbName, table);
    world.events.log('warning', `Table ${table} did not exist when attempting to remove it`);
    return;
  }
  if (how === 'drop') {
    db.dropTable(table);
    return;
  }
  const name = renamedTable(table);
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

/** Deletes a workflow's streams on each member. Returns which members had any. */
export async function deleteStreams(ctx: Context, cluster: Cluster, members: readonly Member[], workflow: string): Promise<Member[]> {
  const had: Member[] = [];
  for (const member of members) {
    const count = await callTablet(ctx, member.primary, 'DeleteVReplicationWorkflow', () =>
      writeTablet(ctx, cluster, member.db, () => deleteWorkflowStreams(member.db, workflow)),
    );
    if (count > 0) had.push(member);
  }
  return had;
}

/** Removes every routing rule of the workflow. */
export async function deleteRules(ctx: Context, cluster: Cluster, sw: TrafficSwitcher): Promise<void> {
  // Guarded by the locks that are held: without sources the source keyspace is not locked.
  await deleteRulesOf(ctx, cluster, sw, sw.sources.length === 0 ? [sw.targetKeyspace] : [sw.sourceKeyspace, sw.targetKeyspace]);
}
