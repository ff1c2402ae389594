import { errorText, errorVerbose, plainError, vtError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { formatCreateTable } from '../../sql/schema-format.ts';
import type { TableDef } from '../../sql/schema.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { createTable } from '../../tablet/create-table.ts';
import { answered, callTablet, writeTablet } from '../../tablet/manager.ts';
import type { ShardDb } from '../../tablet/shard-db.ts';
import { Tablet, TabletAlias } from '../../topo/proto/messages-topodata.ts';
import { prototext } from '../../topo/proto/prototext.ts';
import type { Member } from './request.ts';

/**
 * Gives a shard every table of another. One that has the same already is left alone; one that has some of them fails on a release at
 * the first, with those before it made. Vitess: go/vt/vtctl/workflow/server.go CopySchemaShard.
 */
export async function copySchemaShard(ctx: Context, cluster: Cluster, source: Member, target: Member): Promise<void> {
  if ((await compare(ctx, cluster, source, target, 'initially')).length === 0) return;
  // `hardened` has looked that those there are the same, and makes the rest.
  const wanted = source.db.tableNames().filter((table) => !cluster.release.behaviours.rollbackRestoresAll || target.db.findTable(table) === undefined);
  for (let at = 0; at < wanted.length; at += TABLES_AT_ONCE) {
    const { failure } = await callTablet(ctx, cluster, target.primary, 'ApplySchema', () =>
      writeTablet(ctx, cluster, target.db, () => createSome(source.db, target, wanted.slice(at, at + TABLES_AT_ONCE))),
    );
    if (failure === undefined) continue;
    throw vtError(
      'INTERNAL',
      `creating a table failed. Most likely some tables already exist on the destination and differ from the source. Please remove all to be copied tables from the destination manually and run this command again. Full error: ${errorVerbose(failure)}`,
    );
  }
  const diffs = await compare(ctx, cluster, source, target, 'finally');
  if (diffs.length === 0) return;
  const alias = (member: Member): string => prototext(TabletAlias, member.primary.alias);
  throw vtError(
    'INTERNAL',
    `CopySchemaShard was not successful because the schemas between the two tablets ${alias(source)} and ${alias(target)} differ: [${diffs.join(' ')}]`,
  );
}

/** A commit for each table would take longer than all the rest of a create. */
const TABLES_AT_ONCE = 50;

/** Creates tables one after another, until one fails, with which it ends: those before it are kept, as if each had been committed by itself. */
function createSome(source: ShardDb, target: Member, tables: readonly string[]): { failure: unknown } {
  for (const table of tables) {
    try {
      target.db.db.transact(() => createTable(target.db, withoutNextId(source.table(table))));
    } catch (error) {
      return { failure: answered('ApplySchema', target.primary, error) };
    }
  }
  return { failure: undefined };
}

/** Asks both primaries for their tables. */
async function compare(ctx: Context, cluster: Cluster, source: Member, target: Member, when: string): Promise<string[]> {
  for (const { primary } of [source, target]) {
    try {
      await callTablet(ctx, cluster, primary, 'GetSchema', () => {});
    } catch (error) {
      const alias = prototext(TabletAlias, primary.alias);
      const call = `GetSchema(${prototext(Tablet, primary)}, tables:"/.*") failed: ${errorText(error)}: ${errorText(error)}`;
      throw vtError('INTERNAL', `CopySchemaShard failed because schemas could not be compared ${when}: failed to get schema from tablet ${alias}. err: ${call}`);
    }
  }
  return diffSchemas(source.db, target.db);
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
