import { UserError } from '../../lib/errors.ts';
import { readJournal } from '../../tablet/vreplication/streams.ts';
import { takesWrites } from '../../tablet/view.ts';
import { shardText } from '../../topo/keyspaces.ts';
import { aliasText } from '../../topo/tablets.ts';
import type { SwitchRun } from './run.ts';

/**
 * A journal whose source takes writes is none of this switch: ids of streams have come again, in a database that was
 * restored or emptied (F46). A release takes it for its own and goes on behind it, without stopping the writes and waiting for
 * them. Throws UserError where such a one is refused.
 */
export function refuseOldJournal(run: SwitchRun): void {
  const { path, sw, cluster, intent } = run;
  if (!path.writes || !path.resume || intent !== undefined || cluster.release.behaviours.oldJournal === 'taken for its own') return;
  const tables = sw.kind === 'shards' ? [] : sw.tables;
  const old = sw.sources.find(({ db }) => readJournal(db, sw.id) !== undefined && takesWrites(db, tables));
  if (old === undefined) return;
  const shard = shardText(old.info);
  throw new UserError(`${shard} has journal ${sw.id} already and still takes writes: it is an old one, and a switch that went on from it would lose rows`, {
    next: `look at it, and if nothing else is under way delete it: switchtraffic ExecuteFetchAsDBA ${aliasText(old.primary.alias)} 'delete from _vt.resharding_journal where id = ${sw.id}'`,
  });
}
