/** The hash behind migration ids. Go: hash/fnv New64 (FNV-1, which multiplies before it mixes; not FNV-1a). */

const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const MASK_64 = 0xffffffffffffffffn;
const MASK_63 = 0x7fffffffffffffffn;

/** The 64-bit FNV-1 of these bytes, unsigned. */
export function fnv64(bytes: Uint8Array): bigint {
  let hash = OFFSET_BASIS;
  for (const byte of bytes) hash = ((hash * PRIME) & MASK_64) ^ BigInt(byte);
  return hash;
}

/**
 * The id that names one migration, and with it the row in the resharding journal: the hash of the target keyspace
 * followed by its streams in sorted order, positive in 64 signed bits. New streams have new ids, so a migration
 * made anew has a new id.
 *
 * Vitess: HashStreams in go/vt/vtctl/workflow/utils.go.
 *
 * @param streams one `<target shard>:<stream id>` per stream, in any order
 */
export function migrationId(targetKeyspace: string, streams: readonly string[]): bigint {
  const text = targetKeyspace + [...streams].sort().join('');
  return fnv64(new TextEncoder().encode(text)) & MASK_63;
}
