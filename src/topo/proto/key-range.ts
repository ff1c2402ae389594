/**
 * Key ranges between records (base64, `topodata.KeyRange`) and the rest of the program (hex, as shard
 * names write them).
 */
import type { KeyRange } from './types.ts';

/** A key range by its bounds in lower-case hex; an empty bound is open. */
export interface HexKeyRange {
  start: string;
  end: string;
}

/** The record of a range. A range with both bounds open is `{}`: set, but empty. */
export function keyRangeToProto(range: Readonly<HexKeyRange>): KeyRange {
  return {
    ...(range.start !== '' && { start: hexToBase64(range.start) }),
    ...(range.end !== '' && { end: hexToBase64(range.end) }),
  };
}

/** The range of a record. A missing record, as shards without a range have, covers everything as in Vitess. */
export function keyRangeFromProto(range: Readonly<KeyRange> | null | undefined): HexKeyRange {
  return { start: base64ToHex(range?.start ?? ''), end: base64ToHex(range?.end ?? '') };
}

/** Bytes from hex to base64. */
export function hexToBase64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

/** Bytes from base64 to lower-case hex. */
export function base64ToHex(base64: string): string {
  // Most ranges are open.
  if (base64 === '') return '';
  return Buffer.from(base64, 'base64').toString('hex');
}
