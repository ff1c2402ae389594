import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/lib/errors.ts';
import { checkFileSystem } from '../../src/store/network-fs.ts';

describe('where a state may lie', () => {
  it.each([
    ['NFS', 0x6969],
    ['SMB', 0x517b],
    // As a 32-bit number with a sign, which some builds give.
    ['CIFS', 0xff534d42 | 0],
    ['SMB', 0xfe534d42],
    ['Ceph', 0x00c36400],
  ])('not on %s', (name, type) => {
    const refuse = (): unknown => checkFileSystem('/mnt/x/topology.db', () => type);
    expect(refuse).toThrow(UserError);
    expect(refuse).toThrow(`/mnt/x is on ${name}, a network file system`);
  });

  it('on what is shared with a guest, with a warning', () => {
    expect(checkFileSystem('/mnt/c/topology.db', () => 0x01021997)).toContain('/mnt/c is on 9p');
  });

  it.each([['ext4', 0xef53], ['tmpfs', 0x01021994], ['overlay', 0x794c7630], ['nobody knows', undefined]])('on %s, without a word', (_, type) => {
    expect(checkFileSystem('/x/topology.db', () => type)).toBeUndefined();
  });

  it('here, too', () => {
    expect(() => checkFileSystem(`${process.cwd()}/topology.db`)).not.toThrow();
    expect(checkFileSystem('/no/such/folder/topology.db')).toBeUndefined();
  });
});
