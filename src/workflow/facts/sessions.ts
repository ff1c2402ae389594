import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { listSessions, type SessionView } from '../../tablet/query/sessions.ts';
import type { ShardDb } from '../../tablet/shard-db.ts';
import { tableLocks, type TableLockView } from '../../tablet/table-locks.ts';
import { keyspaceNames } from '../../topo/keyspaces.ts';
import { paths } from '../../topo/paths.ts';
import { listNames } from '../../topo/server.ts';

/** What one shard knows of a session. */
export interface SessionOnShard extends Omit<SessionView, 'name'> {
  /** `keyspace/shard`. */
  shard: string;
  /** Rows that it has changed and not committed. */
  rows: { table: string; key: string }[];
}

/** A client's session, over all shards. */
export interface SessionFacts {
  session: string;
  shards: SessionOnShard[];
}

/** A table lock that belongs to no session: a cutover's LOCK TABLES, or DDL. */
export interface OtherLock extends TableLockView {
  shard: string;
}

/** Every session, by name, and the table locks of nobody's session. */
export async function gatherSessions(ctx: Context, cluster: Cluster): Promise<{ sessions: SessionFacts[]; others: OtherLock[] }> {
  const sessions = new Map<string, SessionFacts>();
  const others: OtherLock[] = [];
  for (const keyspace of await keyspaceNames(ctx, cluster.topo)) {
    for (const name of await listNames(ctx, cluster.topo.conn, paths.shards(keyspace))) {
      const db = cluster.shards.open(keyspace, name);
      const shard = `${keyspace}/${name}`;
      for (const { name: session, ...view } of listSessions(db)) {
        const facts = sessions.get(session) ?? { session, shards: [] };
        facts.shards.push({ shard, ...view, rows: rowLocks(db, session) });
        sessions.set(session, facts);
      }
      others.push(...tableLocks(db).flatMap((lock) => (lock.session === undefined ? [{ shard, ...lock }] : [])));
    }
  }
  return { sessions: [...sessions.values()].toSorted((a, b) => (a.session < b.session ? -1 : 1)), others };
}

function rowLocks(db: ShardDb, session: string): { table: string; key: string }[] {
  return db.db.all<{ table: string; key: string }>('SELECT "table", key FROM _row_lock WHERE session = ? ORDER BY "table", key', session);
}
