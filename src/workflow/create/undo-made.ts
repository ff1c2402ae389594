import type { Context } from '../../runtime/context.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { writeTablet } from '../../tablet/manager.ts';
import { tablesWritten } from '../../tablet/vreplication/rule.ts';
import { sourceOf } from '../../tablet/vreplication/stream-source.ts';
import { deleteStream, readStreams } from '../../tablet/vreplication/streams.ts';
import { withKeyspaceLock } from '../../topo/locks.ts';
import type { Member } from './request.ts';

/** What a create has put on one target. */
interface MadeThere {
  target: Member;
  tables: string[];
  streams: number[];
}

/** The tables and streams that a create has made so far, and how to take them back: `hardened` leaves nothing of one that failed. */
export class MadeSoFar {
  readonly #there: MadeThere[] = [];

  /** What was made on a target, to be added to as things are made. */
  on(target: Member): MadeThere {
    const found = this.#there.find((one) => one.target.db === target.db);
    if (found !== undefined) return found;
    const made = { target, tables: [], streams: [] };
    this.#there.push(made);
    return made;
  }

  /**
   * Takes everything back, under a lock taken anew: the one it was made under may be lost. A table that somebody else's stream
   * writes by now stays.
   */
  async takeBack(ctx: Context, cluster: Cluster, keyspace: string, action: string): Promise<void> {
    if (this.#there.every(({ tables, streams }) => tables.length + streams.length === 0)) return;
    await withKeyspaceLock(ctx, cluster.topo, keyspace, action, async (locked) => {
      for (const { target, tables, streams } of this.#there) {
        await writeTablet(locked, cluster, target.db, () => {
          for (const id of streams) deleteStream(target.db, id);
          const there = tables.filter((table) => target.db.findTable(table) !== undefined);
          const written = new Set(readStreams(target.db).flatMap((row) => tablesWritten(sourceOf(target.db, row), there)));
          for (const table of there) if (!written.has(table)) target.db.dropTable(table);
        });
      }
    });
  }
}
