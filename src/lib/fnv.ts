/** The hash behind migration ids. Go: hash/fnv New64 (FNV-1, which multiplies before it mixes; not FNV-1a). */

const OFFSET_BASIS = { high: 0xcbf29ce4, low: 0x84222325 };
/** The prime is 2^40 and this. */
const PRIME_LOW = 0x1b3;
const MASK_63 = 0x7fffffffffffffffn;

/** The 64-bit FNV-1 of these bytes, unsigned. */
export function fnv64(bytes: Uint8Array): bigint {
  const { high, low } = fnv64Words(bytes);
  return (BigInt(high) << 32n) | BigInt(low);
}

/** The same as two unsigned halves. No product passes 2^53. */
export function fnv64Words(bytes: Uint8Array): { high: number; low: number } {
  let { high, low } = OFFSET_BASIS;
  for (const byte of bytes) {
    const product = low * PRIME_LOW;
    high = (high * PRIME_LOW + low * 256 + Math.floor(product / 0x100000000)) >>> 0;
    low = ((product >>> 0) ^ byte) >>> 0;
  }
  return { high, low };
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
