import { BinlogSource } from '../../topo/proto/messages-binlogdata.ts';
import { parsePrototext } from '../../topo/proto/prototext-parse.ts';
import type { BinlogSource as Source } from '../../topo/proto/types-workflow.ts';
import type { ShardDb } from '../shard-db.ts';
import type { StreamRow } from './streams.ts';

type Sources = Map<number, { text: string; source: Source }>;

/** By shard, the one used longest ago first. Work goes shard by shard; the rules of many shards by many tables would fill the memory. */
const parsed = new Map<ShardDb, Sources>();
const MOST_SHARDS = 16;

/**
 * What a stream reads, from its row. Every chunk asks for it, and the rules of a thousand tables take milliseconds to
 * parse, so the answer is kept as long as the text is the same: do not change it.
 * Throws a plain error for bad prototext.
 */
export function sourceOf(target: ShardDb, { id, source: text }: Pick<StreamRow, 'id' | 'source'>): Source {
  const streams = sourcesOf(target);
  const known = streams.get(id);
  if (known?.text === text) return known.source;
  const source = parsePrototext(BinlogSource, text) as Source;
  streams.set(id, { text, source });
  return source;
}

function sourcesOf(target: ShardDb): Sources {
  const streams: Sources = parsed.get(target) ?? new Map();
  parsed.delete(target);
  parsed.set(target, streams);
  if (parsed.size > MOST_SHARDS) parsed.delete(parsed.keys().next().value!);
  return streams;
}
