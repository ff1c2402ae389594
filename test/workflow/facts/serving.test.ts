import { describe, expect, it } from 'vitest';
import { refusals } from '../../../src/workflow/facts/serving.ts';
import type { ShardFacts, TabletFacts } from '../../../src/workflow/facts/shard.ts';

function tablet(alias: string, type: string, refuses: string[], changes: Partial<TabletFacts> = {}): TabletFacts {
  const believes = { type, serving: true, reason: '', deniedTables: refuses, allowReads: false, fence: 0 };
  return { alias, keyspace: 'ks', shard: '0', type, state: 'up', startsAs: type,
    primary: type === 'PRIMARY', believes, denied: refuses, differs: [], ...changes };
}

function shard(name: string, tablets: TabletFacts[], serving = true, routed: ShardFacts['routed'] = ['PRIMARY', 'REPLICA', 'RDONLY']): ShardFacts {
  return { keyspace: 'ks', shard: name, primary: 'a', serving, routed, denied: [], tablets, tables: [], position: '', tableLocks: [] };
}

describe('refusals', () => {
  it('tells each shard whose primary refuses, and those that serve not', () => {
    const shards = [shard('-80', [tablet('a', 'PRIMARY', ['t'])]), shard('80-', [tablet('b', 'PRIMARY', [])])];
    expect(refusals(shards, 'ks', 't', 'PRIMARY')).toEqual([{ shard: 'ks/-80', why: 'denied on' }]);
    expect(refusals(shards, 'ks', 'u', 'PRIMARY')).toEqual([]);
    expect(refusals(shards, 'other', 't', 'PRIMARY')).toEqual([]);
  });

  it('takes one replica that answers for enough', () => {
    const both = [tablet('a', 'REPLICA', ['t']), tablet('b', 'REPLICA', ['t'])];
    expect(refusals([shard('0', both)], 'ks', 't', 'REPLICA')).toEqual([{ shard: 'ks/0', why: 'denied on' }]);
    expect(refusals([shard('0', [both[0]!, tablet('b', 'REPLICA', [])])], 'ks', 't', 'REPLICA')).toEqual([]);
    expect(refusals([shard('0', [])], 'ks', 't', 'REPLICA')).toEqual([]);
  });

  it('goes by what the tablet believes, and says when the record no longer does', () => {
    expect(refusals([shard('0', [tablet('a', 'PRIMARY', ['t'], { denied: [] })])], 'ks', 't', 'PRIMARY')[0]?.why).toBe('still denied by the tablets of');
    expect(refusals([shard('0', [tablet('a', 'PRIMARY', [], { denied: ['t'] })])], 'ks', 't', 'PRIMARY')).toEqual([]);
  });

  it('misses a primary, and does not count a shard to which no gate sends the type', () => {
    expect(refusals([shard('0', [])], 'ks', 't', 'PRIMARY')).toEqual([{ shard: 'ks/0', why: 'no primary in' }]);
    expect(refusals([shard('0', [], false, [])], 'ks', 't', 'PRIMARY')).toEqual([]);
    // A Reshard whose reads have gone: the shard serves, and its replicas are asked no more.
    const replicas = [tablet('a', 'PRIMARY', []), tablet('b', 'REPLICA', ['t'])];
    expect(refusals([shard('0', replicas, true, ['PRIMARY'])], 'ks', 't', 'REPLICA')).toEqual([]);
    // One half-way: the record says no longer, the gates still send there.
    expect(refusals([shard('0', [tablet('a', 'PRIMARY', ['t'])], false)], 'ks', 't', 'PRIMARY')).toHaveLength(1);
  });
});
