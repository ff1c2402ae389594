import { errorVerbose, vtError } from '../../../lib/errors.ts';
import type { Context } from '../../../runtime/context.ts';
import type { Cluster } from '../../../tablet/cluster.ts';
import { resetSequences } from '../../../tablet/sequence-cache.ts';
import type { ShardDb } from '../../../tablet/shard-db.ts';
import { findAllShards, type ShardInfo } from '../../../topo/keyspaces.ts';
import { Shard } from '../../../topo/proto/messages-topodata.ts';
import { prototext } from '../../../topo/proto/prototext.ts';
import type { Tablet } from '../../../topo/proto/types.ts';
import { aliasText } from '../../../topo/tablets.ts';
import { primaryOf } from '../../switcher.ts';

/** The only shard of an unsharded keyspace, where its sequences are. */
export interface SequencePlace {
  info: ShardInfo;
  primary: Tablet;
  db: ShardDb;
}

/** Where a keyspace's sequences are. Throws `failed to get the primary tablet for keyspace K: …`. */
export async function sequencePlace(ctx: Context, cluster: Cluster, keyspace: string): Promise<SequencePlace> {
  const failed = (why: string): Error => vtError('INTERNAL', `failed to get the primary tablet for keyspace ${keyspace}: ${why}`);
  try {
    const shards = await findAllShards(ctx, cluster.topo, keyspace, cluster.release.behaviours.sequenceNames === 'plain' ? 'kept' : 'off');
    const [only] = shards;
    if (only === undefined || shards.length !== 1) throw notOne(keyspace, shards);
    return await primaryOf(ctx, cluster, only, () => new NoPrimary());
  } catch (error) {
    // Go prints a nil error so.
    throw failed(error instanceof NoPrimary ? '<nil>' : errorVerbose(error));
  }
}

class NoPrimary extends Error {}

function notOne(keyspace: string, shards: readonly ShardInfo[]): Error {
  const list = shards.map(({ name, record }) => `${name}:${prototext(Shard, record)}`).join(' ');
  return vtError('INVALID_ARGUMENT', `keyspace ${keyspace} must have one and only one shard: map[${list}]`);
}

/**
 * Has the primary of a shard forget what it cached of these tables, in the caller's transaction. A release asks the primary that it
 * has read once, whoever it is by now; `hardened` the one that there is.
 */
export function resetCaches({ release }: Cluster, { primary, db }: Pick<SequencePlace, 'primary' | 'db'>, tables: readonly string[]): void {
  resetSequences(db, release.behaviours.stalePrimary === 'called' ? aliasText(primary.alias) : undefined, tables);
}
