import { plainError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import type { StepScope } from '../../runtime/step.ts';
import { parseStatement } from '../../sql/parser.ts';
import type { TableDef } from '../../sql/schema.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { createTable } from '../../tablet/create-table.ts';
import { callTablet, writeTablet } from '../../tablet/manager.ts';
import { changeTables } from '../../tablet/query/ddl-changes.ts';
import { mysqlTime } from '../../tablet/query/mysql-time.ts';
import { parseQuery } from '../../tablet/vreplication/rule-plan.ts';
import { shardText } from '../../topo/keyspaces.ts';
import { forAll } from '../fan-out.ts';
import type { TableSettings } from './materialize-request.ts';
import type { Member } from './request.ts';

/**
 * Creates on each target the tables that it lacks, from the statement that was given or as the first source shard has them.
 * Throws where there is neither. Vitess: materializer.deploySchema.
 */
export async function createMaterialized(
  ctx: Context,
  cluster: Cluster,
  source: Member,
  targets: readonly Member[],
  settings: readonly TableSettings[],
  scope: StepScope,
): Promise<void> {
  await forAll(targets, async (target) => {
    const missing = settings.filter(({ target_table: table }) => target.db.findTable(table) === undefined);
    const makers = missing.map((table) => makerOf(table, source));
    if (makers.length === 0) return;
    await scope.onTarget(shardText(target.info), () =>
      callTablet(ctx, cluster, target.primary, 'ApplySchema', () =>
        writeTablet(ctx, cluster, target.db, () => {
          for (const make of makers) make(target, mysqlTime(cluster.world.clock.now()));
        }),
      ),
    );
  });
}

/** The tables that a target lacks and is going to get: what a given statement calls its table is its own affair. */
export function tablesToMake({ db }: Member, settings: readonly TableSettings[]): string[] {
  return settings.flatMap(({ target_table: table, create_ddl: ddl }) => {
    if (db.findTable(table) !== undefined || ddl === '') return [];
    const name = COPIES[ddl] === undefined ? createdBy(ddl) : table;
    return name === undefined || db.findTable(name) !== undefined ? [] : [name];
  });
}

/** The name in a CREATE TABLE statement; undefined for a text that is none, which is refused when it is to be run. */
function createdBy(ddl: string): string | undefined {
  try {
    const statement = parseStatement(ddl);
    return statement.kind === 'create-table' ? statement.table.name : undefined;
  } catch {
    return undefined;
  }
}

type Maker = (target: Member, now: string) => void;

function makerOf(settings: TableSettings, source: Member): Maker {
  const { target_table: table, source_expression: expression, create_ddl: ddl } = settings;
  if (ddl === '') throw plainError(`target table ${table} does not exist and there is no create ddl defined`);
  const adapt = COPIES[ddl];
  if (adapt === undefined) return (target, now) => define(target, ddl, now);
  const from = parseQuery(expression).select.from!.name;
  if (from !== table) throw plainError(`source and target table names must match for copying schema: ${from} vs ${table}`);
  const definition = source.db.findTable(table);
  if (definition === undefined) throw plainError(`source table ${table} does not exist`);
  return (target) => createTable(target.db, adapt(definition));
}

/** What is taken off a copied table. */
const COPIES: Readonly<Record<string, (def: TableDef) => TableDef>> = {
  copy: (def) => def,
  'copy:drop_constraint': ({ foreignKeys: _keys, checks: _checks, ...def }) => def,
  'copy:drop_foreign_keys': ({ foreignKeys: _keys, ...def }) => def,
};

function define(target: Member, ddl: string, now: string): void {
  const statement = parseStatement(ddl);
  if (statement.kind !== 'create-table') throw plainError(`not a CREATE TABLE statement: ${ddl}`);
  changeTables(target.db, statement, now);
}
