import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorCode, errorText } from '../../src/lib/errors.ts';
import {
  TABLET_TYPES,
  formatKeyspaceShard,
  formatTabletAlias,
  isUsableCellName,
  parseKeyspaceShard,
  parseTabletAlias,
  parseTabletType,
  parseTabletTypes,
  reverseWorkflowName,
  validateKeyspaceName,
  validateObjectName,
  validateShardName,
} from '../../src/lib/names.ts';

function failure(run: () => unknown): { text: string; code: string } | undefined {
  try {
    run();
  } catch (error) {
    return { text: errorText(error), code: errorCode(error) };
  }
  return undefined;
}

describe('object names', () => {
  it.each(['valid', 'validdigits1321', 'valid-with-dashes', '_', 'x'.repeat(64)])('takes %s', (name) => {
    expect(failure(() => validateObjectName(name))).toBeUndefined();
  });

  it.each([
    ['', 'empty name'],
    [
      'very-long-keyspace-name-that-is-even-too-long-for-mysql-to-handle',
      'name very-long-keyspace-name-that-is-even-too-long-for-mysql-to-handle is too long',
    ],
    ['é'.repeat(33), `name ${'é'.repeat(33)} is too long`],
    ['with<invalid>chars', 'invalid character < in name with<invalid>chars'],
    ['a.b', 'invalid character . in name a.b'],
    ['a😀', 'invalid character 😀 in name a😀'],
  ])('refuses %j', (name, text) => {
    expect(failure(() => validateObjectName(name))).toEqual({ text, code: 'INVALID_ARGUMENT' });
  });

  it('says it twice for a keyspace', () => {
    expect(failure(() => validateKeyspaceName('a/b', 'CreateKeyspace'))).toEqual({
      text: 'CreateKeyspace: invalid character / in name a/b: invalid character / in name a/b',
      code: 'INVALID_ARGUMENT',
    });
    expect(failure(() => validateKeyspaceName('ab', 'GetKeyspace'))).toBeUndefined();
  });
});

describe('shard names', () => {
  it.each([
    ['0', '0', undefined],
    ['my_Shard', 'my_Shard', undefined],
    ['-', '-', { start: '', end: '' }],
    ['-A0', '-a0', { start: '', end: 'a0' }],
    ['A0-', 'a0-', { start: 'a0', end: '' }],
    ['80-8000', '80-8000', { start: '80', end: '8000' }],
  ])('%s', (shard, name, keyRange) => {
    expect(validateShardName(shard)).toEqual({ name, keyRange });
  });

  it.each([
    ['a-b-c', "invalid shardId, can only contain one '-': a-b-c", 'INVALID_ARGUMENT'],
    ['8-', 'encoding/hex: odd length hex string', 'UNKNOWN'],
    ['-8g', "encoding/hex: invalid byte: U+0067 'g'", 'UNKNOWN'],
    ['80-40', 'out of order keys: 80 is not strictly smaller than 40', 'INVALID_ARGUMENT'],
    ['C0-c0', 'out of order keys: c0 is not strictly smaller than c0', 'INVALID_ARGUMENT'],
    ['a/b', 'invalid character / in name a/b', 'INVALID_ARGUMENT'],
  ])('refuses %s', (shard, text, code) => {
    expect(failure(() => validateShardName(shard))).toEqual({ text, code });
  });
});

describe('keyspace/shard', () => {
  it('takes either separator', () => {
    expect(parseKeyspaceShard('key01/shard0')).toEqual({ keyspace: 'key01', shard: 'shard0' });
    expect(parseKeyspaceShard('key01:shard0')).toEqual({ keyspace: 'key01', shard: 'shard0' });
    expect(parseKeyspaceShard('a:b/c')).toEqual({ keyspace: 'a:b', shard: 'c' });
    expect(formatKeyspaceShard('ks', '-80')).toBe('ks/-80');
  });

  it.each(['foo', '/zk/global/ks/sh', '', 'a:b:c'])('refuses %j', (text) => {
    expect(() => parseKeyspaceShard(text)).toThrow(expect.objectContaining({ message: `invalid shard path: ${text}` }));
  });
});

describe('tablet aliases', () => {
  it('reads them back', () => {
    expect(parseTabletAlias('zone1-100')).toEqual({ cell: 'zone1', uid: 100 });
    expect(parseTabletAlias('us-east-1-0000000042')).toEqual({ cell: 'us-east-1', uid: 42 });
    expect(parseTabletAlias('c-4294967295').uid).toBe(4294967295);
    expect(formatTabletAlias({ cell: 'zone1', uid: 100 })).toBe('zone1-0000000100');
    expect(formatTabletAlias(undefined)).toBe('<nil>');
  });

  it('any usable cell and number survive', () => {
    const cell = fc.stringMatching(/^[-_.a-zA-Z0-9]{1,12}$/);
    fc.assert(
      fc.property(cell, fc.nat({ max: 0xffffffff }), (name, uid) => {
        expect(isUsableCellName(name)).toBe(true);
        expect(parseTabletAlias(formatTabletAlias({ cell: name, uid }))).toEqual({ cell: name, uid });
      }),
    );
    expect(isUsableCellName('a b')).toBe(false);
    expect(isUsableCellName('')).toBe(false);
  });

  it.each(['', '42', '-42', 'cell1', 'cell1-', 'cell1_42', ',cell1-42', 'c-1\n'])('refuses %j', (text) => {
    expect(() => parseTabletAlias(text)).toThrow(
      expect.objectContaining({ message: `invalid tablet alias: '${text}', expecting format: '^(?P<cell>[-_.a-zA-Z0-9]+)-(?P<uid>[0-9]+)$'` }),
    );
  });

  it('refuses a number beyond 32 bits', () => {
    expect(() => parseTabletAlias('c-4294967296')).toThrow(
      expect.objectContaining({ message: 'invalid tablet uid in alias \'c-4294967296\': bad tablet uid: strconv.ParseUint: parsing "4294967296": value out of range' }),
    );
  });
});

describe('tablet types', () => {
  it('has each at its number', () => {
    expect(TABLET_TYPES.map((type) => type.number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('reads lists in any case, older names too', () => {
    expect(parseTabletTypes('master,Replica,BATCH,unknown')).toEqual(['PRIMARY', 'REPLICA', 'RDONLY', 'UNKNOWN']);
    expect(parseTabletTypes('')).toEqual([]);
    expect(parseTabletType('spare')).toBe('SPARE');
  });

  it('trims nothing', () => {
    expect(() => parseTabletTypes('replica, rdonly')).toThrow(expect.objectContaining({ message: 'unknown TabletType  rdonly' }));
    expect(() => parseTabletTypes('in_order:REPLICA')).toThrow(expect.objectContaining({ message: 'unknown TabletType in_order:REPLICA' }));
    expect(() => parseTabletTypes('replica,')).toThrow(expect.objectContaining({ message: 'unknown TabletType ' }));
  });
});

describe('reverseWorkflowName', () => {
  it.each([
    ['aa', 'aa_reverse'],
    ['aa_reverse', 'aa'],
    ['aa_reverse_aa', 'aa_reverse_aa_reverse'],
  ])('%s', (name, reverse) => {
    expect(reverseWorkflowName(name)).toBe(reverse);
  });
});
