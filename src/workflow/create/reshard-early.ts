import { errorText, UserError } from '../../lib/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { sqliteName } from '../../sql/storage.ts';
import type { Cluster } from '../../tablet/cluster.ts';
import type { ShardDb } from '../../tablet/shard-db.ts';
import { shardText } from '../../topo/keyspaces.ts';
import { bestColumnVindex } from '../../topo/primary-vindex.ts';
import { BinlogSource } from '../../topo/proto/messages-binlogdata.ts';
import { parsePrototext } from '../../topo/proto/prototext-parse.ts';
import type { BinlogSource as Source } from '../../topo/proto/types-workflow.ts';
import { diffSchemas } from './copy-schema.ts';
import { refuseTakenName } from './materialize.ts';
import type { Resharder } from './reshard-request.ts';

/** Something that a create lets pass in Vitess. */
interface LateFailure {
  text: string;
  next: string;
}

/**
 * What Vitess lets pass and a stream stumbles over later, or leaves behind for good. `hardened` refuses the first of them, with
 * what to do; a release warns of each. Throws UserError.
 */
export async function checkLateFailures(ctx: Context, cluster: Cluster, resharder: Resharder): Promise<void> {
  const found = [
    ...(await takenName(ctx, cluster, resharder)),
    ...differentSources(resharder),
    // A release says so itself, when it gets there.
    ...(cluster.release.behaviours.rollbackRestoresAll ? differentTargets(resharder) : []),
    ...filledTargets(resharder),
    ...withoutVindex(resharder),
    ...lostReferences(resharder),
  ];
  for (const { text, next } of found) {
    if (cluster.release.behaviours.rollbackRestoresAll) throw new UserError(text, { next });
    cluster.world.events.emit({ kind: 'warning', text });
  }
}

async function takenName(ctx: Context, cluster: Cluster, { request }: Resharder): Promise<LateFailure[]> {
  try {
    await refuseTakenName(ctx, cluster, request.keyspace, request.workflow);
    return [];
  } catch (error) {
    return [{ text: errorText(error), next: 'give this workflow another name' }];
  }
}

/** The targets get the tables of the first source: rows of another would not fit. */
function differentSources({ sources }: Resharder): LateFailure[] {
  const [first, ...others] = sources;
  return others.flatMap((other) => {
    const [diff] = diffSchemas(first!.db, other.db);
    if (diff === undefined) return [];
    const [ours, theirs] = [shardText(first!.info), shardText(other.info)];
    return [{ text: `the tables of ${ours} and ${theirs} differ: ${inShort(diff, ours, theirs)}`, next: 'make the source shards the same first' }];
  });
}

/** The first line of a difference, with the shards by name: the definitions come after it. */
function inShort(diff: string, source: string, dest: string): string {
  return diff.split('\n')[0]!.replace(/^source(?= )/, source).replace(/^dest(?= )/, dest).replace(/:$/, '');
}

/** Tables that are there already must be what the copy expects, and there must be no others. */
function differentTargets({ request, sources, targets }: Resharder): LateFailure[] {
  if (request.skipSchemaCopy) return [];
  return targets.flatMap((target) => {
    const diff = diffSchemas(sources[0]!.db, target.db).find((one) => !one.startsWith('source has'));
    if (diff === undefined) return [];
    const name = shardText(target.info);
    const text = `the tables of ${name} are not those of the source shards: ${inShort(diff, shardText(sources[0]!.info), name)}`;
    return [{ text, next: 'drop them on the target shard: the workflow creates its tables' }];
  });
}

function filledTargets({ targets }: Resharder): LateFailure[] {
  return targets.flatMap(({ db, info }) => {
    const filled = db.tableNames().filter((table) => hasRows(db, table));
    if (filled.length === 0) return [];
    const next = 'drop these tables on the target shard: the copy would meet its rows again';
    return [{ text: `target shard ${shardText(info)} has rows already, of ${filled.join(', ')}`, next }];
  });
}

function hasRows(db: ShardDb, table: string): boolean {
  return db.db.get(`SELECT 1 FROM ${sqliteName(table)} LIMIT 1`) !== undefined;
}

/** A stream cannot tell which shard their rows belong to. */
function withoutVindex({ request, sources, vschema }: Resharder): LateFailure[] {
  const { keyspace } = request;
  if (vschema.sharded !== true) {
    const text = `keyspace ${keyspace} is not sharded: its VSchema has no vindexes to tell which shard a row belongs to`;
    return [{ text, next: `make the VSchema of ${keyspace} a sharded one first` }];
  }
  return sources[0]!.db.tableNames().flatMap((table) => {
    const definition = vschema.tables?.[table];
    if (definition?.type === 'reference') return [];
    try {
      if (definition === undefined) throw new UserError(`table ${table} not found in vschema for keyspace ${keyspace}`);
      bestColumnVindex(vschema, table, definition);
      return [];
    } catch (error) {
      return [{ text: `no stream can copy ${table}: ${errorText(error)}`, next: `give ${table} a vindex in the VSchema of ${keyspace}, or make it a reference table` }];
    }
  });
}

/** Reference tables are left out of the workflow: without a stream that fills them the new shards would have none of their rows. */
function lostReferences({ sources, vschema, references }: Resharder): LateFailure[] {
  const brought = new Set(references.flatMap(({ source }) => tablesOf(source)));
  return sources.flatMap(({ db, info }) => {
    const lost = db.tableNames().filter((table) => vschema.tables?.[table]?.type === 'reference' && !brought.has(table) && hasRows(db, table));
    if (lost.length === 0) return [];
    const text = `no stream brings the rows of reference table ${lost.join(', ')} in ${shardText(info)} to the new shards`;
    const flags = `--workflow NAME --target-keyspace ${info.keyspace} create --source-keyspace KEYSPACE --reference-tables ${lost.join(',')}`;
    return [{ text, next: `materialize it from the keyspace that owns it: switchtraffic Materialize ${flags}` }];
  });
}

function tablesOf(source: string): string[] {
  return ((parsePrototext(BinlogSource, source) as Source).filter?.rules ?? []).map(({ match }) => match);
}
