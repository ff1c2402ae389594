import { BinlogSource } from '../../topo/proto/messages-binlogdata.ts';
import { parsePrototext } from '../../topo/proto/prototext-parse.ts';
import type { BinlogSource as Source } from '../../topo/proto/types-workflow.ts';
import type { ShardDb } from '../shard-db.ts';
import type { StreamRow } from './streams.ts';

const parsed = new WeakMap<ShardDb, Map<number, { text: string; source: Source }>>();

/**
 * What a stream reads, from its row. Every chunk asks for it, and the rules of a thousand tables take milliseconds to
 * parse, so the answer is kept as long as the text is the same: do not change it.
 * Throws a plain error for bad prototext.
 */
export function sourceOf(target: ShardDb, { id, source: text }: Pick<StreamRow, 'id' | 'source'>): Source {
  let streams = parsed.get(target);
  if (streams === undefined) {
    streams = new Map();
    parsed.set(target, streams);
  }
  const known = streams.get(id);
  if (known?.text === text) return known.source;
  const source = parsePrototext(BinlogSource, text) as Source;
  streams.set(id, { text, source });
  return source;
}
