import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../src/gate/target.ts';
import { textOf } from '../helpers/topo-world.ts';

describe('parseTarget', () => {
  it.each([
    ['ks[10-20]@primary', { keyspace: 'ks', tabletType: 'PRIMARY', destination: { kind: 'range', range: { start: '10', end: '20' } } }],
    ['ks[-]@primary', { keyspace: 'ks', tabletType: 'PRIMARY', destination: { kind: 'range', range: { start: '', end: '' } } }],
    ['ks[deadbeef]@primary', { keyspace: 'ks', tabletType: 'PRIMARY', destination: { kind: 'id', id: 'deadbeef' } }],
    ['ks:-80@primary', { keyspace: 'ks', tabletType: 'PRIMARY', destination: { kind: 'shard', shard: '-80' } }],
    [':-80@primary', { keyspace: '', tabletType: 'PRIMARY', destination: { kind: 'shard', shard: '-80' } }],
    ['@replica', { keyspace: '', tabletType: 'REPLICA' }],
    ['ks', { keyspace: 'ks', tabletType: 'PRIMARY' }],
    ['', { keyspace: '', tabletType: 'PRIMARY' }],
    ['ks/-80', { keyspace: 'ks', tabletType: 'PRIMARY', destination: { kind: 'shard', shard: '-80' } }],
    ['ks@nonsense', { keyspace: 'ks', tabletType: 'UNKNOWN' }],
    [
      'ks:80-@rdonly|zone2-0000000200',
      { keyspace: 'ks', tabletType: 'RDONLY', destination: { kind: 'shard', shard: '80-' }, alias: { cell: 'zone2', uid: 200 } },
    ],
  ])('%s', (text, expected) => {
    expect(parseTarget(text)).toEqual(expected);
  });

  it.each([
    ['ks@', 'empty tablet type after @'],
    ['ks:0@nonsense|zone1-100', 'invalid tablet type in target: nonsense'],
    ['ks:0@replica|what', 'invalid tablet alias in target: what'],
    ['ks@replica|zone1-100', 'tablet alias must be used with a shard'],
    ['ks[10-20', "invalid key range provided. Couldn't find range end ']'"],
    ['ks[10-20-30]', 'single keyrange expected in 10-20-30'],
    ['ks[xyz]', 'expected valid hex in keyspace id xyz'],
  ])('%s is refused', async (text, expected) => {
    expect(await textOf(() => parseTarget(text))).toBe(expected);
  });

  it('keeps the default type', () => {
    expect(parseTarget('ks', 'RDONLY').tabletType).toBe('RDONLY');
  });
});
