import { unescapeId } from '../lib/sqlescape.ts';
import type { Cluster } from '../tablet/cluster.ts';
import { currentValue, fetchAsApp } from '../tablet/sequences.ts';
import { readSequenceCache } from '../tablet/sequence-cache.ts';
import { largestValueSql } from '../tablet/sequence-table.ts';
import type { VSchemaKeyspace } from '../topo/proto/types.ts';
import type { Picture } from '../workflow/facts/stranded/found.ts';
import type { ShardFacts } from '../workflow/facts/shard.ts';

/** A column that takes its values from a sequence, and how far both are. */
export interface SequenceFacts {
  keyspace: string;
  table: string;
  column: string;
  /** Where the sequence's table is. */
  sequence: { keyspace: string; table: string; shard: string; tablet: string };
  /** The value that is given next: of the tablet's block, where it still has one. */
  next: bigint;
  /** The row of the table. */
  stored: bigint;
  /** The largest value in use on any shard; 0 for none. */
  largest: bigint;
}

/** Every column with a sequence that can be found, in keyspaces that the vschema says. What cannot be read is left out: another check says why. */
export function gatherSequences(cluster: Cluster, picture: Picture, { vschemas }: { vschemas: Readonly<Record<string, VSchemaKeyspace>> }): SequenceFacts[] {
  return Object.entries(vschemas).flatMap(([keyspace, vschema]) =>
    Object.entries(vschema.tables ?? {}).flatMap(([table, entry]): SequenceFacts[] => {
      const { column = '', sequence = '' } = entry.auto_increment ?? {};
      const place = sequence === '' ? undefined : placeOf(plain(sequence), picture, vschemas);
      if (place === undefined) return [];
      const shards = picture.shards.filter((shard) => shard.keyspace === keyspace && shard.tables.includes(plain(table)));
      try {
        return [{ keyspace, table: plain(table), column: plain(column), ...standOf(cluster, place), largest: largestOf(cluster, shards, plain(table), plain(column)) }];
      } catch {
        return [];
      }
    }),
  );
}

function plain(name: string): string {
  return name.split('.').map((part) => (part.startsWith('`') ? unescapeId(part) : part)).join('.');
}

/** The one unsharded keyspace that has the sequence; the routing of its name is followed. */
function placeOf(name: string, picture: Picture, vschemas: Readonly<Record<string, VSchemaKeyspace>>): { shard: ShardFacts; table: string } | undefined {
  const route = picture.routing.routes.find((one) => one.from === name && one.type === 'PRIMARY');
  const [keyspace = '', table = ''] = (route?.global ?? (name.includes('.') ? name : '')).split('.');
  const shard = picture.shards.find((one) => one.keyspace === keyspace && one.tables.includes(table));
  return shard === undefined || vschemas[keyspace]?.sharded === true ? undefined : { shard, table };
}

function standOf(cluster: Cluster, { shard, table }: { shard: ShardFacts; table: string }): Pick<SequenceFacts, 'sequence' | 'next' | 'stored'> {
  const { keyspace } = shard;
  const db = cluster.shards.open(keyspace, shard.shard);
  const stored = BigInt((currentValue(cluster, db, { database: db.dbName, table }) ?? 0) as number | bigint);
  const tablet = shard.primary ?? '';
  const cache = readSequenceCache(db, tablet, table);
  return { sequence: { keyspace, table, shard: shard.shard, tablet }, stored, next: cache.next < cache.last ? cache.next : stored };
}

function largestOf(cluster: Cluster, shards: readonly ShardFacts[], table: string, column: string): bigint {
  const values = shards.map((shard) => {
    const db = cluster.shards.open(shard.keyspace, shard.shard);
    const value = db.db.read(() => fetchAsApp(cluster, db, largestValueSql(db.dbName, table, column))).rows[0]?.[0];
    return BigInt((value ?? 0) as number | bigint);
  });
  return values.reduce((largest, value) => (value > largest ? value : largest), 0n);
}
