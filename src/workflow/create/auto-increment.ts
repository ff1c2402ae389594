import { isTopoError, UserError, vtError, wrapError } from '../../lib/errors.ts';
import { escapeId } from '../../lib/sqlescape.ts';
import type { Context } from '../../runtime/context.ts';
import { formatName } from '../../sql/format-expr.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import { guarded } from '../../topo/locks.ts';
import type { VSchemaKeyspace } from '../../topo/proto/types.ts';
import { getVSchema, saveVSchema } from '../../topo/vschema.ts';
import type { Member, MoveTablesRequest } from './request.ts';
import type { CreatedTables } from './tables.ts';

/** Values of `--sharded-auto-increment-handling`, by their number. */
export const AUTO_INCREMENT_HANDLING = ['LEAVE', 'REMOVE', 'REPLACE'] as const;

/** Throws unless the keyspace for sequences exists and is unsharded. Vitess: moveTablesCreate. */
export async function checkGlobalKeyspace(ctx: Context, cluster: Cluster, keyspace: string): Promise<void> {
  if (keyspace === '') return;
  let vschema: VSchemaKeyspace;
  try {
    vschema = (await getVSchema(ctx, cluster.topo, keyspace)).record;
  } catch (error) {
    if (isTopoError(error, 'NoNode')) throw vtError('FAILED_PRECONDITION', `global-keyspace ${keyspace} does not exist`);
    throw wrapError(error, 'failed to validate global-keyspace');
  }
  if (vschema.sharded !== true) return;
  throw vtError('FAILED_PRECONDITION', `global-keyspace ${keyspace} is sharded and thus cannot be used for global resources`);
}

/**
 * Refuses a handling that the release does not know, if it was asked for: before v20 nothing is removed, before v21 nothing replaced.
 * Throws UserError.
 */
export function refuseUnknownHandling({ release }: Cluster, request: Pick<MoveTablesRequest, 'shardedAutoIncrement' | 'globalKeyspace'>, asked: boolean): void {
  const known = { left: 0, removed: 1, bare: 2, qualified: 2 }[release.behaviours.sequenceAutoReplace];
  const { shardedAutoIncrement: wanted, globalKeyspace } = request;
  if (globalKeyspace !== '' && known < 2) {
    throw new UserError(`${release.name} has no --global-keyspace`, { next: 'leave it out, or use --vitess-version 21 or later' });
  }
  if (!asked || wanted <= known) return;
  throw new UserError(`${release.name} has no --sharded-auto-increment-handling ${AUTO_INCREMENT_HANDLING[wanted]}`, {
    next: `leave it out, or use --vitess-version ${wanted === 2 ? '21' : '20'} or later`,
  });
}

/** Whether AUTO_INCREMENT is taken out of the tables that a create makes: in a sharded target, unless it is to be left. */
export function stripsAutoIncrement({ release }: Cluster, request: MoveTablesRequest, target: VSchemaKeyspace): boolean {
  return target.sharded === true && request.shardedAutoIncrement > 0 && release.behaviours.sequenceAutoReplace !== 'left';
}

/**
 * Gives the tables whose AUTO_INCREMENT was taken out a sequence in the target's VSchema, called after the table; an entry that
 * has one keeps it. The sequence table itself is made when traffic is switched. Vitess: materializer.deploySchema.
 */
export async function replaceAutoIncrement(
  ctx: Context,
  cluster: Cluster,
  request: MoveTablesRequest,
  source: Member,
  made: CreatedTables,
): Promise<void> {
  if (AUTO_INCREMENT_HANDLING[request.shardedAutoIncrement] !== 'REPLACE') return;
  const { record, version } = await getVSchema(ctx, cluster.topo, request.targetKeyspace);
  const tables = { ...record.tables };
  let changed = false;
  for (const table of new Set(made.flatMap((one) => one.tables))) {
    const column = source.db.table(table).columns.find(({ autoIncrement }) => autoIncrement)?.name;
    const entry = tables[table];
    if (column === undefined || entry === undefined || entry.auto_increment !== undefined) continue;
    tables[table] = { ...entry, auto_increment: { column: columnName(cluster, column), sequence: sequenceName(cluster, request, table) } };
    changed = true;
  }
  if (!changed) return;
  await guarded(ctx, cluster.topo, [request.targetKeyspace], (options) => saveVSchema(ctx, cluster.topo, request.targetKeyspace, { ...record, tables }, version, options));
}

/** Vitess writes the name as SQL has it, which its gate does not understand where it needs backticks. */
function columnName({ release }: Cluster, column: string): string {
  return release.vitess ? formatName(column) : column;
}

/** In 21.0.0 the bare name, looked for when traffic is switched; then in full and with backticks (#17174). */
function sequenceName({ release }: Cluster, { globalKeyspace }: MoveTablesRequest, table: string): string {
  const name = `${table}_seq`;
  if (release.behaviours.sequenceAutoReplace === 'bare') return name;
  return globalKeyspace === '' ? escapeId(name) : `${escapeId(globalKeyspace)}.${escapeId(name)}`;
}
