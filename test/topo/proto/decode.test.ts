import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VtError } from '../../../src/lib/errors.ts';
import { fromProtojson } from '../../../src/topo/proto/decode.ts';
import { protojson } from '../../../src/topo/proto/encode.ts';
import * as binlogdata from '../../../src/topo/proto/messages-binlogdata.ts';
import * as topodata from '../../../src/topo/proto/messages-topodata.ts';
import * as vschema from '../../../src/topo/proto/messages-vschema.ts';
import { allMessages } from '../../../src/topo/proto/registry.ts';
import { MessageType, isUnset } from '../../../src/topo/proto/schema.ts';
import type { AnyRecord } from '../../../src/topo/proto/schema.ts';
import { recordOf } from './records.ts';

/** The record as another program might write it: camelCase names. */
function camelCased(type: MessageType, record: AnyRecord): AnyRecord {
  const inner = (of: unknown, value: unknown): unknown =>
    of instanceof MessageType && !isUnset(value) ? camelCased(of, value as AnyRecord) : value;
  const entries = type.fields
    .filter((field) => Object.hasOwn(record, field.name))
    .map((field) => {
      const value = record[field.name];
      if (field.label === 'repeated') return [field.jsonName, (value as unknown[]).map((item) => inner(field.type, item))];
      if (field.label !== 'map') return [field.jsonName, inner(field.type, value)];
      const items = Object.entries(value as object).map(([key, item]) => [key, inner(field.type, item)] as const);
      return [field.jsonName, Object.fromEntries(items)];
    });
  return Object.fromEntries(entries) as AnyRecord;
}

