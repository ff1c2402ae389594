import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base64ToHex, hexToBase64, keyRangeFromProto, keyRangeToProto } from '../../../src/topo/proto/key-range.ts';
import * as topodata from '../../../src/topo/proto/messages-topodata.ts';
import * as workflow from '../../../src/topo/proto/messages-vtctldata-workflow.ts';
import { allEnums, allMessages, messageNamed } from '../../../src/topo/proto/registry.ts';
import { jsonNameOf } from '../../../src/topo/proto/schema.ts';
import { compareUtf8 } from '../../../src/topo/proto/utf8-order.ts';

describe('the tables', () => {
  it('give every field of a message a name and a number of its own', () => {
    for (const { name, fields } of allMessages()) {
      expect(new Set(fields.map((field) => field.name)).size, name).toBe(fields.length);
      expect(new Set(fields.map((field) => field.number)).size, name).toBe(fields.length);
      expect(fields.every((field) => field.number > 0), name).toBe(true);
    }
  });

  it('name every message once', () => {
    const names = allMessages().map((type) => type.name);
    expect(new Set(names).size).toBe(names.length);
    expect(messageNamed('topodata.Shard')).toBe(topodata.Shard);
    expect(messageNamed('topodata.Nope')).toBeUndefined();
  });

  it('hold the numbers that are not in a row', () => {
    const numbers = topodata.Shard.fields.map((field) => `${field.name}=${field.number}`);
    expect(numbers).toEqual([
      'primary_alias=1',
      'primary_term_start_time=8',
      'key_range=2',
      'source_shards=4',
      'tablet_controls=6',
      'is_primary_serving=7',
      'vtorc_state=9',
    ]);
    expect(topodata.CellsAlias.fieldNamed('cells')?.number).toBe(2);
    expect(workflow.ShardStreams.fieldNamed('streams')?.number).toBe(2);
  });

  it('find a field by either name', () => {
    const field = workflow.Workflow.fieldNamed('maxVReplicationTransactionLag');
    expect(field?.name).toBe('max_v_replication_transaction_lag');
    expect(workflow.Workflow.fieldNamed('max_v_replication_transaction_lag')).toBe(field);
    expect(jsonNameOf('table_p_ks')).toBe('tablePKs');
    expect(jsonNameOf('UUID')).toBe('UUID');
  });

  it('read all names of an enum and print the first', () => {
    expect(topodata.TabletType.numberOf('MASTER')).toBe(1);
    expect(topodata.TabletType.nameOf(1)).toBe('PRIMARY');
    expect(topodata.TabletType.nameOf(3)).toBe('RDONLY');
    expect(topodata.TabletType.nameOf(42)).toBe(42);
    for (const type of allEnums()) expect(typeof type.nameOf(0), type.name).toBe('string');
  });
});

describe('key ranges', () => {
  it('go from hex to base64 and back', () => {
    expect(keyRangeToProto({ start: '', end: '80' })).toEqual({ end: 'gA==' });
    expect(keyRangeToProto({ start: '', end: '' })).toEqual({});
    expect(keyRangeFromProto({ start: 'gA==' })).toEqual({ start: '80', end: '' });
    expect(keyRangeFromProto(undefined)).toEqual({ start: '', end: '' });
    const bytes = fc.uint8Array({ maxLength: 9 }).map((array) => Buffer.from(array).toString('hex'));
    fc.assert(
      fc.property(bytes, bytes, (start, end) => {
        expect(keyRangeFromProto(keyRangeToProto({ start, end }))).toEqual({ start, end });
        expect(base64ToHex(hexToBase64(start))).toBe(start);
      }),
    );
  });
});

describe('compareUtf8', () => {
  it('agrees with the order of the bytes', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}') });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });
});
