import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as binlogdata from '../../../src/topo/proto/messages-binlogdata.ts';
import * as query from '../../../src/topo/proto/messages-query.ts';
import * as topodata from '../../../src/topo/proto/messages-topodata.ts';
import { parsePrototext } from '../../../src/topo/proto/prototext-parse.ts';
import { prototext } from '../../../src/topo/proto/prototext.ts';
import { allMessages } from '../../../src/topo/proto/registry.ts';
import type { BinlogSource } from '../../../src/topo/proto/types-workflow.ts';
import { recordOf } from './records.ts';

const source = (text: string): BinlogSource => parsePrototext(binlogdata.BinlogSource, text);

describe('prototext', () => {
  it('prints a stream’s source as Go does', () => {
    const record: BinlogSource = {
      keyspace: 'sourceks',
      shard: '0',
      tablet_type: 'UNKNOWN',
      on_ddl: 'IGNORE',
      filter: { rules: [{ match: 't1', filter: 'select * from t1' }, { match: 't2', filter: "in_keyrange(id, '-80')" }] },
      stop_after_copy: true,
    };
    expect(prototext(binlogdata.BinlogSource, record)).toBe(
      'keyspace:"sourceks" shard:"0" filter:{rules:{match:"t1" filter:"select * from t1"} ' +
        'rules:{match:"t2" filter:"in_keyrange(id, \'-80\')"}} stop_after_copy:true',
    );
  });

  it('prints a shard in declaration order', () => {
    const shard = {
      is_primary_serving: true,
      primary_term_start_time: { seconds: '1697055542', nanoseconds: 430056000 },
      primary_alias: { cell: 'zone1', uid: 101 },
    };
    expect(prototext(topodata.Shard, shard)).toBe(
      'primary_alias:{cell:"zone1" uid:101} primary_term_start_time:{seconds:1697055542 nanoseconds:430056000} is_primary_serving:true',
    );
    expect(prototext(topodata.Shard, { key_range: {} })).toBe('key_range:{}');
    expect(prototext(topodata.Shard, undefined)).toBe('');
  });

  it('prints lists, maps sorted by key, and enum names', () => {
    const rule = { match: 't', convert_charset: { b: {}, a: { to_charset: 'utf8mb4' } }, convert_int_to_enum: { c: false } };
    expect(prototext(binlogdata.Rule, rule)).toBe(
      'match:"t" convert_charset:{key:"a" value:{to_charset:"utf8mb4"}} convert_charset:{key:"b" value:{}} convert_int_to_enum:{key:"c" value:false}',
    );
    expect(
      prototext(query.QueryResult, { fields: [{ name: 'id', type: 'INT64' }], rows: [{ lengths: ['2', '-1'], values: 'MTA=' }] }),
    ).toBe('fields:{name:"id" type:INT64} rows:{lengths:2 lengths:-1 values:"10"}');
  });

  // The expected texts of the next two are Go's.
  it.each([
    [[0x80, 0xff, 0x0a], '\\x80\\xff\\n'],
    [[0xc3, 0xa9, 0xc2, 0x85, 0x7f, 0x22, 0x5c], 'é\\u0085\\x7f\\"\\\\'],
    [[0xed, 0xa0, 0x80, 0xf0, 0x9f, 0x98, 0x80], '\\xed\\xa0\\x80😀'],
    [[0x40, 0x00, 0x09], '@\\x00\\t'],
  ])('escapes the bytes %j', (bytes, text) => {
    const range = { start: Buffer.from(bytes).toString('base64') };
    expect(prototext(topodata.KeyRange, range)).toBe(`start:"${text}"`);
    expect(parsePrototext(topodata.KeyRange, `start:"${text}"`)).toEqual(range);
  });

  it.each([
    [0.5, '0.5'],
    [999999, '999999'],
    [1000000, '1e+06'],
    [123456789, '1.23456789e+08'],
    [0.0001, '0.0001'],
    [0.0000123, '1.23e-05'],
    [1e21, '1e+21'],
    ['-Infinity', '-inf'],
    ['NaN', 'nan'],
  ])('prints the double %s as %s', (ratio, text) => {
    expect(prototext(topodata.ThrottledAppRule, { ratio })).toBe(`ratio:${text}`);
  });
});

describe('parsePrototext', () => {
  it('reads back every record it prints', () => {
    for (const type of allMessages()) {
      fc.assert(
        fc.property(recordOf(type), (record) => {
          expect(parsePrototext(type, prototext(type, record))).toEqual(record);
        }),
        { numRuns: 8 },
      );
    }
  });

  it('keeps the shard named 0', () => {
    expect(source(prototext(binlogdata.BinlogSource, { keyspace: 'k', shard: '0' }))).toEqual({ keyspace: 'k', shard: '0' });
  });

  it('reads any layout', () => {
    const text = `keyspace: "a" # from here
      shard : "-" '8' "0" , stop_after_copy: t;
      filter < rules: [ {match:"x"}, <match:'y' filter:"a\\"b\\x41\\101\\u00e9"> ] rules {} >  on_ddl:0x2 tables:[]`;
    expect(source(text)).toEqual({
      keyspace: 'a',
      shard: '-80',
      filter: { rules: [{ match: 'x' }, { match: 'y', filter: 'a"bAAé' }, { match: '' }] },
      on_ddl: 'EXEC',
      stop_after_copy: true,
    });
  });

  it('merges the entries of a map', () => {
    const text =
      'filter:{rules:{convert_enum_to_text:{key:"a" value:"1"} convert_enum_to_text:[{value:"e"}, {key:"a" value:"2"}, {key:"__proto__"}]}}';
    const map = source(text).filter?.rules?.[0]?.convert_enum_to_text ?? {};
    expect(Object.entries(map)).toEqual([
      ['a', '2'],
      ['', 'e'],
      ['__proto__', ''],
    ]);
  });

  it.each([
    ['nope:1', 'proto: (line 1:1): unknown field: nope'],
    ['keyspace:"a"\n  tabletType:PRIMARY', 'proto: (line 2:3): unknown field: tabletType'],
    ['keyspace:"a" keyspace:"b"', 'proto: (line 1:14): non-repeated field "keyspace" is repeated'],
    ['filter:{} filter:{}', 'proto: (line 1:11): non-repeated field "filter" is repeated'],
    ['on_ddl:NOPE', 'proto: (line 1:8): want a name of binlogdata.OnDDLAction, got NOPE'],
    ['stop_after_copy:yes', 'proto: (line 1:17): want true or false, got yes'],
    ['filter:{workflow_type:9223372036854775808}', 'proto: (line 1:23): want an integer (int64), got 9223372036854775808'],
    ['keyspace:a', 'proto: syntax error (line 1:10): a string in quotes is missing'],
    ['keyspace:"abc', 'proto: syntax error (line 1:10): a string in quotes is missing'],
    ['keyspace:"a\nb"', 'proto: syntax error (line 1:10): a string in quotes is missing'],
    ['keyspace:"\\q"', 'proto: syntax error (line 1:10): an escape that does not exist'],
    ['keyspace "a"', "proto: syntax error (line 1:10): missing ':'"],
    ['filter{rules:{', 'proto: syntax error (line 1:15): } is missing at the end'],
    ['filter:<rules:{match:"x"}}', 'proto: syntax error (line 1:26): a field name cannot start with "}"'],
    ['filter', 'proto: syntax error (line 1:7): a message must start with {'],
    ['tables:["a",]', 'proto: syntax error (line 1:13): a string in quotes is missing'],
  ])('refuses %j', (text, message) => {
    expect(() => source(text)).toThrow(message);
  });
});