describe('fromProtojson', () => {
  it('reads back every record, printed in full, compact or in camelCase', () => {
    for (const type of allMessages()) {
      fc.assert(
        fc.property(recordOf(type), fc.boolean(), (record, compact) => {
          expect(fromProtojson(type, JSON.parse(protojson(type, record, { compact })))).toEqual(record);
          expect(fromProtojson(type, camelCased(type, record), { unknownFields: 'refuse' })).toEqual(record);
        }),
        { numRuns: 5 },
      );
    }
  });

  it('brings everything to one form, in declaration order', () => {
    const record = fromProtojson(topodata.Shard, {
      isPrimaryServing: false,
      tabletControls: [{ tabletType: 'MASTER', cells: [], deniedTables: ['t'] }, { tablet_type: 2 }, { tabletType: 77 }],
      keyRange: { end: 'gA' },
      vtorc_state: null,
      primaryAlias: { uid: '1e2' },
    });
    expect(JSON.stringify(record)).toBe(
      '{"primary_alias":{"cell":"","uid":100},"key_range":{"end":"gA=="},"tablet_controls":[' +
        '{"tablet_type":"PRIMARY","denied_tables":["t"]},{"tablet_type":"REPLICA"},{"tablet_type":77}]}',
    );
  });

  it('keeps what identifies a record even at its default, and messages that are set but empty', () => {
    expect(fromProtojson(topodata.TabletAlias, {})).toEqual({ cell: '', uid: 0 });
    expect(fromProtojson(topodata.Shard, { keyRange: {} })).toEqual({ key_range: {} });
    expect(fromProtojson(vschema.Column, { name: 'c', nullable: false })).toEqual({ name: 'c', nullable: false });
  });

  it('rounds a float32 as it will be printed', () => {
    expect(fromProtojson(vschema.MirrorRule, { percent: 33.33333333 }).percent).toBe(33.333332);
  });

  it('takes a key called __proto__ for what it is', () => {
    const json: unknown = JSON.parse('{"tables": {"__proto__": {"type": "sequence"}}, "__proto__": 1}');
    const record = fromProtojson(vschema.Keyspace, json);
    expect(JSON.stringify(record)).toBe('{"tables":{"__proto__":{"type":"sequence"}},"__proto__":1}');
    expect(protojson(vschema.Keyspace, record, { compact: true, oneLine: true })).toBe(
      '{"tables":{"__proto__":{"type":"sequence"}}}',
    );
  });

  describe('what the tables do not know', () => {
    const json = { rules: [{ fromTable: 'a', to_table: ['b'] }], extra: { deep: [1] } };

    it('keeps it by default, after the known fields', () => {
      expect(JSON.stringify(fromProtojson(vschema.RoutingRules, json))).toBe(
        '{"rules":[{"from_table":"a","to_table":["b"]}],"extra":{"deep":[1]}}',
      );
    });

    it('drops it on request and says where it was', () => {
      const seen: string[] = [];
      const record = fromProtojson(vschema.RoutingRules, json, {
        unknownFields: 'drop',
        onUnknown: (path) => seen.push(path),
      });
      expect(record).toEqual({ rules: [{ from_table: 'a' }] });
      expect(seen).toEqual(['rules[0].to_table', 'extra']);
    });

    it('refuses it on request', () => {
      expect(() => fromProtojson(vschema.RoutingRules, json, { unknownFields: 'refuse' })).toThrow(
        'rules[0].to_table: there is no such field',
      );
    });

    it('drops unknown enum names on request, from fields and lists', () => {
      const seen: string[] = [];
      const options = { unknownEnums: 'drop', onUnknown: (path: string) => seen.push(path) } as const;
      expect(fromProtojson(vschema.Column, { name: 'c', type: 'VARCHARR' }, options)).toEqual({ name: 'c' });
      expect(seen).toEqual(['type']);
    });
  });

  const mistakes: [MessageType, unknown, string][] = [
    [topodata.TabletAlias, [], 'topodata.TabletAlias: want an object, got a list'],
    [topodata.TabletAlias, null, 'topodata.TabletAlias: want an object, got null'],
    [topodata.TabletAlias, { cell: 1 }, 'cell: want a string, got 1'],
    [topodata.TabletAlias, { uid: -1 }, 'uid: want an integer (uint32), got -1'],
    [topodata.TabletAlias, { uid: 4294967296 }, 'uid: want an integer (uint32), got 4294967296'],
    [topodata.TabletAlias, { uid: 1.5 }, 'uid: want an integer (uint32), got 1.5'],
    [topodata.TabletAlias, { uid: '05' }, 'uid: want an integer (uint32), got "05"'],
    [topodata.KeyRange, { start: 'g' }, 'start: want a base64 string, got "g"'],
    [topodata.KeyRange, { start: '/-8=' }, 'start: want a base64 string, got "/-8="'],
    [topodata.Shard, { isPrimaryServing: 'true' }, 'isPrimaryServing: want true or false, got "true"'],
    [topodata.Shard, { tabletControls: {} }, 'tabletControls: want a list, got an object'],
    [topodata.Shard, { tabletControls: [null] }, 'tabletControls[0]: want an object, got null'],
    [
      topodata.Shard,
      { tabletControls: [{}, { tabletType: 'primary' }] },
      'tabletControls[1].tabletType: want a name of topodata.TabletType, got "primary"',
    ],
    [topodata.Shard, { keyRange: {}, key_range: {} }, 'key_range: the field key_range is given twice'],
    [vschema.MirrorRule, { percent: 1e39 }, 'percent: want a number (float), got 1e+39'],
    [vschema.RoutingRules, { rules: [{ toTables: ['a', 5] }] }, 'rules[0].toTables[1]: want a string, got 5'],
    [vschema.Keyspace, { vindexes: { 'a"b': { params: { x: 1 } } } }, 'vindexes["a\\"b"].params["x"]: want a string, got 1'],
    [vschema.Keyspace, { tables: [] }, 'tables: want an object, got a list'],
    [binlogdata.Filter, { workflow_type: 2 ** 60 }, 'workflow_type: put a number this large in quotes'],
    [binlogdata.Filter, { workflow_type: '99999999999999999999' }, 'workflow_type: want an integer (int64), got "99999999999999999999"'],
  ];
  it.each(mistakes.map(([type, json, message]) => ({ type, json, message })))('says: $message', ({ type, json, message }) => {
    const read = (): unknown => fromProtojson(type, json);
    expect(read).toThrow(VtError);
    expect(read).toThrow(message);
    expect(message).not.toContain('\n');
  });
});
