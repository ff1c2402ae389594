import { errorVerbose, plainError, vtError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { formatCreateTable } from '../../sql/schema-format.ts';
import type { TableDef } from '../../sql/schema.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { createTable } from '../../tablet/create-table.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import type { ShardDb } from '../../tablet/shard-db.ts';
import { LockLostError } from '../../topo/locks.ts';
import { TabletAlias } from '../../topo/proto/messages-topodata.ts';
import { prototext } from '../../topo/proto/prototext.ts';
import type { Member } from './request.ts';
import type { MadeSoFar } from './undo-made.ts';

/**
 * Gives a shard every table of another. One that has the same already is left alone; one that has some of them fails on a release at
 * the first, with those before it made. `made` learns of each as it is made. Vitess: go/vt/vtctl/workflow/server.go CopySchemaShard.
 */
export async function copySchemaShard(ctx: Context, cluster: Cluster, source: Member, target: Member, made: MadeSoFar): Promise<void> {
  if (diffSchemas(source.db, target.db).length === 0) return;
  const { tables } = made.on(target);
  // `hardened` has looked that those there are the same, and makes the rest.
  const wanted = source.db.tableNames().filter((table) => !cluster.release.behaviours.rollbackRestoresAll || target.db.findTable(table) === undefined);
  for (const table of wanted) {
    try {
      await callTablet(ctx, target.primary, 'ApplySchema', () =>
        writeTablet(ctx, cluster, target.db, () => createTable(target.db, withoutNextId(source.db.table(table)))),
      );
    } catch (error) {
      if (error instanceof LockLostError) throw error;
      throw vtError(
        'INTERNAL',
        `creating a table failed. Most likely some tables already exist on the destination and differ from the source. Please remove all to be copied tables from the destination manually and run this command again. Full error: ${errorVerbose(error)}`,
      );
    }
    tables.push(table);
  }
  const diffs = diffSchemas(source.db, target.db);
  if (diffs.length === 0) return;
  const alias = (member: Member): string => prototext(TabletAlias, member.primary.alias);
  throw vtError(
    'INTERNAL',
    `CopySchemaShard was not successful because the schemas between the two tablets ${alias(source)} and ${alias(target)} differ: [${diffs.join(' ')}]`,
  );
}

/** How the tables of two shards differ, in Vitess's words. Vitess: go/vt/mysqlctl/tmutils/schema.go DiffSchema. */
export function diffSchemas(source: ShardDb, dest: ShardDb): string[] {
  const names = [...new Set([...source.tableNames(), ...dest.tableNames()])].toSorted();
  return names.flatMap((table) => {
    const [left, right] = [source.findTable(table), dest.findTable(table)];
    if (left === undefined || right === undefined) return [`${left === undefined ? 'dest' : 'source'} has an extra table named ${table}`];
    const [ours, theirs] = [createText(left), createText(right)];
    return ours === theirs ? [] : [`schemas differ on table ${table}:\nsource: ${ours}\n differs from:\ndest: ${theirs}`];
  });
}

/** A table without the value that its next row would get, which is not part of what it is. */
function withoutNextId(def: TableDef): TableDef {
  return { ...def, options: def.options.replace(/ ?\bAUTO_INCREMENT=\d+/i, '').trim() };
}

function createText(def: TableDef | undefined): string {
  if (def === undefined) throw plainError('no such table');
  return formatCreateTable(withoutNextId(def));
}
